//! Numbers that pages show at once: how many devices have which standing, how many findings of a rule
//! have which outcome. Kept by the transactions that change them, so no page counts rows.

use std::collections::BTreeMap;

use sqlx::Row;
use stead_model::{Outcome, Standing};

use crate::{Result, Store, Write, sql};

/// Changes of tallies, gathered before they are written.
#[derive(Debug, Default)]
pub struct Tallies(BTreeMap<String, i64>);

impl Tallies {
    /// A device's standing changed; `from` is none for a new device.
    pub fn standing(&mut self, from: Option<Standing>, to: Standing) {
        if let Some(from) = from {
            self.add(standing_name(from), -1);
        }
        self.add(standing_name(to), 1);
    }

    /// A device that had this standing counts no more.
    pub fn standing_gone(&mut self, from: Standing) {
        self.add(standing_name(from), -1);
    }

    /// A finding that had this outcome counts no more.
    pub fn outcome_gone(&mut self, rule: &str, from: Outcome) {
        self.add(outcome_name(rule, from), -1);
    }

    /// A finding's outcome changed; `from` is none for the first finding.
    pub fn outcome(&mut self, rule: &str, from: Option<Outcome>, to: Outcome) {
        if let Some(from) = from {
            self.add(outcome_name(rule, from), -1);
        }
        self.add(outcome_name(rule, to), 1);
    }

    fn add(&mut self, name: String, n: i64) {
        *self.0.entry(name).or_default() += n;
    }
}

/// The name of a standing's tally.
pub fn standing_name(standing: Standing) -> String {
    format!("standing/{}", standing.word())
}

/// The name of an outcome's tally.
pub fn outcome_name(rule: &str, outcome: Outcome) -> String {
    format!("rule/{rule}/{}", outcome.word())
}

/// How tallies stood at the end of days: day, name, number. Days without a change are left out.
pub type Days = Vec<(i64, String, i64)>;

impl Store {
    /// Every tally.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn tallies(&self) -> Result<BTreeMap<String, i64>> {
        let rows = sqlx::query("SELECT name, n FROM tally").fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Every tally as it was at the end of a day.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn tallies_on(&self, day: i64) -> Result<BTreeMap<String, i64>> {
        let rows = sqlx::query(
            "SELECT t.name, t.n FROM tally_day t JOIN
                 (SELECT name, MAX(day) AS day FROM tally_day WHERE day <= $1 GROUP BY name) last
                 ON last.name = t.name AND last.day = t.day",
        )
        .bind(day)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Tallies whose name starts with `prefix` at the end of the days from `first` on, and the last
    /// before it.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn tally_days(&self, prefix: &str, first: i64) -> Result<Days> {
        let rows = sqlx::query(
            "SELECT t.day, t.name, t.n FROM tally_day t
             WHERE t.name >= $1 AND t.name < $2 AND t.day >= COALESCE(
                 (SELECT MAX(b.day) FROM tally_day b WHERE b.name = t.name AND b.day <= $3), $3)
             ORDER BY t.day",
        )
        .bind(prefix.to_owned())
        .bind(format!("{prefix}\u{7f}"))
        .bind(first)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
    }
}

impl Write {
    /// Writes gathered changes, and how the tallies stand on this day.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn write_tallies(&mut self, tallies: Tallies, day: i64) -> Result<()> {
        let rows: Vec<_> =
            tallies.0.into_iter().filter(|(_, n)| *n != 0).map(|(name, n)| [name.into(), n.into()]).collect();
        let after = sql::insert_many(
            self.connection(),
            "INSERT INTO tally (name, n)",
            rows,
            "ON CONFLICT (name) DO UPDATE SET n = tally.n + excluded.n RETURNING name, n",
        )
        .await?;
        let mut days = Vec::new();
        for row in &after {
            let name: String = row.try_get(0)?;
            let n: i64 = row.try_get(1)?;
            days.push([day.into(), name.into(), n.into()]);
        }
        sql::write_many(
            self.connection(),
            "INSERT INTO tally_day (day, name, n)",
            days,
            "ON CONFLICT (day, name) DO UPDATE SET n = excluded.n",
        )
        .await?;
        Ok(())
    }
}
