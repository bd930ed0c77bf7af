//! Telling of a loss: one form, for whoever is signed in, for whoever has a wallet card in their hand, and for
//! whoever takes a call.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Posted,
    extract::{Path, Query, State},
    http::HeaderMap,
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;
use stead_model::{
    Millis, PersonId,
    loss::{LossTold, Thing},
    time::{DAY, HOUR, MINUTE, SECOND},
};
use stead_store::{device::Device, loss::Loss, people::Person};

use super::{
    super::{
        Base, Page, PageError, Reader,
        form::{self, Form},
        nothing_here, page, parts,
        sign_in::Asking,
    },
    label,
};
use crate::{
    App,
    auth::guard,
    error::{FieldError, Refusal},
    flows::loss::{
        self, Teller, Way, card,
        doors::{self, Door, Is},
    },
    words::Words,
};

/// When it was noticed, as the form asks, and how long ago that is taken for.
const NOTICED: [(&str, i64); 5] =
    [("now", 0), ("hour", 30 * MINUTE), ("today", 4 * HOUR), ("yesterday", DAY), ("longer", 3 * DAY)];
/// Things that are no enrolled device.
const OTHERS: [(Thing, &str); 5] = [
    (Thing::Phone, "phone"),
    (Thing::Storage, "drive"),
    (Thing::Papers, "papers"),
    (Thing::Keys, "key"),
    (Thing::Other, "help"),
];

/// What the form sends.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Sent {
    #[serde(default)]
    code: String,
    #[serde(default)]
    what: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    stolen: String,
    #[serde(default)]
    noticed: String,
    #[serde(default)]
    words: String,
    #[serde(default)]
    practice: String,
    #[serde(default)]
    began: i64,
}

impl Sent {
    /// What is told.
    fn told(&self) -> Result<LossTold, Refusal> {
        let nothing = || Refusal::form(FieldError::new("what", "loss-what"));
        let device = self.what.strip_prefix("device:");
        let device = device.map(str::parse).transpose().map_err(|_| nothing())?;
        let thing = match device {
            Some(_) => Thing::Computer,
            None => Thing::from_word(&self.what).ok_or_else(nothing)?,
        };
        let noticed = NOTICED.iter().find(|(word, _)| *word == self.noticed);
        Ok(LossTold {
            device,
            thing,
            label: self.label.clone(),
            stolen: self.stolen == "stolen",
            noticed: noticed.map_or(0, |(_, ago)| *ago),
            words: self.words.clone(),
            practice: self.is_practice(),
        })
    }

    fn is_practice(&self) -> bool {
        !self.practice.is_empty()
    }

    /// How many seconds it took, by the clock of whoever served the form.
    fn took(&self, now: Millis) -> Option<i64> {
        (self.began > 0).then(|| now.since(Millis(self.began)) / SECOND)
    }
}

#[derive(Template)]
#[template(path = "lost.html")]
struct Telling {
    base: Base,
    form: Form,
    sent: Sent,
    action: String,
    devices: Vec<Device>,
    /// Whose things they are, where they are not the reader's.
    whose: String,
    practice: bool,
    /// Whether the reader's own losses are a press away.
    own: bool,
    call: String,
    began: Millis,
}

impl Telling {
    fn others(&self) -> [(Thing, &'static str); 5] {
        OTHERS
    }

    fn is(&self, what: &str) -> bool {
        self.sent.what == what
    }

    fn is_device(&self, device: &Device) -> bool {
        self.sent.what == format!("device:{}", device.id)
    }

    fn noticed(&self) -> [(&'static str, bool); 5] {
        NOTICED.map(|(word, _)| {
            (word, self.sent.noticed == word || (word == "now" && self.sent.noticed.is_empty()))
        })
    }
}

/// How long something that was shut out may still be about.
const ABOUT: i64 = 180 * DAY;

/// What somebody may have lost, what works first. What was shut out is told to forget its keys once it is told lost; one
/// that was enrolled anew is there by the same name.
async fn devices(app: &App, person: PersonId) -> Result<Vec<Device>, Refusal> {
    let (mut devices, mut out): (Vec<_>, Vec<_>) =
        app.store.devices_of(person).await?.into_iter().partition(|device| device.revoked_at.is_none());
    let lately = app.now().plus(-ABOUT);
    out.retain(|device| device.lost_at.is_none() && device.revoked_at.is_some_and(|at| at >= lately));
    out.retain(|device| devices.iter().all(|works| works.name != device.name));
    devices.extend(out);
    Ok(devices)
}

async fn telling(
    app: &App,
    base: Base,
    person: &Person,
    (form, sent): (Form, Sent),
    (action, whose, own): (String, String, bool),
) -> Page {
    page(&Telling {
        base,
        form,
        practice: sent.is_practice(),
        began: if sent.began > 0 { Millis(sent.began) } else { app.now() },
        sent,
        action,
        devices: devices(app, person.id).await?,
        whose,
        own,
        call: app.pack().losses.call.clone(),
    })
}

#[derive(Template)]
#[template(path = "lost_code.html")]
struct Code {
    base: Base,
    form: Form,
    code: String,
    practice: bool,
    call: String,
}

fn code(app: &App, words: &Words, form: Form, sent: Sent) -> Code {
    let practice = sent.is_practice();
    let base = Base::public(words, words.say(if practice { "loss-practise" } else { "loss-report" }));
    Code { base, form, code: sent.code, practice, call: app.pack().losses.call.clone() }
}

fn title(words: &Words, sent: &Sent) -> String {
    words.say(if sent.is_practice() { "loss-practise" } else { "loss-report" })
}

/// What an address may say beforehand.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    practice: String,
    #[serde(default)]
    device: String,
}

impl Asked {
    fn sent(self) -> Sent {
        let what = if self.device.is_empty() { String::new() } else { format!("device:{}", self.device) };
        Sent { practice: self.practice, what, ..Sent::default() }
    }
}

/// `GET /lost`: for whoever is signed in their things, for anybody else the code of a card.
pub async fn ask(
    State(app): State<Arc<App>>,
    words: Words,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Page {
    match guard::caller(&app, &headers).await? {
        Some(caller) => {
            let words = caller.words(&headers);
            let reader = Reader { caller, words };
            let sent = asked.sent();
            let base = Base::plain(&app, &reader, title(&reader.words, &sent), "/lost");
            let to = ("/lost".to_owned(), String::new(), true);
            telling(&app, base, reader.caller.person(), (Form::default(), sent), to).await
        }
        None => page(&code(&app, &words, Form::default(), asked.sent())),
    }
}

/// `GET /lost/card`: the code of a card, also on the phone of somebody who is signed in there: a card speaks for whose it
/// is. The picture on a card brings its code with it, for the page's script alone.
pub async fn ask_card(State(app): State<Arc<App>>, words: Words) -> Page {
    page(&code(&app, &words, Form::default(), Sent::default()))
}

/// `POST /lost`: something of one's own.
pub async fn tell(State(app): State<Arc<App>>, reader: Reader, Posted(sent): Posted<Sent>) -> Page {
    let person = reader.caller.person().clone();
    let session = reader.caller.who().session.id;
    let teller = Teller { took: sent.took(app.now()), ..Teller::on_page(person.id, Some(session)) };
    let to = ("/lost".to_owned(), String::new(), true);
    done(&app, &reader, &person, teller, sent, to).await
}

async fn done(
    app: &App,
    reader: &Reader,
    person: &Person,
    teller: Teller,
    sent: Sent,
    to: (String, String, bool),
) -> Page {
    let told = match sent.told() {
        Ok(told) => loss::tell(app, person, &told, teller).await,
        Err(refusal) => Err(refusal),
    };
    match told {
        Ok(loss) => Ok(Redirect::to(&format!("/losses/{}", loss.id)).into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            let base = Base::plain(app, reader, title(&reader.words, &sent), "/lost");
            Ok(form::not_taken(telling(app, base, person, (form, sent), to).await?))
        }
    }
}

async fn somebody(app: &App, id: &str) -> Result<Person, PageError> {
    let id: PersonId = id.parse().map_err(|_| nothing_here("person"))?;
    app.store.person(id).await?.ok_or_else(|| nothing_here("person"))
}

fn for_them(person: &Person) -> (String, String, bool) {
    (format!("/people/{}/lost", person.id), person.name.clone(), false)
}

/// `GET /people/{id}/lost`: for whoever takes a call.
pub async fn ask_for(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let person = somebody(&app, &id).await?;
    let sent = Sent { practice: String::new(), ..asked.sent() };
    let base = Base::plain(&app, &reader, title(&reader.words, &sent), "/people");
    telling(&app, base, &person, (Form::default(), sent), for_them(&person)).await
}

/// `POST /people/{id}/lost`.
pub async fn tell_for(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Page {
    let person = somebody(&app, &id).await?;
    let sent = Sent { practice: String::new(), ..sent };
    // Whoever takes a call is not at a computer that is lost; if it is their own, their session stays.
    let own = reader.caller.id() == person.id;
    let session = own.then(|| reader.caller.who().session.id);
    let teller = Teller::on_page(reader.caller.id(), session);
    done(&app, &reader, &person, teller, sent, for_them(&person)).await
}

async fn by_card(app: &App, words: &Words, person: &Person, (form, sent): (Form, Sent)) -> Page {
    let base = Base::public(words, title(words, &sent));
    let to = ("/lost/card/tell".to_owned(), person.name.clone(), false);
    telling(app, base, person, (form, sent), to).await
}

/// `POST /lost/card`: the code of a card opens the form, and nothing else.
pub async fn card(
    State(app): State<Arc<App>>,
    words: Words,
    asking: Asking,
    Posted(sent): Posted<Sent>,
) -> Page {
    match card::holder(&app, &sent.code, asking.address()).await {
        Ok(person) => by_card(&app, &words, &person, (Form::default(), sent)).await,
        Err(refusal) => {
            let form = Form::of(refusal, &words)?;
            Ok(form::not_taken(page(&code(&app, &words, form, sent))?))
        }
    }
}

/// The doors of a loss as they are now.
async fn receipt_doors(app: &App, loss: &Loss) -> Result<Vec<(Door, Is)>, Refusal> {
    let mut all = Vec::new();
    for stored in app.store.loss_doors(loss.id).await? {
        if let Some(door) = Door::from_word(&stored.door) {
            all.push((door, doors::is(app, loss, door, stored.shut_at).await?));
        }
    }
    all.sort_by_key(|(door, _)| *door);
    Ok(all)
}

#[derive(Template)]
#[template(path = "lost_receipt.html")]
struct Receipt {
    base: Base,
    loss: Loss,
    doors: Vec<(Door, Is)>,
    took: Option<i64>,
    call: String,
}

impl Receipt {
    fn icon(&self, is: &Is) -> &'static str {
        if *is == Is::Shut { "shut" } else { "due" }
    }

    fn sign(&self, is: &Is) -> parts::Html {
        let (class, icon) = match is {
            Is::Shut => ("good", "good"),
            Is::Waits => ("due", "due"),
            Is::Open => ("lapsed", "lapsed"),
        };
        parts::sign(class, icon, self.base.say(&format!("door-is-{}", is.word())))
    }
}

/// `POST /lost/card/tell`: what is lost, by card.
pub async fn tell_by_card(
    State(app): State<Arc<App>>,
    words: Words,
    asking: Asking,
    Posted(sent): Posted<Sent>,
) -> Page {
    let person = match card::holder(&app, &sent.code, asking.address()).await {
        Ok(person) => person,
        Err(refusal) => {
            let form = Form::of(refusal, &words)?;
            return Ok(form::not_taken(page(&code(&app, &words, form, sent))?));
        }
    };
    let took = sent.took(app.now());
    let teller = Teller { way: Way::Card, person: None, session: None, took };
    let told = match sent.told() {
        Ok(told) => loss::tell(&app, &person, &told, teller).await,
        Err(refusal) => Err(refusal),
    };
    match told {
        Ok(loss) => {
            let headline = words.with(
                if loss.practice { "loss-practised" } else { "loss-shut" },
                [("thing", label(&loss, &words))],
            );
            page(&Receipt {
                base: Base::public(&words, headline),
                doors: receipt_doors(&app, &loss).await?,
                took: took.filter(|_| loss.practice),
                call: app.pack().losses.call.clone(),
                loss,
            })
        }
        Err(refusal) => {
            let form = Form::of(refusal, &words)?;
            Ok(form::not_taken(by_card(&app, &words, &person, (form, sent)).await?))
        }
    }
}
