//! The nouns of Stead: ids, times, facts, findings, sealed messages.
//!
//! In scope: types, their wire forms, digests and signatures over them.
//! Out of scope: reading a clock, drawing randomness, any input or output. Callers pass both in.

pub mod catalogue;
pub mod certificate;
pub mod fact;
pub mod finding;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod id;
pub mod json;
pub mod loss;
pub mod message;
pub mod person;
pub mod problem;
pub mod seal;
pub mod subject;
pub mod text;
pub mod time;
pub mod tunnel;

pub use fact::{Fact, FactState, Facts, Scalar, Value};
pub use finding::{Finding, Outcome, Severity, Stage, Standing};
pub use id::{DeviceId, PersonId, RecordId, SessionId, UnitId};
pub use person::{Employment, Role};
pub use subject::Subject;
pub use time::Millis;
