//! Statements over many rows at once. Rows written together cost a third of rows written one by one.

use sqlx::{
    Any,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use crate::{Result, connection::WriteConnection, engine};

/// One value of one row.
#[derive(Clone, Debug)]
pub enum Bind {
    Text(String),
    Int(i64),
    OptionalInt(Option<i64>),
    OptionalText(Option<String>),
}

impl From<String> for Bind {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&str> for Bind {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<i64> for Bind {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<Option<String>> for Bind {
    fn from(value: Option<String>) -> Self {
        Self::OptionalText(value)
    }
}

impl From<Option<i64>> for Bind {
    fn from(value: Option<i64>) -> Self {
        Self::OptionalInt(value)
    }
}

/// How many rows a statement may have. Few, so that few different statements have to be prepared; dense
/// where they are small, so that what is left over needs few more.
const SIZES: [usize; 20] = [256, 128, 64, 48, 32, 24, 20, 16, 14, 12, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1];

/// Runs `<head> VALUES (…), (…) … <tail>` over all rows, in as few statements as there may be, and
/// gathers what they return.
pub async fn insert_many<const N: usize>(
    connection: &mut WriteConnection,
    head: &str,
    rows: Vec<[Bind; N]>,
    tail: &str,
) -> Result<Vec<AnyRow>> {
    let mut returned = Vec::new();
    for (sql, binds) in statements(connection, head, rows, tail) {
        returned.extend(query(sql, binds).fetch_all(&mut *connection).await?);
    }
    Ok(returned)
}

/// The same where nothing is returned; the number of rows written. Rows that come back one by one cost
/// more than writing them.
pub async fn write_many<const N: usize>(
    connection: &mut WriteConnection,
    head: &str,
    rows: Vec<[Bind; N]>,
    tail: &str,
) -> Result<u64> {
    let mut written = 0;
    for (sql, binds) in statements(connection, head, rows, tail) {
        written += query(sql, binds).execute(&mut *connection).await?.rows_affected();
    }
    Ok(written)
}

/// Statements that together hold all rows.
fn statements<const N: usize>(
    connection: &WriteConnection,
    head: &str,
    rows: Vec<[Bind; N]>,
    tail: &str,
) -> impl Iterator<Item = (String, Vec<Bind>)> + use<N> {
    debug_assert!(!head.contains('$') && !tail.contains('$'), "places are those of rows alone");
    let place = engine::place(connection.is_sqlite());
    let (head, tail) = (head.to_owned(), tail.to_owned());
    let mut rows = rows.into_iter();
    std::iter::from_fn(move || {
        let count = SIZES.into_iter().find(|size| *size <= rows.len())?;
        let sql = format!("{head} VALUES {} {tail}", places(place, count, N));
        Some((sql, rows.by_ref().take(count).flatten().collect()))
    })
}

fn query(sql: String, binds: Vec<Bind>) -> Query<'static, Any, AnyArguments> {
    binds.into_iter().fold(sqlx::query(sqlx::AssertSqlSafe(sql)), bound)
}

fn bound(query: Query<'static, Any, AnyArguments>, bind: Bind) -> Query<'static, Any, AnyArguments> {
    match bind {
        Bind::Text(value) => query.bind(value),
        Bind::Int(value) => query.bind(value),
        Bind::OptionalInt(value) => query.bind(value),
        Bind::OptionalText(value) => query.bind(value),
    }
}

/// `($1, $2), ($3, $4)` for two rows of two, as the engine writes a place.
fn places(place: fn(usize) -> String, rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> = (1..=columns).map(|c| place(row * columns + c)).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn places_count_through() {
        assert_eq!(super::places(|n| format!("${n}"), 2, 2), "($1, $2), ($3, $4)");
    }
}
