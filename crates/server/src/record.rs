//! Everything that is held on a person, gathered once for the page, the file and the printed form.
//!
//! In scope: saying all of it, with its purpose and how long it is kept. Out of scope: who may read it.

use serde::Serialize;
use serde_json::Value;
use stead_model::{
    Millis, Subject,
    catalogue::{self, FactType},
    seal::Envelope,
    text, time,
};
use stead_store::{device::Device, look::Look, people::Person};

use crate::{
    App,
    error::Refusal,
    flows::{
        notices::{self, Topic},
        sign_in,
    },
    web::losses::{event, label},
    words::Words,
};

/// One fact: what it is called, what it says.
#[derive(Clone, Debug, Serialize)]
pub struct Held {
    /// What it is called.
    pub name: String,
    /// What it says.
    pub value: String,
    /// Where it comes from; empty where the section says it.
    pub origin: String,
}

/// Facts that belong together.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    /// What they are about.
    pub title: String,
    /// What they are held for.
    pub purpose: String,
    /// How long they are kept.
    pub kept: String,
    /// The facts.
    pub held: Vec<Held>,
}

impl Section {
    /// How many facts it holds.
    pub fn facts(&self) -> usize {
        self.held.len()
    }
}

/// What the printed form says, all of it in the reader's words.
#[derive(Serialize)]
struct Printed<'a> {
    lang: &'static str,
    title: String,
    lead: String,
    made: String,
    fact: String,
    says: String,
    nothing: String,
    purpose: String,
    kept: String,
    sections: &'a [Section],
    looks_title: String,
    looks_none: String,
    looks_head: [String; 4],
    looks: Vec<PrintedLook>,
    ledger_title: String,
    ledger: String,
}

#[derive(Serialize)]
struct PrintedLook {
    who: String,
    at: String,
    purpose: String,
    entry: String,
}

/// All of it in print, with everybody who looked: a PDF.
///
/// # Errors
/// [`Refusal`] when the store is away or nothing can be printed now.
pub async fn pdf(app: &App, person: &Person, words: &Words) -> Result<Vec<u8>, Refusal> {
    let sections = of(app, person, words).await?;
    let looks = app.store.looks(person.id, i64::MAX).await?;
    let facts: usize = sections.iter().map(Section::facts).sum();
    let look = |look: Look| PrintedLook {
        who: look.viewer_name,
        at: words.long_time(look.at),
        purpose: match look.words.is_empty() {
            true => words.purpose(look.purpose),
            false => [words.purpose(look.purpose), look.words].join(": "),
        },
        entry: look.entry.to_string(),
    };
    let printed = Printed {
        lang: words.language.tag(),
        title: words.say("menu-record"),
        lead: [
            words.count("record-headline", i64::try_from(facts).unwrap_or(i64::MAX)),
            words.say("record-lead"),
        ]
        .join(" "),
        made: words.with("print-made", [("name", person.name.clone()), ("time", words.long_time(app.now()))]),
        fact: words.say("print-fact"),
        says: words.say("print-says"),
        nothing: words.say("print-nothing"),
        purpose: words.say("record-purpose"),
        kept: words.say("record-kept"),
        sections: &sections,
        looks_title: words.say("record-looks"),
        looks_none: words.say("record-looks-none"),
        looks_head: ["record-who", "record-when", "record-what-for", "record-entry"]
            .map(|name| words.say(name)),
        looks: looks.into_iter().map(look).collect(),
        ledger_title: words.say("record-ledger"),
        ledger: [words.say("record-ledger-why"), person.id.to_string()].join(" "),
    };
    app.printer.print("record", &printed).await
}

/// Everything that is held on a person.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn of(app: &App, person: &Person, words: &Words) -> Result<Vec<Section>, Refusal> {
    let mut sections = vec![directory(app, person, words).await?, ways(app, person, words).await?];
    for device in app.store.devices_of(person.id).await? {
        sections.push(self::device(app, &device, words).await?);
    }
    sections.push(notices(app, person, words).await?);
    sections.extend(judged(app, person, words).await?);
    sections.extend(fairness(app, person, words).await?);
    sections.extend(losses(app, person, words).await?);
    let said = app.store.said_of(person.id).await?;
    if !said.is_empty() {
        sections.push(Section {
            title: words.say("record-attested"),
            purpose: words.say("record-attested-purpose"),
            kept: words.say("record-attested-kept"),
            held: said
                .into_iter()
                .map(|(at, by, answer, text)| Held {
                    name: words.long_time(at),
                    value: [words.say(format!("attest-{answer}")), text].join(" ").trim().to_owned(),
                    origin: by,
                })
                .collect(),
        });
    }
    Ok(sections)
}

/// What the policy's rules found on them, and which versions they confirmed.
async fn judged(app: &App, person: &Person, words: &Words) -> Result<Vec<Section>, Refusal> {
    let mut sections = Vec::new();
    let pack = app.pack();
    let findings = app.store.subject_findings(Subject::Person, &person.id.to_string()).await?;
    let held: Vec<Held> = findings
        .into_iter()
        .filter_map(|finding| {
            let rule = pack.rule(&finding.rule)?;
            let outcome = words.say(format!("outcome-{}", finding.outcome.word().replace('_', "-")));
            let parts = [outcome, finding.observed].into_iter().filter(|part| !part.is_empty());
            let origin = [finding.origin, words.long_time(finding.at)];
            Some(Held {
                name: rule.text(words.language.tag()).title,
                value: parts.collect::<Vec<_>>().join(": "),
                origin: origin.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "),
            })
        })
        .collect();
    if !held.is_empty() {
        sections.push(Section {
            title: words.say("record-judged"),
            purpose: words.say("record-judged-purpose"),
            kept: words.say("record-judged-kept"),
            held,
        });
    }
    let confirmed = app.store.confirmed_by(person.id).await?;
    if !confirmed.is_empty() {
        let held = confirmed.into_iter().map(|(version, at, entry)| Held {
            name: version.label(),
            value: words.long_time(at),
            origin: words.with("version-entry", [("n", entry.to_string())]),
        });
        sections.push(Section {
            title: words.say("record-confirmed"),
            purpose: words.say("record-confirmed-purpose"),
            kept: words.say("record-confirmed-kept"),
            held: held.collect(),
        });
    }
    Ok(sections)
}

/// Exceptions for them, cases about them, rules that bind them alone.
async fn fairness(app: &App, person: &Person, words: &Words) -> Result<Vec<Section>, Refusal> {
    let pack = app.pack();
    let title = |rule: &str| {
        pack.rule(rule).map_or_else(|| rule.to_owned(), |rule| rule.text(words.language.tag()).title)
    };
    let mut sections = Vec::new();
    let mut push = |name: &str, held: Vec<Held>| {
        if !held.is_empty() {
            sections.push(Section {
                title: words.say(name),
                purpose: words.say("record-fairness-purpose"),
                kept: words.say("record-fairness-kept"),
                held,
            });
        }
    };
    let terms = app.store.terms_of(person.id).await?.into_iter().map(|term| Held {
        name: title(&term.rule),
        value: term.words,
        origin: words.with("terms-since", [("date", words.date(term.written_at))]),
    });
    push("terms-title", terms.collect());
    let exceptions = app.store.exceptions_of(person.id).await?.into_iter().map(|one| Held {
        name: [title(&one.rule), one.label].join(" ").trim().to_owned(),
        value: [one.reason, one.instead, one.words].join(" ").trim().to_owned(),
        origin: [words.say(format!("exception-{}", one.state.word())), words.long_time(one.until)].join(", "),
    });
    push("exceptions-title", exceptions.collect());
    let mut held = Vec::new();
    for case in app.store.cases_of(person.id).await? {
        let mut said = vec![words.long_time(case.opened_at)];
        for event in app.store.case_events(case.id).await? {
            let what = match event.kind.as_str() {
                "limited" => words.with("case-event-limited", [("tier", words.tier(&event.words))]),
                "closed" | "mended" => words.say(format!("case-outcome-{}", event.words)),
                kind if event.words.is_empty() => words.say(format!("case-event-{kind}")),
                kind => [words.say(format!("case-event-{kind}")), event.words].join(": "),
            };
            said.push(what);
        }
        let seen: Value = serde_json::from_str(&case.evidence).unwrap_or_default();
        held.push(Held {
            name: title(&case.rule),
            value: said.join("; "),
            origin: seen["observed"].as_str().unwrap_or_default().to_owned(),
        });
    }
    push("cases-title", held);
    Ok(sections)
}

/// What of theirs was lost, and their wallet card.
async fn losses(app: &App, person: &Person, words: &Words) -> Result<Option<Section>, Refusal> {
    let mut held = Vec::new();
    if let Some(card) = app.store.loss_card(person.id).await? {
        let origin = String::new();
        held.push(Held { name: words.say("card-title"), value: words.long_time(card.made_at), origin });
    }
    for loss in app.store.losses_of(person.id).await? {
        let steps = app.store.loss_steps(loss.id).await?;
        let mut said = vec![words.long_time(loss.told_at)];
        for one in app.store.loss_events(loss.id).await? {
            let (what, words) = event(app, &steps, words, &one.kind, &one.words);
            said.push([what, words].join(" ").trim().to_owned());
        }
        let state = if loss.practice { "practice" } else { loss.state.word() };
        held.push(Held {
            name: label(&loss, words),
            value: said.join("; "),
            origin: words.say(format!("loss-state-{state}")),
        });
    }
    Ok((!held.is_empty()).then(|| Section {
        title: words.say("losses-title"),
        purpose: words.say("record-losses-purpose"),
        kept: words.say("record-losses-kept"),
        held,
    }))
}

async fn directory(app: &App, person: &Person, words: &Words) -> Result<Section, Refusal> {
    let mut held = Vec::new();
    let mut push = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            held.push(Held { name: words.say(name), value, origin: String::new() });
        }
    };
    push("field-name", Some(person.name.clone()));
    push("field-email", person.email.clone());
    push("field-staff_number", person.staff_number.clone());
    push("field-unit", app.store.unit(person.unit).await?.map(|unit| unit.name));
    if let Some(manager) = person.manager {
        push("field-manager", app.store.person(manager).await?.map(|manager| manager.name));
    }
    let state = [words.state(person.state), words.date(person.state_since)].join(", ");
    push("field-state", Some(state));
    push("field-last_day", person.last_day.map(|day| words.date(day)));
    push("field-added", Some(words.long_time(person.created_at)));
    push("field-language", (!person.language.is_empty()).then(|| person.language.clone()));
    push("field-zone", (!person.zone.is_empty()).then(|| person.zone.clone()));
    for grant in app.store.grants(person.id).await? {
        let value = [words.role(grant.role), grant.unit_name, words.date(grant.granted_at)].join(", ");
        push("field-role", Some(value));
    }
    Ok(Section {
        title: words.say("record-directory"),
        purpose: words.say("record-directory-purpose"),
        kept: words.say("record-directory-kept"),
        held,
    })
}

async fn ways(app: &App, person: &Person, words: &Words) -> Result<Section, Refusal> {
    let now = app.now();
    let id = person.id;
    let mut held = Vec::new();
    let mut push = |name: &str, value: String| {
        held.push(Held { name: words.say(name), value, origin: String::new() });
    };
    for passkey in app.store.passkeys(id).await? {
        push("record-passkey", [passkey.name, words.date(passkey.created_at)].join(", "));
    }
    if let Some(password) = app.store.password(id).await? {
        push("record-password", words.date(password.set_at));
    }
    if let Some(at) = app.store.authenticator(id).await?.and_then(|found| found.confirmed_at) {
        push("record-authenticator", words.date(at));
        push("record-recovery", app.store.recovery_codes(id).await?.to_string());
    }
    for (issuer, at) in app.store.outside_identities(id).await? {
        push("record-outside", [issuer, words.date(at)].join(", "));
    }
    for session in app.store.sessions(id, now.plus(-sign_in::ABSOLUTE)).await? {
        push("record-session", [session.browser, words.long_time(session.created_at)].join(", "));
    }
    for token in app.store.tokens(id, now).await? {
        push("record-token", [token.name, words.date(token.created_at)].join(", "));
    }
    Ok(Section {
        title: words.say("record-ways"),
        purpose: words.say("record-ways-purpose"),
        kept: words.say("record-ways-kept"),
        held,
    })
}

async fn notices(app: &App, person: &Person, words: &Words) -> Result<Section, Refusal> {
    let choice = notices::choice(app, person.id).await?;
    let mut held = Vec::new();
    let mut push = |name: String, value: String| held.push(Held { name, value, origin: String::new() });
    for topic in Topic::ALL.into_iter().filter(|topic| *topic != Topic::Account) {
        let soon = words.say(format!("soon-{}", topic.soon(&choice).word()));
        push(words.say(format!("topic-{}", topic.word())), soon);
    }
    push(words.say("channel-mail"), words.yes(choice.mail));
    push(words.say("channel-desktop"), words.yes(choice.desktop));
    if !choice.chat.is_empty() {
        push(words.say("notices-chat"), choice.chat.clone());
    }
    if let Some(since) = app.store.calendar_since(person.id).await? {
        push(words.say("calendar-heading"), words.with("calendar-since", [("date", words.date(since))]));
    }
    for notice in app.store.notices(person.id, 500).await? {
        push(words.long_time(notice.at), notices::said(&notice, words));
    }
    Ok(Section {
        title: words.say("record-notices"),
        purpose: words.say("record-notices-purpose"),
        kept: words.say("record-notices-kept"),
        held,
    })
}

async fn device(app: &App, device: &Device, words: &Words) -> Result<Section, Refusal> {
    let mut held = Vec::new();
    let mut push = |name: String, value: String, origin: String| held.push(Held { name, value, origin });
    let say = |name: &str| words.say(name);
    push(say("record-device-name"), device.name.clone(), String::new());
    let owner = if device.owner == "organisation" { "device-owner-us" } else { "device-owner-you" };
    push(say("device-owner"), say(owner), String::new());
    push(say("record-device-enrolled"), words.long_time(device.enrolled_at), String::new());
    if let Some(at) = device.revoked_at {
        push(say("record-device-revoked"), words.long_time(at), String::new());
    }
    if let Some(at) = device.last_seen {
        push(say("record-device-heard"), words.long_time(at), String::new());
    }
    let standing = [words.standing(device.standing), words.date(device.standing_since)].join(", ");
    push(say("record-device-standing"), standing, String::new());
    if let Some(report) = app.store.report(device.id).await? {
        let received = words.long_time(report.received_at);
        for (name, value, origin) in facts(&report.envelope, words) {
            let about = words.fact(&name);
            push(about, value, [origin, received.clone()].join(", ").trim_start_matches(", ").to_owned());
        }
    }
    for key in app.store.tunnel_keys(&[device.id]).await? {
        let tunnel = app.gate.settings.tunnel(&key.tunnel).map(|(_, tunnel)| tunnel);
        let address = tunnel.and_then(|tunnel| tunnel.address(key.place)).map(|address| address.addr());
        let value = [address.map(|address| address.to_string()).unwrap_or_default(), key.key.to_string()];
        let name = tunnel.map_or(key.tunnel.as_str(), |tunnel| &tunnel.title);
        push(
            words.with("record-device-tunnel", [("tunnel", name.to_owned())]),
            value.join(" ").trim().to_owned(),
            words.long_time(key.made_at),
        );
    }
    for certificate in app.store.certificates(&[device.id]).await? {
        let value =
            words.with("record-device-certificate-until", [("time", words.long_time(certificate.ends_at))]);
        push(say("record-device-certificate"), value, words.long_time(certificate.made_at));
    }
    let changes = app.store.standing_changes(device.id, app.now().plus(-365 * time::DAY)).await?;
    for change in changes {
        let value = [words.standing(change.standing), change.reason].join(": ");
        push([say("record-device-changed"), words.long_time(change.at)].join(" "), value, String::new());
    }
    Ok(Section {
        title: words.with("record-device", [("device", device.name.clone())]),
        purpose: words.say("record-device-purpose"),
        kept: words.say("record-device-kept"),
        held,
    })
}

/// Most characters of a fact that are shown.
const MOST: usize = 20_000;

/// What a sealed report says: name, value, origin. What was signed is shown, not what was made of it.
fn facts(envelope: &str, words: &Words) -> Vec<(String, String, String)> {
    let opened = || -> Option<Value> {
        let envelope: Envelope = serde_json::from_str(envelope).ok()?;
        serde_json::from_slice(&envelope.unchecked_payload().ok()?).ok()
    };
    let Some(report) = opened() else { return Vec::new() };
    let Some(facts) = report["facts"].as_object() else { return Vec::new() };
    let mut all = Vec::new();
    for spec in catalogue::DEVICE {
        let Some(fact) = facts.get(spec.name) else { continue };
        let value = match (&fact["value"], &fact["unknown"], &fact["not_applicable"]) {
            (Value::Null, Value::String(why), _) => format!("{} ({why})", words.say("outcome-unknown")),
            (Value::Null, _, Value::String(why)) => {
                format!("{} ({why})", words.say("outcome-not-applicable"))
            }
            (value, ..) => said(value, &spec.kind, words),
        };
        let origin = fact["origin"].as_str().unwrap_or_default().to_owned();
        // A device chose these words; they move no cursor and turn no page around.
        all.push((spec.name.to_owned(), text::plain(&value, MOST), text::plain(&origin, MOST)));
    }
    all
}

/// A value as people read it.
fn said(value: &Value, kind: &FactType, words: &Words) -> String {
    match (kind, value) {
        (FactType::Bool, Value::Bool(yes)) => words.yes(*yes),
        (FactType::Time, value) => {
            value.as_i64().map_or_else(|| value.to_string(), |at| words.long_time(Millis(at)))
        }
        (FactType::List(_), Value::Array(all)) if all.is_empty() => words.say("nothing"),
        (FactType::List(fields), Value::Array(all)) => {
            let one = |record: &Value| {
                let parts: Vec<String> = fields
                    .iter()
                    .filter(|(name, _)| !record[*name].is_null())
                    .map(|(name, kind)| format!("{name}: {}", said(&record[*name], kind, words)))
                    .collect();
                parts.join(", ")
            };
            all.iter().map(one).collect::<Vec<_>>().join("; ")
        }
        (_, Value::String(text)) => text.clone(),
        (_, value) => value.to_string(),
    }
}
