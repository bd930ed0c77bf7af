//! People from a file: comma-separated values with a heading, as personnel systems write them. First a
//! preview of what would change, row by row; then, when nobody has changed the directory meanwhile, that.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;
use stead_model::{Employment, PersonId, UnitId, problem::Kind, seal};
use stead_store::{Write, people::Person, unit::Unit};

use super::{Told, add_within, change_within, units};
use crate::{
    App,
    auth::placing,
    error::{FieldError, Refusal},
    flows::entry,
};

/// Largest file, in bytes.
pub const LARGEST: usize = 4 * 1024 * 1024;
/// Most rows.
pub const MOST_ROWS: usize = 20_000;
/// The columns that are read. `name` and `email` must be there.
pub const COLUMNS: [&str; 5] = ["name", "email", "staff_number", "unit", "manager"];

/// What a row of the file does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Does {
    /// Adds somebody, who is invited.
    Adds,
    /// Changes these fields of somebody who is there.
    Changes(Vec<&'static str>),
    /// Says what is there already.
    Nothing,
    /// Cannot be taken, and why.
    Wrong(FieldError),
}

/// A row of the file.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its line in the file.
    pub line: u64,
    /// The name in it.
    pub name: String,
    /// The address in it.
    pub email: String,
    /// What it does.
    pub does: Does,
}

/// What a file would do.
#[derive(Debug)]
pub struct Preview {
    /// Row by row.
    pub rows: Vec<Row>,
    /// Units that are named in it and not there yet, as paths.
    pub new_units: Vec<String>,
    /// Digest of all of it, by which the preview is known again when it is taken.
    pub digest: String,
}

impl Preview {
    /// How many rows add somebody.
    pub fn adds(&self) -> usize {
        self.rows.iter().filter(|row| row.does == Does::Adds).count()
    }

    /// How many change somebody.
    pub fn changes(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row.does, Does::Changes(_))).count()
    }

    /// How many cannot be taken.
    pub fn wrong(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row.does, Does::Wrong(_))).count()
    }
}

/// Looks at a file without changing anything.
///
/// # Errors
/// [`Refusal`] when it is no such file, is too large, or the store is away.
pub async fn preview(app: &App, text: &str) -> Result<Preview, Refusal> {
    let mut write = app.store.write().await?;
    // The transaction is dropped: nothing of it stays.
    run(app, &mut write, text, "preview").await
}

/// Takes a file that was looked at before. Rows that cannot be taken are left out.
///
/// # Errors
/// [`Refusal`] when it does something else than the preview said, or nothing, or the store is away.
pub async fn take(app: &App, text: &str, digest: &str, by: &str) -> Result<Preview, Refusal> {
    let mut write = app.store.write().await?;
    let done = run(app, &mut write, text, by).await?;
    if done.digest != digest {
        return Err(Refusal::said(Kind::Conflict, "import-moved"));
    }
    if done.adds() + done.changes() == 0 {
        return Err(Refusal::said(Kind::Conflict, "nothing-changed"));
    }
    let data = json!({
        "file": seal::digest(text.as_bytes()),
        "added": done.adds(), "changed": done.changes(), "left_out": done.wrong(),
    });
    write.append(&entry(app.now(), by, "people.imported", "server".to_owned(), data))?;
    write.commit(&app.keys.ledger).await?;
    Ok(done)
}

/// Does what the file says within a transaction, and says what it did.
async fn run(app: &App, write: &mut Write, text: &str, by: &str) -> Result<Preview, Refusal> {
    let records = read(text)?;
    let mut tree = Tree { units: write.units().await?, new: Vec::new() };
    let mut rows = Vec::new();
    let mut managers = Vec::new();
    let mut seen: HashMap<String, u64> = HashMap::new();
    for (line, record) in records {
        let get = |column: &str| record.get(column).map_or("", String::as_str).trim();
        let (name, email) = (get("name").to_owned(), get("email").to_lowercase());
        let does = match seen.insert(email.clone(), line) {
            Some(before) if !email.is_empty() => {
                Does::Wrong(FieldError::new("email", "import-twice").with("line", before))
            }
            _ => match one(app, write, &mut tree, &record, by).await {
                Ok((does, person)) => {
                    managers.push((rows.len(), person, get("manager").to_lowercase()));
                    does
                }
                Err(Refusal::Form(mut errors)) => Does::Wrong(errors.remove(0)),
                Err(other) => return Err(other),
            },
        };
        rows.push(Row { line, name, email, does });
    }
    // Whoever answers for somebody may stand further down in the same file.
    for (place, person, manager) in managers {
        match answer_for(app, write, person, &manager, by).await {
            Ok(false) => {}
            Ok(true) => match &mut rows[place].does {
                Does::Changes(fields) => fields.push("manager"),
                nothing @ Does::Nothing => *nothing = Does::Changes(vec!["manager"]),
                Does::Adds | Does::Wrong(_) => {}
            },
            Err(Refusal::Form(mut errors)) => rows[place].does = Does::Wrong(errors.remove(0)),
            Err(other) => return Err(other),
        }
    }
    let said: Vec<String> = rows.iter().map(|row| format!("{} {:?}", row.line, row.does)).collect();
    let digest = seal::digest(format!("{}\n{}", seal::digest(text.as_bytes()), said.join("\n")).as_bytes());
    Ok(Preview { rows, new_units: tree.new, digest })
}

type Record = BTreeMap<String, String>;

/// Reads the file; each row with its line.
fn read(text: &str) -> Result<Vec<(u64, Record)>, Refusal> {
    let wrong = |say: &'static str| Refusal::form(FieldError::new("file", say));
    if text.len() > LARGEST {
        return Err(wrong("import-large"));
    }
    // Spreadsheets of some countries part with semicolons.
    let heading = text.lines().next().unwrap_or_default();
    let comma = heading.matches(',').count() >= heading.matches(';').count();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(if comma { b',' } else { b';' })
        .flexible(true)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let heading: Vec<String> = reader
        .headers()
        .map_err(|_| wrong("import-unreadable"))?
        .iter()
        .map(|name| name.trim().to_lowercase().replace([' ', '-'], "_"))
        .collect();
    if !["name", "email"].iter().all(|needed| heading.iter().any(|there| there == needed)) {
        return Err(wrong("import-heading"));
    }
    if let Some(unknown) = heading.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        let error = FieldError::new("file", "import-column").with("column", unknown);
        return Err(Refusal::form(error));
    }
    let mut records = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|_| wrong("import-unreadable"))?;
        if records.len() >= MOST_ROWS {
            return Err(wrong("import-large"));
        }
        let line = record.position().map_or(0, csv::Position::line);
        let values = heading.iter().cloned().zip(record.iter().map(str::to_owned)).collect();
        records.push((line, values));
    }
    Ok(records)
}

/// The units, and those that the file adds.
struct Tree {
    units: Vec<Unit>,
    new: Vec<String>,
}

/// Takes one row: adds or changes a person.
async fn one(
    app: &App,
    write: &mut Write,
    tree: &mut Tree,
    record: &Record,
    by: &str,
) -> Result<(Does, PersonId), Refusal> {
    let value = |column: &str| record.get(column).cloned().unwrap_or_default();
    let (email, number) = (value("email").trim().to_lowercase(), value("staff_number").trim().to_owned());
    if email.is_empty() {
        return Err(Refusal::form(FieldError::new("email", "field-empty")));
    }
    let number_is = (!number.is_empty()).then_some(number.as_str());
    let found = write.person_by_address_or_number(Some(&email), number_is).await?;
    let by_email = found.iter().find(|person| person.email.as_deref() == Some(email.as_str()));
    let by_number =
        found.iter().find(|person| number_is.is_some() && person.staff_number.as_deref() == number_is);
    let person = by_number.or(by_email).cloned();
    let unit = match record.get("unit").map(|unit| unit.trim()).filter(|unit| !unit.is_empty()) {
        Some(path) => Some(unit_at(app, write, tree, path, by).await?),
        None => None,
    };
    let mut told = Told { name: value("name"), email, staff_number: number, unit, manager: None };
    match person {
        None => {
            let stranger = placing::stranger(&told.email, UnitId::ORGANISATION, app.now());
            if write.is_trusted(&stranger).await? {
                return Err(Refusal::form(FieldError::new("email", "email-of-trusted")));
            }
            let person = add_within(app, write, &told, Employment::Invited, by).await?;
            Ok((Does::Adds, person.id))
        }
        Some(mut person) => {
            let before = person.clone();
            let renamed = Person { email: Some(told.email.clone()), ..person.clone() };
            if person.email != renamed.email
                && (write.is_trusted(&person).await? || write.is_trusted(&renamed).await?)
            {
                return Err(Refusal::form(FieldError::new("email", "email-of-trusted")));
            }
            told.manager = person.manager;
            if !record.contains_key("staff_number") {
                told.staff_number = person.staff_number.clone().unwrap_or_default();
            }
            change_within(app, write, &mut person, &told, by).await?;
            Ok((does(&before, &person), person.id))
        }
    }
}

fn does(before: &Person, after: &Person) -> Does {
    let fields: Vec<&'static str> = [
        ("name", before.name != after.name),
        ("email", before.email != after.email),
        ("staff_number", before.staff_number != after.staff_number),
        ("unit", before.unit != after.unit),
    ]
    .into_iter()
    .filter_map(|(field, changed)| changed.then_some(field))
    .collect();
    if fields.is_empty() { Does::Nothing } else { Does::Changes(fields) }
}

/// Notes who answers for somebody, by address; whether that is new.
async fn answer_for(
    app: &App,
    write: &mut Write,
    person: PersonId,
    manager: &str,
    by: &str,
) -> Result<bool, Refusal> {
    if manager.is_empty() {
        return Ok(false);
    }
    let found = write.person_by_address_or_number(Some(manager), None).await?;
    let Some(manager) = found.first() else {
        return Err(Refusal::form(FieldError::new("manager", "manager-unknown")));
    };
    let mut person = super::there(write, person).await?;
    let told = Told {
        name: person.name.clone(),
        email: person.email.clone().unwrap_or_default(),
        staff_number: person.staff_number.clone().unwrap_or_default(),
        unit: None,
        manager: Some(manager.id),
    };
    change_within(app, write, &mut person, &told, by).await
}

/// The unit at a path such as `Service / Records`, made where it is not there.
async fn unit_at(
    app: &App,
    write: &mut Write,
    tree: &mut Tree,
    path: &str,
    by: &str,
) -> Result<UnitId, Refusal> {
    let mut at = UnitId::ORGANISATION;
    let mut walked = Vec::new();
    for name in path.split('/').map(str::trim).filter(|name| !name.is_empty()) {
        walked.push(name);
        let same = |unit: &&Unit| unit.parent == Some(at) && unit.name.to_lowercase() == name.to_lowercase();
        at = match tree.units.iter().find(same) {
            Some(unit) => unit.id,
            None => {
                let id = units::add_within(app, write, name, at, by).await?;
                tree.units.push(Unit { id, name: name.to_owned(), parent: Some(at), people: 0 });
                tree.new.push(walked.join(" / "));
                id
            }
        };
    }
    Ok(at)
}
