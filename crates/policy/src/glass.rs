//! Who may come in while it is not known whether they may.

use serde::Deserialize;
use stead_model::time::{DAY, MINUTE};

use crate::rule;

/// Two people who may come in while it is not known whether they may: their device has not been heard, or the
/// server cannot look. What is known to be wrong keeps them out as it does anybody.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakGlass {
    /// Their addresses.
    pub people: Vec<String>,
    /// The highest tier that they open so.
    pub tier: String,
    /// For how long, ISO 8601.
    pub lasts: String,
}

impl BreakGlass {
    /// Whether somebody with this address is one of the two.
    pub fn names(&self, email: &str) -> bool {
        self.people.iter().any(|named| named.eq_ignore_ascii_case(email))
    }

    /// For how long, in milliseconds.
    pub fn lasts(&self) -> i64 {
        rule::duration(&self.lasts).unwrap_or(0)
    }

    /// What is wrong with it: the field, what, and what to do.
    pub(crate) fn wrong(&self, tiers: &[String]) -> Option<(&'static str, String, &'static str)> {
        let two = match self.people.as_slice() {
            [one, other] => one.contains('@') && other.contains('@') && !one.eq_ignore_ascii_case(other),
            _ => false,
        };
        if !two {
            let what = "two different people are wanted, by their addresses".to_owned();
            return Some(("people", what, "write people = [\"one@example.org\", \"other@example.org\"]"));
        }
        if !tiers.contains(&self.tier) {
            return Some((
                "tier",
                format!("there is no tier `{}`", self.tier),
                "write one of those in `tiers`",
            ));
        }
        let fits = rule::duration(&self.lasts).is_some_and(|lasts| (5 * MINUTE..=DAY).contains(&lasts));
        (!fits).then(|| ("lasts", format!("`{}` is not a time from PT5M to P1D", self.lasts), "write PT1H"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glass(people: &[&str], tier: &str, lasts: &str) -> BreakGlass {
        BreakGlass {
            people: people.iter().map(|one| (*one).to_owned()).collect(),
            tier: tier.to_owned(),
            lasts: lasts.to_owned(),
        }
    }

    #[test]
    fn it_is_two_different_people_a_tier_and_a_short_time() {
        let tiers = ["open".to_owned(), "standard".to_owned()];
        let wrong = |glass: BreakGlass| glass.wrong(&tiers).map(|(field, ..)| field);
        let two = ["a@x.org", "b@x.org"];
        assert_eq!(wrong(glass(&two, "standard", "PT1H")), None);
        assert_eq!(wrong(glass(&two[..1], "standard", "PT1H")), Some("people"));
        assert_eq!(wrong(glass(&["a@x.org", "A@x.org"], "standard", "PT1H")), Some("people"));
        assert_eq!(wrong(glass(&["a@x.org", "b@x.org", "c@x.org"], "standard", "PT1H")), Some("people"));
        assert_eq!(wrong(glass(&["", ""], "standard", "PT1H")), Some("people"));
        assert_eq!(wrong(glass(&two, "gone", "PT1H")), Some("tier"));
        assert_eq!(wrong(glass(&two, "standard", "P2D")), Some("lasts"));
        assert_eq!(wrong(glass(&two, "standard", "PT1M")), Some("lasts"));
        let good = glass(&two, "standard", "PT1H");
        assert!(good.names("A@X.org") && !good.names("c@x.org") && !good.names(""));
        assert_eq!(good.lasts(), 60 * MINUTE);
    }
}
