//! People: the directory.

use std::collections::HashSet;

use sqlx::{Row, any::AnyRow};
use stead_model::{Employment, Millis, PersonId, UnitId};

use crate::{Result, Store, StoreError, Write, unit::unit_id};

/// A person, as the directory holds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub id: PersonId,
    /// Their name.
    pub name: String,
    /// Their address for mail and for signing in, in lower case.
    pub email: Option<String>,
    /// The number that the organisation's other systems know them by.
    pub staff_number: Option<String>,
    /// The unit they are in.
    pub unit: UnitId,
    /// Who answers for them, when it is somebody else than the managers of their unit.
    pub manager: Option<PersonId>,
    /// Where they are on the way from joining to having left.
    pub state: Employment,
    /// Since when.
    pub state_since: Millis,
    /// The end of their last day, once it is known.
    pub last_day: Option<Millis>,
    /// The language they read; empty for that of their browser.
    pub language: String,
    /// The time zone they live in; empty for the server's.
    pub zone: String,
    /// When they were written down.
    pub created_at: Millis,
}

impl Person {
    /// Somebody new in a unit, with a name and nothing else.
    pub fn new(id: PersonId, name: String, unit: UnitId, state: Employment, now: Millis) -> Self {
        Self {
            id,
            name,
            email: None,
            staff_number: None,
            unit,
            manager: None,
            state,
            state_since: now,
            last_day: None,
            language: String::new(),
            zone: String::new(),
            created_at: now,
        }
    }

    /// What they are found by.
    fn search(&self) -> String {
        let parts = [Some(self.name.as_str()), self.email.as_deref(), self.staff_number.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ").to_lowercase()
    }
}

/// What a list of people is asked for.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Only those in this unit.
    pub unit: UnitId,
    /// Those below it too.
    pub below: bool,
    /// Only those in this state; without one, all but those who have left.
    pub state: Option<Employment>,
    /// Only those whose name, address or number holds these words, in lower case.
    pub words: String,
    /// Only those after this one: search text and id.
    pub after: Option<(String, String)>,
}

/// A row of a list of people.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Them.
    pub person: Person,
    /// The text they are sorted by.
    pub search: String,
    /// The name of their unit.
    pub unit_name: String,
}

/// The columns of a person, in the order that [`person`] reads them.
pub(crate) const COLUMNS: &str = "p.id, p.name, p.email, p.staff_number, p.unit_id, p.manager_id, p.state, \
    p.state_since, p.last_day, p.language, p.zone, p.created_at";

/// Everybody, for what looks at the whole directory at once.
#[derive(Debug)]
pub struct Directory {
    /// Everybody.
    pub people: Vec<Person>,
    /// Those who can do more to others than anybody, by a role or as a manager ([`Store::is_trusted`]).
    pub trusted: HashSet<PersonId>,
    /// Addresses that make so whoever bears them.
    pub trusted_addresses: HashSet<String>,
}

impl Store {
    /// Everybody.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn directory(&self) -> Result<Directory> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM person p ORDER BY p.id")))
            .fetch_all(&self.readers)
            .await?;
        let people: Vec<Person> = rows.iter().map(person).collect::<Result<_>>()?;
        let rows = sqlx::query(crate::powers::ALL).fetch_all(&self.readers).await?;
        let trusted =
            rows.iter().map(|row| person_id(&row.try_get::<String, _>(0)?)).collect::<Result<_>>()?;
        let rows = sqlx::query(crate::powers::ADDRESSES).fetch_all(&self.readers).await?;
        let trusted_addresses = rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<_>>()?;
        Ok(Directory { people, trusted, trusted_addresses })
    }

    /// The person with this id.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn person(&self, id: PersonId) -> Result<Option<Person>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM person p WHERE p.id = $1")))
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(person).transpose()
    }

    /// The person with this address, which is in lower case.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn person_by_email(&self, email: &str) -> Result<Option<Person>> {
        let row =
            sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM person p WHERE p.email = $1")))
                .bind(email.to_owned())
                .fetch_optional(&self.readers)
                .await?;
        row.as_ref().map(person).transpose()
    }

    /// A page of people, by name.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn people(&self, filter: &Filter, limit: i64) -> Result<Vec<Listed>> {
        let (after, after_id) = filter.after.clone().unwrap_or_default();
        let state = match filter.state {
            Some(state) => format!("p.state = '{}'", state.word()),
            None => "p.state <> 'gone'".to_owned(),
        };
        // The whole organisation needs no look at the tree, and keeps the index on the name.
        let unit = match filter.below {
            true if filter.unit == UnitId::ORGANISATION => "$4 = $4",
            true => "p.unit_id IN (SELECT unit_id FROM unit_above WHERE above_id = $4)",
            false => "p.unit_id = $4",
        };
        let words = if filter.words.is_empty() { "$3 = $3" } else { "p.search LIKE $3" };
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS}, p.search, u.name FROM person p JOIN unit u ON u.id = p.unit_id
             WHERE {state} AND {unit} AND {words} AND (p.search, p.id) > ($1, $2)
             ORDER BY p.search, p.id LIMIT $5"
        )))
        .bind(after)
        .bind(after_id)
        .bind(like(&filter.words))
        .bind(filter.unit.to_string())
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(listed).collect()
    }

    /// How many people are in a unit and below it, by state.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn people_by_state(&self, unit: UnitId) -> Result<Vec<(Employment, i64)>> {
        let rows = sqlx::query(
            "SELECT state, COUNT(*) FROM person
             WHERE unit_id IN (SELECT unit_id FROM unit_above WHERE above_id = $1) GROUP BY state",
        )
        .bind(unit.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((state(row, 0, "a count")?, row.try_get(1)?))).collect()
    }
}

impl Write {
    /// The person with this id, within this transaction.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn person(&mut self, id: PersonId) -> Result<Option<Person>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM person p WHERE p.id = $1")))
            .bind(id.to_string())
            .fetch_optional(self.connection())
            .await?;
        row.as_ref().map(person).transpose()
    }

    /// The person with this name, as it was written; the first where several bear it.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn person_by_name(&mut self, name: &str) -> Result<Option<Person>> {
        let text = format!("SELECT {COLUMNS} FROM person p WHERE p.name = $1 ORDER BY p.id LIMIT 1");
        let row = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(name.to_owned())
            .fetch_optional(self.connection())
            .await?;
        row.as_ref().map(person).transpose()
    }

    /// Everybody with one of these addresses or numbers.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn person_by_address_or_number(
        &mut self,
        email: Option<&str>,
        staff_number: Option<&str>,
    ) -> Result<Vec<Person>> {
        let text = format!(
            "SELECT {COLUMNS} FROM person p WHERE p.email = $1 OR p.staff_number = $2 ORDER BY p.id LIMIT 3"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(email.map(str::to_owned))
            .bind(staff_number.map(str::to_owned))
            .fetch_all(self.connection())
            .await?;
        rows.iter().map(person).collect()
    }

    /// Adds a person. An address or number that is there already is a
    /// [duplicate](StoreError::is_duplicate).
    ///
    /// # Errors
    /// When the store is away or the address or number is taken.
    pub async fn add_person(&mut self, person: &Person) -> Result<()> {
        self.changes().people.insert(person.id);
        sqlx::query(
            "INSERT INTO person (id, name, created_at, email, staff_number, unit_id, manager_id, state,
             state_since, last_day, language, zone, search)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(person.id.to_string())
        .bind(person.name.clone())
        .bind(person.created_at.0)
        .bind(person.email.clone())
        .bind(person.staff_number.clone())
        .bind(person.unit.to_string())
        .bind(person.manager.map(|id| id.to_string()))
        .bind(person.state.word())
        .bind(person.state_since.0)
        .bind(person.last_day.map(|day| day.0))
        .bind(person.language.clone())
        .bind(person.zone.clone())
        .bind(person.search())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Writes a person over the row that is there, and their name over what their devices are found by.
    ///
    /// # Errors
    /// When the store is away or the address or number is taken.
    pub async fn put_person(&mut self, person: &Person) -> Result<()> {
        self.changes().people.insert(person.id);
        sqlx::query(
            "UPDATE person SET name = $2, email = $3, staff_number = $4, unit_id = $5, manager_id = $6,
             state = $7, state_since = $8, last_day = $9, language = $10, zone = $11, search = $12
             WHERE id = $1",
        )
        .bind(person.id.to_string())
        .bind(person.name.clone())
        .bind(person.email.clone())
        .bind(person.staff_number.clone())
        .bind(person.unit.to_string())
        .bind(person.manager.map(|id| id.to_string()))
        .bind(person.state.word())
        .bind(person.state_since.0)
        .bind(person.last_day.map(|day| day.0))
        .bind(person.language.clone())
        .bind(person.zone.clone())
        .bind(person.search())
        .execute(self.connection())
        .await?;
        sqlx::query(
            "UPDATE device_standing SET search =
                 (SELECT LOWER(d.name || ' ' || $2) FROM device d WHERE d.id = device_standing.device_id)
             WHERE device_id IN (SELECT id FROM device WHERE person_id = $1)",
        )
        .bind(person.id.to_string())
        .bind(person.name.clone())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Puts another salt in the place of the one before.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn salt_person(&mut self, person: PersonId, salt: &str) -> Result<()> {
        sqlx::query("UPDATE person SET salt = $2 WHERE id = $1")
            .bind(person.to_string())
            .bind(salt.to_owned())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// People who are leaving and whose last day has ended.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn past_their_last_day(&mut self, now: Millis, limit: i64) -> Result<Vec<Person>> {
        let text = format!(
            "SELECT {COLUMNS} FROM person p WHERE p.last_day IS NOT NULL AND p.last_day <= $1
             AND p.state <> 'gone' ORDER BY p.last_day LIMIT $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(now.0)
            .bind(limit)
            .fetch_all(self.connection())
            .await?;
        rows.iter().map(person).collect()
    }
}

/// What `LIKE` is given for words; what it would take for a wildcard stands for any space.
pub(crate) fn like(words: &str) -> String {
    format!("%{}%", words.replace(['%', '_', '\\'], " "))
}

pub(crate) fn person_id(text: &str) -> Result<PersonId> {
    text.parse().map_err(|_| StoreError::inconsistent("person", "id", text, text))
}

fn state(row: &AnyRow, column: usize, of: &str) -> Result<Employment> {
    let word: String = row.try_get(column)?;
    Employment::from_word(&word).ok_or_else(|| StoreError::inconsistent("person", "state", of, word))
}

pub(crate) fn listed(row: &AnyRow) -> Result<Listed> {
    Ok(Listed { person: person(row)?, search: row.try_get(12)?, unit_name: row.try_get(13)? })
}

pub(crate) fn person(row: &AnyRow) -> Result<Person> {
    let id: String = row.try_get(0)?;
    let unit: String = row.try_get(4)?;
    let manager: Option<String> = row.try_get(5)?;
    let last_day: Option<i64> = row.try_get(8)?;
    Ok(Person {
        name: row.try_get(1)?,
        email: row.try_get(2)?,
        staff_number: row.try_get(3)?,
        unit: unit_id(&unit)?,
        manager: manager.as_deref().map(person_id).transpose()?,
        state: state(row, 6, &id)?,
        state_since: Millis(row.try_get(7)?),
        last_day: last_day.map(Millis),
        language: row.try_get(9)?,
        zone: row.try_get(10)?,
        created_at: Millis(row.try_get(11)?),
        id: person_id(&id)?,
    })
}
