//! Who can do more to others than anybody can: by a role, as the named manager of people, or named for break-glass
//! access.

use sqlx::Row;
use stead_model::{Millis, PersonId};

use crate::{Result, Store, Write, people::Person};

const TRUSTED: &str = "SELECT CASE
    WHEN EXISTS (SELECT 1 FROM role_grant WHERE person_id = $1) THEN 1
    WHEN EXISTS (SELECT 1 FROM person WHERE manager_id = $1 AND state <> 'gone') THEN 1
    WHEN EXISTS (SELECT 1 FROM policy_glass g JOIN policy_version v ON v.digest = g.digest
        WHERE g.address = $2 AND (v.in_force_at = (SELECT MAX(in_force_at) FROM policy_version)
            OR (v.in_force_at IS NULL AND v.superseded_at IS NULL))) THEN 1
    ELSE 0 END";

/// Everybody who is, but for whom the policy names.
pub(crate) const ALL: &str = "SELECT person_id FROM role_grant
    UNION SELECT manager_id FROM person WHERE manager_id IS NOT NULL AND state <> 'gone'";
/// The addresses that the policy names, in force or to come.
pub(crate) const ADDRESSES: &str =
    "SELECT g.address FROM policy_glass g JOIN policy_version v ON v.digest = g.digest
    WHERE v.in_force_at = (SELECT MAX(in_force_at) FROM policy_version)
        OR (v.in_force_at IS NULL AND v.superseded_at IS NULL)";

impl Store {
    /// Whether a person can do more to others than anybody can. Roles count also while they are asleep, and a version of
    /// the policy from its publication on.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn is_trusted(&self, person: &Person) -> Result<bool> {
        let row = sqlx::query(TRUSTED)
            .bind(person.id.to_string())
            .bind(person.email.clone())
            .fetch_one(&self.readers)
            .await?;
        Ok(row.try_get::<i64, _>(0)? == 1)
    }
}

impl Write {
    /// [`Store::is_trusted`] within this transaction.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn is_trusted(&mut self, person: &Person) -> Result<bool> {
        let row = sqlx::query(TRUSTED)
            .bind(person.id.to_string())
            .bind(person.email.clone())
            .fetch_one(self.connection())
            .await?;
        Ok(row.try_get::<i64, _>(0)? == 1)
    }

    /// Notes the addresses, in lower case, that a version names for break-glass access.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn name_for_glass(&mut self, digest: &str, addresses: &[String]) -> Result<()> {
        for address in addresses {
            sqlx::query(
                "INSERT INTO policy_glass (digest, address) VALUES ($1, $2)
                 ON CONFLICT (digest, address) DO NOTHING",
            )
            .bind(digest.to_owned())
            .bind(address.clone())
            .execute(self.connection())
            .await?;
        }
        Ok(())
    }

    /// When `maker` last made a link for a person.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn link_made_by(&mut self, person: PersonId, maker: &str) -> Result<Option<Millis>> {
        let row =
            sqlx::query("SELECT MAX(created_at) FROM one_time_link WHERE person_id = $1 AND made_by = $2")
                .bind(person.to_string())
                .bind(maker.to_owned())
                .fetch_one(self.connection())
                .await?;
        Ok(row.try_get::<Option<i64>, _>(0)?.map(Millis))
    }
}
