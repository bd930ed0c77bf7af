//! Drafts of the policy, and the keys with which packs are signed.

use std::collections::BTreeSet;

use sqlx::{Row, any::AnyRow};
use stead_model::{Millis, PersonId, RecordId};

use crate::{Result, Store, Write, people::person_id, policy::record_id};

/// A draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its id.
    pub id: RecordId,
    /// The version that it changes.
    pub based_on: String,
    /// Its files, as JSON: path to text.
    pub files: String,
    /// What changes and why.
    pub says: String,
    /// `draft`, `proposed`, `published` or `withdrawn`.
    pub state: String,
    /// Counts its changes.
    pub revision: i64,
    /// Who began it.
    pub author: PersonId,
    /// Who changed it last.
    pub changed_by: PersonId,
    /// When it was begun.
    pub created_at: Millis,
    /// When it was changed last.
    pub changed_at: Millis,
    /// From when on it is to be in force, once it is proposed.
    pub effective_at: Option<Millis>,
    /// Everybody who changed it, ids with spaces between.
    pub editors: String,
}

impl Draft {
    /// Whether somebody wrote any of it: they do not publish it.
    pub fn is_by(&self, person: PersonId) -> bool {
        let id = person.to_string();
        self.author == person || self.changed_by == person || self.editors.split(' ').any(|by| by == id)
    }

    /// Everybody who wrote any of it.
    pub fn everybody(&self) -> BTreeSet<PersonId> {
        let editors = self.editors.split(' ').filter_map(|id| id.parse().ok());
        editors.chain([self.author, self.changed_by]).collect()
    }

    /// Everybody who changed it, and this one.
    pub fn editors_and(&self, person: PersonId) -> String {
        let id = person.to_string();
        match self.editors.split(' ').any(|by| by == id) {
            true => self.editors.clone(),
            false => format!("{} {id}", self.editors),
        }
    }
}

/// A key with which packs may be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackKey {
    /// The public key, base64.
    pub key: String,
    /// Whose it is, in words.
    pub name: String,
    /// Who added it.
    pub added_by: PersonId,
    /// When.
    pub added_at: Millis,
}

/// A text that a file of a draft had.
#[derive(Clone, Debug)]
pub struct DraftText {
    /// The revision of the draft that brought it.
    pub revision: i64,
    /// The text; none when the file was removed.
    pub text: Option<String>,
    /// Who saved it.
    pub by: PersonId,
    /// Their name.
    pub by_name: String,
    /// When.
    pub at: Millis,
}

const DRAFT: &str = "SELECT id, based_on, files, says, state, revision, author, changed_by, created_at,
    changed_at, effective_at, editors FROM policy_draft";

impl Store {
    /// A draft.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn policy_draft(&self, id: RecordId) -> Result<Option<Draft>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{DRAFT} WHERE id = $1")))
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(draft).transpose()
    }

    /// Drafts that are open, newest first, without their files.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn policy_drafts(&self) -> Result<Vec<Draft>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{} WHERE state IN ('draft', 'proposed') ORDER BY changed_at DESC LIMIT 100",
            DRAFT.replace("files,", "CAST('' AS TEXT),")
        )))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(draft).collect()
    }

    /// The texts that a file of a draft has had, newest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn draft_texts(&self, id: RecordId, path: &str, limit: i64) -> Result<Vec<DraftText>> {
        let rows = sqlx::query(
            "SELECT t.revision, t.text, t.by_id, p.name, t.at FROM policy_draft_text t
             JOIN person p ON p.id = t.by_id WHERE t.draft_id = $1 AND t.path = $2
             ORDER BY t.revision DESC LIMIT $3",
        )
        .bind(id.to_string())
        .bind(path.to_owned())
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(DraftText {
                    revision: row.try_get(0)?,
                    text: row.try_get(1)?,
                    by: person_id(&row.try_get::<String, _>(2)?)?,
                    by_name: row.try_get(3)?,
                    at: Millis(row.try_get(4)?),
                })
            })
            .collect()
    }

    /// Keys with which packs may be signed, oldest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn pack_keys(&self) -> Result<Vec<PackKey>> {
        let rows = sqlx::query(
            "SELECT key, name, added_by, added_at FROM policy_key WHERE removed_at IS NULL
             ORDER BY added_at, key",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(PackKey {
                    key: row.try_get(0)?,
                    name: row.try_get(1)?,
                    added_by: person_id(&row.try_get::<String, _>(2)?)?,
                    added_at: Millis(row.try_get(3)?),
                })
            })
            .collect()
    }
}

impl Write {
    /// How many drafts and proposals are open.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn open_drafts(&mut self) -> Result<i64> {
        let row = sqlx::query("SELECT COUNT(*) FROM policy_draft WHERE state IN ('draft', 'proposed')")
            .fetch_one(self.connection())
            .await?;
        Ok(row.try_get(0)?)
    }

    /// Adds a draft.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_policy_draft(&mut self, draft: &Draft) -> Result<()> {
        sqlx::query(
            "INSERT INTO policy_draft (id, based_on, files, says, state, revision, author, changed_by,
                 created_at, changed_at, effective_at, editors)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(draft.id.to_string())
        .bind(draft.based_on.clone())
        .bind(draft.files.clone())
        .bind(draft.says.clone())
        .bind(draft.state.clone())
        .bind(draft.revision)
        .bind(draft.author.to_string())
        .bind(draft.changed_by.to_string())
        .bind(draft.created_at.0)
        .bind(draft.changed_at.0)
        .bind(draft.effective_at.map(|at| at.0))
        .bind(draft.editors.clone())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Whether any text of a file of a draft is kept.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn has_draft_text(&mut self, id: RecordId, path: &str) -> Result<bool> {
        let row = sqlx::query("SELECT COUNT(*) FROM policy_draft_text WHERE draft_id = $1 AND path = $2")
            .bind(id.to_string())
            .bind(path.to_owned())
            .fetch_one(self.connection())
            .await?;
        let n: i64 = row.try_get(0)?;
        Ok(n > 0)
    }

    /// Keeps a text that a file of a draft had; none when it was removed.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_draft_text(&mut self, draft: &Draft, path: &str, text: Option<&str>) -> Result<()> {
        sqlx::query(
            "INSERT INTO policy_draft_text (draft_id, revision, path, text, by_id, at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(draft.id.to_string())
        .bind(draft.revision)
        .bind(path.to_owned())
        .bind(text.map(str::to_owned))
        .bind(draft.changed_by.to_string())
        .bind(draft.changed_at.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Adds a key with which packs may be signed; false when it is there already.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_pack_key(&mut self, key: &PackKey) -> Result<bool> {
        let done = sqlx::query(
            "INSERT INTO policy_key (key, name, added_by, added_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (key) DO UPDATE SET name = excluded.name, added_by = excluded.added_by,
                 added_at = excluded.added_at, removed_at = NULL WHERE policy_key.removed_at IS NOT NULL",
        )
        .bind(key.key.clone())
        .bind(key.name.clone())
        .bind(key.added_by.to_string())
        .bind(key.added_at.0)
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes a key back; false when there is none.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn remove_pack_key(&mut self, key: &str, now: Millis) -> Result<bool> {
        let done = sqlx::query("UPDATE policy_key SET removed_at = $2 WHERE key = $1 AND removed_at IS NULL")
            .bind(key.to_owned())
            .bind(now.0)
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Changes a draft whose revision is the one before; false when somebody else changed it meanwhile.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn change_policy_draft(&mut self, draft: &Draft) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE policy_draft SET based_on = $1, files = $2, says = $3, state = $4, revision = $5,
                 changed_by = $6, changed_at = $7, effective_at = $8, editors = $11
             WHERE id = $9 AND revision = $10",
        )
        .bind(draft.based_on.clone())
        .bind(draft.files.clone())
        .bind(draft.says.clone())
        .bind(draft.state.clone())
        .bind(draft.revision)
        .bind(draft.changed_by.to_string())
        .bind(draft.changed_at.0)
        .bind(draft.effective_at.map(|at| at.0))
        .bind(draft.id.to_string())
        .bind(draft.revision - 1)
        .bind(draft.editors.clone())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }
}

fn draft(row: &AnyRow) -> Result<Draft> {
    Ok(Draft {
        id: record_id(row, 0, "policy_draft")?,
        based_on: row.try_get(1)?,
        files: row.try_get(2)?,
        says: row.try_get(3)?,
        state: row.try_get(4)?,
        revision: row.try_get(5)?,
        author: person_id(&row.try_get::<String, _>(6)?)?,
        changed_by: person_id(&row.try_get::<String, _>(7)?)?,
        created_at: Millis(row.try_get(8)?),
        changed_at: Millis(row.try_get(9)?),
        effective_at: row.try_get::<Option<i64>, _>(10)?.map(Millis),
        editors: row.try_get(11)?,
    })
}
