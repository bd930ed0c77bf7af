//! The agent: reads this computer's facts, judges them by the policy, and tells the server.
//!
//! In scope: everything that asks the operating system, the device's key, the spool. Out of scope:
//! deciding what a policy asks; running anything that a server sends.

pub mod certificate;
pub mod check;
pub mod checking_in;
pub mod desktop;
pub mod door;
pub mod enrol;
pub mod facts;
pub mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod host;
pub mod kept;
pub mod losing;
pub mod lost;
pub mod notices;
pub mod place;
pub mod reporting;
pub mod show;
pub mod spool;
pub mod state;
pub mod tunnel;
pub mod wake;
pub mod watch;

/// The version that reports name.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
