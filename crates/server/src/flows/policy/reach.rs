//! Whom the policy in force has not reached yet, and why, as far as the records say.

use stead_model::{Employment, Millis, PersonId};
use stead_store::people::Listed;

use super::subjects;
use crate::{App, error::Refusal};

/// Why somebody has not confirmed the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// They are on leave: it waits for them.
    OnLeave,
    /// There is no address to tell them at.
    NoAddress,
    /// What was sent to them came back.
    Bounced,
    /// They were told, and the time is over.
    Late,
    /// They were told, and have time.
    Open,
}

impl Why {
    /// Every reason.
    pub const ALL: [Self; 5] = [Self::OnLeave, Self::NoAddress, Self::Bounced, Self::Late, Self::Open];

    /// Its word, as in the names of messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::OnLeave => "on-leave",
            Self::NoAddress => "no-address",
            Self::Bounced => "bounced",
            Self::Late => "late",
            Self::Open => "open",
        }
    }
}

/// When everybody has to have confirmed the version in force; none before it is.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn due(app: &App) -> Result<Option<Millis>, Refusal> {
    let in_force = app.store.policy_at(Millis(i64::MAX)).await?.and_then(|version| version.in_force_at);
    Ok(in_force.map(|at| at.plus(subjects::time_to_confirm(&app.pack()))))
}

/// Why each of these has not confirmed the version in force.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn why(app: &App, missing: Vec<Listed>) -> Result<Vec<(Listed, Why)>, Refusal> {
    let now = app.now();
    let time = subjects::time_to_confirm(&app.pack());
    let since = due(app).await?.map_or(Millis(0), |due| due.plus(-time));
    let people: Vec<PersonId> = missing.iter().map(|listed| listed.person.id).collect();
    let bounced = app.store.bounced(&people, since).await?;
    let why = |listed: &Listed| {
        let person = &listed.person;
        match person.state {
            Employment::OnLeave => Why::OnLeave,
            Employment::Invited | Employment::Active | Employment::Leaving | Employment::Gone => match () {
                () if person.email.is_none() => Why::NoAddress,
                () if bounced.contains(&person.id) => Why::Bounced,
                // Whoever came later has the same time.
                () if since.max(person.state_since).plus(time) <= now => Why::Late,
                () => Why::Open,
            },
        }
    };
    Ok(missing.into_iter().map(|listed| (why(&listed), listed)).map(|(why, listed)| (listed, why)).collect())
}
