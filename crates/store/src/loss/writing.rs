//! Writing losses.

use stead_model::{DeviceId, Millis, PersonId, RecordId};

use super::{Door, Loss, Step};
use crate::{Result, Write, case::Event};

impl Write {
    /// Adds a loss; false when the device is shut out for another already.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_loss(&mut self, loss: &Loss) -> Result<bool> {
        let done = sqlx::query(
            "INSERT INTO loss (id, person_id, unit_id, thing, device_id, label, stolen, practice, way, told_by,
             told_at, noticed_at, words, evidence, salt, state, kept, risk, revision)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, '', 1)
             ON CONFLICT DO NOTHING",
        )
        .bind(loss.id.to_string())
        .bind(loss.person.to_string())
        .bind(loss.unit.to_string())
        .bind(loss.thing.word())
        .bind(loss.device.map(|device| device.to_string()))
        .bind(loss.label.clone())
        .bind(i64::from(loss.stolen))
        .bind(i64::from(loss.practice))
        .bind(loss.way.clone())
        .bind(loss.told_by.map_or_else(String::new, |by| by.to_string()))
        .bind(loss.told_at.0)
        .bind(loss.noticed_at.0)
        .bind(loss.words.clone())
        .bind(loss.evidence.clone())
        .bind(loss.salt.clone())
        .bind(loss.state.word())
        .bind(kept(loss))
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Writes a loss over the revision before; whether that was the one that is stored.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn put_loss(&mut self, loss: &Loss) -> Result<bool> {
        let time = |time: Option<Millis>| time.map(|time| time.0);
        let done = sqlx::query(
            "UPDATE loss SET state = $3, risk = $4, heard_at = $5, obeyed_at = $6, back_at = $7, closed_at = $8,
             kept = $9, revision = $2 WHERE id = $1 AND revision = $2 - 1",
        )
        .bind(loss.id.to_string())
        .bind(loss.revision)
        .bind(loss.state.word())
        .bind(loss.risk.clone())
        .bind(time(loss.heard_at))
        .bind(time(loss.obeyed_at))
        .bind(time(loss.back_at))
        .bind(time(loss.closed_at))
        .bind(kept(loss))
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Writes down that a door was shut; of one that was shut before, when that was last, and what went through since.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_loss_door(&mut self, loss: RecordId, door: &Door) -> Result<()> {
        sqlx::query(
            "INSERT INTO loss_door (loss_id, door, shut_at, n) VALUES ($1, $2, $3, $4)
             ON CONFLICT (loss_id, door) DO UPDATE SET shut_at = $3, n = loss_door.n + $4",
        )
        .bind(loss.to_string())
        .bind(door.door.clone())
        .bind(door.shut_at.0)
        .bind(door.n)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Writes down that a door is open again.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn open_loss_door(&mut self, loss: RecordId, door: &str, now: Millis) -> Result<()> {
        sqlx::query("UPDATE loss_door SET open_at = $3 WHERE loss_id = $1 AND door = $2 AND open_at IS NULL")
            .bind(loss.to_string())
            .bind(door.to_owned())
            .bind(now.0)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Adds the steps that follow a loss, in their order.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_loss_steps(&mut self, loss: RecordId, steps: &[Step]) -> Result<()> {
        for (place, step) in (0i64..).zip(steps) {
            sqlx::query(
                "INSERT INTO loss_step (loss_id, place, name, asks, taker, due_at, done_by, words)
                 VALUES ($1, $2, $3, $4, $5, $6, '', '')",
            )
            .bind(loss.to_string())
            .bind(place)
            .bind(step.name.clone())
            .bind(step.asks.clone())
            .bind(step.taker.clone())
            .bind(step.due_at.map(|due| due.0))
            .execute(self.connection())
            .await?;
        }
        Ok(())
    }

    /// Writes down that a step was done; whether it was not yet.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn do_loss_step(
        &mut self,
        loss: RecordId,
        name: &str,
        by: PersonId,
        words: &str,
        now: Millis,
    ) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE loss_step SET done_at = $3, done_by = $4, words = $5
             WHERE loss_id = $1 AND name = $2 AND done_at IS NULL",
        )
        .bind(loss.to_string())
        .bind(name.to_owned())
        .bind(now.0)
        .bind(by.to_string())
        .bind(words.to_owned())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Writes down what happened.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_loss_event(&mut self, loss: RecordId, event: &Event) -> Result<()> {
        sqlx::query(
            "INSERT INTO loss_event (loss_id, n, at, by_id, kind, words)
             SELECT $1, COUNT(*), $2, $3, $4, $5 FROM loss_event WHERE loss_id = $1",
        )
        .bind(loss.to_string())
        .bind(event.at.0)
        .bind(event.by.map_or_else(String::new, |by| by.to_string()))
        .bind(event.kind.clone())
        .bind(event.words.clone())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Keeps the digest of somebody's wallet card in the place of the one before.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn set_loss_card(&mut self, person: PersonId, digest: &str, now: Millis) -> Result<()> {
        sqlx::query(
            "INSERT INTO loss_card (person_id, digest, made_at) VALUES ($1, $2, $3)
             ON CONFLICT (person_id) DO UPDATE SET digest = $2, made_at = $3, used_at = NULL",
        )
        .bind(person.to_string())
        .bind(digest.to_owned())
        .bind(now.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Notes that something was told with somebody's wallet card.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn use_loss_card(&mut self, person: PersonId, now: Millis) -> Result<()> {
        sqlx::query("UPDATE loss_card SET used_at = $2 WHERE person_id = $1")
            .bind(person.to_string())
            .bind(now.0)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Takes somebody's wallet card back, where one is named the one made then; whether there was one.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_loss_card(&mut self, person: PersonId, made_at: Option<Millis>) -> Result<bool> {
        let done = sqlx::query("DELETE FROM loss_card WHERE person_id = $1 AND (made_at = $2 OR $2 = 0)")
            .bind(person.to_string())
            .bind(made_at.map_or(0, |at| at.0))
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Marks a device that is not heard any more as lost.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn lose_device(&mut self, device: DeviceId, now: Millis) -> Result<()> {
        self.changes().devices.insert(device);
        sqlx::query("UPDATE device SET lost_at = $2 WHERE id = $1")
            .bind(device.to_string())
            .bind(now.0)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Shuts a lost device out for good; whether it could have come back.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn keep_out_lost_device(&mut self, device: DeviceId, now: Millis) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE device SET revoked_at = $2 WHERE id = $1 AND revoked_at = lost_at AND $2 > lost_at",
        )
        .bind(device.to_string())
        .bind(now.0)
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Lets a device be heard again that was shut out for a loss, and for nothing else; whether it was.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn bring_back_device(&mut self, device: DeviceId) -> Result<bool> {
        self.changes().devices.insert(device);
        let done = sqlx::query(
            "UPDATE device SET lost_at = NULL, revoked_at = NULL WHERE id = $1 AND revoked_at = lost_at",
        )
        .bind(device.to_string())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Has a device that was shut out before it was lost be lost no more; whether it was. It stays shut out.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn no_more_lost(&mut self, device: DeviceId) -> Result<bool> {
        self.changes().devices.insert(device);
        let done = sqlx::query("UPDATE device SET lost_at = NULL WHERE id = $1 AND revoked_at < lost_at")
            .bind(device.to_string())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn kept(loss: &Loss) -> String {
    loss.kept.map_or_else(String::new, |session| session.to_string())
}
