//! What goes beyond one action on one object: putting people into units, changing what they sign in by, moving on who
//! is trusted, and asking again whether something may still be used.

use stead_model::{Employment, Millis, PersonId, UnitId, problem::Kind};
use stead_store::people::Person;

use super::{
    access::{Action, Asker, Object},
    guard::{Caller, object_of},
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
    // Sign-in elsewhere goes by the address: who may not let them in anew may not change it either. It makes trusted
    // whoever the policy names by it, so that nobody gets such an address from somebody else.
    let email = told.email.trim().to_lowercase();
    if email != before.email.clone().unwrap_or_default() {
        let after = Person { email: Some(email), ..before.clone() };
        for person in [before, &after] {
            may_let_in(app, caller, person, || Refusal::form(FieldError::new("email", "email-of-trusted")))
                .await?;
        }
    }
    match told.manager.filter(|_| told.manager != before.manager) {
        Some(manager) => may_name(app, caller, manager).await,
        None => Ok(()),
    }
}

/// Whether somebody may add a person with this address, and with this manager.
///
/// # Errors
/// [`Refusal`] when the policy names the address for break-glass access and they may not let in who is trusted, when they
/// may not name the manager, or when the store is away.
pub async fn may_add(app: &App, caller: &Caller, told: &Told, unit: UnitId) -> Result<(), Refusal> {
    let person = stranger(&told.email, unit, app.now());
    may_let_in(app, caller, &person, || Refusal::form(FieldError::new("email", "email-of-trusted"))).await?;
    match told.manager {
        Some(manager) => may_name(app, caller, manager).await,
        None => Ok(()),
    }
}

/// Whether somebody may name a person as another's manager. Who answers for nobody yet gets more power by it than they
/// had, and what would let them in ends: that is for whoever may change their record.
async fn may_name(app: &App, caller: &Caller, manager: PersonId) -> Result<(), Refusal> {
    let Some(person) = app.store.person(manager).await? else { return Ok(()) };
    if app.store.is_trusted(&person).await?
        || caller.may(app, Action::PersonChange, &object_of(app, &person).await?)
    {
        return Ok(());
    }
    Err(Refusal::form(FieldError::new("manager", "manager-elsewhere")))
}

/// Somebody of this address who is not written down yet.
pub fn stranger(email: &str, unit: UnitId, now: Millis) -> Person {
    let email = email.trim().to_lowercase();
    let nobody = PersonId::from_parts(now, [0; 10]);
    Person { email: Some(email), ..Person::new(nobody, String::new(), unit, Employment::Invited, now) }
}

/// Whether somebody may move a person on: out, away, and back. Who may not let in whoever is trusted may not put them
/// out either.
///
/// # Errors
/// [`Refusal`] when they may not, or when the store is away.
pub async fn may_move(app: &App, caller: &Caller, person: PersonId) -> Result<(), Refusal> {
    let Some(person) = app.store.person(person).await? else { return Ok(()) };
    may_let_in(app, caller, &person, || Refusal::said(Kind::Forbidden, "state-of-trusted")).await
}

async fn may_let_in(
    app: &App,
    caller: &Caller,
    person: &Person,
    refusal: impl Fn() -> Refusal,
) -> Result<(), Refusal> {
    if !app.store.is_trusted(person).await?
        || caller.may(app, Action::PersonInvite, &object_of(app, person).await?)
    {
        return Ok(());
    }
    Err(refusal())
}

/// Whether whoever made something for a person may still do so, as the ledger names them: what lets somebody in is
/// decided when it is used. The machine's operator may; of something from before its maker was kept, nothing is known,
/// and it is good for whoever can do no more than anybody.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn still_may(app: &App, maker: &str, action: Action, person: PersonId) -> Result<bool, Refusal> {
    let Some(person) = app.store.person(person).await? else { return Ok(false) };
    let Some(("person", maker)) = maker.split_once(':') else {
        return Ok(!maker.is_empty() || !app.store.is_trusted(&person).await?);
    };
    let Ok(maker) = maker.parse::<PersonId>() else { return Ok(false) };
    let Some(maker) = app.store.person(maker).await? else { return Ok(false) };
    if !maker.state.may_act_in_roles() {
        return Ok(false);
    }
    let asker = Asker { person: maker.id, grants: app.store.grants(maker.id).await? };
    Ok(app.access.may(&asker, action, &object_of(app, &person).await?))
}
