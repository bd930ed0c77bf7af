//! Making one message of all that is to be told to somebody, for each way by which they want to be told.

use std::collections::BTreeMap;

use askama::Template;
use stead_model::{Employment, Millis, PersonId};
use stead_store::{
    delivery::Delivery,
    notice::{Choice, Notice},
    people::Person,
};

use super::{Topic, address, choice, line, outgoing, said, spoken};
use crate::{App, channels::Message, error::Refusal, things, words::Words};

/// People told in one round.
const BATCH: i64 = 100;
/// Most things of one message; the page has the rest.
const LONGEST: usize = 12;
/// Most lines on a screen.
const ON_SCREEN: usize = 3;
/// The message that says that a device is well again.
pub(super) const WELL_AGAIN: &str = "notice-device-good";

/// A line of a message, with where it is looked into.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it says.
    pub text: String,
    /// Where.
    pub link: String,
}

#[derive(Template)]
#[template(path = "mail.txt")]
struct MailText<'a> {
    words: &'a Words,
    name: &'a str,
    items: &'a [Item],
    things: &'a [Item],
}

#[derive(Template)]
#[template(path = "mail.html")]
struct MailHtml<'a> {
    words: &'a Words,
    name: &'a str,
    items: &'a [Item],
    things: &'a [Item],
}

/// A mail with these lines, in text and in HTML.
///
/// # Errors
/// [`Refusal`] when it cannot be written.
pub fn mail(
    words: &Words,
    to: String,
    subject: String,
    name: &str,
    items: Vec<Item>,
    things: Vec<Item>,
) -> Result<Message, Refusal> {
    Ok(Message::Mail {
        to,
        subject,
        text: MailText { words, name, items: &items, things: &things }.render()?,
        html: MailHtml { words, name, items: &items, things: &things }.render()?,
    })
}

/// Tells everybody for whom something may go out; how many. Messages to the same person are apart as the operator
/// says; what is about their account waits for nothing.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn run(app: &App) -> Result<usize, Refusal> {
    let now = app.now();
    let mut told = 0;
    for person in app.store.to_be_told(now, now.plus(-app.config.apart), BATCH).await? {
        told += usize::from(tell(app, person, now).await?);
    }
    Ok(told)
}

async fn tell(app: &App, id: PersonId, now: Millis) -> Result<bool, Refusal> {
    let Some(person) = app.store.person(id).await? else { return Ok(false) };
    let words = spoken(app, &person);
    let choice = choice(app, id).await?;
    let held = things::held(app, &person).await?;
    let own = things::own(app, person.id).await?;
    let waiting = things::of(app, &person, (&held, &own), &words).await?;

    let mut write = app.store.write().await?;
    let mut notices = write.untold(id).await?;
    if !notices.iter().any(|notice| notice.hold_until <= now) {
        return Ok(false);
    }
    // What somebody does not want to be sent stays on the page.
    notices.retain(|notice| notice.hold_until.0 < i64::MAX);
    let mut notices = newest_of_each(notices);
    // What is about the account stands on top, then what is newest.
    notices.sort_by_key(|notice| (notice.topic != Topic::Account.word(), std::cmp::Reverse(notice.at)));
    let items: Vec<(bool, Item)> = notices
        .iter()
        .map(|notice| {
            let item = Item { text: said(notice, &words), link: address(app, &notice.link) };
            (notice.topic == Topic::Account.word(), item)
        })
        .collect();
    let waits: Vec<Item> = waiting
        .iter()
        .filter(|thing| thing.due.is_some() || thing.late)
        .take(LONGEST)
        .map(|thing| {
            let due = thing.due.map(|due| {
                let say = if thing.late { "thing-was-by" } else { "thing-by" };
                words.with(say, [("time", words.deadline(due))])
            });
            let text = [Some(thing.title.clone()), due].into_iter().flatten().collect::<Vec<_>>().join(". ");
            Item { text, link: address(app, &thing.link) }
        })
        .collect();
    if !items.is_empty() && person.state != Employment::Gone {
        let ways = ways(app, &person, &choice, (items, waits), &words).await?;
        write.add_deliveries(ways).await?;
    }
    write.told(id, now).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(true)
}

/// Of what was said about the same device the last word counts; and when all is well again before the rest
/// went out, nothing needs saying.
fn newest_of_each(notices: Vec<Notice>) -> Vec<Notice> {
    let mut said: BTreeMap<String, usize> = BTreeMap::new();
    let about = |notice: &Notice| (notice.topic == Topic::Devices.word()).then(|| notice.link.clone());
    for link in notices.iter().filter_map(about) {
        *said.entry(link).or_default() += 1;
    }
    let mut left = said.clone();
    notices
        .into_iter()
        .filter(|notice| {
            let Some(link) = about(notice) else { return true };
            let left = left.entry(link.clone()).or_default();
            *left = left.saturating_sub(1);
            let last = *left == 0;
            let nothing_left = said.get(&link).is_some_and(|n| *n > 1) && notice.say == WELL_AGAIN;
            last && !nothing_left
        })
        .collect()
}

/// As many lines as a message takes, and one that says how many more there are.
fn shortened(app: &App, words: &Words, items: impl Iterator<Item = Item>, most: usize) -> Vec<Item> {
    let mut items: Vec<Item> = items.collect();
    let more = items.len().saturating_sub(most);
    if more > 0 {
        items.truncate(most);
        let text = words.count("mail-more", i64::try_from(more).unwrap_or(i64::MAX));
        items.push(Item { text, link: address(app, "/me/notices") });
    }
    items
}

/// One message for each way by which somebody wants to be told. What is about their account goes by mail in
/// any case; to whoever wants no mail, that and nothing else.
async fn ways(
    app: &App,
    person: &Person,
    choice: &Choice,
    (items, things): (Vec<(bool, Item)>, Vec<Item>),
    words: &Words,
) -> Result<Vec<Delivery>, Refusal> {
    let mut ways = Vec::new();
    let to = (Some(person.id), None);
    let title = |n: usize| words.count("mail-subject", i64::try_from(n).unwrap_or(i64::MAX));
    let all = || items.iter().map(|(_, item)| item.clone());
    if choice.desktop && app.store.devices_of(person.id).await?.iter().any(|d| d.revoked_at.is_none()) {
        let lines = shortened(app, words, all(), ON_SCREEN);
        let text = lines.iter().map(|item| line(&item.text)).collect::<Vec<_>>().join("\n");
        let message = Message::Desktop { title: title(items.len()), text, link: address(app, "/me/notices") };
        ways.push(outgoing(app, "desktop", to, &message)?);
    }
    if !choice.chat.is_empty()
        && let Some(hook) = app.store.hooks().await?.into_iter().find(|hook| hook.people)
    {
        let lines: Vec<String> = shortened(app, words, all(), LONGEST)
            .iter()
            .map(|item| format!("{} {}", line(&item.text), item.link))
            .collect();
        let message = Message::Chat { to: choice.chat.clone(), text: lines.join("\n") };
        ways.push(outgoing(app, "rocketchat", (Some(person.id), Some(hook.id)), &message)?);
    }
    if let Some(to_address) = person.email.clone().filter(|_| app.mail.is_some()) {
        let mailed: Vec<Item> = items
            .iter()
            .filter(|(account, _)| choice.mail || *account)
            .map(|(_, item)| item.clone())
            .collect();
        let things = if choice.mail { things } else { Vec::new() };
        if !mailed.is_empty() {
            let subject = title(mailed.len());
            let lines = shortened(app, words, mailed.into_iter(), LONGEST);
            let message = mail(words, to_address, subject, &person.name, lines, things)?;
            ways.push(outgoing(app, "mail", to, &message)?);
        }
    }
    Ok(ways)
}

#[cfg(test)]
mod tests {
    use stead_model::RecordId;

    use super::*;

    fn notice(n: u8, topic: Topic, say: &str, link: &str) -> Notice {
        Notice {
            id: RecordId::from_parts(Millis(i64::from(n)), [n; 10]).to_string(),
            person: PersonId::from_parts(Millis(1), [1; 10]),
            topic: topic.word().to_owned(),
            source: n.to_string(),
            at: Millis(i64::from(n)),
            say: say.to_owned(),
            given: "{}".to_owned(),
            link: link.to_owned(),
            hold_until: Millis(0),
            told_at: None,
        }
    }

    #[test]
    fn the_last_word_on_a_device_counts() {
        let due = |n| notice(n, Topic::Devices, "notice-device-due", "/devices/a");
        let lapsed = |n| notice(n, Topic::Devices, "notice-device-lapsed", "/devices/a");
        let good = |n| notice(n, Topic::Devices, WELL_AGAIN, "/devices/a");
        let other = |n| notice(n, Topic::Devices, "notice-device-due", "/devices/b");
        let looked = |n| notice(n, Topic::Record, "notice-looked", "/me");
        let says =
            |all: Vec<Notice>| -> Vec<String> { newest_of_each(all).into_iter().map(|n| n.source).collect() };
        assert_eq!(says(vec![due(1), lapsed(2), other(3)]), ["2", "3"]);
        assert_eq!(says(vec![due(1), good(2)]), Vec::<String>::new(), "mended before anything was said");
        assert_eq!(says(vec![good(1)]), ["1"], "it was said before that something was wrong");
        assert_eq!(says(vec![looked(1), looked(2)]), ["1", "2"], "looks are each told");
    }
}
