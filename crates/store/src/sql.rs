//! Statements over many rows at once. Rows written together cost a third of rows written one by one.

use sqlx::{
    Any, AnyConnection,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use crate::Result;

/// One value of one row.
#[derive(Clone, Debug)]
pub enum Bind {
    Text(String),
    Int(i64),
    OptionalInt(Option<i64>),
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

impl From<Option<i64>> for Bind {
    fn from(value: Option<i64>) -> Self {
        Self::OptionalInt(value)
    }
}

/// The largest number of rows in one statement.
const MOST: usize = 256;

/// Runs `<head> VALUES (…), (…) … <tail>` over all rows, in as few statements as there may be, and
/// gathers what they return.
pub async fn insert_many<const N: usize>(
    connection: &mut AnyConnection,
    head: &str,
    rows: Vec<[Bind; N]>,
    tail: &str,
) -> Result<Vec<AnyRow>> {
    let mut returned = Vec::new();
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        // Powers of two, so that few different statements have to be prepared.
        let count = rows.len().min(MOST);
        let count = 1 << count.ilog2();
        let sql = format!("{head} VALUES {} {tail}", places(count, N));
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for bind in rows.by_ref().take(count).flatten() {
            query = bound(query, bind);
        }
        returned.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(returned)
}

fn bound(query: Query<'_, Any, AnyArguments>, bind: Bind) -> Query<'_, Any, AnyArguments> {
    match bind {
        Bind::Text(value) => query.bind(value),
        Bind::Int(value) => query.bind(value),
        Bind::OptionalInt(value) => query.bind(value),
    }
}

/// `($1, $2), ($3, $4)` for two rows of two.
fn places(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> = (1..=columns).map(|c| format!("${}", row * columns + c)).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn places_count_through() {
        assert_eq!(super::places(2, 2), "($1, $2), ($3, $4)");
    }
}
