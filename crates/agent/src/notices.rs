//! What the person at this computer is told on its screen: asked for now and then, shown through the
//! desktop's own notifications, kept for `stead status`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use stead_model::{
    Millis,
    message::{NOTICES, NOTICES_ASKED, NoticeShown, Notices, NoticesAsked, VERSION},
    seal::{Envelope, SigningKey, VerifyingKey},
    text,
    time::MINUTE,
};

use stead_transport::{SendError, Transport};

use crate::{
    desktop::Session,
    host::Host,
    state::{Identity, State},
};

/// Time between two questions.
pub const ASK_EVERY: i64 = 10 * MINUTE;
/// Messages kept.
const KEPT: usize = 20;
/// How long the desktop may take to show one.
const LIMIT: Duration = Duration::from_secs(5);

/// A message and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptNotice {
    /// The message.
    #[serde(flatten)]
    pub notice: NoticeShown,
    /// When it came.
    pub at: Millis,
    /// Whether the desktop has shown it.
    pub shown: bool,
    /// Whether the server knows that it was shown.
    pub told: bool,
}

/// Asks what is to be told, and shows it.
///
/// # Errors
/// When the server refuses or is away, or the state cannot be written.
pub fn ask(
    state: &State,
    identity: &Identity,
    (key, answer_key): (&SigningKey, &VerifyingKey),
    transport: &Transport,
    host: &Host,
    now: Millis,
) -> anyhow::Result<usize> {
    let mut kept = state.notices()?;
    let question = NoticesAsked {
        v: VERSION,
        device: identity.device,
        at: now,
        shown: kept.iter().filter(|kept| kept.shown && !kept.told).map(|kept| kept.notice.id).collect(),
    };
    let envelope = key.seal(NOTICES_ASKED, &serde_json::to_vec(&question)?, &identity.device.to_string());
    let text = transport.post("/api/v1/notices", &envelope)?;
    let answer = opened(&text, answer_key)
        .filter(|answer| answer.device == identity.device && answer.asked_at == now)
        .ok_or_else(|| SendError::Away("its answer is not sealed for this question".to_owned()))?;
    kept.iter_mut().filter(|kept| kept.shown).for_each(|kept| kept.told = true);
    // What another of the person's computers has shown meanwhile is not shown again.
    kept.retain(|kept| kept.shown || answer.notices.iter().any(|notice| notice.id == kept.notice.id));
    for notice in answer.notices {
        if !kept.iter().any(|kept| kept.notice.id == notice.id) {
            kept.push(KeptNotice { notice, at: now, shown: false, told: false });
        }
    }
    let mut showed = 0;
    for kept in kept.iter_mut().filter(|kept| !kept.shown) {
        kept.shown = show(host, &kept.notice);
        showed += usize::from(kept.shown);
    }
    let older = kept.len().saturating_sub(KEPT);
    kept.drain(..older);
    state.set_notices(&kept)?;
    Ok(showed)
}

fn opened(text: &str, key: &VerifyingKey) -> Option<Notices> {
    let envelope: Envelope = serde_json::from_str(text).ok()?;
    let opened = envelope.open(NOTICES, key).ok()?;
    serde_json::from_slice(opened.bytes()).ok()
}

/// Shows a message on the desktop; whether it did.
fn show(host: &Host, notice: &NoticeShown) -> bool {
    let Ok(Some(session)) = Session::find(host) else { return false };
    // Desktops take some HTML in the text.
    let plain = |words: &str| {
        words
            .lines()
            .map(|line| text::plain(line, 300))
            .collect::<Vec<_>>()
            .join("\n")
            .replace('&', "&amp;")
            .replace('<', "&lt;")
    };
    let title = text::plain(&notice.title, 100);
    let body = plain(&[notice.text.as_str(), notice.link.as_str()].join("\n"));
    session.run(host, "notify-send", &["--app-name=Stead", "--", &title, &body], LIMIT).is_ok()
}

#[cfg(test)]
mod tests {
    use stead_model::RecordId;

    use super::*;
    use crate::facts::testing::machine;

    #[test]
    fn what_comes_is_shown_as_text_to_whoever_is_at_the_screen() {
        let notice = NoticeShown {
            id: RecordId::from_parts(Millis(1), [1; 10]),
            title: "A message for you in Stead".to_owned(),
            text: "“laptop <1>” has something to mend.\nTwo\u{1b}[31m".to_owned(),
            link: "https://stead.example/me/notices".to_owned(),
        };
        let sessions = [
            ("/run/systemd/sessions/1", "CLASS=user\nTYPE=wayland\nUID=1000\nDESKTOP=gnome\n"),
            ("/etc/passwd", "sam:x:1000:1000::/home/sam:/bin/sh\n"),
        ];
        let (host, _folder) = machine(0, &sessions);
        assert!(!show(&host, &notice), "nothing there shows messages");
        let line = "setpriv --reuid=1000 --regid=1000 --init-groups /usr/bin/env HOME=/home/sam \
            XDG_RUNTIME_DIR=/run/user/1000 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus \
            /usr/bin/notify-send --app-name=Stead -- A message for you in Stead \
            “laptop &lt;1>” has something to mend.\nTwo\u{fffd}[31m\nhttps://stead.example/me/notices";
        let (host, _folder) = machine(0, &sessions);
        assert!(show(&host.answering(line, Ok("")), &notice));
    }
}
