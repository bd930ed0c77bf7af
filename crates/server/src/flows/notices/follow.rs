//! Reading the ledger as it grows, and writing down what people and other systems are to be told of it.

use std::collections::HashMap;

use serde_json::{Value, json};
use stead_model::{Employment, PersonId, RecordId, Role, UnitId};
use stead_store::{ledger::StoredEntry, people::Person};

use super::{Tell, Topic, hooks, person_subject};
use crate::{
    App,
    error::Refusal,
    flows::{cases, exceptions, loss::clocks},
    web::losses::label,
};

/// The name under which the store keeps how far it was read.
const CURSOR: &str = "notices follow";
/// People read at once.
const PEOPLE: i64 = 500;
/// Entries looked at in one transaction.
const SPAN: u64 = 2000;

/// Begins to follow where the ledger ends now, unless it was begun before.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn begin(app: &App) -> Result<(), Refusal> {
    if app.store.meta(CURSOR).await?.is_none() {
        let head = app.store.ledger_head().await?.size;
        let mut write = app.store.write().await?;
        write.set_meta(CURSOR, &head.to_string()).await?;
        write.commit(&app.keys.ledger).await?;
    }
    Ok(())
}

/// Reads what is new; whether there was anything to tell.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn run(app: &App) -> Result<bool, Refusal> {
    let mut told = false;
    loop {
        let before = app.store.meta(CURSOR).await?.unwrap_or_else(|| "0".to_owned());
        let from = before.parse().unwrap_or(0);
        let (entries, end) = app.store.ledger_of_kinds(&KINDS, from, SPAN).await?;
        if end <= from {
            return Ok(told);
        }
        let mut reading = Reading { app, names: HashMap::new() };
        let mut tells = Vec::new();
        for entry in &entries {
            tells.extend(reading.tells(entry).await?);
        }
        let notices = super::prepared(app, tells).await?;
        let deliveries = hooks::hear(app, &entries).await?;
        let mut write = app.store.write().await?;
        // Of several servers one reads each entry.
        if !write.move_meta(CURSOR, &before, &end.to_string()).await? {
            return Ok(told);
        }
        let anything = !deliveries.is_empty();
        write.add_deliveries(deliveries).await?;
        told |= write.add_notices(notices).await? > 0 || anything;
        write.commit(&app.keys.ledger).await?;
    }
}

/// The kinds of entries that somebody is told of. Other systems hear of the same.
pub const KINDS: [&str; 59] = [
    "authenticator.off",
    "authenticator.on",
    "calendar.begun",
    "case.answered",
    "case.appealed",
    "case.closed",
    "case.decided",
    "case.decision",
    "case.manager",
    "case.mended",
    "case.opened",
    "case.step",
    "case.taken",
    "clear-out.begun",
    "clear-out.returned",
    "device.enrolled",
    "device.revoked",
    "exception.asked",
    "exception.ended",
    "exception.granted",
    "exception.refused",
    "exception.withdrawn",
    "gate.glass",
    "loss-card.ended",
    "loss-card.made",
    "loss.again",
    "loss.closed",
    "loss.found",
    "loss.heard",
    "loss.let-in",
    "loss.mistaken",
    "loss.obeyed",
    "loss.step",
    "loss.told",
    "outside-identity.added",
    "passkey.added",
    "passkey.removed",
    "password.removed",
    "password.set",
    "people.imported",
    "person.added",
    "person.changed",
    "person.erased",
    "person.looked-at",
    "person.state",
    "policy.in-force",
    "policy.proposed",
    "policy.published",
    "policy.reviewed",
    "recovery-code.used",
    "role.given",
    "role.taken",
    "session.begun",
    "standing.changed",
    "team.attested",
    "term.bound",
    "term.released",
    "token.made",
    "unit.changed",
];

/// One reading, which asks for each name once.
struct Reading<'a> {
    app: &'a App,
    names: HashMap<PersonId, String>,
}

impl Reading<'_> {
    async fn tells(&mut self, stored: &StoredEntry) -> Result<Vec<Tell>, Refusal> {
        let parsed: Value = serde_json::from_str(&stored.text).map_err(stead_store::StoreError::from)?;
        let (data, by) = (&parsed["data"], parsed["by"].as_str().unwrap_or_default());
        let source = format!("entry:{}", stored.index);
        let tell = |person, topic, say, given, link: &str| Tell {
            person,
            topic,
            source: source.clone(),
            at: stored.at,
            say,
            given,
            link: link.to_owned(),
        };
        if let Some(id) = stored.subject.strip_prefix("person:") {
            let Ok(person) = id.parse::<PersonId>() else { return Ok(Vec::new()) };
            let own = by == stored.subject;
            let account = match (stored.kind.as_str(), data["method"].as_str()) {
                ("authenticator.off", _) => "notice-authenticator-off",
                ("authenticator.on", _) => "notice-authenticator-on",
                ("passkey.added", _) => "notice-passkey-added",
                ("passkey.removed", _) => "notice-passkey-removed",
                ("password.removed", _) => "notice-password-removed",
                ("password.set", _) => "notice-password-set",
                ("outside-identity.added", _) => "notice-outside-added",
                ("recovery-code.used", _) => "notice-recovery-used",
                ("calendar.begun", _) => "notice-calendar-begun",
                ("token.made", _) => "notice-token-made",
                ("loss-card.made", _) => "notice-card-made",
                ("loss-card.ended", _) if !own => "notice-card-ended",
                ("session.begun", Some("link")) => "notice-link-used",
                _ => "",
            };
            if !account.is_empty() {
                let link = if stored.kind.starts_with("loss-card.") { "/me/card" } else { "/me/ways" };
                return Ok(vec![tell(person, Topic::Account, account, Vec::new(), link)]);
            }
            if let Some((what, _)) = stored.kind.split_once('.')
                && ["case", "exception", "term"].contains(&what)
            {
                return self.fairness(stored, (person, data, by), &tell).await;
            }
            if stored.kind.starts_with("loss.") {
                return self.loss(stored, (person, data, by), &tell).await;
            }
            let role = || data["role"].as_str().unwrap_or_default().to_owned();
            return Ok(match stored.kind.as_str() {
                "role.given" => {
                    let given = vec![("role", role())];
                    vec![tell(person, Topic::Account, "notice-role-given", given, "/me")]
                }
                "role.taken" => {
                    let given = vec![("role", role())];
                    vec![tell(person, Topic::Account, "notice-role-taken", given, "/me")]
                }
                "person.looked-at" => {
                    let given = vec![("by", self.name(by).await?)];
                    vec![tell(person, Topic::Record, "notice-looked", given, "/me")]
                }
                "person.changed" | "person.state" if !own => {
                    let given = vec![("by", self.name(by).await?)];
                    vec![tell(person, Topic::Record, "notice-changed", given, "/me")]
                }
                "gate.glass" => {
                    let application = data["application"].as_str().unwrap_or_default();
                    let settings = &self.app.gate.settings;
                    let title = settings.application(application).map_or(application, |found| &found.title);
                    let given = vec![("application", title.to_owned()), ("name", self.name(by).await?)];
                    let mut tells = vec![tell(person, Topic::Account, "notice-glass", given.clone(), "/me")];
                    let link = format!("/ledger/{}", stored.index);
                    for (security, _) in self.app.store.holders(Role::Security, UnitId::ORGANISATION).await? {
                        if security != person {
                            tells.push(tell(
                                security,
                                Topic::Account,
                                "notice-glass-of",
                                given.clone(),
                                &link,
                            ));
                        }
                    }
                    tells
                }
                "clear-out.begun" => {
                    let given = vec![("due", data["due"].to_string())];
                    vec![tell(person, Topic::Tasks, "notice-leaving", given, "/me#leaving")]
                }
                _ => Vec::new(),
            });
        }
        if let Some(id) = stored.subject.strip_prefix("device:") {
            let Ok(device) = id.parse() else { return Ok(Vec::new()) };
            let Some(device) = self.app.store.device(device).await? else { return Ok(Vec::new()) };
            let link = format!("/devices/{}", device.id);
            let given = vec![("device", device.name)];
            let (topic, say) = match (stored.kind.as_str(), data["from"].as_str(), data["to"].as_str()) {
                ("device.enrolled", ..) => (Topic::Account, "notice-device-enrolled"),
                ("device.revoked", ..) => (Topic::Account, "notice-device-revoked"),
                ("standing.changed", _, Some("lapsed")) => (Topic::Devices, "notice-device-lapsed"),
                ("standing.changed", _, Some("due")) => (Topic::Devices, "notice-device-due"),
                ("standing.changed", _, Some("unknown")) => (Topic::Devices, "notice-device-unknown"),
                ("standing.changed", Some("lapsed" | "due"), Some("good")) => {
                    (Topic::Devices, "notice-device-good")
                }
                _ => return Ok(Vec::new()),
            };
            return Ok(vec![tell(device.person, topic, say, given, &link)]);
        }
        if let Some(id) = stored.subject.strip_prefix("unit:")
            && stored.kind == "team.attested"
            && data["to_follow_up"].as_i64().unwrap_or(0) > 0
        {
            let Ok(unit) = id.parse::<UnitId>() else { return Ok(Vec::new()) };
            let Some(found) = self.app.store.unit(unit).await? else { return Ok(Vec::new()) };
            let n = data["to_follow_up"].to_string();
            let link = format!("/team?unit={unit}");
            let mut tells = Vec::new();
            for (person, _) in self.app.store.holders(Role::Coordinator, unit).await? {
                if person_subject(person) != by {
                    let given = vec![("unit", found.name.clone()), ("n", n.clone())];
                    tells.push(tell(person, Topic::Tasks, "notice-follow-up", given, &link));
                }
            }
            return Ok(tells);
        }
        if stored.subject.starts_with("policy:") {
            return self.policy(stored, data, by, &tell).await;
        }
        Ok(Vec::new())
    }

    /// A loss: whose thing it is hears it by every way, and so does everybody who is to act.
    async fn loss(
        &mut self,
        stored: &StoredEntry,
        (person, data, by): (PersonId, &Value, &str),
        tell: &impl Fn(PersonId, Topic, &'static str, Vec<(&'static str, String)>, &str) -> Tell,
    ) -> Result<Vec<Tell>, Refusal> {
        let id = data["loss"].as_str().and_then(|id| id.parse::<RecordId>().ok());
        let Some(id) = id else { return Ok(Vec::new()) };
        let found = (self.app.store.loss(id).await?, self.app.store.person(person).await?);
        let (Some(loss), Some(whose)) = found else { return Ok(Vec::new()) };
        let (own, others) = match stored.kind.as_str() {
            "loss.told" | "loss.again" => ("notice-loss", "notice-loss-of"),
            "loss.heard" => ("notice-loss-heard", "notice-loss-heard"),
            "loss.obeyed" => ("notice-loss-obeyed", "notice-loss-obeyed"),
            "loss.found" => ("notice-loss-found", "notice-loss-found"),
            "loss.mistaken" => ("notice-loss-mistaken", "notice-loss-mistaken"),
            "loss.let-in" => ("notice-loss-let-in", "notice-loss-let-in"),
            "loss.closed" => ("notice-loss-closed", ""),
            _ => return Ok(Vec::new()),
        };
        let given = |reader: &Person| {
            let device = label(&loss, &super::spoken(self.app, reader));
            vec![("device", device), ("name", whose.name.clone())]
        };
        let link = format!("/losses/{id}");
        // Also who has just told it: it may have been somebody else in their name.
        let mut tells = vec![tell(person, Topic::Account, own, given(&whose), &link)];
        if !others.is_empty() {
            for other in clocks::told_at_once(self.app, &whose).await? {
                if person_subject(other) != by
                    && let Some(reader) = self.app.store.person(other).await?
                {
                    tells.push(tell(other, Topic::Account, others, given(&reader), &link));
                }
            }
        }
        Ok(tells)
    }

    /// What follows when a rule is not kept, what was asked for and decided, what binds somebody alone: told to
    /// whom it is about, and to whoever is to do something.
    async fn fairness(
        &mut self,
        stored: &StoredEntry,
        (person, data, by): (PersonId, &Value, &str),
        tell: &impl Fn(PersonId, Topic, &'static str, Vec<(&'static str, String)>, &str) -> Tell,
    ) -> Result<Vec<Tell>, Refusal> {
        let record = |name: &str| data[name].as_str().and_then(|id| id.parse::<RecordId>().ok());
        let (case, exception) = (record("case"), record("exception"));
        let link = match (case, exception) {
            (Some(case), _) => format!("/cases/{case}"),
            (None, Some(exception)) => format!("/exceptions/{exception}"),
            (None, None) => "/me#terms".to_owned(),
        };
        let rule = match case {
            Some(case) => self.app.store.case(case).await?.map(|case| case.rule),
            None => data["rule"].as_str().map(str::to_owned),
        };
        let rule = rule.unwrap_or_default();
        let name = self.name(&person_subject(person)).await?;
        let one = |of: &Value| of.as_str()?.strip_prefix("person:")?.parse::<PersonId>().ok();
        let (mut own, mut others, mut say) = ("", Vec::new(), "");
        match stored.kind.as_str() {
            "case.opened" => own = "notice-case",
            "case.manager" => {
                (own, say) = ("notice-case-manager", "notice-case-team");
                others = data["managers"].as_array().into_iter().flatten().filter_map(one).collect();
            }
            "case.decision" | "case.taken" => {
                (own, say) = ("notice-case-decision", "notice-case-decide");
                others.extend(one(&data["decider"]).filter(|decider| person_subject(*decider) != by));
            }
            "case.step" => own = "notice-case-step",
            "case.answered" | "case.appealed" => {
                say = "notice-case-decide";
                others.extend(one(&data["decider"]));
            }
            "case.decided" => own = "notice-case-decided",
            "case.mended" => own = "notice-case-mended",
            "case.closed" => {
                own = "notice-case-closed";
                // Whoever had been told that something is wrong hears how it ended.
                if let Some(case) = case {
                    let told = self.app.store.case_events(case).await?.iter().any(|e| e.kind == "manager");
                    if told {
                        say = "notice-case-over";
                        others = cases::managers(self.app, person).await?;
                    }
                }
            }
            "exception.asked" => {
                say = "notice-exception-asked";
                if let Some(exception) = exception {
                    let found = self.app.store.exception(exception).await?;
                    if let Some(found) = found {
                        others = exceptions::deciders(self.app, &found).await?;
                    }
                }
                own = "notice-exception-for-you";
            }
            "exception.granted" => own = "notice-exception-granted",
            "exception.refused" => own = "notice-exception-refused",
            "exception.ended" => own = "notice-exception-ended",
            "exception.withdrawn" => own = "notice-exception-withdrawn",
            "term.bound" => own = "notice-term-bound",
            "term.released" => own = "notice-term-released",
            _ => {}
        }
        let mut tells = Vec::new();
        if !own.is_empty() && person_subject(person) != by {
            let given = vec![("rule", self.title(&rule, person).await?)];
            tells.push(tell(person, Topic::Tasks, own, given, &link));
        }
        for other in others.into_iter().filter(|other| !say.is_empty() && *other != person) {
            let given = vec![("rule", self.title(&rule, other).await?), ("name", name.clone())];
            tells.push(tell(other, Topic::Tasks, say, given, &link));
        }
        Ok(tells)
    }

    /// The title of a rule in the language of whoever reads it.
    async fn title(&self, rule: &str, reader: PersonId) -> Result<String, Refusal> {
        let Some(reader) = self.app.store.person(reader).await? else { return Ok(String::new()) };
        let words = super::spoken(self.app, &reader);
        let pack = self.app.pack();
        Ok(pack.rule(rule).map_or_else(|| rule.to_owned(), |rule| rule.text(words.language.tag()).title))
    }

    /// A new version in force is told to everybody, a proposal to those who can let it be published.
    async fn policy(
        &mut self,
        stored: &StoredEntry,
        data: &Value,
        by: &str,
        tell: &impl Fn(PersonId, Topic, &'static str, Vec<(&'static str, String)>, &str) -> Tell,
    ) -> Result<Vec<Tell>, Refusal> {
        let given = || vec![("pack", data["policy"].as_str().unwrap_or_default().to_owned())];
        let mut tells = Vec::new();
        match stored.kind.as_str() {
            "policy.in-force" => {
                let digest = stored.subject.trim_start_matches("policy:");
                let mut after = None;
                loop {
                    let people = self.app.store.to_confirm(digest, after, PEOPLE).await?;
                    after = people.last().map(|last| (last.search.clone(), last.person.id.to_string()));
                    if after.is_none() {
                        break;
                    }
                    tells.extend(people.into_iter().map(|listed| {
                        tell(listed.person.id, Topic::Tasks, "notice-policy", given(), "/policy")
                    }));
                }
            }
            "policy.proposed" => {
                let link = format!("/policy/proposals/{}", data["proposal"].as_str().unwrap_or_default());
                for role in [Role::Coordinator, Role::Security] {
                    for (person, _) in self.app.store.holders(role, UnitId::ORGANISATION).await? {
                        if person_subject(person) != by {
                            tells.push(tell(person, Topic::Tasks, "notice-proposal", given(), &link));
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(tells)
    }

    /// The name of whoever did it.
    async fn name(&mut self, by: &str) -> Result<String, Refusal> {
        let Some(Ok(person)) = by.strip_prefix("person:").map(str::parse::<PersonId>) else {
            return Ok("Stead".to_owned());
        };
        if let Some(name) = self.names.get(&person) {
            return Ok(name.clone());
        }
        let found = self.app.store.person(person).await?;
        let name = found.filter(|p| p.state != Employment::Gone).map_or_else(String::new, |p| p.name);
        self.names.insert(person, name.clone());
        Ok(name)
    }
}

/// What other systems may hear, by the word that a hook is set up with.
pub fn group(kind: &str) -> &'static str {
    match kind.split('.').next().unwrap_or_default() {
        "device" | "standing" => "devices",
        "person" | "people" | "unit" | "clear-out" | "team" => "people",
        "role" => "roles",
        "policy" => "policy",
        "case" | "exception" | "term" => "fairness",
        "loss" => "losses",
        _ => "access",
    }
}

/// An event as other systems are sent it. It names people as the ledger does, by ids without meaning.
pub fn event(stored: &StoredEntry) -> Value {
    let parsed: Value = serde_json::from_str(&stored.text).unwrap_or_default();
    json!({
        "type": stored.kind,
        "timestamp": stored.at.timestamp().to_string(),
        "data": {
            "index": stored.index,
            "subject": stored.subject,
            "by": parsed["by"],
            "data": parsed["data"],
        },
    })
}
