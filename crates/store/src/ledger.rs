//! The ledger's rows: entries, full tiles, checkpoints; and proofs made from them.

use std::collections::HashMap;

use sqlx::{AnyConnection, Row, any::AnyRow};
use stead_ledger::{
    Frontier, Hash,
    audit::Found,
    tile,
    tree::{self, Node},
};
use stead_model::{Millis, seal};

use crate::{Result, Store, StoreError, people::like, write::number};

/// An entry, as stored.
#[derive(Clone, Debug)]
pub struct StoredEntry {
    /// Its position.
    pub index: u64,
    /// When it was written.
    pub at: Millis,
    /// What happened.
    pub kind: String,
    /// Whom it is about.
    pub subject: String,
    /// Its leaf hash.
    pub leaf: Hash,
    /// The text that was hashed.
    pub text: String,
}

/// The newest signed state of the ledger.
#[derive(Clone, Debug)]
pub struct Head {
    /// Number of entries.
    pub size: u64,
    /// The signed checkpoint; empty while there are no entries.
    pub checkpoint: String,
}

pub(crate) const COLUMNS: &str = "SELECT idx, at, kind, subject, leaf, text FROM ledger_entry";

impl Store {
    /// The newest signed state.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_head(&self) -> Result<Head> {
        let row = sqlx::query("SELECT size, checkpoint FROM ledger_head WHERE id = 1")
            .fetch_one(&self.readers)
            .await?;
        Ok(Head { size: position(&row, 0)?, checkpoint: row.try_get(1)? })
    }

    /// Entries about a subject that name something, in their order.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_mentioning(&self, subject: &str, what: &str) -> Result<Vec<StoredEntry>> {
        let text = format!("{COLUMNS} WHERE subject = $1 AND text LIKE $2 ORDER BY idx LIMIT 500");
        let rows = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(subject.to_owned())
            .bind(like(what))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(stored).collect()
    }

    /// Entries of a kind about a subject, between two times, in their order.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_of_kind(
        &self,
        (subject, kind): (&str, &str),
        (from, until): (Millis, Millis),
    ) -> Result<Vec<StoredEntry>> {
        let text = format!(
            "{COLUMNS} WHERE subject = $1 AND kind = $2 AND at >= $3 AND at <= $4 ORDER BY idx LIMIT 500"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(subject.to_owned())
            .bind(kind.to_owned())
            .bind(from.0)
            .bind(until.0)
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(stored).collect()
    }

    /// How many entries there are of a kind. It reads all of them.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_count(&self, kind: &str) -> Result<u64> {
        let row = sqlx::query("SELECT COUNT(*) FROM ledger_entry WHERE kind = $1")
            .bind(kind.to_owned())
            .fetch_one(&self.readers)
            .await?;
        Ok(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0))
    }

    /// The newest entry by which a version of the policy came into force: its subject; none before the first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_policy_in_force(&self) -> Result<Option<String>> {
        let row = sqlx::query(
            "SELECT text FROM ledger_entry
             WHERE subject IN (SELECT 'policy:' || digest FROM policy_version) AND kind = 'policy.in-force'
             ORDER BY idx DESC LIMIT 1",
        )
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let text: String = row.try_get(0)?;
        Ok(serde_json::from_str::<stead_ledger::Entry>(&text).ok().map(|entry| entry.subject))
    }

    /// The entry at a position.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_entry(&self, index: u64) -> Result<Option<StoredEntry>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE idx = $1")))
            .bind(number(index))
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(stored).transpose()
    }

    /// Entries before a position, newest first; about one subject when it is named.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_newest(
        &self,
        subject: Option<&str>,
        before: u64,
        limit: i64,
    ) -> Result<Vec<StoredEntry>> {
        let rows = match subject {
            Some(subject) => {
                sqlx::query(sqlx::AssertSqlSafe(format!(
                    "{COLUMNS} WHERE subject = $1 AND idx < $2 ORDER BY idx DESC LIMIT $3"
                )))
                .bind(subject.to_owned())
                .bind(number(before))
                .bind(limit)
                .fetch_all(&self.readers)
                .await?
            }
            None => {
                sqlx::query(sqlx::AssertSqlSafe(format!(
                    "{COLUMNS} WHERE idx < $1 ORDER BY idx DESC LIMIT $2"
                )))
                .bind(number(before))
                .bind(limit)
                .fetch_all(&self.readers)
                .await?
            }
        };
        rows.iter().map(stored).collect()
    }

    /// Up to 1,000 entries from a position on, in order, for audit and export. Positions are as
    /// found: a gap is the auditor's to notice.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_page(&self, from: u64) -> Result<Vec<Found>> {
        let found = |entry: StoredEntry| Found { index: entry.index, text: entry.text, leaf: entry.leaf };
        Ok(self.ledger_stored_page(from).await?.into_iter().map(found).collect())
    }

    /// [`Store::ledger_page`], with the columns beside the text.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_stored_page(&self, from: u64) -> Result<Vec<StoredEntry>> {
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE idx >= $1 ORDER BY idx LIMIT 1000")))
                .bind(number(from))
                .fetch_all(&self.readers)
                .await?;
        rows.iter().map(stored).collect()
    }

    /// The right edge of the tree, as it is kept for the next entry; none when it is not one.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_frontier(&self) -> Result<Option<Frontier>> {
        let row = sqlx::query("SELECT size, frontier FROM ledger_head WHERE id = 1")
            .fetch_one(&self.readers)
            .await?;
        let (size, roots): (u64, String) = (position(&row, 0)?, row.try_get(1)?);
        Ok(parse_hashes(&roots).and_then(|roots| Frontier::from_parts(size, roots)))
    }

    /// Every stored full tile.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_tiles(&self) -> Result<HashMap<(u32, u64), Vec<Hash>>> {
        let rows = sqlx::query("SELECT level, idx, hashes FROM ledger_tile").fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                let level: i64 = row.try_get(0)?;
                let hashes: String = row.try_get(2)?;
                // What cannot be read as hashes is handed on empty: the audit then names the tile.
                Ok((
                    (u32::try_from(level).unwrap_or(u32::MAX), position(row, 1)?),
                    parse_hashes(&hashes).unwrap_or_default(),
                ))
            })
            .collect()
    }

    /// How many entries there were at a time, and the newest checkpoint that was signed by then.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_at(&self, time: Millis) -> Result<Head> {
        // Entries are in the order of time: the first that is later is found by halving.
        let (mut low, mut high) = (0, self.ledger_head().await?.size);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.ledger_entry(middle).await? {
                Some(entry) if entry.at <= time => low = middle + 1,
                Some(_) | None => high = middle,
            }
        }
        let row =
            sqlx::query("SELECT note FROM ledger_checkpoint WHERE size <= $1 ORDER BY size DESC LIMIT 1")
                .bind(number(low))
                .fetch_optional(&self.readers)
                .await?;
        let checkpoint = row.map_or_else(|| Ok(String::new()), |row| row.try_get(0))?;
        Ok(Head { size: low, checkpoint })
    }

    /// Signed checkpoints, each with the size it is kept under, at most `limit`, evenly picked and the newest among them.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_checkpoints(&self, limit: i64) -> Result<Vec<(u64, String)>> {
        let count: i64 = sqlx::query("SELECT COUNT(*) FROM ledger_checkpoint")
            .fetch_one(&self.readers)
            .await?
            .try_get(0)?;
        let step = (count / limit.max(1)).max(1);
        let rows = sqlx::query(
            "SELECT size, note FROM (SELECT note, size, ROW_NUMBER() OVER (ORDER BY size DESC) AS place
             FROM ledger_checkpoint) AS numbered WHERE (place - 1) % $1 = 0 ORDER BY size",
        )
        .bind(step)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((position(row, 0)?, row.try_get(1)?))).collect()
    }

    /// The hashes of one tile in a tree of `size` leaves: 256, or fewer at the right edge.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_tile(&self, size: u64, level: u32, index: u64) -> Result<Vec<Hash>> {
        let mut connection = self.readers.acquire().await?;
        let width = tile::width(size, level, index);
        read_tile(&mut connection, level, index, width).await
    }

    /// The proof that an entry is in the tree of `size` leaves, and the leaf it proves.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn inclusion_proof(&self, index: u64, size: u64) -> Result<Option<Vec<Hash>>> {
        // Which nodes are needed is found by asking for a proof and noting the questions.
        let mut nodes = Vec::new();
        tree::inclusion_proof(index, size, |node| {
            nodes.push(node);
            Some([0; 32])
        });
        let mut hashes = HashMap::new();
        for node in nodes {
            hashes.insert(node, self.node(node, size).await?);
        }
        Ok(tree::inclusion_proof(index, size, |node| hashes.get(&node).copied().flatten()))
    }

    /// The proof that the tree of `old` leaves is a prefix of that of `new`.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn consistency_proof(&self, old: u64, new: u64) -> Result<Option<Vec<Hash>>> {
        let mut nodes = Vec::new();
        tree::consistency_proof(old, new, |node| {
            nodes.push(node);
            Some([0; 32])
        });
        let mut hashes = HashMap::new();
        for node in nodes {
            hashes.insert(node, self.node(node, new).await?);
        }
        Ok(tree::consistency_proof(old, new, |node| hashes.get(&node).copied().flatten()))
    }

    /// The right edge of the tree when it had `size` leaves; none when it never had as many.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn frontier_at(&self, size: u64) -> Result<Option<Frontier>> {
        let (mut roots, mut before) = (Vec::new(), 0);
        for level in (0..u64::BITS).rev().filter(|level| size & (1 << level) != 0) {
            let node = Node { level, index: before >> level };
            let Some(hash) = self.node(node, size).await? else { return Ok(None) };
            roots.push(hash);
            before += 1 << level;
        }
        Ok(Frontier::from_parts(size, roots))
    }

    async fn node(&self, node: Node, size: u64) -> Result<Option<Hash>> {
        let (level, index, range) = tile::locate(node);
        let hashes = self.ledger_tile(size, level, index).await?;
        Ok(hashes.get(range).and_then(tile::root))
    }
}

/// Reads a full tile as stored, or makes one at the right edge from what it covers.
fn read_tile<'a>(
    connection: &'a mut AnyConnection,
    level: u32,
    index: u64,
    width: u64,
) -> std::pin::Pin<Box<dyn Future<Output = Result<Vec<Hash>>> + Send + 'a>> {
    Box::pin(async move {
        if width == tile::WIDTH {
            let row = sqlx::query("SELECT hashes FROM ledger_tile WHERE level = $1 AND idx = $2")
                .bind(i64::from(level))
                .bind(number(index))
                .fetch_optional(&mut *connection)
                .await?;
            if let Some(row) = row {
                let hashes: String = row.try_get(0)?;
                return parse_hashes(&hashes).ok_or_else(|| {
                    StoreError::inconsistent("ledger_tile", "hashes", format!("{level}/{index}"), hashes)
                });
            }
        }
        let first = index * tile::WIDTH;
        if level == 0 {
            let rows = sqlx::query("SELECT leaf FROM ledger_entry WHERE idx >= $1 AND idx < $2 ORDER BY idx")
                .bind(number(first))
                .bind(number(first + width))
                .fetch_all(&mut *connection)
                .await?;
            return rows
                .iter()
                .map(|row| {
                    let leaf: String = row.try_get(0)?;
                    parse_hash(&leaf)
                        .ok_or_else(|| StoreError::inconsistent("ledger_entry", "leaf", first, leaf))
                })
                .collect();
        }
        let mut hashes = Vec::new();
        for below in first..first + width {
            let tile = read_tile(&mut *connection, level - 1, below, tile::WIDTH).await?;
            hashes.extend(tile::root(&tile));
        }
        Ok(hashes)
    })
}

/// Stores the tiles that the leaves from position `start` on complete.
pub(crate) async fn write_tiles(connection: &mut AnyConnection, start: u64, leaves: &[Hash]) -> Result<()> {
    for offset in 0..leaves.len() as u64 {
        for (level, index) in tile::completed_at(start + offset + 1) {
            let hashes = read_tile(&mut *connection, level, index, tile::WIDTH).await?;
            sqlx::query("INSERT INTO ledger_tile (level, idx, hashes) VALUES ($1, $2, $3)")
                .bind(i64::from(level))
                .bind(number(index))
                .bind(format_hashes(&hashes))
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

pub(crate) fn stored(row: &AnyRow) -> Result<StoredEntry> {
    let index = position(row, 0)?;
    let leaf: String = row.try_get(4)?;
    Ok(StoredEntry {
        index,
        at: Millis(row.try_get(1)?),
        kind: row.try_get(2)?,
        subject: row.try_get(3)?,
        // A leaf that cannot be read is all zeros: no text hashes to it, so an audit names it.
        leaf: parse_hash(&leaf).unwrap_or_default(),
        text: row.try_get(5)?,
    })
}

fn position(row: &AnyRow, column: usize) -> Result<u64> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|_| StoreError::inconsistent("ledger", "position", value, value))
}

fn parse_hash(text: &str) -> Option<Hash> {
    seal::unhex(text)?.try_into().ok()
}

/// Hashes as one text of 64 digits each.
pub(crate) fn format_hashes(hashes: &[Hash]) -> String {
    hashes.iter().map(|hash| seal::hex(hash)).collect()
}

/// The hashes of [`format_hashes`].
pub(crate) fn parse_hashes(text: &str) -> Option<Vec<Hash>> {
    if !text.len().is_multiple_of(64) || !text.is_ascii() {
        return None;
    }
    (0..text.len() / 64).map(|i| parse_hash(&text[i * 64..(i + 1) * 64])).collect()
}

impl crate::Write {
    /// Removes the signed checkpoints of the past, whose key is no longer this ledger's.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn forget_checkpoints(&mut self) -> Result<()> {
        sqlx::query("DELETE FROM ledger_checkpoint").execute(self.connection()).await?;
        Ok(())
    }
}
