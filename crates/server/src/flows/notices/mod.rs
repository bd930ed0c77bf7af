//! Telling people: what happened to what is theirs and what waits for them, by the ways and as soon as they
//! want. What is told comes from the ledger, so that no flow can forget to tell. Many things to tell become
//! one message.

pub mod calendar;
pub mod chase;
pub mod deliver;
pub mod desktop;
pub mod follow;
pub mod gather;
pub mod hooks;

use std::collections::{HashMap, hash_map::Entry};

use serde_json::{Map, Value};
use stead_model::{Millis, PersonId, RecordId, problem::Kind, text, time};
use stead_store::{
    delivery::Delivery,
    notice::{Choice, Notice},
    people::Person,
};

use super::{entry, person_subject};
use crate::{
    App,
    channels::Message,
    error::{FieldError, Refusal},
    words::{Arguments, Language, Words},
};

/// How long a notice stays on the page.
pub const KEPT: i64 = 90 * time::DAY;
/// How long is kept that a message went out, or could not.
pub const SENT_KEPT: i64 = 30 * time::DAY;
/// What is older than this is shown on the page and not sent any more.
const STALE: i64 = 14 * time::DAY;
/// How long what is to be told at once waits for more of its kind.
const GATHERS: i64 = 2 * time::MINUTE;

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// How one signs in and what may be done in one's name. It is always told at once: it may be the only
    /// sign that somebody else did it (NIST SP 800-63B, 4.6).
    Account,
    /// How one's devices stand.
    Devices,
    /// What waits for one.
    Tasks,
    /// Who looked at one's record or changed it.
    Record,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 4] = [Self::Account, Self::Devices, Self::Tasks, Self::Record];

    /// The word it is kept by.
    pub fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Devices => "devices",
            Self::Tasks => "tasks",
            Self::Record => "record",
        }
    }

    /// How soon somebody wants to be told of it.
    pub fn soon(self, choice: &Choice) -> Soon {
        match self {
            Self::Account => Soon::Now,
            Self::Devices => Soon::from_word(&choice.devices),
            Self::Tasks => Soon::from_word(&choice.tasks),
            Self::Record => Soon::from_word(&choice.record),
        }
    }
}

/// How soon somebody wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Soon {
    /// At once, gathered for two minutes.
    Now,
    /// At eight the next morning.
    Daily,
    /// At eight on Monday.
    Weekly,
    /// On the page alone.
    Never,
}

impl Soon {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Now, Self::Daily, Self::Weekly, Self::Never];

    /// The word it is kept by.
    pub fn word(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Never => "never",
        }
    }

    /// The one with this word; daily where there is none.
    fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|soon| soon.word() == word).unwrap_or(Self::Daily)
    }

    /// When something of now may go out; none when it is not to.
    fn hold(self, words: &Words, now: Millis) -> Option<Millis> {
        match self {
            Self::Now => Some(now.plus(GATHERS)),
            Self::Daily => Some(words.next_morning(now, false)),
            Self::Weekly => Some(words.next_morning(now, true)),
            Self::Never => None,
        }
    }
}

/// How people are told who have not said how.
pub fn as_it_comes() -> Choice {
    Choice {
        devices: Soon::Now.word().to_owned(),
        tasks: Soon::Daily.word().to_owned(),
        record: Soon::Daily.word().to_owned(),
        mail: true,
        desktop: true,
        chat: String::new(),
    }
}

/// How somebody wants to be told.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn choice(app: &App, person: PersonId) -> Result<Choice, Refusal> {
    Ok(app.store.notice_choice(person).await?.unwrap_or_else(as_it_comes))
}

/// Keeps how somebody wants to be told; what waits goes out as they want it now.
///
/// # Errors
/// [`Refusal`] when a word is not known, nothing would change, or the store is away.
pub async fn choose(app: &App, person: &Person, chosen: Choice) -> Result<(), Refusal> {
    let now = app.now();
    for (field, word) in [("devices", &chosen.devices), ("tasks", &chosen.tasks), ("record", &chosen.record)]
    {
        if !Soon::ALL.iter().any(|soon| soon.word() == word) {
            return Err(Refusal::form(FieldError::new(field, "field-empty")));
        }
    }
    let chat = chosen.chat.trim().trim_start_matches('@').to_owned();
    // What Rocket.Chat takes for a name.
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if chat.len() > 60 || !chat.chars().all(good) {
        return Err(Refusal::form(FieldError::new("chat", "chat-name-wrong")));
    }
    let chosen = Choice { chat, ..chosen };
    if chosen == choice(app, person.id).await? {
        return Err(Refusal::said(Kind::Conflict, "nothing-changed"));
    }
    let words = spoken(app, person);
    let mut write = app.store.write().await?;
    write.set_notice_choice(person.id, &chosen).await?;
    for topic in [Topic::Devices, Topic::Tasks, Topic::Record] {
        // What is never to be sent stays where it is, a long time from now.
        let until = topic.soon(&chosen).hold(&words, now).unwrap_or(Millis(i64::MAX));
        write.hold_notices(person.id, topic.word(), until).await?;
    }
    let subject = person_subject(person.id);
    let data = serde_json::json!({ "fields": ["notices"] });
    write.append(&entry(now, &subject, "person.changed", subject.clone(), data))?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// How somebody is written to: as they have chosen, else as the installation speaks.
pub fn spoken(app: &App, person: &Person) -> Words {
    Words::new(Language::from_tag(&person.language).unwrap_or(app.config.language), &person.zone)
}

/// Something to tell somebody.
#[derive(Clone, Debug)]
pub struct Tell {
    /// Whom.
    pub person: PersonId,
    /// What it is about.
    pub topic: Topic,
    /// What it comes from; told once.
    pub source: String,
    /// When it happened.
    pub at: Millis,
    /// The message of `locales/` that says it.
    pub say: &'static str,
    /// What the message is given.
    pub given: Arguments,
    /// Where it is looked into.
    pub link: String,
}

/// What is to be told as it is written down, each to go out as soon as its person wants.
///
/// # Errors
/// [`Refusal`] when the store is away.
async fn prepared(app: &App, tells: Vec<Tell>) -> Result<Vec<Notice>, Refusal> {
    let now = app.now();
    let mut people: HashMap<PersonId, (Choice, Words)> = HashMap::new();
    let mut notices = Vec::new();
    for tell in tells {
        let (choice, words) = match people.entry(tell.person) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(place) => {
                let Some(person) = app.store.person(tell.person).await? else { continue };
                place.insert((choice(app, person.id).await?, spoken(app, &person)))
            }
        };
        let hold = match tell.topic {
            Topic::Account => Some(now),
            Topic::Devices | Topic::Tasks | Topic::Record => tell.topic.soon(choice).hold(words, now),
        };
        let stale = now.since(tell.at) > STALE;
        let given: Map<String, Value> =
            tell.given.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        notices.push(Notice {
            id: RecordId::from_parts(tell.at, app.random()?).to_string(),
            person: tell.person,
            topic: tell.topic.word().to_owned(),
            source: tell.source,
            at: tell.at,
            say: tell.say.to_owned(),
            given: Value::Object(given).to_string(),
            link: tell.link,
            hold_until: hold.unwrap_or(Millis(i64::MAX)),
            told_at: stale.then_some(tell.at),
        });
    }
    Ok(notices)
}

/// Writes down what is to be told; how much of it was not before.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub(super) async fn write_down(app: &App, tells: Vec<Tell>) -> Result<u64, Refusal> {
    if tells.is_empty() {
        return Ok(0);
    }
    let notices = prepared(app, tells).await?;
    let mut write = app.store.write().await?;
    let told = write.add_notices(notices).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(told)
}

/// What messages may be given.
const GIVEN: [&str; 10] = ["application", "device", "by", "unit", "role", "name", "n", "due", "rule", "pack"];

/// A notice in somebody's words.
pub fn said(notice: &Notice, words: &Words) -> String {
    let given: Map<String, Value> = serde_json::from_str(&notice.given).unwrap_or_default();
    let with: Arguments = GIVEN
        .into_iter()
        .filter_map(|name| {
            let value = given.get(name)?.as_str()?;
            let value = match name {
                "due" => words.deadline(Millis(value.parse().ok()?)),
                "role" => stead_model::Role::from_word(value).map(|role| words.role(role))?,
                _ => value.to_owned(),
            };
            Some((name, value))
        })
        .collect();
    words.with(&notice.say, with)
}

/// A message on its way, sealed.
fn outgoing(
    app: &App,
    channel: &str,
    (person, hook): (Option<PersonId>, Option<RecordId>),
    message: &Message,
) -> Result<Delivery, Refusal> {
    let now = app.now();
    let id = RecordId::from_parts(now, app.random()?);
    let text = zeroize::Zeroizing::new(serde_json::to_vec(message).map_err(stead_store::StoreError::from)?);
    let sealed = app
        .keys
        .sealing
        .seal(&delivery_name(id), &text)
        .ok_or_else(|| Refusal::new(Kind::Unavailable, "The message could not be sealed; try again."))?;
    Ok(Delivery {
        id,
        channel: channel.to_owned(),
        person,
        hook,
        message: sealed,
        state: "waiting".to_owned(),
        created_at: now,
        due: now,
        tries: 0,
        error: String::new(),
        ended_at: None,
    })
}

/// Under which words a message is sealed.
fn delivery_name(id: RecordId) -> String {
    format!("delivery {id}")
}

/// The message of a delivery; none when it has gone or is not ours.
fn opened(app: &App, delivery: &Delivery) -> Option<Message> {
    let text = app.keys.sealing.open(&delivery_name(delivery.id), &delivery.message)?;
    serde_json::from_slice(&text).ok()
}

/// A page's address, as it stands in a message.
fn address(app: &App, link: &str) -> String {
    format!("{}{link}", app.config.base_url.trim_end_matches('/'))
}

/// Text for a terminal, a chat or a list, on one line.
fn line(words: &str) -> String {
    text::plain(words, 400)
}

/// Sends somebody the link by which they come in, when they have an address and there is mail; whether it
/// went on its way.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn send_link(app: &App, person: &Person, link: &str, joins: bool) -> Result<bool, Refusal> {
    let Some(to) = person.email.clone().filter(|_| app.mail.is_some()) else { return Ok(false) };
    let words = spoken(app, person);
    let item = gather::Item {
        text: words.say(if joins { "mail-join" } else { "mail-reset" }),
        link: link.to_owned(),
    };
    let mail =
        gather::mail(&words, to, words.say("mail-subject-link"), &person.name, vec![item], Vec::new())?;
    let mut write = app.store.write().await?;
    write.add_deliveries(vec![outgoing(app, "mail", (Some(person.id), None), &mail)?]).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(true)
}
