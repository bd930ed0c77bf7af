//! What the ledger's entries imply about the tables: pages, the gate, and reports are answered from the tables, so
//! whoever rewrites a row without an entry is found here.
//!
//! In scope: who may do what, who has which device, how devices, people, and the organization stand, which policy is
//! in effect, who confirmed, reviewed, attested, or looked, exceptions, cases, losses, and ways in. Out of scope: what
//! the ledger leaves out so that it can be erased, such as names, addresses, and what was observed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use stead_ledger::Entry;
use stead_model::{Standing, UnitId, seal};
use stead_store::{
    Store, StoreError,
    accounted::{ACCOUNTED, Accounted},
};

use crate::flows::{look, sign_in::passkey};

/// What a place in a row holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cell {
    /// This, or nothing.
    Is(Option<String>),
    /// A time no later than this: what would last longer can be ended early.
    AtMost(i64),
    /// Whatever it holds, entries don't say.
    Open,
}

/// A row's places, in the order of [`Accounted::columns`].
type Row = Vec<Cell>;

/// The tables as entries imply them.
#[derive(Debug, Default)]
pub struct Replay {
    tables: HashMap<&'static str, BTreeMap<String, Row>>,
    /// How many steps of each case and loss there have been.
    steps: HashMap<String, u64>,
}

fn is(text: impl ToString) -> Cell {
    Cell::Is(Some(text.to_string()))
}

const NONE: Cell = Cell::Is(None);

/// What is committed to of who somebody is.
const RECORD: &str = "salt || ' ' || LENGTH(name) || ' ' || name || ' ' || LENGTH(COALESCE(email, '-')) || ' ' || \
             COALESCE(email, '-') || ' ' || COALESCE(staff_number, '-')";

/// A text of an entry's data.
fn text<'a>(data: &'a Value, name: &str) -> Option<&'a str> {
    data.get(name).and_then(Value::as_str)
}

/// A value of an entry's data as a column holds it: what isn't there is open, `null` is nothing.
fn cell(data: &Value, name: &str) -> Cell {
    match data.get(name) {
        None => Cell::Open,
        Some(Value::Null) => NONE,
        Some(Value::String(text)) => is(text),
        Some(Value::Bool(yes)) => is(i64::from(*yes)),
        Some(other) => is(other),
    }
}

/// A time of an entry's data, that may have come earlier.
fn at_most(data: &Value, name: &str) -> Cell {
    data.get(name).and_then(Value::as_i64).map_or(Cell::Open, Cell::AtMost)
}

/// An id without its kind: `person:…`, `device:…`.
fn bare(subject: &str) -> &str {
    subject.split_once(':').map_or(subject, |(_, id)| id)
}

/// A person who did something; nobody when the program did.
fn who(by: &str) -> &str {
    by.strip_prefix("person:").unwrap_or_default()
}

/// The place of a column in a table's rows.
fn place(table: &'static str, column: &str) -> Option<usize> {
    ACCOUNTED.iter().find(|of| of.table == table)?.columns.iter().position(|known| *known == column)
}

impl Replay {
    /// What there is before the first entry: the organization, below which every unit is.
    pub fn new() -> Self {
        let mut new = Self::default();
        new.put("ledger_head", "1".to_owned(), Row::new());
        new.put("unit", UnitId::ORGANISATION.to_string(), vec![NONE, is(0)]);
        new
    }

    fn put(&mut self, table: &'static str, key: String, row: Row) {
        self.tables.entry(table).or_default().insert(key, row);
    }

    fn remove(&mut self, table: &'static str, key: &str) {
        self.tables.entry(table).or_default().remove(key);
    }

    fn set(&mut self, table: &'static str, key: &str, column: &str, to: Cell) {
        if let (Some(place), Some(row)) =
            (place(table, column), self.tables.entry(table).or_default().get_mut(key))
            && let Some(cell) = row.get_mut(place)
        {
            *cell = to;
        }
    }

    fn get(&self, table: &'static str, key: &str, column: &str) -> Option<&Cell> {
        self.tables.get(table)?.get(key)?.get(place(table, column)?)
    }

    /// Every row of a table that says this in a column.
    fn keys_with(&self, table: &'static str, column: &str, what: &Cell) -> Vec<String> {
        let Some(place) = place(table, column) else { return Vec::new() };
        let rows = self.tables.get(table).into_iter().flatten();
        rows.filter(|(_, row)| row.get(place) == Some(what)).map(|(key, _)| key.clone()).collect()
    }

    /// Takes the entry at a position.
    pub fn take(&mut self, position: u64, entry: &Entry) {
        let (at, by, data) = (is(entry.at.0), entry.by.as_str(), &entry.data);
        let (kind, id) = (entry.kind.as_str(), bare(&entry.subject).to_owned());
        match kind.split_once('.') {
            Some(("unit" | "role", _)) => self.take_unit_or_role(kind, &id, (at, by), data),
            Some(("person" | "access" | "clear-out", _)) => self.take_person(position, entry, &id),
            Some(("device" | "findings" | "standing" | "tunnel", _)) => {
                self.take_device(position, entry, &id);
            }
            Some(("policy" | "term" | "exception" | "team", _)) => self.take_policy(position, entry, &id),
            Some(("case", _)) => self.take_case(kind, &id, (at, by), data),
            Some(("loss", _)) => self.take_loss(kind, &id, (at, by), data),
            Some(_) => self.take_way_in(kind, &id, (at, by), data),
            None => {}
        }
    }

    fn take_unit_or_role(&mut self, kind: &str, id: &str, (at, by): (Cell, &str), data: &Value) {
        let grant = || Some(format!("{id} {} {}", text(data, "role")?, text(data, "unit")?));
        match kind {
            "unit.added" => self.put("unit", id.to_owned(), vec![cell(data, "parent"), at]),
            "unit.changed" if data.get("parent").is_some() => {
                self.set("unit", id, "parent_id", cell(data, "parent"));
            }
            "role.given" => {
                if let Some(grant) = grant() {
                    self.put("role_grant", grant, vec![at, is(by)]);
                }
            }
            "role.taken" => {
                if let Some(grant) = grant() {
                    self.remove("role_grant", &grant);
                }
            }
            _ => {}
        }
    }

    fn take_person(&mut self, position: u64, entry: &Entry, id: &str) {
        let (at, data) = (is(entry.at.0), &entry.data);
        match entry.kind.as_str() {
            "person.added" => {
                let unit = text(data, "unit").map_or_else(|| is(UnitId::ORGANISATION), is);
                let state = text(data, "state").map_or_else(|| is("active"), is);
                // Whoever the machine's operator writes down has nobody who answers for them.
                let manager = if data.get("unit").is_none() { NONE } else { cell(data, "manager") };
                let row = vec![unit, manager, state, at.clone(), NONE, at, NONE, cell(data, "record")];
                self.put("person", id.to_owned(), row);
            }
            "person.changed" => {
                if data.get("record").is_some() {
                    self.set("person", id, RECORD, cell(data, "record"));
                }
                for (field, column) in [("unit", "unit_id"), ("manager", "manager_id")] {
                    if data.get(field).is_some() {
                        self.set("person", id, column, cell(data, field));
                    }
                }
            }
            "person.state" => {
                self.set("person", id, "state", cell(data, "to"));
                self.set("person", id, "state_since", at);
                let day = data.get("last_day").map_or(NONE, is);
                self.set("person", id, "last_day", day);
            }
            "access.ended" => self.end_ways_in(id),
            "person.erased" => self.erase(id, at),
            "person.looked-at" => {
                let until = is(entry.at.plus(look::VISIT).0);
                let row = vec![is(id), is(bare(&entry.by)), at, cell(data, "purpose"), until];
                self.put("look", position.to_string(), row);
            }
            _ => {}
        }
    }

    /// Passwords, passkeys, and whatever else lets somebody in is gone.
    fn end_ways_in(&mut self, person: &str) {
        self.remove("password", person);
        self.remove("calendar_feed", person);
        for key in self.keys_with("passkey", "person_id", &is(person)) {
            self.remove("passkey", &key);
        }
        for table in ["authenticator", "outside_identity"] {
            let theirs = format!("{person} ");
            self.tables.entry(table).or_default().retain(|key, _| !key.starts_with(&theirs));
        }
    }

    fn erase(&mut self, person: &str, at: Cell) {
        self.set("person", person, "erased_at", at);
        self.set("person", person, "manager_id", NONE);
        self.set("person", person, RECORD, NONE);
        for device in self.keys_with("device", "person_id", &is(person)) {
            let theirs = format!("{device} ");
            self.tables.entry("finding").or_default().retain(|key, _| !key.starts_with(&theirs));
            for (key, row) in self.tables.entry("standing_change").or_default() {
                if key.starts_with(&theirs)
                    && let Some(reason) = row.last_mut()
                {
                    *reason = is("");
                }
            }
        }
        let theirs = format!("person:{person}");
        self.remove("subject_standing", &theirs);
        let findings = format!("{theirs} ");
        self.tables.entry("subject_finding").or_default().retain(|key, _| !key.starts_with(&findings));
        for (table, columns) in [
            ("lapse_case", &["salt || ' ' || evidence"][..]),
            ("loss", &["salt || ' ' || evidence", "salt || ' ' || words"][..]),
        ] {
            for key in self.keys_with(table, "person_id", &is(person)) {
                columns.iter().for_each(|column| self.set(table, &key, column, NONE));
            }
        }
    }

    fn take_device(&mut self, position: u64, entry: &Entry, id: &str) {
        let (at, data) = (is(entry.at.0), &entry.data);
        match entry.kind.as_str() {
            "device.enrolled" => {
                let row = vec![
                    cell(data, "person"),
                    cell(data, "owner"),
                    cell(data, "key"),
                    at.clone(),
                    NONE,
                    NONE,
                ];
                self.put("device", id.to_owned(), row);
                self.put("device_standing", id.to_owned(), vec![is(Standing::Unknown.word()), at.clone()]);
                if let Some(code) = text(data, "code") {
                    self.set("enrolment_code", code, "used_at", at);
                    self.set("enrolment_code", code, "device_id", is(id));
                }
            }
            "device.revoked" => self.set("device", id, "revoked_at", at),
            "device.restored" => {
                self.set("device", id, "revoked_at", NONE);
                self.set("device", id, "lost_at", NONE);
            }
            "device.certified" => {
                if let Some(print) = text(data, "sha256") {
                    let row = vec![is(id), at, cell(data, "until")];
                    self.put("device_certificate", print.to_owned(), row);
                }
            }
            "tunnel.begun" => {
                if let Some(tunnel) = text(data, "tunnel") {
                    self.put("tunnel_key", format!("{id} {tunnel}"), Row::new());
                }
            }
            "findings.changed" => self.take_findings(&entry.subject, id, at, data),
            "standing.changed" if entry.subject.starts_with("device:") => {
                let to = cell(data, "to");
                self.set("device_standing", id, "standing", to.clone());
                self.set("device_standing", id, "standing_since", at.clone());
                let row = vec![at, to, cell(data, "reason")];
                self.put("standing_change", format!("{id} {position}"), row);
            }
            "standing.changed" => {
                self.put("subject_standing", subject(&entry.subject), vec![cell(data, "to"), at]);
            }
            _ => {}
        }
    }

    fn take_findings(&mut self, of: &str, id: &str, at: Cell, data: &Value) {
        let device = of.starts_with("device:");
        let at = match data.get("judged_at") {
            Some(judged_at) => is(judged_at),
            None => at,
        };
        let mut gone = 0;
        let changes = data.get("changes").and_then(Value::as_array).into_iter().flatten();
        for change in changes {
            let Some(rule) = text(change, "rule") else { continue };
            let (table, key) = match device {
                true => ("finding", format!("{id} {rule}")),
                false => ("subject_finding", format!("{} {rule}", subject(of))),
            };
            match text(change, "to") {
                Some(to) => {
                    // An exception excuses what goes on failing.
                    let failing = match to {
                        "fail" | "unknown" | "excepted" => {
                            let before = self.get(table, &key, "failing_since").filter(|cell| **cell != NONE);
                            before.cloned().unwrap_or_else(|| at.clone())
                        }
                        _ => NONE,
                    };
                    let mut row = vec![is(to), at.clone()];
                    row.extend(device.then_some(failing));
                    self.put(table, key, row);
                }
                None => {
                    self.remove(table, &key);
                    gone += 1;
                }
            }
        }
        // Whoever works here no more is judged no more, and has no standing.
        let left = self.get("person", id, "state") == Some(&is("gone"));
        if !device && gone > 0 && left {
            self.remove("subject_standing", &subject(of));
        }
    }

    fn take_policy(&mut self, position: u64, entry: &Entry, id: &str) {
        let (at, data) = (is(entry.at.0), &entry.data);
        let by = bare(&entry.by);
        match entry.kind.as_str() {
            "policy.published" => {
                let author = text(data, "author").map_or_else(|| is(by), |author| is(bare(author)));
                let row = vec![
                    cell(data, "policy"),
                    author,
                    is(by),
                    at,
                    cell(data, "effective_at"),
                    NONE,
                    NONE,
                    is(position),
                    cell(data, "says"),
                ];
                self.put("policy_version", id.to_owned(), row);
            }
            "policy.in-force" => {
                // Later than every one before, whatever the clock said.
                let others = self.tables.get("policy_version").into_iter().flat_map(BTreeMap::values);
                let latest = others.filter_map(|row| match row.get(5) {
                    Some(Cell::Is(Some(time))) => time.parse::<i64>().ok(),
                    Some(Cell::Is(None) | Cell::AtMost(_) | Cell::Open) | None => None,
                });
                let latest = latest.max().unwrap_or(i64::MIN);
                self.set("policy_version", id, "in_force_at", is(entry.at.0.max(latest.saturating_add(1))));
            }
            "policy.superseded" => self.set("policy_version", id, "superseded_at", at),
            "policy.confirmed" => {
                if let (Some(person), Some(digest)) = (text(data, "person"), text(data, "digest")) {
                    let key = format!("{} {digest}", bare(person));
                    self.put("acknowledgement", key, vec![at, is(position)]);
                }
            }
            "policy.reviewed" => {
                if let Some(review) = text(data, "review") {
                    let row = vec![
                        is(id),
                        at,
                        is(by),
                        cell(data, "outcome"),
                        cell(data, "rule"),
                        is(position),
                        cell(data, "words"),
                    ];
                    self.put("policy_review", review.to_owned(), row);
                }
            }
            "policy.key-allowed" => {
                if let Some(key) = text(data, "key") {
                    self.put("policy_key", key.to_owned(), vec![is(by), at, NONE]);
                }
            }
            "policy.key-removed" => {
                if let Some(key) = text(data, "key") {
                    self.set("policy_key", key, "removed_at", at);
                }
            }
            "team.attested" => {
                self.put("attestation", position.to_string(), vec![is(id), is(by), at]);
                for answer in data.get("answers").and_then(Value::as_array).into_iter().flatten() {
                    if let [Value::String(person), Value::String(answer)] =
                        &answer.as_array().map_or(&[][..], Vec::as_slice)
                    {
                        self.put("attestation_answer", format!("{position} {person}"), vec![is(answer)]);
                    }
                }
            }
            "term.bound" => {
                if let Some(term) = text(data, "term") {
                    let row = vec![is(id), cell(data, "rule"), is(by), at, NONE, NONE];
                    self.put("person_term", term.to_owned(), row);
                }
            }
            "term.released" => {
                if let Some(term) = text(data, "term") {
                    self.set("person_term", term, "ended_by", is(by));
                    self.set("person_term", term, "ended_at", at);
                }
            }
            kind => self.take_exception(kind, id, (at, by), data),
        }
    }

    fn take_exception(&mut self, kind: &str, person: &str, (at, by): (Cell, &str), data: &Value) {
        let Some(exception) = text(data, "exception") else { return };
        let table = "policy_exception";
        let Some((_, state)) = kind.split_once('.') else { return };
        if state == "asked" {
            let row = vec![
                is(person),
                cell(data, "of"),
                cell(data, "rule"),
                cell(data, "until"),
                is(by),
                at,
                is(state),
                NONE,
                NONE,
                NONE,
            ];
            return self.put(table, exception.to_owned(), row);
        }
        self.set(table, exception, "state", is(state));
        self.set(table, exception, "until", cell(data, "until"));
        match state {
            "granted" | "refused" => {
                self.set(table, exception, "decided_by", is(by));
                self.set(table, exception, "decided_at", at);
            }
            _ => self.set(table, exception, "ended_at", at),
        }
    }

    /// A step of a case or a loss, in the order in which they were taken.
    fn step(&mut self, table: &'static str, of: &str, mut row: Row, kind: Option<&str>) {
        let n = self.steps.entry(of.to_owned()).or_default();
        let key = format!("{of} {n}");
        *n += 1;
        row.extend(kind.map(is));
        self.put(table, key, row);
    }

    fn take_case(&mut self, kind: &str, person: &str, (at, by): (Cell, &str), data: &Value) {
        let Some(case) = text(data, "case") else { return };
        let table = "lapse_case";
        let step = vec![at.clone(), is(who(by))];
        let outcome = text(data, "outcome").unwrap_or_default();
        let mended = ["mended", "moot", "excepted", "left"].contains(&outcome);
        // What opens or mends one is two steps: what was seen, and what it costs or that it is over.
        if kind == "case.opened" || (kind == "case.closed" && mended) {
            self.step("case_event", case, step.clone(), None);
        }
        self.step("case_event", case, step, None);
        if kind == "case.opened" {
            let row = vec![
                is(person),
                cell(data, "of"),
                cell(data, "rule"),
                cell(data, "policy"),
                at,
                cell(data, "state"),
                cell(data, "evidence"),
                // Which step of the ladder was chosen is committed to by its place, and the table holds its words.
                Cell::Open,
                NONE,
                NONE,
                NONE,
                NONE,
                is(""),
            ];
            return self.put(table, case.to_owned(), row);
        }
        self.set(table, case, "state", cell(data, "state"));
        match kind {
            "case.decided" => self.set(table, case, "decided_at", at),
            "case.appealed" => self.set(table, case, "appealed_at", at),
            "case.mended" => self.set(table, case, "mended_at", at),
            "case.closed" => {
                if mended && self.get(table, case, "mended_at") == Some(&NONE) {
                    self.set(table, case, "mended_at", at.clone());
                }
                self.set(table, case, "closed_at", at);
                self.set(table, case, "outcome", is(outcome));
            }
            _ => {}
        }
    }

    fn take_loss(&mut self, kind: &str, person: &str, (at, by): (Cell, &str), data: &Value) {
        let Some(loss) = text(data, "loss") else { return };
        let step = match kind.split_once('.') {
            Some((_, "closed")) => "step",
            Some((_, "obeyed")) if data.get("locked") == Some(&Value::Bool(false)) => "forgot",
            Some((_, step)) => step,
            None => return,
        };
        self.step("loss_event", loss, vec![at.clone(), is(who(by))], Some(step));
        self.take_loss_doors(loss, at.clone(), data);
        if let (Some(done), "loss.step" | "loss.closed") = (text(data, "step"), kind) {
            let key = format!("{loss} {done}");
            self.set("loss_step", &key, "done_at", at.clone());
            self.set("loss_step", &key, "done_by", is(who(by)));
        }
        let state = match kind {
            "loss.found" => Some("found"),
            "loss.mistaken" => Some("mistaken"),
            "loss.let-in" => Some("back"),
            "loss.closed" => Some("closed"),
            _ => None,
        };
        for (column, to) in [("state", state), ("risk", text(data, "risk"))] {
            if let Some(to) = to {
                self.set("loss", loss, column, is(to));
            }
        }
        let steps = data.get("steps").and_then(Value::as_array).into_iter().flatten();
        for (place, step) in steps.enumerate() {
            if let Some([Value::String(name), due]) = step.as_array().map(Vec::as_slice) {
                let due = if due.is_null() { NONE } else { is(due) };
                self.put("loss_step", format!("{loss} {name}"), vec![is(place), due, NONE, is("")]);
            }
        }
        match kind {
            "loss.told" | "loss.practised" => {
                let device = data.get("device").map_or(NONE, |_| cell(data, "device"));
                let practice = kind == "loss.practised";
                if let Cell::Is(Some(device)) = &device {
                    self.set("device", device, "lost_at", at.clone());
                }
                let row = vec![
                    is(person),
                    if practice { Cell::Open } else { device },
                    cell(data, "thing"),
                    cell(data, "stolen"),
                    is(i64::from(practice)),
                    cell(data, "way"),
                    at,
                    cell(data, "noticed_at"),
                    cell(data, "evidence"),
                    cell(data, "words"),
                    NONE,
                    is(if practice { "closed" } else { "open" }),
                    is(""),
                    NONE,
                    NONE,
                    is(who(by)),
                ];
                self.put("loss", loss.to_owned(), row);
            }
            "loss.mistaken" | "loss.let-in" => {
                // A device that was shut out before it was lost stays so, and is lost no more.
                if let Some(Cell::Is(Some(device))) = self.get("loss", loss, "device_id").cloned()
                    && let (Some(Cell::Is(Some(revoked))), Some(Cell::Is(Some(lost)))) =
                        (self.get("device", &device, "revoked_at"), self.get("device", &device, "lost_at"))
                    && revoked < lost
                {
                    self.set("device", &device, "lost_at", Cell::Open);
                }
            }
            "loss.closed" => self.set("loss", loss, "closed_at", at),
            "loss.heard" => self.set("loss", loss, "heard_at", at),
            "loss.obeyed" => {
                if self.get("loss", loss, "heard_at") == Some(&NONE) {
                    self.set("loss", loss, "heard_at", at.clone());
                }
                self.set("loss", loss, "obeyed_at", at);
            }
            _ => {}
        }
    }

    /// Doors that a loss shuts, each with how much was shut, and those that open again.
    fn take_loss_doors(&mut self, loss: &str, at: Cell, data: &Value) {
        match data.get("doors") {
            Some(Value::Object(doors)) => {
                for (door, n) in doors {
                    let key = format!("{loss} {door}");
                    let before = match self.get("loss_door", &key, "n") {
                        Some(Cell::Is(Some(before))) => before.parse().unwrap_or(0),
                        Some(Cell::Is(None) | Cell::AtMost(_) | Cell::Open) | None => 0,
                    };
                    let n = before + n.as_i64().unwrap_or(0);
                    let open = self.get("loss_door", &key, "open_at").cloned().unwrap_or(NONE);
                    self.put("loss_door", key, vec![at.clone(), is(n), open]);
                }
            }
            Some(Value::Array(doors)) => {
                for door in doors.iter().filter_map(Value::as_str) {
                    self.set("loss_door", &format!("{loss} {door}"), "open_at", at.clone());
                }
            }
            Some(_) | None => {}
        }
    }

    fn take_way_in(&mut self, kind: &str, id: &str, (at, by): (Cell, &str), data: &Value) {
        let named = |name: &str| text(data, name).map(str::to_owned);
        match kind {
            "session.begun" => {
                if let Some(session) = named("session") {
                    // It may end with others, by one entry for all.
                    self.put("session", session, vec![is(id), cell(data, "method"), at, Cell::Open]);
                }
            }
            "session.ended" => {
                if let Some(session) = named("session") {
                    self.set("session", &session, "ended_at", at);
                }
            }
            "token.ended" => {
                if let Some(token) = named("token") {
                    self.set("token", &token, "ended_at", at);
                }
            }
            "token.made" => {
                if let Some(token) = named("token") {
                    let scopes = data
                        .get("scopes")
                        .and_then(Value::as_array)
                        .map(|scopes| scopes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "));
                    let row = vec![
                        cell(data, "secret"),
                        is(id),
                        Cell::Is(scopes),
                        at,
                        cell(data, "expires_at"),
                        Cell::Open,
                    ];
                    self.put("token", token, row);
                }
            }
            "link.made" => {
                if let Some(link) = named("link") {
                    let row = vec![cell(data, "kind"), is(id), at, cell(data, "expires_at"), is(by)];
                    self.put("one_time_link", link, row);
                }
            }
            "code.given" => {
                if let Some(code) = named("code") {
                    let row = vec![
                        is(id),
                        cell(data, "owner"),
                        at,
                        at_most(data, "expires_at"),
                        is(by),
                        Cell::Open,
                        NONE,
                    ];
                    self.put("enrolment_code", code, row);
                }
            }
            "passkey.added" => {
                if let Some(passkey) = named("passkey") {
                    self.put(
                        "passkey",
                        passkey,
                        vec![is(id), cell(data, "credential"), cell(data, "key"), at],
                    );
                }
            }
            "passkey.removed" => {
                if let Some(passkey) = named("passkey") {
                    self.remove("passkey", &passkey);
                }
            }
            "password.set" => self.put("password", id.to_owned(), vec![cell(data, "hash"), at]),
            "password.removed" => self.remove("password", id),
            "authenticator.on" | "authenticator.off" => {
                let theirs = format!("{id} ");
                self.tables.entry("authenticator").or_default().retain(|key, _| !key.starts_with(&theirs));
                if let (true, Cell::Is(Some(at))) = (kind == "authenticator.on", &at) {
                    self.put("authenticator", format!("{id} {at}"), Row::new());
                }
            }
            "outside-identity.added" => {
                if let (Some(issuer), Cell::Is(Some(at))) = (named("issuer"), &at) {
                    self.put("outside_identity", format!("{id} {issuer} {at}"), Row::new());
                }
            }
            "sign-in.reset" => self.end_ways_in(id),
            "calendar.begun" => self.put("calendar_feed", id.to_owned(), vec![at]),
            "calendar.ended" => self.remove("calendar_feed", id),
            "loss-card.made" => self.put("loss_card", id.to_owned(), vec![at]),
            "loss-card.ended" => self.remove("loss_card", id),
            "hook.added" => {
                let events = data
                    .get("events")
                    .and_then(Value::as_array)
                    .map(|events| events.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "));
                let row = vec![
                    cell(data, "kind"),
                    cell(data, "host"),
                    Cell::Is(events),
                    cell(data, "people"),
                    at,
                    NONE,
                ];
                self.put("hook", id.to_owned(), row);
            }
            "hook.ended" => self.set("hook", id, "ended_at", at),
            _ => {}
        }
    }

    /// What follows from the rows alone: which units are above which, and the numbers that pages show.
    fn complete(&mut self) {
        let units = self.tables.get("unit").cloned().unwrap_or_default();
        for unit in units.keys() {
            let (mut above, mut distance) = (unit.clone(), 0);
            // A tree that never ends is one that no flow makes.
            while distance < 100 {
                self.put("unit_above", format!("{unit} {above}"), vec![is(distance)]);
                match units.get(&above).and_then(|row| row.first()) {
                    Some(Cell::Is(Some(parent))) => above.clone_from(parent),
                    Some(Cell::Is(None) | Cell::AtMost(_) | Cell::Open) | None => break,
                }
                distance += 1;
            }
        }
        let works = |device: &str| self.get("device", device, "revoked_at") == Some(&NONE);
        let mut tallies: BTreeMap<String, u64> = BTreeMap::new();
        for (device, row) in self.tables.get("device_standing").into_iter().flatten() {
            if let (true, Some(Cell::Is(Some(standing)))) = (works(device), row.first()) {
                *tallies.entry(format!("standing/{standing}")).or_default() += 1;
            }
        }
        for table in ["finding", "subject_finding"] {
            for (key, row) in self.tables.get(table).into_iter().flatten() {
                let Some((of, rule)) = key.split_once(' ') else { continue };
                if let (true, Some(Cell::Is(Some(outcome)))) =
                    (table == "subject_finding" || works(of), row.first())
                {
                    *tallies.entry(format!("rule/{rule}/{outcome}")).or_default() += 1;
                }
            }
        }
        for (name, n) in tallies {
            self.put("tally", name, vec![is(n)]);
        }
    }

    /// Takes the addresses that a version names for break-glass access.
    pub fn take_glass(&mut self, digest: &str, addresses: &[String]) {
        for address in addresses {
            self.put("policy_glass", format!("{digest} {}", address.to_lowercase()), Row::new());
        }
    }

    /// The devices of which there are findings: of each, the report that brought them is kept.
    pub fn judged(&self) -> BTreeSet<String> {
        let findings = self.tables.get("finding").into_iter().flat_map(BTreeMap::keys);
        findings.filter_map(|key| Some(key.split_once(' ')?.0.to_owned())).collect()
    }

    /// Compares with what is stored; the first row that no entry accounts for, in words.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn compare(mut self, store: &Store) -> Result<Option<String>, StoreError> {
        self.complete();
        for of in ACCOUNTED {
            let expected = self.tables.remove(of.table).unwrap_or_default();
            if let Some(why) = compare(of, expected, store).await? {
                return Ok(Some(why));
            }
        }
        Ok(None)
    }
}

/// The name of a subject in the tables: the organization's id is its kind.
fn subject(of: &str) -> String {
    if of.contains(':') { of.to_owned() } else { format!("{of}:{of}") }
}

async fn compare(
    of: &Accounted,
    mut expected: BTreeMap<String, Row>,
    store: &Store,
) -> Result<Option<String>, StoreError> {
    for (key, values) in store.accounted_rows(of).await? {
        let named = stored_key(of.table, &key);
        let Some(row) = expected.remove(&named) else {
            // A number that went back to 0 is kept.
            if of.table == "tally" && values == [Some("0".to_owned())] {
                continue;
            }
            return Ok(Some(format!("no entry accounts for the row {key} of {}", of.table)));
        };
        for ((column, value), cell) in of.columns.iter().zip(values).zip(row) {
            let value = stored_value(of.table, column, value);
            let is = match cell {
                Cell::Is(is) => is,
                Cell::AtMost(latest) => {
                    let time = value.as_deref().and_then(|value| value.parse::<i64>().ok());
                    if time.is_some_and(|time| time <= latest) {
                        continue;
                    }
                    Some(format!("{latest} at most"))
                }
                Cell::Open => continue,
            };
            if value != is {
                let or_none = |text: Option<String>| text.unwrap_or_else(|| "nothing".to_owned());
                return Ok(Some(format!(
                    "{column} of the row {key} of {} is {}, and by the entries it is {}",
                    of.table,
                    or_none(value),
                    or_none(is)
                )));
            }
        }
    }
    if of.may_be_forgotten {
        return Ok(None);
    }
    Ok(expected.into_keys().next().map(|key| format!("the row {key} of {} is missing", of.table)))
}

/// A row's key as entries name it: secrets' digests by a digest of their own.
fn stored_key(table: &str, key: &str) -> String {
    match table {
        "one_time_link" | "enrolment_code" => seal::digest(key.as_bytes()),
        _ => key.to_owned(),
    }
}

/// What is stored as entries name it: by digest, salted where it may name somebody.
fn stored_value(table: &str, column: &str, value: Option<String>) -> Option<String> {
    let value = value?;
    match (table, column) {
        ("device", "public_key")
        | ("policy_version", "says")
        | ("policy_review", "took_part || ' ' || considered || ' ' || words")
        | ("password", "hash")
        | ("passkey", "credential")
        | ("token", "digest") => Some(seal::digest(value.as_bytes())),
        ("passkey", "passkey") => passkey::key_digest(&value),
        ("lapse_case" | "loss" | "person", _) if column.starts_with("salt") => {
            let (salt, words) = value.split_once(' ')?;
            (!salt.is_empty()).then(|| seal::digest(format!("{salt}\n{words}").as_bytes()))
        }
        _ => Some(value),
    }
}
