//! Judging what is no device: people and the organisation, by what the records hold on them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use serde_json::json;
use stead_model::{
    Fact, Facts, Millis, Outcome, PersonId, Scalar, Standing, Subject, Value,
    catalogue::{self, Source},
    time::{DAY, MINUTE},
};
use stead_policy::{
    Pack, Previous, Rule, Terms,
    judge::{self, ReadAt, judge},
};
use stead_store::{
    finding::StoredFinding,
    subject::{PersonRecords, SubjectStanding},
    tally::Tallies,
};

use super::{review, terms::Index};
use crate::{
    App,
    error::Refusal,
    flows::{apart, backup, check_in, entry},
};

/// How often everybody is judged anew.
const EVERY: i64 = MINUTE;
/// People in one transaction.
const BATCH: i64 = 500;
/// The name under which the store keeps when it was done last.
const LAST: &str = "subjects last";
/// The one id of the organisation.
pub const ORGANISATION: &str = "organisation";
/// The fact that somebody confirmed the version in force.
const CONFIRMED: &str = "person.policy.acknowledged";
/// Publications whose controls a rule is to name.
const CONTROLS: [&str; 3] = ["NIST SP 800-53", "NIST SP 800-46", "NIST SP 800-114"];

/// Judges people and the organisation, when it is time; whether anything changed.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn run(app: &App) -> Result<bool, Refusal> {
    let now = app.now();
    // Each server says it on its pages, whichever of them judges.
    app.put_review_due(review::due(app).await?);
    let last = app.store.meta(LAST).await?;
    let due = last
        .as_deref()
        .and_then(|last| last.parse().ok())
        .is_none_or(|last: i64| !(0..EVERY).contains(&(now.0 - last)));
    if !due {
        return Ok(false);
    }
    let mut write = app.store.write().await?;
    // Of several servers one does it.
    match last {
        Some(last) if !write.move_meta(LAST, &last, &now.0.to_string()).await? => return Ok(false),
        Some(_) => {}
        None => write.set_meta(LAST, &now.0.to_string()).await?,
    }
    write.commit(&app.keys.ledger).await?;
    let mut changed = judge_organisation(app, now).await? | forget_gone(app, now).await?;
    let mut after = None;
    loop {
        let pack = app.pack();
        let records = app.store.people_records(&pack.digest, now, after, BATCH).await?;
        let Some(last) = records.last() else { return Ok(changed) };
        after = Some(last.person);
        changed |= judge_people(app, &pack, &records, now).await?;
    }
}

/// Who does not work here any more is judged no more, and counts nowhere.
async fn forget_gone(app: &App, now: Millis) -> Result<bool, Refusal> {
    let gone = app.store.judged_and_gone(BATCH).await?;
    if gone.is_empty() {
        return Ok(false);
    }
    let mut write = app.store.write().await?;
    let mut tallies = Tallies::default();
    for id in &gone {
        let findings = write.drop_subject(Subject::Person, id).await?;
        findings.iter().for_each(|finding| tallies.outcome_gone(&finding.rule, finding.outcome));
        let change = |one: &StoredFinding| json!({ "rule": one.rule, "from": one.outcome, "to": null });
        let changes: Vec<_> = findings.iter().map(change).collect();
        let data = json!({ "changes": changes, "policy": app.pack().label() });
        write.append(&entry(now, "judging", "findings.changed", format!("person:{id}"), data))?;
    }
    write.write_tallies(tallies, now.day()).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(true)
}

/// Judges one person, of whom something has just changed.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn judge_person(app: &App, person: PersonId) -> Result<(), Refusal> {
    let now = app.now();
    let pack = app.pack();
    if let Some(records) = app.store.person_records(&pack.digest, now, person).await? {
        judge_people(app, &pack, &[records], now).await?;
    }
    Ok(())
}

async fn judge_people(
    app: &App,
    pack: &Arc<Pack>,
    records: &[PersonRecords],
    now: Millis,
) -> Result<bool, Refusal> {
    let facts = records.iter().map(|records| (records.person.to_string(), person_facts(records)));
    judge_all(app, pack, Subject::Person, facts.collect(), now).await
}

/// Somebody as they stand, and as they would.
pub(super) struct Would {
    pub(super) person: PersonId,
    /// The name of their unit.
    pub(super) unit: String,
    pub(super) before: Standing,
    pub(super) after: Standing,
}

/// Judges people by a pack that is not in force, after one that was judged. Whoever confirmed the version in
/// force counts as having confirmed that one.
pub(super) async fn try_people(
    app: &App,
    (pack, index): (&Arc<Pack>, &Arc<Index>),
    after: Option<PersonId>,
    now: Millis,
) -> Result<Vec<Would>, Refusal> {
    let all = app.store.people_records(&app.pack().digest, now, after, BATCH).await?;
    let ids: Vec<String> = all.iter().map(|records| records.person.to_string()).collect();
    let before = app.store.subject_findings_of_all(Subject::Person, &ids).await?;
    let standings = app.store.subject_standings(Subject::Person, &ids).await?;
    let (pack, index) = (Arc::clone(pack), Arc::clone(index));
    apart(move || {
        let would = all.into_iter().zip(ids).map(|(records, id)| {
            let before: &[StoredFinding] = before.get(&id).map_or(&[], Vec::as_slice);
            let previous =
                |rule: &str| before.iter().find(|finding| finding.rule == rule).map(check_in::previous);
            let terms = index.of_subject(Subject::Person, &id);
            let facts = person_facts(&records);
            let stands = judge::stands((&pack, &terms), Subject::Person, &facts, previous, now);
            Would {
                person: records.person,
                before: standings.get(&id).map_or(Standing::Unknown, |stood| stood.standing),
                after: stands.standing,
                unit: records.unit,
            }
        });
        would.collect()
    })
    .await
}

/// Judges the organisation.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn judge_organisation(app: &App, now: Millis) -> Result<bool, Refusal> {
    let pack = app.pack();
    let facts = organisation_facts(app, &pack, now).await?;
    judge_all(app, &pack, Subject::Organisation, vec![(ORGANISATION.to_owned(), facts)], now).await
}

/// What nothing holds yet.
fn to_come(subject: Subject) -> impl Iterator<Item = (String, Fact)> {
    let waiting = catalogue::of(subject).iter().filter(|spec| spec.source == Source::ToCome);
    waiting.map(|spec| (spec.name.to_owned(), Fact::unknown("nothing records this here yet", "")))
}

fn known(name: &str, value: impl Into<Value>, origin: &str) -> (String, Fact) {
    (name.to_owned(), Fact::known(value, origin))
}

fn int(n: i64) -> Value {
    Value::One(Scalar::Int(n))
}

fn person_facts(records: &PersonRecords) -> Facts {
    let own = [
        known(CONFIRMED, Value::One(Scalar::Bool(records.confirmed_at.is_some())), "record of confirmations"),
        known(
            "person.sign_in.strong",
            Value::One(Scalar::Bool(records.strong_ways > 0)),
            "record of ways to sign in",
        ),
        known("person.manager.named", Value::One(Scalar::Bool(records.managers > 0)), "directory"),
        known("person.returns.overdue", int(records.overdue), "list of what goes back"),
        known("person.losses.told_late", int(records.told_late), "record of losses"),
        match records.terms {
            0 => (
                "person.terms.broken".to_owned(),
                Fact::not_applicable("no rule binds them alone", "record of terms"),
            ),
            _ => known("person.terms.broken", int(records.terms_broken), "record of terms"),
        },
    ];
    own.into_iter().chain(to_come(Subject::Person)).collect()
}

/// How long people have to confirm a new version, in milliseconds.
pub fn time_to_confirm(pack: &Pack) -> i64 {
    pack.number("acknowledge_days", 14) * DAY
}

async fn organisation_facts(app: &App, pack: &Pack, now: Millis) -> Result<Facts, Refusal> {
    let records = app
        .store
        .organisation_records(now.plus(-365 * DAY), now.plus(-pack.number("decide_days", 14) * DAY))
        .await?;
    let in_force = app.store.policy_at(Millis(i64::MAX)).await?.and_then(|version| version.in_force_at);
    let over = in_force.is_some_and(|at| at.plus(time_to_confirm(pack)) <= now);
    let waiting = match over {
        true => app.store.not_reached(&pack.digest, now.plus(-time_to_confirm(pack))).await?,
        false => 0,
    };
    let unmapped = pack.rules.iter().filter(|rule| !has_control(rule)).count();
    let review = match review::due(app).await? {
        Some(at) => Fact::known(int(at.0), "record of reviews"),
        None => Fact::unknown("no version was published yet", "record of reviews"),
    };
    let backup = match backup::last(app).await? {
        Some(made) => Fact::known(int(made.at.0), "record of backups"),
        None => Fact::unknown("no backup of this installation is known", "record of backups"),
    };
    let own = [
        ("organisation.policy.review_due_at".to_owned(), review),
        known("organisation.policy.waiting", int(waiting), "record of confirmations"),
        known(
            "organisation.policy.unmapped_rules",
            int(i64::try_from(unmapped).unwrap_or(i64::MAX)),
            "the policy in force",
        ),
        ("organisation.backup.made_at".to_owned(), backup),
        known(
            "organisation.gate.applications",
            int(i64::try_from(app.gate.settings.applications.len()).unwrap_or(i64::MAX)),
            "the gate's file",
        ),
        known("organisation.roles.coordinators", int(records.coordinators), "directory"),
        known("organisation.cases.overdue", int(records.cases_overdue), "record of cases"),
        known("organisation.looks.without_purpose", int(records.looks_without_purpose), "record of looks"),
    ];
    Ok(own.into_iter().chain(to_come(Subject::Organisation)).collect())
}

fn has_control(rule: &Rule) -> bool {
    rule.controls.iter().any(|control| CONTROLS.iter().any(|publication| control.starts_with(publication)))
}

/// What judging these subjects changes, by what is stored of them now.
async fn found(
    app: &App,
    pack: &Arc<Pack>,
    kind: Subject,
    all: &Arc<Vec<(String, Facts)>>,
    now: Millis,
) -> Result<Vec<Found>, Refusal> {
    let ids: Vec<String> = all.iter().map(|(id, _)| id.clone()).collect();
    let before = app.store.subject_findings_of_all(kind, &ids).await?;
    let standings = app.store.subject_standings(kind, &ids).await?;
    let in_force = app.store.policy_at(Millis(i64::MAX)).await?.and_then(|version| version.in_force_at);
    let index = app.terms();
    let (pack, all) = (Arc::clone(pack), Arc::clone(all));
    apart(move || {
        let found = all.iter().map(|(id, facts)| {
            let terms = index.of_subject(kind, id);
            Found::of((&pack, &terms), kind, (id, facts), &before, standings.get(id), (in_force, now))
        });
        found.filter(Found::says_something).collect()
    })
    .await
}

/// Judges subjects of one kind and writes down what changed; whether anything did.
async fn judge_all(
    app: &App,
    pack: &Arc<Pack>,
    kind: Subject,
    all: Vec<(String, Facts)>,
    now: Millis,
) -> Result<bool, Refusal> {
    // Most of the time nothing has changed, and no writer is kept waiting to find that out.
    let all = Arc::new(all);
    let found_first = found(app, pack, kind, &all, now).await?;
    if found_first.is_empty() {
        return Ok(false);
    }
    // Nor for those of whom nothing has.
    let changed: HashSet<&str> = found_first.iter().map(|found| found.id.as_str()).collect();
    let all = Arc::new(all.iter().filter(|(id, _)| changed.contains(id.as_str())).cloned().collect());
    // Once writers stand in line behind this one, what is stored stays as it is read: nothing counts twice.
    let mut write = app.store.write().await?;
    let found = found(app, pack, kind, &all, now).await?;
    if found.is_empty() || app.pack().digest != pack.digest {
        return Ok(false);
    }
    let mut tallies = Tallies::default();
    for found in &found {
        for (rule, from, to) in &found.outcomes {
            tallies.outcome(rule, *from, *to);
        }
        for (_, rule, from) in &found.gone {
            tallies.outcome_gone(rule, *from);
        }
        let subject = match kind {
            Subject::Organisation => ORGANISATION.to_owned(),
            Subject::Device | Subject::Person | Subject::Site | Subject::Item => {
                format!("{kind}:{}", found.id)
            }
        };
        if !found.outcomes.is_empty() || !found.gone.is_empty() {
            let change = |(rule, from, to): &(String, Option<Outcome>, Outcome)| json!({ "rule": rule, "from": from, "to": to });
            let gone = |(_, rule, from): &(String, String, Outcome)| json!({ "rule": rule, "from": from, "to": null });
            let changes: Vec<_> =
                found.outcomes.iter().map(change).chain(found.gone.iter().map(gone)).collect();
            let data = json!({ "changes": changes, "policy": pack.label() });
            write.append(&entry(now, "judging", "findings.changed", subject.clone(), data))?;
        }
        if let Some((from, to)) = found.moved {
            app.note_moved();
            let data = json!({ "from": from, "to": to, "policy": pack.label() });
            write.append(&entry(now, "judging", "standing.changed", subject, data))?;
        }
    }
    let gone = found.iter().flat_map(|found| &found.gone).map(|(id, rule, _)| (id.clone(), rule.clone()));
    let gone: Vec<_> = gone.collect();
    let standings = found.iter().filter_map(|found| Some((found.id.clone(), found.standing.clone()?)));
    write.put_subject_standings(kind, standings.collect()).await?;
    write.drop_subject_findings(kind, &gone).await?;
    write.put_subject_findings(kind, found.into_iter().flat_map(|found| found.findings).collect()).await?;
    write.write_tallies(tallies, now.day()).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(true)
}

/// What judging one subject changes.
struct Found {
    id: String,
    findings: Vec<(String, StoredFinding)>,
    outcomes: Vec<(String, Option<Outcome>, Outcome)>,
    gone: Vec<(String, String, Outcome)>,
    standing: Option<SubjectStanding>,
    moved: Option<(Option<Standing>, Standing)>,
}

impl Found {
    fn of(
        (pack, terms): (&Pack, &Terms),
        kind: Subject,
        (id, facts): (&str, &Facts),
        before: &HashMap<String, Vec<StoredFinding>>,
        stood: Option<&SubjectStanding>,
        (in_force, now): (Option<Millis>, Millis),
    ) -> Self {
        let before: &[StoredFinding] = before.get(id).map_or(&[], Vec::as_slice);
        let was = |rule: &str| before.iter().find(|finding| finding.rule == rule);
        let previous = |rule: &str| {
            let before = was(rule)?;
            // Each version gives its own time to confirm it.
            let anew = pack.rule(rule).is_some_and(|rule| rule.pass.facts().contains(CONFIRMED));
            let first = |since: Option<Millis>| match (since, in_force) {
                (Some(since), Some(in_force)) if anew => Some(since.max(in_force)),
                (since, _) => since,
            };
            let before = check_in::previous(before);
            Some(Previous {
                failing_since: first(before.failing_since),
                counts_since: first(before.counts_since),
                ..before
            })
        };
        let read_at = ReadAt { collected: now, kept: &BTreeMap::new() };
        let judgement = judge((pack, terms), kind, facts, &read_at, previous, now);
        let (mut findings, mut outcomes) = (Vec::new(), Vec::new());
        for judged in &judgement.findings {
            let rule = &pack.rules[judged.rule].id;
            let before = was(rule);
            if before.is_some_and(|b| same(b, judged)) {
                continue;
            }
            let from = before.map(|before| before.outcome);
            if from != Some(judged.outcome) {
                outcomes.push((rule.clone(), from, judged.outcome));
            }
            findings.push((
                id.to_owned(),
                StoredFinding {
                    rule: rule.clone(),
                    outcome: judged.outcome,
                    observed: judged.observed.clone(),
                    origin: judged.origin.clone(),
                    at: judged.at,
                    since: judged.since,
                    failing_since: judged.failing_since,
                    stage: judged.stage,
                    counts_since: judged.counts_since,
                    due: judged.due,
                },
            ));
        }
        let rules = pack.rules_of(kind);
        let binds =
            |finding: &&StoredFinding| rules.iter().any(|rule| rule.id == finding.rule && terms.binds(rule));
        let gone = before.iter().filter(|finding| !binds(finding));
        let moved = (stood.map(|stood| stood.standing) != Some(judgement.standing))
            .then_some((stood.map(|stood| stood.standing), judgement.standing));
        let standing = SubjectStanding {
            standing: judgement.standing,
            since: stood.filter(|_| moved.is_none()).map_or(now, |stood| stood.since),
            deadline: judgement.next_deadline,
        };
        Self {
            id: id.to_owned(),
            findings,
            outcomes,
            gone: gone.map(|finding| (id.to_owned(), finding.rule.clone(), finding.outcome)).collect(),
            standing: (stood != Some(&standing)).then_some(standing),
            moved,
        }
    }

    fn says_something(&self) -> bool {
        !self.findings.is_empty() || !self.gone.is_empty() || self.standing.is_some()
    }
}

fn same(before: &StoredFinding, judged: &judge::Judged) -> bool {
    before.outcome == judged.outcome
        && before.observed == judged.observed
        && before.origin == judged.origin
        && before.failing_since == judged.failing_since
        && before.stage == judged.stage
        && before.due == judged.due
}
