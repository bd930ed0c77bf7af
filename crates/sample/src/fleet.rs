//! The devices of the sample: when each comes, what goes wrong on it and when that is mended.

use std::sync::Arc;

use stead_model::{
    Employment, Fact, Facts, Millis,
    fact::{Field, Record},
    message::Enrolled,
    time::{DAY, HOUR},
};
use stead_server::{
    App,
    error::Refusal,
    flows::{check_in, enrol, revoke},
};
use stead_testkit::{
    SimDevice,
    device::{good_facts_at, text},
};
use tokio::task::{JoinError, JoinSet};

use crate::{
    people::{Organisation, state},
    pick, told,
};

/// Most reports under way at once.
const AT_ONCE: usize = 2_000;

/// What can be wrong with a device, each for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    ClearDisk,
    FirewallOff,
    UpdatesWait(i64),
    OldSignatures,
    NoLock,
    OpenNetwork,
    AutomaticLogin,
    CannotTell,
}

/// A wrong, and how many days it lasts.
#[derive(Clone, Copy, Debug)]
struct Spell {
    wrong: Wrong,
    from: i64,
    days: i64,
}

struct Plan {
    seed: [u8; 32],
    name: String,
    owner: &'static str,
    holder: usize,
    comes: i64,
    /// The day after which nothing is heard of it.
    silent_after: i64,
    revoked: i64,
    /// The day on which it moves from Debian 12 to 13.
    upgraded: i64,
    spells: Vec<Spell>,
    device: Option<SimDevice>,
}

/// All devices.
pub struct Fleet {
    plans: Vec<Plan>,
}

impl Fleet {
    /// Plans the whole year.
    pub fn plan(devices: u32, days: i64, organisation: &Organisation, luck: &mut fastrand::Rng) -> Self {
        let never = i64::MAX;
        let plans = (0..devices)
            .map(|n| {
                let mut seed = [0; 32];
                luck.fill(&mut seed);
                // Two thirds are there from the start; the others come as the year goes.
                let comes = if luck.u8(..) < 170 { luck.i64(0..5.min(days)) } else { luck.i64(0..days) };
                let retired = luck.u8(..) < 14;
                let lost = luck.u8(..) < 7;
                Plan {
                    seed,
                    name: format!("{}-{:04}", if luck.u8(..) < 200 { "laptop" } else { "desktop" }, n + 1),
                    owner: if luck.u8(..) < 250 { "organisation" } else { "person" },
                    // Everybody has one before anybody has two; those who sign in to look have one as well.
                    holder: n as usize % organisation.staff.len(),
                    comes,
                    silent_after: if lost { comes + luck.i64(20..400) } else { never },
                    revoked: if retired { comes + luck.i64(60..500) } else { never },
                    upgraded: if luck.u8(..) < 160 { 0 } else { luck.i64(0..days + 60) },
                    spells: spells(luck, comes, days),
                    device: None,
                }
            })
            .collect();
        Self { plans }
    }

    /// What happens on a day: newcomers enrol, those with something new or whose week has come report.
    pub async fn live(
        &mut self,
        app: &Arc<App>,
        day: i64,
        left: i64,
        organisation: &Organisation,
        luck: &mut fastrand::Rng,
    ) -> anyhow::Result<()> {
        let now = app.now();
        let mut reports = JoinSet::new();
        for (n, plan) in self.plans.iter_mut().enumerate() {
            if day < plan.comes || day > plan.silent_after || day > plan.revoked {
                continue;
            }
            if plan.device.is_none() {
                let Some(device) = plan.enrol(app, organisation).await? else { continue };
                plan.device = Some(device);
            } else if day == plan.revoked {
                if let Some(device) = &plan.device {
                    // The list of somebody who left may have revoked it before.
                    let _ = revoke::revoke(app, device.id, "sample").await;
                }
                continue;
            }
            let news = plan.spells.iter().any(|spell| spell.from == day || spell.from + spell.days == day);
            let weekly = (day + i64::try_from(n).unwrap_or(0)) % 5 == 0;
            // At the end all have just been heard, as in an organisation that is at work.
            if !(news || weekly || day == plan.comes || day == plan.upgraded || left == 0) {
                continue;
            }
            let facts = plan.facts(day, now);
            if let Some(device) = &mut plan.device {
                let message = text(&device.report(&facts, now));
                let app = Arc::clone(app);
                reports.spawn(async move { check_in::check_in(&app, &message).await.map(drop) });
            }
            // No more at once than a server lets wait.
            while reports.len() >= AT_ONCE {
                heard(reports.join_next().await)?;
            }
        }
        while !reports.is_empty() {
            heard(reports.join_next().await)?;
        }
        // Now and then somebody breaks something new.
        if luck.u8(..) < 90 {
            let place = luck.usize(..self.plans.len());
            let spell = Spell { wrong: any_wrong(luck)?, from: day + 1, days: luck.i64(1..9) };
            self.plans[place].spells.push(spell);
        }
        Ok(())
    }
}

/// Devices of people who have left are refused, as they should be; anything else ends the story.
fn heard(done: Option<Result<Result<(), Refusal>, JoinError>>) -> anyhow::Result<()> {
    match done {
        Some(Err(broken)) => Err(broken.into()),
        Some(Ok(Err(refusal))) => {
            let problem = told(refusal).to_string();
            anyhow::ensure!(problem.contains("revoked"), "{problem}");
            Ok(())
        }
        Some(Ok(Ok(()))) | None => Ok(()),
    }
}

fn any_wrong(luck: &mut fastrand::Rng) -> anyhow::Result<Wrong> {
    pick(
        luck,
        &[
            Wrong::ClearDisk,
            Wrong::FirewallOff,
            Wrong::UpdatesWait(7),
            Wrong::OldSignatures,
            Wrong::NoLock,
            Wrong::OpenNetwork,
            Wrong::AutomaticLogin,
            Wrong::CannotTell,
        ],
    )
    .copied()
}

/// What goes wrong in a device's life: much at first, then updates now and then, and some of it for long.
fn spells(luck: &mut fastrand::Rng, comes: i64, days: i64) -> Vec<Spell> {
    let mut all = Vec::new();
    let mut add = |wrong, from, days| all.push(Spell { wrong, from, days });
    if luck.u8(..) < 60 {
        add(Wrong::ClearDisk, comes, luck.i64(1..20));
    }
    if luck.u8(..) < 50 {
        add(Wrong::NoLock, comes, luck.i64(1..12));
    }
    if luck.u8(..) < 20 {
        add(Wrong::CannotTell, comes, luck.i64(1..60));
    }
    let mut day = comes + luck.i64(10..40);
    while day < days {
        add(Wrong::UpdatesWait(luck.i64(1..30)), day, luck.i64(1..11));
        if luck.u8(..) < 30 {
            add(Wrong::OldSignatures, day + 3, luck.i64(1..10));
        }
        if luck.u8(..) < 20 {
            add(Wrong::OpenNetwork, day + 5, 1);
        }
        day += luck.i64(25..60);
    }
    // Some have something wrong as the story ends.
    if luck.u8(..) < 34 {
        add(Wrong::UpdatesWait(4), days - luck.i64(0..9), 30);
    }
    if luck.u8(..) < 12 {
        add(Wrong::FirewallOff, days - luck.i64(0..6), 30);
    }
    if luck.u8(..) < 10 {
        add(Wrong::ClearDisk, days - luck.i64(0..8), 30);
    }
    all
}

impl Plan {
    async fn enrol(&self, app: &App, organisation: &Organisation) -> anyhow::Result<Option<SimDevice>> {
        let person = organisation.staff[self.holder];
        if !state(app, person).await?.is_some_and(Employment::may_enrol) {
            return Ok(None);
        }
        let code = enrol::give_code(app, person, self.owner, HOUR, "sample").await.map_err(told)?;
        let (_, envelope) = SimDevice::enrolment(self.seed, &code, &self.name, app.now());
        let enrolled: Enrolled = enrol::enrol(app, &envelope).await.map_err(told)?;
        Ok(Some(SimDevice::with_identity(self.seed, enrolled)))
    }

    /// How the device is on a day.
    fn facts(&self, day: i64, now: Millis) -> Facts {
        let mut facts = good_facts_at(now);
        let mut set = |name: &str, fact: Fact| facts.insert(name.to_owned(), fact);
        if day < self.upgraded {
            set("device.os.release", Fact::known("12", "/etc/os-release"));
            set("device.os.name", Fact::known("Debian GNU/Linux 12 (bookworm)", "/etc/os-release"));
        }
        for spell in self.spells.iter().filter(|spell| (spell.from..spell.from + spell.days).contains(&day)) {
            match spell.wrong {
                Wrong::ClearDisk => {
                    let volume = |mount: &str, encrypted: bool, how: &str| {
                        Record::from([
                            ("mount".to_owned(), Field::from(mount)),
                            ("encrypted".to_owned(), Field::from(encrypted)),
                            ("how".to_owned(), Field::from(how)),
                        ])
                    };
                    let volumes = vec![
                        volume("/", true, "LUKS2"),
                        volume("/data", false, "not encrypted (ext4 on sdb1)"),
                    ];
                    set("device.volumes", Fact::known(volumes, "/proc/self/mountinfo"));
                }
                Wrong::FirewallOff => {
                    set("device.firewall.denies_inbound", Fact::known(false, "nft -j list ruleset"));
                }
                Wrong::UpdatesWait(n) => {
                    set("device.updates.security_pending", Fact::known(n, "lists of apt"));
                }
                Wrong::OldSignatures => {
                    let old = now.plus(-12 * DAY).0;
                    set("device.antivirus.signatures_at", Fact::known(old, "/var/lib/clamav"));
                }
                Wrong::NoLock => {
                    set("device.screen.lock_after", Fact::known(0_i64, "gsettings"));
                }
                Wrong::OpenNetwork => {
                    set("device.wifi.security", Fact::known("open", "nmcli device wifi"));
                    set("device.tunnel.carries_traffic", Fact::known(false, "ip route get"));
                }
                Wrong::AutomaticLogin => {
                    set("device.login.automatic", Fact::known(true, "settings of GDM"));
                }
                Wrong::CannotTell => {
                    set(
                        "device.firewall.denies_inbound",
                        Fact::unknown("only root may read the firewall rules in force", "nft"),
                    );
                }
            }
        }
        facts
    }
}
