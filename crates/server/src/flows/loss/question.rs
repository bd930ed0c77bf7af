//! Telling of a loss without a page: from an enrolled computer, which seals what it says, or with the code of a
//! wallet card.

use std::net::IpAddr;

use stead_model::{
    Millis,
    loss::{
        LOSS_ANSWERED, LOSS_ASKED, LossAnswered, LossAsked, LossByCard, LossDevice, LossReceipt, LossTold,
    },
    message::VERSION,
    problem::Kind,
    seal::Envelope,
};
use stead_store::{loss::Loss, people::Person};

use super::{
    super::check_in::{message, question},
    Teller, Way, card,
    doors::Door,
    tell,
};
use crate::{App, error::Refusal, words::Words};

/// Answers somebody at an enrolled computer.
///
/// # Errors
/// [`Refusal`] when it is not sealed by an enrolled device, or what it tells cannot be taken.
pub async fn by_device(app: &App, envelope: &Envelope) -> Result<Envelope, Refusal> {
    let said = |asked: &LossAsked| (asked.v, asked.device, asked.at);
    let (device, asked) = question(app, envelope, LOSS_ASKED, said).await?;
    let unknown = || Refusal::new(Kind::UnknownDevice, "Nobody has this device any more.");
    let person = app.store.person(device.person).await?.ok_or_else(unknown)?;
    let teller = Teller { way: Way::Command, person: Some(person.id), session: None, took: None };
    let answered = answer(app, &person, asked.tells.as_ref(), teller, asked.at).await?;
    let payload = serde_json::to_vec(&answered).map_err(stead_store::StoreError::from)?;
    Ok(app.keys.answers.seal(LOSS_ANSWERED, &payload, "server"))
}

/// Answers whoever has the code of a wallet card.
///
/// # Errors
/// [`Refusal`] when it is nobody's, or what is told cannot be taken.
pub async fn by_card(
    app: &App,
    asked: &LossByCard,
    address: Option<IpAddr>,
) -> Result<LossAnswered, Refusal> {
    message::version(asked.v)?;
    let person = card::holder(app, &asked.code, address).await?;
    let teller = Teller { way: Way::Card, person: None, session: None, took: None };
    answer(app, &person, asked.tells.as_ref(), teller, Millis(0)).await
}

async fn answer(
    app: &App,
    person: &Person,
    tells: Option<&LossTold>,
    teller: Teller,
    asked_at: Millis,
) -> Result<LossAnswered, Refusal> {
    let loss = match tells {
        Some(told) => Some(tell(app, person, told, teller).await?),
        None => None,
    };
    let devices = app.store.devices_of(person.id).await?.into_iter();
    let devices = devices.filter(|device| device.revoked_at.is_none());
    Ok(LossAnswered {
        v: VERSION,
        asked_at,
        person: person.name.clone(),
        devices: devices.map(|device| LossDevice { id: device.id, name: device.name }).collect(),
        receipt: loss.as_ref().map(|loss| receipt(app, loss)),
        call: app.pack().losses.call.clone(),
    })
}

fn receipt(app: &App, loss: &Loss) -> LossReceipt {
    let words = Words::english();
    let doors = Door::of(loss.thing).iter().filter(|door| **door != Door::Agent);
    LossReceipt {
        loss: loss.id,
        told_at: loss.told_at,
        shut: doors.map(|door| words.say(format!("door-{}", door.word()))).collect(),
        practice: loss.practice,
        page: format!("{}/losses/{}", app.config.base_url.trim_end_matches('/'), loss.id),
    }
}
