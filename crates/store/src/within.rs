//! Whose rows somebody is shown. Lists ask for those alone, so that nobody else's crowd them out.

use stead_model::{PersonId, UnitId};

/// People as a list narrows them down: oneself, those whom one manages by name, and those of units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Within {
    /// Everybody.
    All,
    /// Some.
    Some {
        /// Oneself.
        person: PersonId,
        /// Units whose people, and those of all units below, are among them.
        units: Vec<UnitId>,
    },
}

impl Within {
    /// Those whom somebody may have to do with, by the units in which they hold a role.
    pub fn of(person: PersonId, units: Vec<UnitId>) -> Self {
        if units.contains(&UnitId::ORGANISATION) { Self::All } else { Self::Some { person, units } }
    }

    /// The condition on the row `p` of a person; [`values`](Self::values) stand from place `first` on.
    pub(crate) fn text(&self, first: usize) -> String {
        match self {
            Self::All => "1 = 1".to_owned(),
            Self::Some { units, .. } => {
                let places: Vec<String> = (0..units.len()).map(|n| format!("${}", first + 1 + n)).collect();
                let below = match places.is_empty() {
                    true => String::new(),
                    false => format!(
                        " OR p.unit_id IN (SELECT unit_id FROM unit_above WHERE above_id IN ({}))",
                        places.join(", ")
                    ),
                };
                format!("(p.id = ${first} OR p.manager_id = ${first}{below})")
            }
        }
    }

    /// What is bound to the places of [`text`](Self::text).
    pub(crate) fn values(&self) -> Vec<String> {
        match self {
            Self::All => Vec::new(),
            Self::Some { person, units } => {
                std::iter::once(person.to_string()).chain(units.iter().map(ToString::to_string)).collect()
            }
        }
    }
}
