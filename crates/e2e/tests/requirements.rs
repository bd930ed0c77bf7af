//! Each line of the source documents that is met so far, from end to end: a device says something, the
//! server judges it, a page shows it, the ledger proves it. Test names start with the line's id.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use stead_e2e::{Fleet, on_both};
use stead_model::{
    Fact, Outcome, Standing, Value,
    fact::{Field, Record},
    time::DAY,
};
use stead_testkit::device::good_facts_at;

on_both! {
    rc_2_a_clear_disk_is_judged_shown_and_proven
    rc_3_a_screen_that_never_locks_fails
    rc_4_an_open_network_counts_at_once_and_a_personal_device_is_told
    rc_5_the_four_families_of_protection_are_judged
    rc_6_ways_in_from_outside_are_judged
    opm_s2_records_on_the_device_are_judged_by_what_holds_them
    unknown_is_never_a_pass
}

fn volume(mount: &str, encrypted: Field) -> Record {
    Record::from([
        ("mount".to_owned(), Field::from(mount)),
        ("encrypted".to_owned(), encrypted),
        ("how".to_owned(), Field::from("as seen")),
    ])
}

fn rc_2_a_clear_disk_is_judged_shown_and_proven(f: &mut Fleet) {
    let now = f.now();
    let mut facts = good_facts_at(now);
    assert_eq!(f.report(&facts).standing, Standing::Good);

    facts.insert(
        "device.volumes".to_owned(),
        Fact::known(
            vec![volume("/", Field::from(true)), volume("/data", Field::from(false))],
            "/proc/self/mountinfo",
        ),
    );
    let answer = f.report(&facts);
    assert_eq!(answer.standing, Standing::Due);
    let finding = f.finding(&answer, "disk-encrypted");
    assert_eq!(finding.outcome, Outcome::Fail);
    assert!(finding.observed.contains("/data"), "{}", finding.observed);
    assert_eq!(
        finding.due.unwrap().since(finding.failing_since.unwrap()),
        3 * DAY,
        "grace counts from the first failure"
    );
    assert!(finding.advice.contains("Disks"), "the fix is said");

    // Failing on does not move the deadline.
    facts.insert("device.updates.security_pending".to_owned(), Fact::known(2_i64, "lists of apt"));
    let later = f.report(&facts);
    assert_eq!(f.finding(&later, "disk-encrypted").due, finding.due);

    let page = f.device_page();
    assert!(
        page.contains("Your disk is encrypted")
            && page.contains("/data: as seen")
            && page.contains("Fail, due")
    );
    assert!(f.page("/rules/disk-encrypted").contains("laptop-1"));
    assert!(f.page("/proof").contains("id=\"RC-2\""));
    let entries = f.ledger_texts();
    assert!(
        entries.iter().any(|e| e.contains(r#"{"from":"pass","rule":"disk-encrypted","to":"fail"}"#)),
        "{entries:?}"
    );
    assert!(
        entries.iter().any(|e| e.contains(r#""kind":"standing.changed""#) && e.contains(r#""from":"good""#))
    );
    f.verify_ledger();
}

fn rc_3_a_screen_that_never_locks_fails(f: &mut Fleet) {
    let mut facts = good_facts_at(f.now());
    facts.insert("device.screen.lock_after".to_owned(), Fact::known(0_i64, "gsettings"));
    let answer = f.report(&facts);
    let finding = f.finding(&answer, "screen-locks");
    assert_eq!((finding.outcome, finding.observed.as_str()), (Outcome::Fail, "never locks by itself"));
    assert!(f.device_page().contains("never locks by itself"));
    f.verify_ledger();
}

fn rc_4_an_open_network_counts_at_once_and_a_personal_device_is_told(f: &mut Fleet) {
    let mut facts = good_facts_at(f.now());
    facts.insert("device.wifi.security".to_owned(), Fact::known("open", "nmcli"));
    facts.insert("device.tunnel.carries_traffic".to_owned(), Fact::known(false, "ip route get"));
    let answer = f.report(&facts);
    assert_eq!(f.finding(&answer, "network-safe").outcome, Outcome::Fail);
    assert_eq!(answer.standing, Standing::Lapsed, "an unsafe network has no grace");
    assert!(f.page("/overview").contains("One has lapsed"));

    facts.insert("device.tunnel.carries_traffic".to_owned(), Fact::known(true, "ip route get"));
    let answer = f.report(&facts);
    assert_eq!(
        (f.finding(&answer, "network-safe").outcome, answer.standing),
        (Outcome::Pass, Standing::Good)
    );

    let mut theirs = f.enrol_another("laptop-2", "person");
    let answer = f.report_as(&mut theirs, &facts);
    assert_eq!(f.finding(&answer, "device-is-ours").outcome, Outcome::Fail);
    f.verify_ledger();
}

fn rc_5_the_four_families_of_protection_are_judged(f: &mut Fleet) {
    let now = f.now();
    for (rule, fact, bad) in [
        ("system-supported", "device.os.release", Value::from("10")),
        ("updates-installed", "device.updates.security_pending", Value::from(4_i64)),
        ("updates-automatic", "device.updates.automatic", Value::from(false)),
        ("antivirus-runs", "device.antivirus.running", Value::from(false)),
        ("antivirus-current", "device.antivirus.signatures_at", Value::from(now.plus(-30 * DAY).0)),
        ("firewall-on", "device.firewall.denies_inbound", Value::from(false)),
        ("disk-encrypted", "device.volumes", Value::from(vec![volume("/", Field::from(false))])),
    ] {
        let mut facts = good_facts_at(now);
        let answer = f.report(&facts);
        assert_eq!(f.finding(&answer, rule).outcome, Outcome::Pass, "{rule}");
        facts.insert(fact.to_owned(), Fact::known(bad, "test"));
        let answer = f.report(&facts);
        assert_eq!(f.finding(&answer, rule).outcome, Outcome::Fail, "{rule}");
        assert_eq!(answer.standing, Standing::Due, "{rule}");
    }
    assert!(f.page("/rules/firewall-on").contains("How to fix it"));
    f.verify_ledger();
}

fn rc_6_ways_in_from_outside_are_judged(f: &mut Fleet) {
    let mut facts = good_facts_at(f.now());
    facts.insert("device.remote_login.open".to_owned(), Fact::known(true, "/proc/net/tcp"));
    facts.insert("device.accounts.administrators".to_owned(), Fact::known(5_i64, "/etc/group"));
    facts.insert("device.password_manager.present".to_owned(), Fact::known(false, "programs"));
    facts.insert("device.place.kind".to_owned(), Fact::known("travel", "/proc/net/route"));
    facts.insert("device.tunnel.carries_traffic".to_owned(), Fact::known(false, "ip route get"));
    let answer = f.report(&facts);
    for rule in ["remote-login-closed", "few-administrators", "password-manager", "tunnel-when-away"] {
        assert_eq!(f.finding(&answer, rule).outcome, Outcome::Fail, "{rule}");
    }
    assert!(f.device_page().contains("sign-in over the network is open"));
    f.verify_ledger();
}

fn opm_s2_records_on_the_device_are_judged_by_what_holds_them(f: &mut Fleet) {
    let mut facts = good_facts_at(f.now());
    facts.insert(
        "device.volumes".to_owned(),
        Fact::known(
            vec![volume("/", Field::from(false)), volume("swap", Field::from(true))],
            "/proc/self/mountinfo",
        ),
    );
    let answer = f.report(&facts);
    assert_eq!(
        f.finding(&answer, "disk-encrypted").outcome,
        Outcome::Fail,
        "an encrypted swap says nothing about the rest"
    );
    let proof = f.page("/proof?source=OPM-&q=at+rest");
    assert!(
        proof.contains("OPM-S2") && proof.contains("/rules/disk-encrypted") && !proof.contains("id=\"RC-2\"")
    );
    f.verify_ledger();
}

fn unknown_is_never_a_pass(f: &mut Fleet) {
    let all = good_facts_at(f.now());
    for name in all.keys().filter(|name| *name != "device.kind") {
        let mut facts = all.clone();
        facts.insert(name.clone(), Fact::unknown("it did not answer", "test"));
        let answer = f.report(&facts);
        let unknown: Vec<_> =
            answer.findings.iter().flatten().filter(|finding| finding.outcome == Outcome::Unknown).collect();
        // Names in words decide nothing. A tunnel that carries everything makes the Wi-Fi and the place beside the
        // point; at home on a safe Wi-Fi no tunnel is asked for.
        let decides_nothing = [
            "device.os.name",
            "device.antivirus.product",
            "device.firewall.by",
            "device.wifi.security",
            "device.place.kind",
            "device.tunnel.carries_traffic",
        ];
        assert!(!unknown.is_empty() || decides_nothing.contains(&name.as_str()), "{name} unknown passed");
    }
    // Both at once are known by nobody.
    let mut facts = all.clone();
    for name in ["device.place.kind", "device.tunnel.carries_traffic"] {
        facts.insert(name.to_owned(), Fact::unknown("it did not answer", "test"));
    }
    let answer = f.report(&facts);
    assert_eq!(f.finding(&answer, "tunnel-when-away").outcome, Outcome::Unknown);
    // Nothing at all: every rule that concerns the device is unknown.
    let answer =
        f.report(&stead_model::Facts::from([("device.kind".to_owned(), all["device.kind"].clone())]));
    let passed: Vec<_> = answer
        .findings
        .iter()
        .flatten()
        .filter(|finding| finding.outcome == Outcome::Pass)
        .map(|finding| finding.rule.as_str())
        .collect();
    assert_eq!(passed, ["device-is-ours"], "only what the server's own record says");
}
