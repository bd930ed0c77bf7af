//! What was lost is there again. Nothing opens by accident: its person may say that it was never gone, when they have
//! proved who they are; what was out of their hands is let in by those who handle losses, after somebody looked at it.

use serde_json::json;
use stead_model::{Employment, Millis, PersonId, RecordId, loss::WORDS, problem::Kind, text};
use stead_store::{
    Write,
    loss::{Loss, State},
};

use super::{
    super::{device_subject, entry, revoke},
    committed,
    doors::Door,
    find, happened, next, person_subject, prove,
};
use crate::{
    App,
    error::{FieldError, Refusal},
};

/// In what way something is there again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// It was found. It stays shut out until it is let in.
    Found,
    /// It was never gone.
    Mistaken,
    /// It was found, somebody looked at it, and it is let in.
    LetIn,
}

impl Return {
    /// The one for a word of a form or of the API.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "found" => Self::Found,
            "mistaken" => Self::Mistaken,
            "let-in" => Self::LetIn,
            _ => return None,
        })
    }
}

/// Takes down that something is there again, and lets it in where that is said.
///
/// # Errors
/// [`Refusal`] when it is not theirs to say, does not go with how far the loss has come, or the store is away.
pub async fn bring(
    app: &App,
    (by, handles): (PersonId, bool),
    id: RecordId,
    how: Return,
    words: &str,
) -> Result<(), Refusal> {
    let now = app.now();
    let mut loss = find(app, id).await?;
    let words = text::plain(words.trim(), WORDS);
    let own = loss.person == by;
    let (state, kind, theirs) = match (how, loss.state) {
        (Return::Found, State::Open) => (State::Found, "found", own || handles),
        (Return::Mistaken, State::Open | State::Found) => {
            (State::Mistaken, "mistaken", handles || (own && loss.in_hand()))
        }
        (Return::LetIn, State::Open | State::Found) => (State::Back, "let-in", handles),
        (Return::Found, State::Found)
        | (Return::Found | Return::Mistaken | Return::LetIn, State::Mistaken | State::Back | State::Closed) =>
        {
            return Err(Refusal::said(Kind::Conflict, "loss-elsewhere"));
        }
    };
    if !theirs {
        return Err(Refusal::said(Kind::Forbidden, "loss-not-yours"));
    }
    if state == State::Back && words.chars().count() < 10 {
        return Err(Refusal::form(FieldError::new("back", "loss-looked-at")));
    }
    let person = app.store.person(loss.person).await?;
    if state != State::Found && person.is_none_or(|person| person.state == Employment::Gone) {
        return Err(Refusal::said(Kind::Conflict, "loss-gone"));
    }
    let subject = person_subject(by);
    let mut write = app.store.write().await?;
    loss.state = state;
    let mut opened = Vec::new();
    if state != State::Found {
        opened = open(&mut write, &mut loss, &subject, now).await?;
    }
    next(&mut write, &mut loss).await?;
    happened(&mut write, &loss, (Some(by), kind), &words, now).await?;
    let data = json!({ "doors": opened, "words": committed(&loss, &words) });
    prove(&mut write, &loss, (&subject, &format!("loss.{kind}")), data, now)?;
    write.commit(&app.keys.ledger).await?;
    if let Some(device) = loss.device {
        app.known.forget(device);
        app.gate.settled().await;
    }
    Ok(())
}

/// Lets the device be heard again, unless it has forgotten its keys: then it is enrolled anew. The doors that open.
async fn open(
    write: &mut Write,
    loss: &mut Loss,
    by: &str,
    now: Millis,
) -> Result<Vec<&'static str>, Refusal> {
    // One that was heard has been told to forget, and may not have been able to say that it did.
    let keys = loss.obeyed_at.is_none() && loss.heard_at.is_none();
    let Some(device) = loss.device.filter(|_| keys) else { return Ok(Vec::new()) };
    if !write.bring_back_device(device).await? {
        // One that was shut out before it was lost stays so, and is told to forget its keys no more.
        if !write.no_more_lost(device).await? {
            return Err(Refusal::said(Kind::Conflict, "loss-revoked"));
        }
        loss.back_at = Some(now);
        return Ok(Vec::new());
    }
    revoke::count_again(write, device, now).await?;
    let data = json!({ "loss": loss.id });
    write.append(&entry(now, by, "device.restored", device_subject(device), data))?;
    loss.back_at = Some(now);
    let mut opened = Vec::new();
    for door in Door::of(loss.thing).iter().filter(|door| door.comes_back()) {
        write.open_loss_door(loss.id, door.word(), now).await?;
        opened.push(door.word());
    }
    Ok(opened)
}
