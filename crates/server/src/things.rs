//! What waits for a person: each with why, by when, and where it is done.

use std::collections::HashMap;

use stead_model::{DeviceId, Employment, Millis, Outcome, PersonId, Role, Stage, Standing, Subject};
use stead_policy::losses::By;
use stead_store::{
    finding::StoredFinding,
    loss::{Loss, State},
    people::Person,
};

use crate::{
    App,
    clearance::Held,
    error::Refusal,
    web::losses::{asks, label},
    words::Words,
};

/// Something to do.
#[derive(Clone, Debug)]
pub struct Thing {
    /// The icon beside it.
    pub icon: &'static str,
    /// What it is.
    pub title: String,
    /// Why, in a line.
    pub why: String,
    /// By when.
    pub due: Option<Millis>,
    /// Whether the time for it has passed.
    pub late: bool,
    /// Where it is done.
    pub link: String,
    /// The rule it comes from, when it comes from one.
    pub rule: Option<String>,
}

/// A person's devices, each with what does not pass on it.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn held(app: &App, person: &Person) -> Result<Vec<Held>, Refusal> {
    let devices = app.store.devices_of(person.id).await?;
    let heard: Vec<DeviceId> = devices.iter().filter(|d| d.revoked_at.is_none()).map(|d| d.id).collect();
    let mut against = app.store.against_of_all(&heard).await?;
    Ok(devices
        .into_iter()
        .filter(|device| device.revoked_at.is_none())
        .map(|device| {
            let (its, rest) = against.drain(..).partition(|(id, _)| *id == device.id);
            against = rest;
            let its: Vec<_> = its;
            Held { against: its.into_iter().map(|(_, finding)| finding).collect(), device }
        })
        .collect())
}

/// The same for many people at once; those without a device are left out.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn held_of_all(app: &App, people: &[Person]) -> Result<HashMap<PersonId, Vec<Held>>, Refusal> {
    let ids: Vec<PersonId> = people.iter().map(|person| person.id).collect();
    let devices = app.store.devices_of_all(&ids).await?;
    let against = app.store.against_of_all(&devices.iter().map(|d| d.id).collect::<Vec<_>>()).await?;
    let mut by_device: HashMap<DeviceId, Vec<_>> = HashMap::new();
    for (device, finding) in against {
        by_device.entry(device).or_default().push(finding);
    }
    let mut by_person: HashMap<PersonId, Vec<Held>> = HashMap::new();
    for device in devices {
        let against = by_device.remove(&device.id).unwrap_or_default();
        by_person.entry(device.person).or_default().push(Held { device, against });
    }
    Ok(by_person)
}

/// What counts against a person, whatever device they use.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn own(app: &App, person: PersonId) -> Result<Vec<StoredFinding>, Refusal> {
    let mut own = app.store.subject_findings(Subject::Person, &person.to_string()).await?;
    own.retain(|finding| finding.failing_since.is_some());
    Ok(own)
}

/// The same for many people at once; those of whom all is well are left out.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn own_of_all(
    app: &App,
    people: &[Person],
) -> Result<HashMap<PersonId, Vec<StoredFinding>>, Refusal> {
    let ids: Vec<String> = people.iter().map(|person| person.id.to_string()).collect();
    let mut all = app.store.subject_findings_of_all(Subject::Person, &ids).await?;
    Ok(people
        .iter()
        .filter_map(|person| {
            let mut own = all.remove(&person.id.to_string())?;
            own.retain(|finding| finding.failing_since.is_some());
            (!own.is_empty()).then_some((person.id, own))
        })
        .collect())
}

/// Everything that waits for a person, what is due first on top.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn of(
    app: &App,
    person: &Person,
    (held, own): (&[Held], &[StoredFinding]),
    words: &Words,
) -> Result<Vec<Thing>, Refusal> {
    let now = app.now();
    let mut things = findings(app, held, words, now);
    things.extend(own_findings(app, own, words, now));
    let lost = losses(app, person, words).await?;
    if held.is_empty() && lost.is_empty() && person.state == Employment::Active {
        things.push(Thing {
            icon: "laptop",
            title: words.say("thing-first-device"),
            why: words.say("thing-first-device-why"),
            due: None,
            late: false,
            link: "/home#add".to_owned(),
            rule: None,
        });
    }
    for held in held.iter().filter(|held| held.device.standing == Standing::Unknown) {
        let name = [("device", held.device.name.clone())];
        things.push(Thing {
            icon: "unknown",
            title: words.with("thing-silent", name),
            why: words.say("thing-silent-why"),
            due: None,
            late: true,
            link: format!("/devices/{}", held.device.id),
            rule: None,
        });
    }
    things.extend(lost);
    if person.state == Employment::Leaving {
        for item in app.store.clear_out(person.id).await? {
            if item.kind == "return" && item.done_at.is_none() {
                things.push(Thing {
                    icon: "laptop",
                    title: words.with("thing-return", [("device", item.label)]),
                    why: words.say("thing-return-why"),
                    due: Some(item.due),
                    late: item.due <= now,
                    link: "/me#leaving".to_owned(),
                    rule: None,
                });
            }
        }
    }
    // The rule asks for the same where it is not kept.
    let asked = own.iter().any(|finding| finding.rule == "strong-sign-in");
    if !asked && app.passkeys.is_some() && app.store.passkeys(person.id).await?.is_empty() {
        things.push(Thing {
            icon: "key",
            title: words.say("thing-passkey"),
            why: words.say("thing-passkey-why"),
            due: None,
            late: false,
            link: "/me/ways#passkeys".to_owned(),
            rule: None,
        });
    }
    for grant in app.store.grants(person.id).await?.iter().filter(|grant| grant.role == Role::Manager) {
        if !person.state.may_act_in_roles() {
            continue;
        }
        if let Some(due) = crate::flows::attest::due(app, grant.unit, words).await? {
            things.push(Thing {
                icon: "people",
                title: words.with("thing-attest", [("unit", grant.unit_name.clone())]),
                why: words.say("thing-attest-why"),
                due: Some(due),
                late: due <= now,
                link: format!("/team/attest?unit={}", grant.unit),
                rule: None,
            });
        }
    }
    things.sort_by_key(|thing| (!thing.late, thing.due.is_none(), thing.due));
    Ok(things)
}

/// Whether something is lost and not let in again.
pub fn is_gone(loss: &Loss) -> bool {
    !loss.practice && matches!(loss.state, State::Open | State::Found)
}

/// What is left for somebody to do about what they lost; and that it is lost.
async fn losses(app: &App, person: &Person, words: &Words) -> Result<Vec<Thing>, Refusal> {
    let now = app.now();
    let mut things = Vec::new();
    for loss in app.store.losses_of(person.id).await?.iter().filter(|loss| is_gone(loss)) {
        let name = [("device", label(loss, words))];
        let steps = app.store.loss_steps(loss.id).await?;
        let own = steps.iter().filter(|step| step.done_at.is_none() && step.taker == By::Person.word());
        let link = format!("/losses/{}#steps", loss.id);
        let before = things.len();
        things.extend(own.map(|step| Thing {
            icon: "loss",
            title: asks(app, step, words),
            why: words.with("home-lost-step", &name),
            due: step.due_at,
            late: step.due_at.is_some_and(|due| due <= now),
            link: link.clone(),
            rule: None,
        }));
        if things.len() == before {
            things.push(Thing {
                icon: "loss",
                title: words.with("home-lost", &name),
                why: words.say("home-lost-why"),
                due: None,
                late: false,
                link: format!("/losses/{}", loss.id),
                rule: None,
            });
        }
    }
    Ok(things)
}

/// Where it is done what a rule about people asks for.
fn done_at(rule: &str) -> Option<&'static str> {
    match rule {
        "policy-acknowledged" => Some("/policy"),
        "strong-sign-in" => Some("/me/ways#passkeys"),
        "returned-on-leaving" => Some("/me#leaving"),
        _ => None,
    }
}

fn own_findings(app: &App, own: &[StoredFinding], words: &Words, now: Millis) -> Vec<Thing> {
    let pack = app.pack();
    own.iter()
        .filter_map(|finding| {
            let rule = pack.rule(&finding.rule)?;
            if finding.stage == Stage::Observe || !finding.outcome.counts_against() {
                return None;
            }
            let due = finding.due;
            let text = rule.text(words.language.tag());
            Some(Thing {
                icon: if finding.outcome == Outcome::Unknown { "unknown" } else { "rule" },
                title: text.asks,
                why: text.why.split_inclusive(". ").next().unwrap_or_default().trim().replace("**", ""),
                due,
                late: due.is_some_and(|due| due <= now),
                link: done_at(&rule.id).map_or_else(|| format!("/rules/{}", rule.id), str::to_owned),
                rule: Some(rule.id.clone()),
            })
        })
        .collect()
}

fn findings(app: &App, held: &[Held], words: &Words, now: Millis) -> Vec<Thing> {
    let mut things = Vec::new();
    let pack = app.pack();
    for held in held {
        for finding in &held.against {
            let Some(rule) = pack.rule(&finding.rule) else { continue };
            if finding.stage == Stage::Observe || !finding.outcome.counts_against() {
                continue;
            }
            let due = finding.due;
            let with = [("device", held.device.name.clone())];
            let why = match (finding.outcome, due) {
                (Outcome::Unknown, _) => "thing-finding-unknown",
                (_, None) => "thing-finding-advice",
                (_, Some(due)) if due <= now => "thing-finding-late",
                (_, Some(_)) => "thing-finding-due",
            };
            things.push(Thing {
                icon: if finding.outcome == Outcome::Unknown { "unknown" } else { "rule" },
                title: rule.text(words.language.tag()).asks,
                why: words.with(why, with),
                due,
                late: due.is_some_and(|due| due <= now),
                link: format!("/devices/{}#{}", held.device.id, rule.id),
                rule: Some(rule.id.clone()),
            });
        }
    }
    things
}
