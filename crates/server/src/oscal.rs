//! The policy, how it is kept and what is open, in OSCAL 1.1.3 (NIST), as auditors' tools read it: a component
//! definition, assessment results, a plan of action and milestones.
//!
//! In scope: writing the three documents from what is in force and what was found. Out of scope: people and
//! devices by name: results are numbers, exceptions name their ids.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use stead_model::{Millis, Outcome, Stage};
use stead_policy::{Pack, Rule, requirement};
use stead_store::{exception::Exception, tally};
use uuid::Uuid;

use crate::{App, error::Refusal};

/// The version of the standard.
const VERSION: &str = "1.1.3";
/// The documents there are, by name.
pub const NAMES: [&str; 3] = ["component-definition", "assessment-results", "poam"];
/// The name space of the properties that are ours.
const NAMESPACE: &str = "https://stead.example/ns/oscal";
/// What the ids of these documents are made from: the same thing has the same id in each of them.
const SPACE: Uuid = Uuid::from_u128(0x6b7c_4f06_7b1a_5f6e_9d7a_51ea_d05c_a100);

/// Publications whose controls rules name: how their names begin, what they are called, where they are.
const SOURCES: [(&str, &str, &str); 3] = [
    (
        "NIST SP 800-53r5 ",
        "NIST SP 800-53 Rev. 5",
        "https://raw.githubusercontent.com/usnistgov/oscal-content/main/nist.gov/SP800-53/rev5/json/NIST_SP-800-53_rev5_catalog.json",
    ),
    ("NIST SP 800-46r2 ", "NIST SP 800-46 Rev. 2", "https://doi.org/10.6028/NIST.SP.800-46r2"),
    ("NIST SP 800-114r1 ", "NIST SP 800-114 Rev. 1", "https://doi.org/10.6028/NIST.SP.800-114r1"),
];

fn id(name: &str) -> String {
    Uuid::new_v5(&SPACE, name.as_bytes()).to_string()
}

/// A control as OSCAL names it, and the statement of it that is meant: `SC-28(1)` is `sc-28.1`, `PS-6(c)` is
/// `ps-6` and its statement `ps-6_smt.c`, `4.3.1` of SP 800-46 is `sp800-46r2-4.3.1`.
fn control(name: &str) -> Option<(usize, String, Option<String>)> {
    let (source, rest) =
        SOURCES.iter().enumerate().find_map(|(n, (prefix, ..))| Some((n, name.strip_prefix(prefix)?)))?;
    if source > 0 {
        let publication = SOURCES[source].0.trim().replace("NIST SP ", "sp");
        return Some((source, format!("{publication}-{rest}"), None));
    }
    let (base, part) = match rest.split_once('(') {
        Some((base, part)) => (base, part.trim_end_matches(')')),
        None => (rest, ""),
    };
    let base = base.to_lowercase();
    Some(match part.chars().next() {
        None => (source, base, None),
        Some(first) if first.is_ascii_digit() => (source, format!("{base}.{part}"), None),
        Some(_) => {
            let statement = format!("{base}_smt.{part}");
            (source, base, Some(statement))
        }
    })
}

/// The controls of a rule that these publications have.
fn controls(rule: &Rule) -> impl Iterator<Item = (usize, String, Option<String>)> {
    rule.controls.iter().filter_map(|name| control(name))
}

fn property(name: &str, value: impl ToString) -> Value {
    json!({ "name": name, "ns": NAMESPACE, "value": value.to_string() })
}

/// What every document begins with.
fn metadata(pack: &Pack, title: &str, now: Millis) -> Value {
    json!({
        "title": title,
        "last-modified": now.to_string(),
        "version": pack.manifest.version.to_string(),
        "oscal-version": VERSION,
        "props": [property("policy", pack.label()), property("policy-digest", &pack.digest)],
        "roles": [{ "id": "owner", "title": "Answers for the policy" }],
        "parties": [{ "uuid": id("party/owner"), "type": "organization", "name": pack.manifest.owner }],
        "responsible-parties": [{ "role-id": "owner", "party-uuids": [id("party/owner")] }],
    })
}

/// The rules, each with its id and title.
fn rule_properties(rule: &Rule) -> Vec<Value> {
    let mut all = vec![
        property("rule-id", &rule.id),
        property("subject", rule.subject),
        property("stage", rule.stage.key()),
        property("severity", rule.severity.word()),
    ];
    all.extend(rule.requirements.iter().map(|requirement| property("requirement", requirement)));
    all.extend(rule.serves.iter().map(|serves| property("serves", serves)));
    if rule.waits() {
        all.push(property("judged", "not-yet"));
    }
    all
}

/// The policy as a component, with what each rule does for which control.
fn component_definition(pack: &Pack, now: Millis) -> Value {
    let mut implementations = Vec::new();
    for (source, (_, title, href)) in SOURCES.iter().enumerate() {
        // One requirement for each control, with all rules that serve it.
        let mut by_control: BTreeMap<String, Vec<(&Rule, Option<String>)>> = BTreeMap::new();
        for rule in &pack.rules {
            for (_, control, statement) in controls(rule).filter(|(of, ..)| *of == source) {
                by_control.entry(control).or_default().push((rule, statement));
            }
        }
        let requirements: Vec<Value> = by_control
            .iter()
            .map(|(control, rules)| {
                let words: Vec<String> =
                    rules.iter().map(|(rule, _)| format!("{} ({}).", rule.title, rule.id)).collect();
                let ids: BTreeSet<&str> = rules.iter().map(|(rule, _)| rule.id.as_str()).collect();
                let statements: BTreeMap<&String, Vec<&Rule>> = rules
                    .iter()
                    .filter_map(|(rule, s)| Some((s.as_ref()?, *rule)))
                    .fold(BTreeMap::new(), |mut all, (statement, rule)| {
                        all.entry(statement).or_insert_with(Vec::new).push(rule);
                        all
                    });
                let mut requirement = json!({
                    "uuid": id(&format!("requirement/{source}/{control}")),
                    "control-id": control,
                    "description": words.join(" "),
                    "props": ids.iter().map(|rule| property("rule-id", rule)).collect::<Vec<_>>(),
                });
                if !statements.is_empty() {
                    requirement["statements"] = statements
                        .iter()
                        .map(|(statement, rules)| {
                            let words: Vec<&str> = rules.iter().map(|rule| rule.title.as_str()).collect();
                            json!({
                                "statement-id": statement,
                                "uuid": id(&format!("statement/{statement}")),
                                "description": format!("{}.", words.join(". ")),
                            })
                        })
                        .collect();
                }
                requirement
            })
            .collect();
        if !requirements.is_empty() {
            implementations.push(json!({
                "uuid": id(&format!("implementation/{source}")),
                "source": href,
                "description": format!("What the policy does for {title}."),
                "implemented-requirements": requirements,
            }));
        }
    }
    let rules: Vec<Value> = pack
        .rules
        .iter()
        .map(|rule| {
            json!({
                "uuid": id(&format!("component/{}", rule.id)),
                "type": "validation",
                "title": rule.title,
                "description": rule.why,
                "props": rule_properties(rule),
            })
        })
        .collect();
    let policy = json!({
        "uuid": id("component/policy"),
        "type": "policy",
        "title": pack.label(),
        "description": "The remote-work policy: each rule is one file that people read and Stead judges.",
        "props": [property("rules", pack.rules.len()), property("policy-digest", &pack.digest)],
        "control-implementations": implementations,
    });
    json!({ "component-definition": {
        "uuid": id(&format!("component-definition/{}", pack.digest)),
        "metadata": metadata(pack, "Remote-work policy", now),
        "components": std::iter::once(policy).chain(rules).collect::<Vec<_>>(),
    }})
}

/// How many subjects of a rule have which outcome.
struct Counts([i64; 5]);

impl Counts {
    fn of(rule: &str, tallies: &BTreeMap<String, i64>) -> Self {
        Self(
            Outcome::ALL
                .map(|outcome| tallies.get(&tally::outcome_name(rule, outcome)).copied().unwrap_or(0)),
        )
    }

    fn get(&self, outcome: Outcome) -> i64 {
        Outcome::ALL.into_iter().zip(self.0).find(|(other, _)| *other == outcome).map_or(0, |(_, n)| n)
    }

    /// How many do not pass and are not excepted.
    fn against(&self) -> i64 {
        self.get(Outcome::Fail) + self.get(Outcome::Unknown)
    }

    fn said(&self) -> String {
        let parts =
            Outcome::ALL.into_iter().zip(self.0).map(|(outcome, n)| format!("{n} {}", outcome.word()));
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// What was seen of each rule.
fn observations(pack: &Pack, tallies: &BTreeMap<String, i64>, base: &str, now: Millis) -> Vec<Value> {
    pack.rules
        .iter()
        .map(|rule| {
            let counts = Counts::of(&rule.id, tallies);
            let mut properties = rule_properties(rule);
            let numbers = Outcome::ALL.into_iter().zip(counts.0);
            properties.extend(numbers.map(|(outcome, n)| property(&format!("count-{}", outcome.word()), n)));
            let description = match rule.waits() {
                true => "Nothing records yet what this rule asks for: it is judged unknown.".to_owned(),
                false => format!("{}: {}.", rule.title, counts.said()),
            };
            json!({
                "uuid": id(&format!("observation/{}", rule.id)),
                "title": rule.title,
                "description": description,
                "props": properties,
                "methods": ["TEST"],
                "types": ["control-objective"],
                "relevant-evidence": [{
                    "href": format!("{base}/rules/{}", rule.id),
                    "description": "The rule, and who keeps it; entries of the ledger prove each change.",
                }],
                "collected": now.to_string(),
            })
        })
        .collect()
}

/// One finding for each control: satisfied when every rule for it is enforced and kept by all.
fn findings(pack: &Pack, tallies: &BTreeMap<String, i64>) -> Vec<Value> {
    let mut by_control: BTreeMap<String, Vec<&Rule>> = BTreeMap::new();
    for rule in &pack.rules {
        for (_, control, _) in controls(rule) {
            by_control.entry(control).or_default().push(rule);
        }
    }
    by_control
        .iter()
        .map(|(control, rules)| {
            let count = |outcome| -> i64 {
                rules.iter().map(|rule| Counts::of(&rule.id, tallies).get(outcome)).sum()
            };
            let waits = rules.iter().filter(|rule| rule.waits()).count();
            let judged = rules.iter().any(|rule| Counts::of(&rule.id, tallies).0.iter().sum::<i64>() > 0);
            let observed = rules.iter().filter(|rule| rule.stage == Stage::Observe && !rule.waits()).count();
            let (state, reason, why) = match (count(Outcome::Fail), count(Outcome::Unknown)) {
                (0, 0) if waits == 0 && observed == 0 && judged => {
                    ("satisfied", "pass", "Everybody whom it concerns keeps every rule for it.".to_owned())
                }
                (0, _) => {
                    let why = format!("{waits} of its rules wait for facts; not knowing is not keeping.");
                    ("not-satisfied", "other", why)
                }
                (fail, unknown) => {
                    let why = format!("{fail} findings fail, {unknown} cannot be told.");
                    ("not-satisfied", "fail", why)
                }
            };
            let related: Vec<Value> = rules
                .iter()
                .map(|rule| json!({ "observation-uuid": id(&format!("observation/{}", rule.id)) }))
                .collect();
            json!({
                "uuid": id(&format!("finding/{control}")),
                "title": control,
                "description": why,
                "target": {
                    "type": "objective-id",
                    "target-id": control,
                    "status": { "state": state, "reason": reason },
                },
                "related-observations": related,
            })
        })
        .collect()
}

fn assessment_results(
    pack: &Pack,
    tallies: &BTreeMap<String, i64>,
    base: &str,
    (since, now): (Millis, Millis),
) -> Value {
    let all: BTreeSet<String> = pack.rules.iter().flat_map(controls).map(|(_, control, _)| control).collect();
    let selected: Vec<Value> = all.iter().map(|control| json!({ "control-id": control })).collect();
    let plan = id("resource/policy");
    json!({ "assessment-results": {
        "uuid": id(&format!("assessment-results/{}/{}", pack.digest, now.0)),
        "metadata": metadata(pack, "How the remote-work policy is kept", now),
        "import-ap": { "href": format!("#{plan}") },
        "results": [{
            "uuid": id(&format!("result/{}/{}", pack.digest, now.0)),
            "title": format!("{} as judged at {now}", pack.label()),
            "description": "Every rule of the policy in force, judged on everybody and everything it concerns. A fact that could not be read is unknown, and unknown is no pass.",
            "start": since.to_string(),
            "end": now.to_string(),
            "reviewed-controls": {
                "control-selections": [{
                    "description": "Controls that rules of the policy name.",
                    "include-controls": selected,
                }],
            },
            "observations": observations(pack, tallies, base, now),
            "findings": findings(pack, tallies),
        }],
        "back-matter": { "resources": [{
            "uuid": plan,
            "title": pack.label(),
            "description": "The policy in force is the plan of the assessment: its rules say what is judged and how.",
            "rlinks": [{ "href": format!("{base}/policy/versions/{}", pack.digest), "media-type": "text/html" }],
        }]},
    }})
}

/// What is open: rules that somebody does not keep, rules that wait, and exceptions with their ends.
fn poam(
    pack: &Pack,
    tallies: &BTreeMap<String, i64>,
    exceptions: &[Exception],
    base: &str,
    now: Millis,
) -> Value {
    let mut items = Vec::new();
    let mut risks = Vec::new();
    for rule in &pack.rules {
        let counts = Counts::of(&rule.id, tallies);
        if !rule.waits() && counts.against() == 0 {
            continue;
        }
        let serves: Vec<String> = rule
            .requirements
            .iter()
            .filter_map(|id| requirement::find(id))
            .map(|requirement| requirement.said.clone())
            .collect();
        let (title, description) = match rule.waits() {
            true => (
                format!("Not judged yet: {}", rule.title),
                "Nothing records yet what this rule asks for.".to_owned(),
            ),
            false => (rule.title.clone(), format!("Not kept by all: {}.", counts.said())),
        };
        let risk = id(&format!("risk/{}", rule.id));
        risks.push(json!({
            "uuid": risk,
            "title": title,
            "description": description,
            "statement": serves.join(" "),
            "status": "open",
            "props": [property("severity", rule.severity.word()), property("rule-id", &rule.id)],
        }));
        items.push(json!({
            "uuid": id(&format!("item/{}", rule.id)),
            "title": title,
            "description": description,
            "props": rule_properties(rule),
            "related-observations": [{ "observation-uuid": id(&format!("observation/{}", rule.id)) }],
            "related-risks": [{ "risk-uuid": risk }],
        }));
    }
    for exception in exceptions {
        let title = pack.rule(&exception.rule).map_or(exception.rule.as_str(), |rule| rule.title.as_str());
        let risk = id(&format!("risk/exception/{}", exception.id));
        risks.push(json!({
            "uuid": risk,
            "title": format!("Exception: {title}"),
            "description": format!("An exception holds until {}.", exception.until),
            "statement": "Somebody need not keep this rule for a while, for a reason, with something done in its place.",
            "status": "deviation-approved",
            "deadline": exception.until.to_string(),
            "props": [property("exception-id", exception.id), property("rule-id", &exception.rule)],
        }));
        items.push(json!({
            "uuid": id(&format!("item/exception/{}", exception.id)),
            "title": format!("Exception: {title}"),
            "description": format!("Ends by itself on {}; going on is a new decision.", exception.until),
            "props": [property("exception-id", exception.id), property("rule-id", &exception.rule)],
            "related-risks": [{ "risk-uuid": risk }],
        }));
    }
    if items.is_empty() {
        items.push(json!({
            "uuid": id("item/none"),
            "title": "Nothing is open",
            "description": "Every rule is judged and kept, and no exception holds.",
        }));
    }
    let mut document = json!({
        "uuid": id(&format!("poam/{}/{}", pack.digest, now.0)),
        "metadata": metadata(pack, "What is open", now),
        "system-id": { "identifier-type": "https://ietf.org/rfc/rfc4122", "id": id("system") },
        "observations": observations(pack, tallies, base, now),
        "poam-items": items,
    });
    if !risks.is_empty() {
        document["risks"] = risks.into();
    }
    json!({ "plan-of-action-and-milestones": document })
}

/// A document by its name; none when there is none.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn document(app: &App, name: &str) -> Result<Option<Value>, Refusal> {
    let pack = app.pack();
    let now = app.now();
    let base = app.config.base_url.trim_end_matches('/').to_owned();
    Ok(match name {
        "component-definition" => Some(component_definition(&pack, now)),
        "assessment-results" => {
            let tallies = app.store.tallies().await?;
            let in_force = app.store.policy_at(Millis(i64::MAX)).await?.and_then(|v| v.in_force_at);
            Some(assessment_results(&pack, &tallies, &base, (in_force.unwrap_or(now), now)))
        }
        "poam" => {
            let tallies = app.store.tallies().await?;
            let exceptions = app.store.exceptions_in_force().await?;
            Some(poam(&pack, &tallies, &exceptions, &base, now))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_named_as_oscal_names_them() {
        let named = |name: &str| control(name).map(|(_, control, statement)| (control, statement));
        assert_eq!(named("NIST SP 800-53r5 AC-17"), Some(("ac-17".to_owned(), None)));
        assert_eq!(named("NIST SP 800-53r5 SC-28(1)"), Some(("sc-28.1".to_owned(), None)));
        let statement = Some("ps-6_smt.c".to_owned());
        assert_eq!(named("NIST SP 800-53r5 PS-6(c)"), Some(("ps-6".to_owned(), statement)));
        assert_eq!(named("NIST SP 800-46r2 4.3.1"), Some(("sp800-46r2-4.3.1".to_owned(), None)));
        assert_eq!(named("5 USC 6505"), None, "a law is no catalogue");
    }
}
