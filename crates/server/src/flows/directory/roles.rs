//! Giving and taking back roles.

use serde_json::json;
use stead_model::{PersonId, Role, UnitId, problem::Kind};
use stead_store::Write;

use super::{about, there};
use crate::{App, error::Refusal};

/// Gives somebody a role for a unit and all below it.
///
/// # Errors
/// [`Refusal`] when they hold it already, may hold none now, the unit is not there, or the store is away.
pub async fn give(app: &App, person: PersonId, role: Role, unit: UnitId, by: &str) -> Result<(), Refusal> {
    let now = app.now();
    let mut write = app.store.write().await?;
    let found = there(&mut write, person).await?;
    if !found.state.may_join() {
        return Err(Refusal::new(
            Kind::Conflict,
            format!("{} is {} and is given no role.", found.name, found.state.word()),
        ));
    }
    if !write.units().await?.iter().any(|there| there.id == unit) {
        return Err(Refusal::new(Kind::NotFound, "There is no such unit."));
    }
    if !write.give_role(person, role, unit, by, now).await? {
        return Err(Refusal::said(Kind::Conflict, "nothing-changed"));
    }
    super::grown(app, &mut write, person).await?;
    let data = json!({ "role": role.word(), "unit": unit });
    write.append(&about(now, by, "role.given", person, data))?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Takes a role back.
///
/// # Errors
/// [`Refusal`] when it is not held, nobody else would run the installation, or the store is away.
pub async fn take(app: &App, person: PersonId, role: Role, unit: UnitId, by: &str) -> Result<(), Refusal> {
    let mut write = app.store.write().await?;
    take_within(app, &mut write, person, role, unit, by).await?;
    if role == Role::Operator && write.holders_of_all(Role::Operator).await? == 0 {
        return Err(Refusal::said(Kind::Conflict, "operator-last"));
    }
    Ok(write.commit(&app.keys.ledger).await?)
}

/// [`take`] within a transaction, without looking whether somebody is left.
pub(super) async fn take_within(
    app: &App,
    write: &mut Write,
    person: PersonId,
    role: Role,
    unit: UnitId,
    by: &str,
) -> Result<(), Refusal> {
    let now = app.now();
    if !write.take_role(person, role, unit).await? {
        return Err(Refusal::new(Kind::NotFound, "This role is not held."));
    }
    let data = json!({ "role": role.word(), "unit": unit });
    write.append(&about(now, by, "role.taken", person, data))?;
    Ok(())
}
