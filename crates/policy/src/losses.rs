//! What is done when something is lost: the steps, who takes each, and by when.

use std::collections::BTreeMap;

use serde::Deserialize;
use stead_model::{
    Role,
    loss::Thing,
    time::{DAY, MINUTE},
};

use crate::{
    pack::{Said, said},
    rule,
};

/// What is done when something is lost.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Losses {
    /// The number to call, day and night; empty where there is none.
    pub call: String,
    /// The steps, in their order. Those with a time are clocks that begin when the loss is told.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name, which never changes.
    pub name: String,
    /// What is to be done.
    pub asks: Said,
    /// Who does it: `person`, or a role.
    pub by: By,
    /// Within what time, ISO 8601; none where nothing presses.
    #[serde(default)]
    pub within: Option<String>,
    /// What it is done for; everything where nothing is named.
    #[serde(default)]
    pub things: Vec<Thing>,
    /// Whether it is done where something was stolen, and nowhere else.
    #[serde(default)]
    pub stolen: bool,
}

/// Who takes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum By {
    /// Whose thing it is.
    Person,
    /// Whoever holds this role for them.
    Role(Role),
}

impl By {
    /// The word in packs and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Role(role) => role.word(),
        }
    }

    /// The one for a [`By::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "person" => Some(Self::Person),
            word => Role::from_word(word).map(Self::Role),
        }
    }
}

impl TryFrom<String> for By {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        Self::from_word(&word)
            .ok_or_else(|| format!("`{word}` takes no step; name `person`, or a role such as `security`"))
    }
}

/// The step in which it is decided whether somebody's data is at risk.
pub const TRIAGE: &str = "triage";
/// The last step.
pub const REVIEW: &str = "review";

impl Step {
    /// Within what time it is to be done, in milliseconds.
    pub fn within(&self) -> Option<i64> {
        self.within.as_deref().and_then(rule::duration)
    }

    /// Whether it is done for such a thing.
    pub fn is_for(&self, thing: Thing, stolen: bool) -> bool {
        (self.things.is_empty() || self.things.contains(&thing)) && (stolen || !self.stolen)
    }

    /// What is to be done, in a reader's language.
    pub fn asks(&self, language: &str) -> &str {
        said(&self.asks, language)
    }
}

impl Default for Losses {
    /// What holds where a policy says nothing: look, decide, and tell the authority within the 72 hours of
    /// Article 33 of the GDPR.
    fn default() -> Self {
        let step = |name: &str, en: &str, pt: &str, within: &str| Step {
            name: name.to_owned(),
            asks: BTreeMap::from([("en".to_owned(), en.to_owned()), ("pt-BR".to_owned(), pt.to_owned())]),
            by: By::Role(Role::Security),
            within: Some(within.to_owned()),
            things: Vec::new(),
            stolen: false,
        };
        Self {
            call: String::new(),
            steps: vec![
                step("look", "See that every door is shut", "Ver se todas as portas estão fechadas", "PT1H"),
                step(
                    TRIAGE,
                    "Decide whether somebody’s data is at risk, and tell the authority if so",
                    "Decidir se há risco para os dados de alguém e, se houver, avisar a autoridade",
                    "PT72H",
                ),
                step(REVIEW, "Write down what was learned", "Registrar o que se aprendeu", "P14D"),
            ],
        }
    }
}

impl Losses {
    /// The step of this name.
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// What is wrong with them: what stands there, what is wrong, and what to do.
    pub(crate) fn wrong(&self) -> Vec<(String, String, &'static str)> {
        const MOST: usize = 30;
        let mut wrong = Vec::new();
        if self.steps.len() > MOST {
            let what = format!("more than {MOST} steps for a loss");
            wrong.push(("losses".to_owned(), what, "keep those that somebody will take"));
        }
        for (place, step) in self.steps.iter().enumerate() {
            let name = &step.name;
            let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if name.is_empty() || name.len() > 40 || !name.chars().all(good) {
                let what = format!("`{name}` is no name for a step");
                wrong.push((
                    name.clone(),
                    what,
                    "write lower-case letters, digits and hyphens, as in tell-insurer",
                ));
            }
            if self.steps[..place].iter().any(|before| before.name == *name) {
                wrong.push((
                    name.clone(),
                    format!("two steps are called `{name}`"),
                    "give each its own name",
                ));
            }
            if step.asks.get("en").is_none_or(|words| words.trim().is_empty()) {
                let what = format!("the step `{name}` has no words");
                wrong.push((
                    name.clone(),
                    what,
                    "write asks = { en = \"…\" }, and other languages beside it",
                ));
            }
            if !matches!(step.by, By::Person | By::Role(Role::Coordinator | Role::Security)) {
                let what = format!("the step `{name}` is for {}, who does not handle losses", step.by.word());
                wrong.push((name.clone(), what, "write by = \"person\", \"coordinator\" or \"security\""));
            }
            if let Some(within) = &step.within
                && !rule::duration(within).is_some_and(|time| (MINUTE..=366 * DAY).contains(&time))
            {
                let what = format!("`{within}` is not a time from PT1M to P366D");
                wrong.push((within.clone(), what, "write minutes, hours or days as in PT30M, PT72H or P14D"));
            }
        }
        for needed in [TRIAGE, REVIEW] {
            if self.step(needed).is_none() {
                let what = format!("losses have no step `{needed}`");
                wrong.push(("losses".to_owned(), what, "add one of that name: a loss is closed by it"));
            }
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn losses(text: &str) -> Result<Losses, toml::de::Error> {
        toml::from_str(text)
    }

    const ENDS: &str = "[[steps]]\nname = \"triage\"\nasks = { en = \"Decide\" }\nby = \"security\"\nwithin = \"PT72H\"\n\
        [[steps]]\nname = \"review\"\nasks = { en = \"Learn\" }\nby = \"coordinator\"\n";

    #[test]
    fn what_holds_by_itself_is_sound() {
        assert_eq!(Losses::default().wrong(), []);
        assert_eq!(losses(ENDS).unwrap().wrong(), []);
        assert_eq!(losses(ENDS).unwrap().step(TRIAGE).unwrap().within(), Some(3 * DAY));
    }

    #[test]
    fn a_step_says_for_what_it_is_taken() {
        let all = losses(&format!(
            "{ENDS}[[steps]]\nname = \"police\"\nasks = {{ en = \"Tell the police\" }}\nby = \"person\"\n\
             things = [\"computer\", \"phone\"]\nstolen = true\n"
        ))
        .unwrap();
        let police = all.step("police").unwrap();
        assert_eq!(police.by, By::Person);
        assert!(police.is_for(Thing::Computer, true) && !police.is_for(Thing::Computer, false));
        assert!(!police.is_for(Thing::Papers, true));
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let wrong =
            |text: &str| losses(text).unwrap().wrong().into_iter().map(|(at, ..)| at).collect::<Vec<_>>();
        assert_eq!(
            wrong("call = \"+1 555 0100\""),
            Vec::<String>::new(),
            "the steps that hold by themselves"
        );
        assert_eq!(wrong("steps = []"), ["losses", "losses"]);
        let step = |more: &str| format!("{ENDS}[[steps]]\nby = \"security\"\n{more}");
        assert_eq!(wrong(&step("name = \"A b\"\nasks = { en = \"x\" }")), ["A b"]);
        assert_eq!(wrong(&step("name = \"review\"\nasks = { en = \"x\" }")), ["review"]);
        assert_eq!(wrong(&step("name = \"x\"\nasks = { pt-BR = \"x\" }")), ["x"]);
        assert_eq!(wrong(&step("name = \"x\"\nasks = { en = \"x\" }\nwithin = \"soon\"")), ["soon"]);
        assert!(losses("[[steps]]\nname = \"x\"\nasks = { en = \"x\" }\nby = \"nobody\"").is_err());
    }
}
