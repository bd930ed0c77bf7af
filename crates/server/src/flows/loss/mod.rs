//! Losses: telling takes a minute and shuts every door at once; what follows has its steps, its people and its
//! clocks; and what comes back is let in on purpose.

pub mod back;
pub mod card;
pub mod clocks;
pub mod desk;
pub mod doors;
pub mod evidence;
pub mod heard;
pub mod question;

use serde_json::{Map, Value, json};
use stead_model::{
    Employment, Millis, PersonId, RecordId, SessionId,
    loss::{LABEL, LossTold, Thing, WORDS},
    problem::Kind,
    seal, text,
    time::DAY,
};
use stead_store::{
    Write,
    case::Event,
    loss::{Door as StoredDoor, Loss, State, Step},
    people::Person,
};

use super::{
    entry, person_subject,
    sign_in::{password::slow_down, throttle::Of},
};
use crate::{
    App,
    error::{FieldError, Refusal},
};
use doors::Door;
use evidence::Evidence;

/// The longest ago that a loss can have been noticed.
const LONGEST_AGO: i64 = 365 * DAY;

/// How a loss is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// On a page, by somebody signed in.
    Page,
    /// With the code of a wallet card, by whoever holds it.
    Card,
    /// With `stead lost`, at an enrolled computer.
    Command,
}

impl Way {
    /// The word in the store and in `locales/`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Card => "card",
            Self::Command => "command",
        }
    }
}

/// Who tells, and how.
#[derive(Clone, Copy, Debug)]
pub struct Teller {
    /// How.
    pub way: Way,
    /// Who; none by card.
    pub person: Option<PersonId>,
    /// Their session, which stays open.
    pub session: Option<SessionId>,
    /// For practice: how many seconds it took.
    pub took: Option<i64>,
}

impl Teller {
    /// Somebody who is signed in.
    pub fn on_page(person: PersonId, session: Option<SessionId>) -> Self {
        Self { way: Way::Page, person: Some(person), session, took: None }
    }

    /// How the ledger names them.
    fn by(&self) -> String {
        self.person.map_or_else(|| self.way.word().to_owned(), person_subject)
    }
}

/// Takes down that something of somebody's is lost, and shuts every door to which it may hold a key, in one
/// transaction. Telling of a device that is shut out for a loss already gives that one again; one that was shut out for
/// another reason is told to lock itself and forget its keys from now on.
///
/// # Errors
/// [`Refusal`] when it is not said what is lost, the device is not theirs, or the store is away; then nothing was
/// shut.
pub async fn tell(app: &App, person: &Person, told: &LossTold, teller: Teller) -> Result<Loss, Refusal> {
    let now = app.now();
    if person.state == Employment::Gone {
        return Err(Refusal::said(Kind::Conflict, "loss-gone"));
    }
    if teller.way == Way::Card {
        // Whoever found a card cannot keep its person from ever holding a session.
        app.throttle.take(Of::Told(&person.id.to_string()), now).map_err(slow_down)?;
    }
    if let Some(teller) = teller.person {
        // Each is told to security and to a manager.
        app.throttle.take(Of::Losses(&teller.to_string()), now).map_err(slow_down)?;
    }
    let device = match told.device {
        Some(id) => {
            let device = app.store.device(id).await?.filter(|device| device.person == person.id);
            Some(device.ok_or_else(|| Refusal::form(FieldError::new("what", "loss-what")))?)
        }
        None => None,
    };
    let label = match &device {
        Some(device) => device.name.clone(),
        None => text::plain(told.label.trim(), LABEL),
    };
    let named = device.is_some() || matches!(told.thing, Thing::Phone | Thing::Keys) || !label.is_empty();
    if !named || (device.is_none() && told.thing == Thing::Computer) {
        return Err(Refusal::form(FieldError::new("what", "loss-what")));
    }
    if let Some(device) = device.as_ref().filter(|_| !told.practice)
        && let Some(known) = app.store.loss_of_device(device.id).await?
    {
        return again(app, known, teller).await;
    }
    let known = match &device {
        Some(device) => evidence::of(app, device).await?,
        None => Evidence::default(),
    };
    let thing = if device.is_some() { Thing::Computer } else { told.thing };
    let loss = Loss {
        id: RecordId::from_parts(now, app.random()?),
        person: person.id,
        person_name: person.name.clone(),
        unit: person.unit,
        unit_name: String::new(),
        thing,
        device: told.device,
        label,
        stolen: told.stolen,
        practice: told.practice,
        way: teller.way.word().to_owned(),
        told_by: teller.person,
        told_at: now,
        noticed_at: now.plus(-told.noticed.clamp(0, LONGEST_AGO)),
        words: text::plain(told.words.trim(), WORDS),
        evidence: serde_json::to_string(&known).map_err(stead_store::StoreError::from)?,
        salt: seal::hex(&app.random::<16>()?),
        kept: teller.session,
        state: if told.practice { State::Closed } else { State::Open },
        risk: String::new(),
        heard_at: None,
        obeyed_at: None,
        back_at: None,
        closed_at: None,
        revision: 1,
    };
    if loss.practice { practise(app, loss, teller).await } else { shut(app, loss, teller).await }
}

/// Shuts the doors and begins the steps.
async fn shut(app: &App, loss: Loss, teller: Teller) -> Result<Loss, Refusal> {
    let now = loss.told_at;
    let by = teller.by();
    let tunnels = match loss.device {
        Some(device) => i64::try_from(app.store.tunnel_keys(&[device]).await?.len()).unwrap_or(0),
        None => 0,
    };
    let pack = app.pack();
    let steps = pack.losses.steps.iter().filter(|step| step.is_for(loss.thing, loss.stolen));
    let steps: Vec<Step> = steps
        .map(|step| Step {
            name: step.name.clone(),
            asks: step.asks("en").to_owned(),
            taker: step.by.word().to_owned(),
            due_at: step.within().map(|within| now.plus(within)),
            done_at: None,
            done_by: None,
            words: String::new(),
        })
        .collect();
    let mut write = app.store.write().await?;
    if !write.add_loss(&loss).await? {
        // Somebody else told of it in this moment.
        drop(write);
        let known = match loss.device {
            Some(device) => app.store.loss_of_device(device).await?,
            None => None,
        };
        return known.ok_or_else(|| Refusal::said(Kind::Conflict, "loss-elsewhere"));
    }
    let mut shut = Map::new();
    for door in Door::of(loss.thing) {
        let n = doors::shut(*door, &mut write, &loss, (teller.session, tunnels), (&by, now)).await?;
        let stored = StoredDoor { door: door.word().to_owned(), shut_at: now, n, open_at: None };
        write.add_loss_door(loss.id, &stored).await?;
        shut.insert(door.word().to_owned(), n.into());
    }
    write.add_loss_steps(loss.id, &steps).await?;
    if teller.way == Way::Card {
        write.use_loss_card(loss.person, now).await?;
    }
    happened(&mut write, &loss, (teller.person, "told"), &loss.words, now).await?;
    let data = json!({
        "thing": loss.thing, "device": loss.device, "stolen": loss.stolen, "way": loss.way,
        "noticed_at": loss.noticed_at.0, "doors": shut, "policy": pack.label(),
        "evidence": committed(&loss, &loss.evidence), "words": committed(&loss, &loss.words),
        "steps": steps.iter().map(|step| json!([step.name, step.due_at])).collect::<Vec<_>>(),
    });
    prove(&mut write, &loss, (&by, "loss.told"), data, now)?;
    write.commit(&app.keys.ledger).await?;
    if let Some(device) = loss.device {
        app.known.forget(device);
    }
    // Whoever reads that it is shut finds it shut.
    app.gate.settled().await;
    Ok(app.store.loss(loss.id).await?.unwrap_or(loss))
}

/// Told again: what its person, or somebody in their name, may have opened since is shut, and whoever told before keeps
/// no session.
async fn again(app: &App, mut loss: Loss, teller: Teller) -> Result<Loss, Refusal> {
    let now = app.now();
    let by = teller.by();
    if teller.session.is_some() && loss.kept == teller.session {
        return Ok(loss);
    }
    let mut write = app.store.write().await?;
    loss.kept = teller.session;
    let mut shut = Map::new();
    for door in Door::of(loss.thing).iter().filter(|door| door.is_of_person()) {
        let n = doors::shut(*door, &mut write, &loss, (teller.session, 0), (&by, now)).await?;
        let stored = StoredDoor { door: door.word().to_owned(), shut_at: now, n, open_at: None };
        write.add_loss_door(loss.id, &stored).await?;
        shut.insert(door.word().to_owned(), n.into());
    }
    next(&mut write, &mut loss).await?;
    happened(&mut write, &loss, (teller.person, "again"), "", now).await?;
    prove(&mut write, &loss, (&by, "loss.again"), json!({ "way": teller.way.word(), "doors": shut }), now)?;
    write.commit(&app.keys.ledger).await?;
    app.gate.settled().await;
    Ok(loss)
}

/// Takes down that somebody has practised. Nothing is shut, and nobody else is told.
async fn practise(app: &App, loss: Loss, teller: Teller) -> Result<Loss, Refusal> {
    let now = loss.told_at;
    let mut write = app.store.write().await?;
    write.add_loss(&loss).await?;
    let took = teller.took.filter(|took| (1..=3600).contains(took));
    let words = took.map_or_else(String::new, |took| took.to_string());
    happened(&mut write, &loss, (teller.person, "practised"), &words, now).await?;
    let data = json!({ "thing": loss.thing, "way": loss.way });
    prove(&mut write, &loss, (&teller.by(), "loss.practised"), data, now)?;
    write.commit(&app.keys.ledger).await?;
    Ok(app.store.loss(loss.id).await?.unwrap_or(loss))
}

/// Writes a loss in its next revision.
async fn next(write: &mut Write, loss: &mut Loss) -> Result<(), Refusal> {
    loss.revision += 1;
    match write.put_loss(loss).await? {
        true => Ok(()),
        false => Err(Refusal::said(Kind::Conflict, "loss-elsewhere")),
    }
}

async fn happened(
    write: &mut Write,
    loss: &Loss,
    (by, kind): (Option<PersonId>, &str),
    words: &str,
    now: Millis,
) -> Result<(), Refusal> {
    let event = Event { at: now, by, kind: kind.to_owned(), words: words.to_owned() };
    Ok(write.add_loss_event(loss.id, &event).await?)
}

/// The entry that proves it. What a thing is called and what was said stays outside, behind salted digests.
fn prove(
    write: &mut Write,
    loss: &Loss,
    (by, kind): (&str, &str),
    data: Value,
    now: Millis,
) -> Result<(), Refusal> {
    let mut all = json!({ "loss": loss.id });
    if let (Some(all), Value::Object(data)) = (all.as_object_mut(), data) {
        all.extend(data.into_iter().filter(|(_, value)| !value.is_null()));
    }
    write.append(&entry(now, by, kind, person_subject(loss.person), all))?;
    Ok(())
}

/// A digest that says nothing to whoever does not have the salt.
fn committed(loss: &Loss, words: &str) -> String {
    seal::digest(format!("{}\n{words}", loss.salt).as_bytes())
}

/// Whether a loss's evidence is what its entry committed to.
pub fn is_as_committed(loss: &Loss, commitment: &str) -> bool {
    committed(loss, &loss.evidence) == commitment
}

async fn find(app: &App, id: RecordId) -> Result<Loss, Refusal> {
    let loss = app.store.loss(id).await?.ok_or_else(|| Refusal::said(Kind::NotFound, "nothing-here"))?;
    if loss.practice {
        return Err(Refusal::said(Kind::Conflict, "loss-practice"));
    }
    // Of somebody who was forgotten there is no salt any more, and what is said now would stand in the clear.
    if loss.salt.is_empty() { Err(Refusal::said(Kind::Conflict, "loss-closed")) } else { Ok(loss) }
}
