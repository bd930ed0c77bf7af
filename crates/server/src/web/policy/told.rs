//! What a version says and what it changed, in the reader's words.

use std::sync::Arc;

use stead_model::problem::Kind;
use stead_policy::{Pack, pack::Files};

use super::super::{PageError, markdown, nothing_here, parts};
use crate::{
    App,
    error::Refusal,
    flows::policy::{self, diff},
    words::Words,
};

/// A change as a person reads it.
pub(super) struct Told {
    pub(super) rule: String,
    pub(super) title: String,
    /// What happened to it, in words.
    pub(super) change: String,
    /// What it was and is, in words.
    pub(super) fields: Vec<String>,
    /// Whether the rule can be opened: it is in force.
    pub(super) open: bool,
}

/// What changed, in the reader's words.
pub(super) fn told(old: &Pack, new: &Pack, in_force: &Pack, words: &Words) -> Vec<Told> {
    diff::between(old, new)
        .into_iter()
        .map(|changed| {
            let rule = new.rule(&changed.rule).or_else(|| old.rule(&changed.rule));
            let title =
                rule.map_or_else(|| words.say("changed-pack"), |rule| rule.text(words.language.tag()).title);
            let field = |(name, from, to): (String, String, String)| field(words, new, &name, &from, &to);
            Told {
                title,
                change: words.say(format!("change-{}", changed.change.word())),
                fields: changed.fields.into_iter().map(field).collect(),
                open: in_force.rule(&changed.rule).is_some(),
                rule: changed.rule,
            }
        })
        .collect()
}

fn field(words: &Words, pack: &Pack, name: &str, from: &str, to: &str) -> String {
    let grace = |millis: &str| words.length(millis.parse::<i64>().unwrap_or(0));
    let (from, to) = match name {
        "grace" => (grace(from), grace(to)),
        "stage" => (words.say(format!("stage-{from}")), words.say(format!("stage-{to}"))),
        "severity" => (words.say(format!("harm-{from}")), words.say(format!("harm-{to}"))),
        "costs" => (words.tier(from), words.tier(to)),
        _ => (from.to_owned(), to.to_owned()),
    };
    let about = pack.manifest.parameters.get(name).map(|parameter| parameter.about.clone());
    let name = about.unwrap_or_else(|| words.say(format!("changed-{}", name.replace('_', "-"))));
    words.with("changed-field", [("name", name), ("from", from), ("to", to)])
}

/// A version's rules. The one in force is at hand.
pub(super) async fn read(app: &App, digest: &str) -> Result<Arc<Pack>, PageError> {
    let pack = app.pack();
    if pack.digest == digest {
        return Ok(pack);
    }
    let Some((version, text)) = app.store.policy_version(digest).await? else {
        return Err(nothing_here("policy"));
    };
    load(policy::files_of(&version, &text)?).await
}

pub(super) async fn load(files: Files) -> Result<Arc<Pack>, PageError> {
    // What was published was sound; a later Stead may be stricter about how rules are written.
    let loaded = tokio::task::spawn_blocking(move || Pack::load(&files)).await;
    match loaded {
        Ok(Ok(pack)) => Ok(Arc::new(pack)),
        Ok(Err(_)) | Err(_) => Err(Refusal::said(Kind::Conflict, "policy-unreadable").into()),
    }
}

/// One rule of a version, whole.
pub(super) struct Whole {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) why: parts::Html,
    pub(super) sections: Vec<(String, parts::Html)>,
    pub(super) asks: String,
}

pub(super) fn whole(pack: &Pack, words: &Words) -> Vec<Whole> {
    pack.rules
        .iter()
        .map(|rule| {
            let text = rule.text(words.language.tag());
            Whole {
                id: rule.id.clone(),
                title: text.title,
                why: markdown::html(&text.why),
                sections: text
                    .sections
                    .iter()
                    .map(|s| (s.heading.clone(), markdown::html(&s.text)))
                    .collect(),
                asks: rule.pass.source().to_owned(),
            }
        })
        .collect()
}
