//! Facts: something known about a subject, not known and why, or shown not to apply and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A single value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// Yes or no.
    Bool(bool),
    /// A whole number, or a time in milliseconds where the catalogue says so.
    Int(i64),
    /// Words.
    Text(String),
}

/// A field of a list element: known, or not known and why. An element with an unknown field keeps
/// `all` from passing over what was not seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Field {
    /// Could not be read.
    Unknown {
        /// Why not.
        unknown: String,
    },
    /// Was read.
    Known(Scalar),
}

/// One element of a list fact.
pub type Record = BTreeMap<String, Field>;

/// A known value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A single value.
    One(Scalar),
    /// A complete list. A list that may be incomplete is an unknown fact, or holds an element with
    /// an unknown field.
    List(Vec<Record>),
}

/// Known, unknown, or not applicable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactState {
    /// Read from the origin.
    #[serde(rename = "value")]
    Known(Value),
    /// Could not be told, and why.
    Unknown(String),
    /// Shown by evidence not to apply, and why.
    NotApplicable(String),
}

/// One fact, as it travels and is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What is known.
    #[serde(flatten)]
    pub state: FactState,
    /// Where it was read: a file, a command, a record.
    pub origin: String,
}

impl Fact {
    /// A value that was read.
    pub fn known(value: impl Into<Value>, origin: impl Into<String>) -> Self {
        Self { state: FactState::Known(value.into()), origin: origin.into() }
    }

    /// A value that could not be told.
    pub fn unknown(why: impl Into<String>, origin: impl Into<String>) -> Self {
        Self { state: FactState::Unknown(why.into()), origin: origin.into() }
    }

    /// A question that the evidence shows not to arise.
    pub fn not_applicable(why: impl Into<String>, origin: impl Into<String>) -> Self {
        Self { state: FactState::NotApplicable(why.into()), origin: origin.into() }
    }
}

/// All facts of a subject, by name. The order is fixed, so equal facts have equal bytes.
pub type Facts = BTreeMap<String, Fact>;

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::One(Scalar::Bool(value))
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::One(Scalar::Int(value))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::One(Scalar::Text(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::One(Scalar::Text(value.to_owned()))
    }
}

impl From<Vec<Record>> for Value {
    fn from(value: Vec<Record>) -> Self {
        Self::List(value)
    }
}

impl From<bool> for Field {
    fn from(value: bool) -> Self {
        Self::Known(Scalar::Bool(value))
    }
}

impl From<i64> for Field {
    fn from(value: i64) -> Self {
        Self::Known(Scalar::Int(value))
    }
}

impl From<&str> for Field {
    fn from(value: &str) -> Self {
        Self::Known(Scalar::Text(value.to_owned()))
    }
}

impl Field {
    /// A field that could not be read, and why.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown { unknown: why.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_form_is_plain() {
        let volume = Record::from([
            ("mount".to_owned(), Field::from("/")),
            ("encrypted".to_owned(), Field::unknown("not root")),
        ]);
        let facts = Facts::from([
            ("device.volumes".to_owned(), Fact::known(vec![volume], "/proc/mounts")),
            ("device.clock.synchronised".to_owned(), Fact::unknown("timedatectl is missing", "")),
        ]);
        let json = serde_json::to_string(&facts).unwrap();
        assert_eq!(
            json,
            r#"{"device.clock.synchronised":{"unknown":"timedatectl is missing","origin":""},"device.volumes":{"value":[{"encrypted":{"unknown":"not root"},"mount":"/"}],"origin":"/proc/mounts"}}"#
        );
        assert_eq!(serde_json::from_str::<Facts>(&json).unwrap(), facts);
    }
}
