//! How a pack applies to one subject: which rules bind it, how far each has been rolled out to it, and what
//! is excepted until when.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{civil::Date, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use stead_model::{Millis, Stage};

use crate::{pack::Pack, rule::Rule};

/// Whom a rule binds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binds {
    /// Everybody.
    #[default]
    All,
    /// Those alone whose own terms name it.
    Named,
}

impl Binds {
    /// The word in rules and on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Named => "named",
        }
    }
}

/// A step of rolling rules out: from a day on, for a unit and all below it, or for everybody.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    /// Ids of the rules.
    pub rules: Vec<String>,
    /// Name of the unit; everybody where there is none.
    pub unit: Option<String>,
    /// How far.
    pub stage: Stage,
    /// The first day, as `2026-12-01`, UTC; from the beginning where there is none.
    #[serde(default, deserialize_with = "day")]
    pub from: Option<Millis>,
}

fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Millis>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let date: Date =
        text.parse().map_err(|_| D::Error::custom("no day: write it as in from = \"2026-12-01\""))?;
    let start = date.to_zoned(TimeZone::UTC).map_err(D::Error::custom)?;
    Ok(Some(Millis(start.timestamp().as_millisecond())))
}

/// How a pack applies to one subject. What is empty changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Names of the units it is in, nearest first.
    pub units: Vec<String>,
    /// Ids of the rules that bind it by name.
    pub bound: BTreeSet<String>,
    /// Until when each rule is excepted, by id.
    pub excepted: BTreeMap<String, Millis>,
}

impl Terms {
    /// Whether a rule binds the subject.
    pub fn binds(&self, rule: &Rule) -> bool {
        match rule.binds {
            Binds::All => true,
            Binds::Named => self.bound.contains(&rule.id),
        }
    }

    /// How far a rule has been rolled out to the subject. The nearest unit for which a step has been taken
    /// decides, there the latest step; where none has, what the rule itself says.
    pub fn stage(&self, pack: &Pack, rule: &Rule, now: Millis) -> Stage {
        let taken =
            |step: &&Rollout| step.from.is_none_or(|from| from <= now) && step.rules.contains(&rule.id);
        let steps: Vec<&Rollout> = pack.manifest.rollout.iter().filter(taken).collect();
        let of = |unit: Option<&str>| {
            steps.iter().filter(|step| step.unit.as_deref() == unit).max_by_key(|step| step.from)
        };
        let near = self.units.iter().find_map(|unit| of(Some(unit)));
        near.or_else(|| of(None)).map_or(rule.stage, |step| step.stage)
    }

    /// Until when a rule is excepted, while it is.
    pub fn excepted(&self, rule: &Rule, now: Millis) -> Option<Millis> {
        self.excepted.get(&rule.id).copied().filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shipped;

    fn pack(rollout: &str) -> Pack {
        let mut files = shipped::remote_work();
        files.entry("pack.toml".to_owned()).or_default().push_str(rollout);
        Pack::load(&files).unwrap()
    }

    fn at(day: &str) -> Millis {
        Millis(day.parse::<Date>().unwrap().to_zoned(TimeZone::UTC).unwrap().timestamp().as_millisecond())
    }

    #[test]
    fn the_nearest_unit_and_its_latest_step_decide() {
        let pack = pack(
            r#"
[[rollout]]
rules = ["disk-encrypted"]
stage = "observe"
[[rollout]]
rules = ["disk-encrypted"]
stage = "enforce"
from = "2026-12-01"
[[rollout]]
rules = ["disk-encrypted", "clock-right"]
unit = "Sales"
stage = "advise"
from = "2026-11-01"
"#,
        );
        let rule = pack.rule("disk-encrypted").unwrap();
        let of = |units: &[&str], day| {
            let units = units.iter().map(|unit| (*unit).to_owned()).collect();
            Terms { units, ..Terms::default() }.stage(&pack, rule, at(day))
        };
        assert_eq!(of(&["Research"], "2026-11-15"), Stage::Observe);
        assert_eq!(of(&["Research"], "2026-12-01"), Stage::Enforce);
        assert_eq!(of(&["Inside", "Sales"], "2026-10-31"), Stage::Observe);
        assert_eq!(of(&["Inside", "Sales"], "2026-12-02"), Stage::Advise, "a unit's own step comes first");
        let other = pack.rule("firewall-on").unwrap();
        assert_eq!(Terms::default().stage(&pack, other, at("2026-12-02")), other.stage);
    }

    #[test]
    fn a_step_that_cannot_be_is_refused() {
        let refused = |rollout: &str| {
            let mut files = shipped::remote_work();
            files.entry("pack.toml".to_owned()).or_default().push_str(rollout);
            Pack::load(&files).unwrap_err()[0].to_string()
        };
        let unknown = refused("[[rollout]]\nrules = [\"nothing\"]\nstage = \"advise\"\n");
        assert!(unknown.contains("no rule `nothing`"), "{unknown}");
        let waits = refused("[[rollout]]\nrules = [\"training-current\"]\nstage = \"enforce\"\n");
        assert!(waits.contains("nothing holds"), "{waits}");
        let day = refused("[[rollout]]\nrules = [\"clock-right\"]\nstage = \"advise\"\nfrom = \"soon\"\n");
        assert!(day.contains("2026-12-01"), "{day}");
    }
}
