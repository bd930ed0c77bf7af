//! What is done about a loss: each step by whom it belongs to, what else is worth writing down, and the end.

use serde_json::json;
use stead_model::{PersonId, RecordId, loss::WORDS, problem::Kind, text};
use stead_policy::losses::{By, REVIEW, TRIAGE};
use stead_store::loss::{Loss, State, Step};

use super::{committed, find, happened, next, person_subject, prove};
use crate::{
    App,
    error::{FieldError, Refusal},
};

/// How likely it is that somebody's data is at risk.
pub const RISKS: [&str; 3] = ["none", "unlikely", "likely"];

/// A step that somebody takes.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// Which.
    pub step: String,
    /// What they say, with a reference where there is one.
    pub words: String,
    /// For the decision about data: one of [`RISKS`].
    pub risk: String,
}

/// Whether a step is for somebody to take: their own, or, for those who handle losses, any.
pub fn may_take(loss: &Loss, step: &Step, by: PersonId, handles: bool) -> bool {
    handles || (By::from_word(&step.taker) == Some(By::Person) && loss.person == by)
}

/// Writes down that a step was done. The last one closes the loss, once nothing else is left.
///
/// # Errors
/// [`Refusal`] when it is not theirs to take, was taken before, or something that it needs was not said.
pub async fn take(
    app: &App,
    (by, handles): (PersonId, bool),
    id: RecordId,
    taken: Taken,
) -> Result<(), Refusal> {
    let now = app.now();
    let mut loss = find(app, id).await?;
    if loss.state == State::Closed {
        return Err(Refusal::said(Kind::Conflict, "loss-closed"));
    }
    let steps = app.store.loss_steps(id).await?;
    let unknown = || Refusal::said(Kind::NotFound, "nothing-here");
    let step = steps.iter().find(|step| step.name == taken.step).ok_or_else(unknown)?;
    if !may_take(&loss, step, by, handles) {
        return Err(Refusal::said(Kind::Forbidden, "loss-not-yours"));
    }
    let words = text::plain(taken.words.trim(), WORDS);
    let mut data = json!({ "step": step.name, "words": committed(&loss, &words) });
    let says = || match words.chars().count() {
        0..10 => Err(Refusal::form(FieldError::new("words", "loss-say"))),
        _ => Ok(()),
    };
    if step.name == TRIAGE {
        if !RISKS.contains(&taken.risk.as_str()) {
            return Err(Refusal::form(FieldError::new("risk", "loss-risk-choose")));
        }
        says()?;
        loss.risk.clone_from(&taken.risk);
        data["risk"] = json!(taken.risk);
    }
    let last = step.name == REVIEW;
    if last {
        says()?;
        if loss.state == State::Found {
            return Err(Refusal::said(Kind::Conflict, "loss-found-open"));
        }
        let open = steps.iter().any(|other| other.name != REVIEW && other.done_at.is_none());
        // What was never gone asks for nothing else.
        if open && loss.state != State::Mistaken {
            return Err(Refusal::said(Kind::Conflict, "loss-steps-open"));
        }
        loss.state = State::Closed;
        loss.closed_at = Some(now);
    }
    let mut write = app.store.write().await?;
    if !write.do_loss_step(id, &step.name, by, &words, now).await? {
        return Err(Refusal::said(Kind::Conflict, "loss-elsewhere"));
    }
    next(&mut write, &mut loss).await?;
    happened(&mut write, &loss, (Some(by), "step"), &format!("{}\n{words}", step.name), now).await?;
    let kind = if last { "loss.closed" } else { "loss.step" };
    prove(&mut write, &loss, (&person_subject(by), kind), data, now)?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Writes down something else worth knowing.
///
/// # Errors
/// [`Refusal`] when nothing was said, or the loss is closed or moves on meanwhile.
pub async fn note(app: &App, by: PersonId, id: RecordId, words: &str) -> Result<(), Refusal> {
    let now = app.now();
    let mut loss = find(app, id).await?;
    if loss.state == State::Closed {
        return Err(Refusal::said(Kind::Conflict, "loss-closed"));
    }
    let words = text::plain(words.trim(), WORDS);
    if words.is_empty() {
        return Err(Refusal::form(FieldError::new("note", "field-empty")));
    }
    let mut write = app.store.write().await?;
    next(&mut write, &mut loss).await?;
    happened(&mut write, &loss, (Some(by), "note"), &words, now).await?;
    let data = json!({ "words": committed(&loss, &words) });
    prove(&mut write, &loss, (&person_subject(by), "loss.note"), data, now)?;
    Ok(write.commit(&app.keys.ledger).await?)
}
