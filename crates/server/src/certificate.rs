//! The certificate of a loss: what was lost and when that was told, that every door was shut, whether it was
//! encrypted, what was done by when, all that happened, and the ledger's entries by which that can be checked.
//!
//! In scope: gathering it for print. Out of scope: who may read it.

use stead_model::{Millis, seal};
use stead_store::loss::Loss;

use crate::{
    App,
    error::Refusal,
    flows::{
        device_subject,
        loss::{
            doors::{self, Door, Is},
            evidence::Evidence,
        },
        person_subject,
    },
    reports::{Report, Section},
    web::losses::{asks, event, label},
    words::Words,
};

/// The certificate as PDF.
///
/// # Errors
/// [`Refusal`] when the store is away or nothing can be printed now.
pub async fn pdf(app: &App, loss: &Loss, words: &Words) -> Result<Vec<u8>, Refusal> {
    let report = gather(app, loss, words).await?;
    app.printer.print("report", &report).await
}

fn section(title: String, about: String, head: Vec<String>, rows: Vec<Vec<String>>) -> Section {
    Section { title, about, chart: None, head, rows }
}

async fn gather(app: &App, loss: &Loss, words: &Words) -> Result<Report, Refusal> {
    let say = |name: &str| words.say(name);
    let heads = |names: &[&str]| names.iter().map(|name| say(name)).collect::<Vec<_>>();
    let time = |at: Millis| words.exact_date(at);
    let known = Evidence::read(&loss.evidence);
    let name = async |id| -> Result<String, Refusal> {
        let Some(id) = id else { return Ok(String::new()) };
        Ok(app.store.person(id).await?.map_or_else(String::new, |person| person.name))
    };

    let told_by = match loss.told_by {
        Some(_) => name(loss.told_by).await?,
        None => say("loss-way-card"),
    };
    let mut rows = vec![
        vec![say("loss-thing"), label(loss, words)],
        vec![say("loss-kind"), say(&format!("thing-{}", loss.thing))],
        vec![say("loss-how"), say(if loss.stolen { "loss-stolen" } else { "loss-lost" })],
        vec![say("loss-whose"), [loss.person_name.as_str(), &loss.unit_name].join(", ")],
        vec![say("loss-noticed-at"), time(loss.noticed_at)],
        vec![say("loss-told-at"), time(loss.told_at)],
        vec![say("loss-told-by"), [told_by.as_str(), &say(&format!("loss-way-{}", loss.way))].join(", ")],
        vec![say("loss-state"), say(&format!("loss-state-{}", loss.state.word()))],
    ];
    rows.extend(loss.device.map(|device| vec![say("device-id"), device.to_string()]));
    if !loss.risk.is_empty() {
        rows.push(vec![say("loss-risk"), say(&format!("loss-risk-{}", loss.risk))]);
    }
    let what = section(say("loss-what-title"), String::new(), heads(&["print-fact", "print-says"]), rows);

    let stored = app.store.loss_doors(loss.id).await?;
    let mut rows = Vec::new();
    for door in Door::ALL {
        let Some(shut) = stored.iter().find(|shut| shut.door == door.word()) else { continue };
        let now = match (doors::is(app, loss, door, shut.shut_at).await?, shut.open_at) {
            (Is::Open, Some(at)) => [say("door-is-back"), time(at)].join(", "),
            (is, _) => say(&format!("door-is-{}", is.word())),
        };
        let shut_at = if door == Door::Agent { loss.obeyed_at } else { Some(shut.shut_at) };
        rows.push(vec![say(&format!("door-{}", door.word())), shut_at.map_or_else(String::new, time), now]);
    }
    let about = if rows.is_empty() { say("loss-doors-none") } else { String::new() };
    let doors = section(say("loss-doors"), about, heads(&["loss-door", "loss-shut-at", "loss-now"]), rows);

    let steps = app.store.loss_steps(loss.id).await?;
    let mut rows = Vec::new();
    for step in &steps {
        rows.push(vec![
            asks(app, step, words),
            step.due_at.map_or_else(String::new, time),
            step.done_at.map_or_else(String::new, time),
            name(step.done_by).await?,
            step.words.clone(),
        ]);
    }
    let head = heads(&["loss-step", "loss-due", "loss-done", "loss-by", "loss-said"]);
    let done = section(say("loss-steps"), String::new(), head, rows);

    let mut rows = Vec::new();
    for one in app.store.loss_events(loss.id).await? {
        let (what, said) = event(app, &steps, words, &one.kind, &one.words);
        rows.push(vec![time(one.at), name(one.by).await?, what, said]);
    }
    let head = heads(&["loss-when", "loss-by", "loss-event", "loss-said"]);
    let timeline = section(say("loss-timeline"), String::new(), head, rows);

    let mut sections = vec![what];
    if loss.device.is_some() {
        sections.push(encryption(loss, &known, words));
    }
    sections.extend([doors, done, timeline, proof(app, loss, words).await?]);
    Ok(Report {
        name: "loss",
        lang: words.language.tag(),
        title: words.with("loss-certificate", [("thing", label(loss, words))]),
        lead: say("loss-certificate-lead"),
        made: words.with("loss-made", [("time", words.long_time(app.now()))]),
        stale: String::new(),
        sections,
    })
}

/// Whether it was encrypted when it was lost, with what that is known from.
fn encryption(loss: &Loss, known: &Evidence, words: &Words) -> Section {
    let mut about = vec![format!("{}.", words.say(format!("loss-encrypted-{}", known.encrypted.word())))];
    if !known.why.is_empty() {
        about.push(format!("{}.", known.why));
    }
    if let Some(at) = known.received_at {
        let age = words.ago(at, loss.told_at);
        about.push(words.with("loss-report-age", [("time", words.exact_date(at)), ("ago", age)]));
        about.push(known.report.clone());
    }
    let rows = known.volumes.iter().map(|volume| {
        vec![
            volume.mount.clone(),
            words.say(format!("loss-disk-{}", volume.encrypted.word())),
            volume.how.clone(),
        ]
    });
    let head = ["loss-disk", "loss-encrypted", "loss-disk-how"].map(|name| words.say(name)).to_vec();
    section(words.say("loss-encrypted-title"), about.join(" "), head, rows.collect())
}

/// The entries of the ledger about it, and by which checkpoint they can be checked.
async fn proof(app: &App, loss: &Loss, words: &Words) -> Result<Section, Refusal> {
    let mut entries = app.store.ledger_mentioning(&person_subject(loss.person), &loss.id.to_string()).await?;
    // What happened to the device itself meanwhile: that it was shut out, and let in again.
    if let Some(device) = loss.device {
        let until = loss.closed_at.unwrap_or_else(|| app.now());
        for kind in ["device.revoked", "device.restored"] {
            let of = (&*device_subject(device), kind);
            entries.extend(app.store.ledger_of_kind(of, (loss.told_at, until)).await?);
        }
        entries.sort_by_key(|entry| entry.index);
    }
    let rows = entries.iter().map(|entry| {
        vec![
            entry.index.to_string(),
            words.exact_date(entry.at),
            entry.kind.clone(),
            seal::digest(entry.text.as_bytes()),
        ]
    });
    let head = app.store.ledger_head().await?;
    let checkpoint: Vec<&str> = head.checkpoint.lines().take(3).collect();
    let about = words.with("loss-proof-about", [("checkpoint", checkpoint.join(" / "))]);
    let heads = ["loss-entry", "loss-when", "loss-event", "loss-digest"].map(|name| words.say(name)).to_vec();
    Ok(section(words.say("loss-proof"), about, heads, rows.collect()))
}
