//! Every page in a real browser, at two widths, light and dark, by keyboard, with axe.

use std::{path::Path, process::Command};

use stead_e2e::Fleet;
use stead_model::{
    Fact,
    fact::{Field, Record},
};
use stead_testkit::device::good_facts_at;

#[test]
fn pages_walk_in_a_real_browser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser");
    let there =
        folder.join("node_modules/playwright-core").is_dir() && Path::new("/usr/bin/chromium").exists();
    if !there {
        assert!(std::env::var_os("STEAD_TEST_ALL").is_none(), "no browser; `cargo xtask test` installs one");
        eprintln!("skipped: no browser; `cargo xtask test` installs one where it may");
        return;
    }
    let mut f = Fleet::start(None);
    let mut facts = good_facts_at(f.now());
    let volume = Record::from([
        ("mount".to_owned(), Field::from("/data")),
        ("encrypted".to_owned(), Field::from(false)),
        ("how".to_owned(), Field::from("not encrypted (ext4 on sdb1)")),
    ]);
    facts.insert("device.volumes".to_owned(), Fact::known(vec![volume], "/proc/self/mountinfo"));
    facts.insert(
        "device.firewall.denies_inbound".to_owned(),
        Fact::unknown("only root may read the firewall rules in force", "nft"),
    );
    f.report(&facts);
    let mut second = f.enrol_another("laptop-2", "organisation");
    let good = good_facts_at(f.now());
    f.report_as(&mut second, &good);
    let link = f.server.admin(&["sign-in-link", "--base-url", &f.server.url()]).unwrap();
    let mut walk = Command::new("node");
    walk.arg("pages.mjs").arg(f.server.url()).arg(link).current_dir(folder);
    if let Some(shots) = std::env::var_os("STEAD_SCREENS") {
        walk.arg(shots);
    }
    let walked = walk.output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&walked.stdout), String::from_utf8_lossy(&walked.stderr));
    eprintln!("{said}");
    assert!(walked.status.success(), "{said}");
}
