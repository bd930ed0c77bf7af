/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database could not be reached or refused a statement.
    #[error("the database did not answer as it should: {0}")]
    Database(#[from] sqlx::Error),
    /// A commit was sent and did not succeed: what it was to change may be there or not.
    #[error("it is not known whether a change was saved: {0}")]
    Unknown(#[source] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error(
        "the tables could not be brought up to date: {0}; was the data folder written by a newer version?"
    )]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row holds what no version of Stead writes.
    #[error("{table}.{column} of {row} holds what Stead does not write: {value}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Which row.
        row: String,
        /// What it holds.
        value: String,
    },
    /// A ledger entry could not be written as JSON.
    #[error("a ledger entry could not be written: {0}")]
    Entry(#[from] serde_json::Error),
}

impl StoreError {
    /// An impossible value in a row.
    pub(crate) fn inconsistent(
        table: &'static str,
        column: &'static str,
        row: impl ToString,
        value: impl ToString,
    ) -> Self {
        Self::Inconsistent { table, column, row: row.to_string(), value: value.to_string() }
    }

    /// Whether a row with the same key was there already.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}
