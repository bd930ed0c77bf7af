//! The policy of the sample: people confirm it, a next version comes a few weeks before the story ends, and
//! most have confirmed that as well.

use stead_model::{PersonId, time::DAY};
use stead_policy::{pack::Files, shipped};
use stead_server::{
    App,
    flows::policy::{
        confirm,
        drafts::{self, Edit, mark},
        publish, review,
    },
};

use crate::{people::Organisation, told};

/// Days before the end on which the next version is proposed.
const PROPOSED: i64 = 24;
/// Days before the end from which on it is in force.
const IN_FORCE: i64 = 17;

/// Days before the end on which a rule with a period of its own is looked through.
const LOOKED_THROUGH: i64 = 9;
/// Days before the end on which the draft of a third version is begun.
const DRAFTED: i64 = 2;

/// What happens on a day.
pub async fn live(
    app: &App,
    (day, left): (i64, i64),
    organisation: &Organisation,
    luck: &mut fastrand::Rng,
) -> anyhow::Result<()> {
    let (author, approver) = organisation.who_publish();
    if left == PROPOSED && day > 0 {
        let effective = app.now().plus((PROPOSED - IN_FORCE) * DAY);
        let says =
            "A clear disk closes restricted work after one day, not three. Two laptops were lost this year.";
        let id = publish::propose(app, author, &next(), says, Some(effective)).await.map_err(told)?;
        publish::approve(app, approver, id, 1).await.map_err(told)?;
    }
    if day == 200 {
        let said = review::Said {
            rule: String::new(),
            took_part: "Coordinator, security, staff council".to_owned(),
            considered: "Two lost laptops, one with a clear disk; questions from the units".to_owned(),
            outcome: "changed".to_owned(),
            words: "Less time for disks that are not encrypted".to_owned(),
        };
        review::review(app, author, said).await.map_err(told)?;
    }
    if left == LOOKED_THROUGH {
        let said = review::Said {
            rule: "system-supported".to_owned(),
            took_part: "IT operations, security".to_owned(),
            considered: "The makers' dates for the next half year".to_owned(),
            outcome: "kept".to_owned(),
            words: String::new(),
        };
        review::review(app, author, said).await.map_err(told)?;
    }
    if left == DRAFTED && day > 0 {
        draft(app, author, approver).await?;
    }
    // Most confirm in the first days, some after a reminder, a few not at all.
    let digest = app.pack().digest.clone();
    let waiting = app.store.to_confirm(&digest, None, 500).await?;
    let right: Vec<_> = app.pack().manifest.questions.iter().map(|asked| Some(asked.right)).collect();
    for listed in waiting {
        if luck.u8(..) < 48 {
            confirm::confirm(app, listed.person.id, &digest, &right).await.map_err(told)?;
        }
    }
    Ok(())
}

/// A third version is being written by two people; one of its tests still says what held before.
async fn draft(app: &App, one: PersonId, other: PersonId) -> anyhow::Result<()> {
    let id = drafts::begin(app, one).await.map_err(told)?;
    for (by, path, from, to) in [
        (one, "pack.toml", "lock_seconds = { value = 900", "lock_seconds = { value = 600"),
        (one, "rules/screen-locks.md", "at most fifteen minutes", "at most ten minutes"),
        (other, "rules/screen-locks.md", "grace = \"P2D\"", "grace = \"P1D\""),
        (other, "rules/screen-locks.md", "**two days**", "**one day**"),
    ] {
        let open = drafts::open(app, id).await.map_err(told)?;
        let was = open.text(path);
        anyhow::ensure!(was.contains(from), "{path} of the pack that ships does not say {from}");
        let edit = Edit { path: path.to_owned(), was: mark(was), text: was.replacen(from, to, 1) };
        drafts::save(app, by, id, &edit).await.map_err(told)?;
    }
    Ok(())
}

/// Who writes a version and who publishes it.
pub type Publishers = (PersonId, PersonId);

/// The pack that ships with the next number and one change.
fn next() -> Files {
    let mut files = shipped::remote_work();
    for (path, from, to) in [
        ("pack.toml", "version = 5", "version = 6"),
        ("rules/disk-encrypted.md", "grace = \"P3D\"", "grace = \"P1D\""),
        ("rules/disk-encrypted.md", "**three days**", "**one day**"),
        (
            "rules/system-supported.md",
            "severity = ",
            "owner = \"IT operations\"\nreview_every = \"P90D\"\nseverity = ",
        ),
        ("rules/disk-encrypted.pt-BR.md", "**três dias**", "**um dia**"),
    ] {
        if let Some(text) = files.get_mut(path) {
            *text = text.replacen(from, to, 1);
        }
    }
    files
}
