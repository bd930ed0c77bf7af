//! What goes beyond one action on one object: putting people into units, and changing what they sign in by.

use stead_model::UnitId;
use stead_store::people::Person;

use super::{
    access::{Action, Object},
    guard::{Caller, person_object},
};
use crate::{
    App,
    error::{FieldError, Refusal},
    flows::directory::Told,
};

/// Whether somebody may put people into a unit.
///
/// # Errors
/// [`Refusal`] of `field` when they may not or there is no such unit, or when the store is away.
pub async fn may_place(app: &App, caller: &Caller, unit: UnitId, field: &'static str) -> Result<(), Refusal> {
    let above = app.store.units_above(unit).await?;
    if above.is_empty() || !caller.may(app, Action::PeopleAdd, &Object::Unit(above)) {
        return Err(Refusal::form(FieldError::new(field, "unit-unknown")));
    }
    Ok(())
}

/// Whether somebody may change a record to this. `unit` is what the request calls the unit.
///
/// # Errors
/// [`Refusal`] when they may not, or when the store is away.
pub async fn may_change(
    app: &App,
    caller: &Caller,
    before: &Person,
    told: &Told,
    unit: &'static str,
) -> Result<(), Refusal> {
    if let Some(moved) = told.unit.filter(|unit| *unit != before.unit) {
        may_place(app, caller, moved, unit).await?;
    }
    // Sign-in elsewhere goes by the address: who may not let them in anew may not change it either.
    let moves = told.email.trim().to_lowercase() != before.email.clone().unwrap_or_default();
    if moves
        && let Some(object) = person_object(app, before.id).await?
        && !caller.may(app, Action::PersonInvite, &object)
    {
        return Err(Refusal::form(FieldError::new("email", "email-of-trusted")));
    }
    Ok(())
}
