//! People from a file: comma-separated values with a heading, as personnel systems write them. First a
//! preview of what would change, row by row; then, when nobody has changed the directory meanwhile, that.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use serde_json::json;
use stead_model::{Employment, Millis, PersonId, UnitId, problem::Kind, seal};
use stead_store::{Write, people::Person, unit::Unit};

use super::{Told, add_within, change_within, units};
use crate::{
    App,
    auth::placing,
    error::{FieldError, Refusal},
    flows::{apart, entry},
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

/// Rows that are taken in one transaction. Others write between two of them.
const BATCH: usize = 200;

/// Looks at a file without changing anything. It reads the directory once, and keeps nobody waiting.
///
/// # Errors
/// [`Refusal`] when it is no such file, is too large, or the store is away.
pub async fn preview(app: &App, text: &str) -> Result<Preview, Refusal> {
    let _one = turn(app)?;
    Ok(planned(app, text).await?.0)
}

/// One at a time: each holds the whole directory.
fn turn(app: &App) -> Result<tokio::sync::OwnedSemaphorePermit, Refusal> {
    Arc::clone(&app.importing).try_acquire_owned().map_err(|_| Refusal::said(Kind::Conflict, "import-busy"))
}

async fn planned(app: &App, text: &str) -> Result<(Preview, Vec<Planned>), Refusal> {
    let records = read(text)?;
    let directory = Directory::of(app.store.directory().await?, app.store.units().await?);
    let (now, digest) = (app.now(), seal::digest(text.as_bytes()));
    apart(move || directory.plan(records, now, &digest)).await?
}

/// Takes a file that was looked at before. Rows that cannot be taken are left out. It goes on when whoever asked is gone.
///
/// # Errors
/// [`Refusal`] when it does something else than the preview said, or nothing, or the store is away.
pub async fn take(app: &Arc<App>, text: &str, digest: &str, by: &str) -> Result<Preview, Refusal> {
    let one = turn(app)?;
    let (plan, rows) = planned(app, text).await?;
    if plan.digest != digest {
        return Err(Refusal::said(Kind::Conflict, "import-moved"));
    }
    if plan.adds() + plan.changes() == 0 {
        return Err(Refusal::said(Kind::Conflict, "nothing-changed"));
    }
    let (app, by, file) = (Arc::clone(app), by.to_owned(), seal::digest(text.as_bytes()));
    let taking = async move {
        let _one = one;
        apply(&app, plan, rows, (&file, &by)).await
    };
    tokio::spawn(taking).await.map_err(|_| Refusal::said(Kind::Internal, "panicked"))?
}

/// Does what was planned, some rows at a time: first everybody, then who answers for whom, who may stand further down.
async fn apply(
    app: &App,
    mut plan: Preview,
    rows: Vec<Planned>,
    (file, by): (&str, &str),
) -> Result<Preview, Refusal> {
    let places: Vec<usize> = (0..rows.len()).filter(|place| rows[*place].changes).collect();
    let mut people: HashMap<usize, PersonId> = HashMap::new();
    for some in places.chunks(BATCH) {
        let mut write = app.store.write().await?;
        let mut tree = Tree { units: write.units().await? };
        for place in some {
            match one(app, &mut write, &mut tree, &rows[*place].record, by).await {
                Ok(person) => {
                    people.insert(*place, person);
                }
                // Somebody changed the directory meanwhile.
                Err(Refusal::Form(mut errors)) => plan.rows[*place].does = Does::Wrong(errors.remove(0)),
                Err(other) => return Err(other),
            }
        }
        write.commit(&app.keys.ledger).await?;
    }
    for some in places.chunks(BATCH) {
        let mut write = app.store.write().await?;
        for place in some {
            let (Some(person), Some(manager)) = (people.get(place), &rows[*place].manager) else { continue };
            match answer_for(app, &mut write, *person, manager, by).await {
                Ok(()) => {}
                Err(Refusal::Form(mut errors)) => plan.rows[*place].does = Does::Wrong(errors.remove(0)),
                Err(other) => return Err(other),
            }
        }
        write.commit(&app.keys.ledger).await?;
    }
    let data = json!({
        "file": file, "added": plan.adds(), "changed": plan.changes(), "left_out": plan.wrong(),
    });
    let mut write = app.store.write().await?;
    write.append(&entry(app.now(), by, "people.imported", "server".to_owned(), data))?;
    write.commit(&app.keys.ledger).await?;
    Ok(plan)
}

/// A row, and what of it is to be done.
struct Planned {
    record: Record,
    /// Whether it adds or changes somebody, also where who answers for them can't be taken.
    changes: bool,
    /// The address of whoever is to answer for them.
    manager: Option<String>,
}

/// The directory as it is, and as the file would make it row by row.
struct Directory {
    people: Vec<Person>,
    /// Who can do more to others than anybody, and addresses that make so.
    trusted: HashSet<PersonId>,
    trusted_addresses: HashSet<String>,
    by_email: HashMap<String, usize>,
    by_number: HashMap<String, usize>,
    units: HashMap<(UnitId, String), UnitId>,
    depth: HashMap<UnitId, usize>,
    new_units: Vec<String>,
}

impl Directory {
    fn of(stored: stead_store::people::Directory, units: Vec<Unit>) -> Self {
        let mut found = Self {
            trusted: stored.trusted,
            trusted_addresses: stored.trusted_addresses,
            by_email: HashMap::new(),
            by_number: HashMap::new(),
            depth: units.iter().map(|unit| (unit.id, units::depth(&units, unit.id).unwrap_or(0))).collect(),
            units: units
                .into_iter()
                .filter_map(|unit| Some(((unit.parent?, unit.name.to_lowercase()), unit.id)))
                .collect(),
            people: stored.people,
            new_units: Vec::new(),
        };
        for place in 0..found.people.len() {
            found.index(place);
        }
        found
    }

    fn index(&mut self, place: usize) {
        let person = &self.people[place];
        if let Some(email) = &person.email {
            self.by_email.insert(email.clone(), place);
        }
        if let Some(number) = &person.staff_number {
            self.by_number.insert(number.clone(), place);
        }
    }

    /// What the file does, and its rows.
    fn plan(
        mut self,
        records: Vec<(u64, Record)>,
        now: Millis,
        file: &str,
    ) -> Result<(Preview, Vec<Planned>), Refusal> {
        let (mut rows, mut planned, mut managers) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen: HashMap<String, u64> = HashMap::new();
        for (line, record) in records {
            let get = |column: &str| record.get(column).map_or("", String::as_str).trim();
            let (name, email) = (get("name").to_owned(), get("email").to_lowercase());
            let does = match seen.insert(email.clone(), line) {
                Some(before) if !email.is_empty() => {
                    Does::Wrong(FieldError::new("email", "import-twice").with("line", before))
                }
                _ => match self.one(&record, now) {
                    Ok((does, place)) => {
                        managers.push((rows.len(), place, get("manager").to_lowercase()));
                        does
                    }
                    Err(Refusal::Form(mut errors)) => Does::Wrong(errors.remove(0)),
                    Err(other) => return Err(other),
                },
            };
            let changes = matches!(does, Does::Adds | Does::Changes(_));
            rows.push(Row { line, name, email, does });
            planned.push(Planned { record, changes, manager: None });
        }
        // Whoever answers for somebody may stand further down in the same file.
        for (row, place, manager) in managers {
            if manager.is_empty() {
                continue;
            }
            let does = &mut rows[row].does;
            let address = manager;
            let Some(manager) = self.by_email.get(&address) else {
                *does = Does::Wrong(FieldError::new("manager", "manager-unknown"));
                continue;
            };
            let (manager, person) = (self.people[*manager].id, &mut self.people[place]);
            if manager == person.id {
                *does = Does::Wrong(FieldError::new("manager", "manager-self"));
            } else if person.manager != Some(manager) {
                person.manager = Some(manager);
                planned[row].changes = true;
                planned[row].manager = Some(address);
                match does {
                    Does::Changes(fields) => fields.push("manager"),
                    Does::Nothing => *does = Does::Changes(vec!["manager"]),
                    Does::Adds | Does::Wrong(_) => {}
                }
            }
        }
        let said: Vec<String> = rows.iter().map(|row| format!("{} {:?}", row.line, row.does)).collect();
        let digest = seal::digest(format!("{file}\n{}", said.join("\n")).as_bytes());
        Ok((Preview { rows, new_units: self.new_units, digest }, planned))
    }

    /// Takes one row: adds or changes a person; their place.
    fn one(&mut self, record: &Record, now: Millis) -> Result<(Does, usize), Refusal> {
        let told = told(record)?;
        let number = Some(told.staff_number.as_str()).filter(|number| !number.is_empty());
        let by_number = number.and_then(|number| self.by_number.get(number)).copied();
        let place = by_number.or(self.by_email.get(&told.email).copied());
        let unit = match record.get("unit").map(|unit| unit.trim()).filter(|unit| !unit.is_empty()) {
            Some(path) => Some(self.unit_at(path)?),
            None => None,
        };
        let before = place.map(|place| self.people[place].clone());
        let mut person = before.clone().unwrap_or_else(|| {
            let n = u64::try_from(self.people.len()).unwrap_or(u64::MAX).to_be_bytes();
            // An id that nobody has: people who are there were not made at the beginning of time.
            let id = PersonId::from_parts(Millis(0), [0, 0, n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]]);
            Person::new(id, String::new(), unit.unwrap_or(UnitId::ORGANISATION), Employment::Invited, now)
        });
        let told = Told { unit, manager: person.manager, ..kept(told, record, before.as_ref()) };
        let trusted = before.as_ref().is_some_and(|before| self.trusted.contains(&before.id));
        let moves = before.as_ref().is_none_or(|before| before.email.as_deref() != Some(told.email.as_str()));
        let from = before.as_ref().and_then(|before| before.email.as_deref());
        let protects =
            |email: Option<&str>| email.is_some_and(|email| self.trusted_addresses.contains(email));
        if moves && (trusted || protects(from) || protects(Some(&told.email))) {
            return Err(Refusal::form(FieldError::new("email", "email-of-trusted")));
        }
        super::tell(&mut person, &told)?;
        let other = |found: Option<&usize>| found.is_some_and(|other| Some(*other) != place);
        if other(person.email.as_ref().and_then(|email| self.by_email.get(email))) {
            return Err(Refusal::form(FieldError::new("email", "email-taken")));
        }
        if other(person.staff_number.as_ref().and_then(|number| self.by_number.get(number))) {
            return Err(Refusal::form(FieldError::new("staff_number", "number-taken")));
        }
        let does = before.as_ref().map_or(Does::Adds, |before| does(before, &person));
        let place = place.unwrap_or(self.people.len());
        if let Some(before) = before {
            if let Some(email) = &before.email {
                self.by_email.remove(email);
            }
            if let Some(number) = &before.staff_number {
                self.by_number.remove(number);
            }
            self.people[place] = person;
        } else {
            self.people.push(person);
        }
        self.index(place);
        Ok((does, place))
    }

    /// The unit at a path, made where it is not there.
    fn unit_at(&mut self, path: &str) -> Result<UnitId, Refusal> {
        let mut at = UnitId::ORGANISATION;
        let mut walked = Vec::new();
        for name in path.split('/').map(str::trim).filter(|name| !name.is_empty()) {
            walked.push(name);
            let key = (at, name.to_lowercase());
            at = match self.units.get(&key) {
                Some(unit) => *unit,
                None => {
                    units::name_of(name)?;
                    let depth = self.depth.get(&at).copied().unwrap_or(0);
                    if depth >= units::DEEPEST {
                        return Err(Refusal::form(FieldError::new("parent", "unit-unknown")));
                    }
                    let n = u64::try_from(self.units.len()).unwrap_or(u64::MAX).to_be_bytes();
                    let id =
                        UnitId::from_parts(Millis(0), [0, 1, n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]]);
                    self.units.insert(key, id);
                    self.depth.insert(id, depth + 1);
                    self.new_units.push(walked.join(" / "));
                    id
                }
            };
        }
        Ok(at)
    }
}

/// What a row says of somebody, but for unit and manager.
fn told(record: &Record) -> Result<Told, Refusal> {
    let value = |column: &str| record.get(column).cloned().unwrap_or_default();
    let email = value("email").trim().to_lowercase();
    if email.is_empty() {
        return Err(Refusal::form(FieldError::new("email", "field-empty")));
    }
    let staff_number = value("staff_number").trim().to_owned();
    Ok(Told { name: value("name"), email, staff_number, unit: None, manager: None })
}

/// The same, with what the file has no column for left as it is.
fn kept(told: Told, record: &Record, before: Option<&Person>) -> Told {
    let number = before
        .filter(|_| !record.contains_key("staff_number"))
        .and_then(|person| person.staff_number.clone());
    Told { staff_number: number.unwrap_or(told.staff_number.clone()), ..told }
}

type Record = BTreeMap<String, String>;

/// Reads the file; each row with its line.
fn read(text: &str) -> Result<Vec<(u64, Record)>, Refusal> {
    let wrong = |say: &'static str| Refusal::form(FieldError::new("file", say));
    if text.len() > LARGEST {
        return Err(wrong("import-large"));
    }
    if text.contains('\0') {
        return Err(wrong("import-unreadable"));
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

/// What a file does where nobody is there yet.
#[cfg(any(test, fuzzing))]
pub(crate) fn preview_of(text: &str, now: Millis) -> Result<Preview, Refusal> {
    let nobody = stead_store::people::Directory {
        people: Vec::new(),
        trusted: HashSet::new(),
        trusted_addresses: HashSet::new(),
    };
    Ok(Directory::of(nobody, Vec::new()).plan(read(text)?, now, "")?.0)
}

/// The units, with those that the file adds.
struct Tree {
    units: Vec<Unit>,
}

/// Takes one row: adds or changes a person.
async fn one(
    app: &App,
    write: &mut Write,
    tree: &mut Tree,
    record: &Record,
    by: &str,
) -> Result<PersonId, Refusal> {
    let told = told(record)?;
    let number = Some(told.staff_number.as_str()).filter(|number| !number.is_empty());
    let found = write.person_by_address_or_number(Some(&told.email), number).await?;
    let by_email = found.iter().find(|person| person.email.as_deref() == Some(told.email.as_str()));
    let by_number = found.iter().find(|person| number.is_some() && person.staff_number.as_deref() == number);
    let person = by_number.or(by_email).cloned();
    let unit = match record.get("unit").map(|unit| unit.trim()).filter(|unit| !unit.is_empty()) {
        Some(path) => Some(unit_at(app, write, tree, path, by).await?),
        None => None,
    };
    let before = person.clone().unwrap_or_else(|| placing::stranger("", UnitId::ORGANISATION, app.now()));
    let renamed = Person { email: Some(told.email.clone()), ..before.clone() };
    if before.email != renamed.email
        && (write.is_trusted(&before).await? || write.is_trusted(&renamed).await?)
    {
        return Err(Refusal::form(FieldError::new("email", "email-of-trusted")));
    }
    let told = Told { unit, ..kept(told, record, person.as_ref()) };
    match person {
        None => Ok(add_within(app, write, &told, Employment::Invited, by).await?.id),
        Some(mut person) => {
            let told = Told { manager: person.manager, ..told };
            change_within(app, write, &mut person, &told, by).await?;
            Ok(person.id)
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

/// Notes who answers for somebody, by address.
async fn answer_for(
    app: &App,
    write: &mut Write,
    person: PersonId,
    manager: &str,
    by: &str,
) -> Result<(), Refusal> {
    if manager.is_empty() {
        return Ok(());
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
    change_within(app, write, &mut person, &told, by).await?;
    Ok(())
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
    for name in path.split('/').map(str::trim).filter(|name| !name.is_empty()) {
        let same = |unit: &&Unit| unit.parent == Some(at) && unit.name.to_lowercase() == name.to_lowercase();
        at = match tree.units.iter().find(same) {
            Some(unit) => unit.id,
            None => {
                let id = units::add_within(app, write, name, at, by).await?;
                tree.units.push(Unit { id, name: name.to_owned(), parent: Some(at), people: 0 });
                id
            }
        };
    }
    Ok(at)
}
