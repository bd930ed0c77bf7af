//! The wallet card: a short code by which a loss can be told from any phone, without signing in and without a device.
//! It opens nothing and shows no more than what somebody's devices are called.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::json;
use stead_model::{Millis, PersonId, problem::Kind};
use stead_store::people::Person;

use super::{
    super::{
        enrol,
        sign_in::{password::slow_down, throttle::Of},
    },
    entry, person_subject,
};
use crate::{App, error::Refusal};

/// Makes somebody a card; its code, which is told this once. The one before is no good any more.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn make(app: &App, person: PersonId) -> Result<String, Refusal> {
    let now = app.now();
    // Fifty random bits, and a few guesses a minute.
    let code: String = enrol::code(app.random()?).chars().take(11).collect();
    let subject = person_subject(person);
    let mut write = app.store.write().await?;
    write.set_loss_card(person, &digest(app, &code), now).await?;
    write.append(&entry(now, &subject, "loss-card.made", subject.clone(), json!({})))?;
    write.commit(&app.keys.ledger).await?;
    Ok(code)
}

/// Takes somebody's card back: they themselves, or whoever handles losses for them.
///
/// `made_at` says which, where they may have made another meanwhile.
///
/// # Errors
/// [`Refusal`] when they have no such card or the store is away.
pub async fn end(app: &App, by: PersonId, person: PersonId, made_at: Option<Millis>) -> Result<(), Refusal> {
    let subject = person_subject(person);
    let mut write = app.store.write().await?;
    if !write.end_loss_card(person, made_at).await? {
        return Err(Refusal::said(Kind::Conflict, "nothing-changed"));
    }
    write.append(&entry(app.now(), &person_subject(by), "loss-card.ended", subject.clone(), json!({})))?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Whose card bears this code, as it is typed. Guesses from one address are slowed down.
///
/// # Errors
/// [`Refusal`] when it is nobody's, there were too many guesses, or the store is away.
pub async fn holder(app: &App, code: &str, address: Option<IpAddr>) -> Result<Person, Refusal> {
    // Whoever has a card of their own guesses no more than anybody else; who comes from nowhere shares one allowance.
    let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    app.throttle.take(Of::Card(address), app.now()).map_err(slow_down)?;
    let unknown = || Refusal::said(Kind::SignInFailed, "loss-code-wrong");
    let card = app.store.loss_card_by(&digest(app, code)).await?.ok_or_else(unknown)?;
    app.store.person(card.person).await?.ok_or_else(unknown)
}

/// The digest under which a code is kept: keyed, since a short code could be found by trying all.
fn digest(app: &App, code: &str) -> String {
    app.keys.sealing.mark(&format!("wallet card {}", enrol::letters(code)))
}
