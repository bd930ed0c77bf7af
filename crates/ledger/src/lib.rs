//! The ledger: an append-only Merkle log that can be checked with public tools.
//!
//! In scope: leaves, tree, proofs, signed checkpoints and their checks, after RFC 6962 and the C2SP
//! specifications [signed-note](https://c2sp.org/signed-note),
//! [tlog-checkpoint](https://c2sp.org/tlog-checkpoint) and [tlog-tiles](https://c2sp.org/tlog-tiles).
//! Out of scope: storing anything, reading a clock.

pub mod audit;
pub mod checkpoint;
pub mod entry;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod note;
pub mod tile;
pub mod tree;

pub use checkpoint::Checkpoint;
pub use entry::Entry;
pub use note::{NoteKey, NoteSigner};
pub use tree::{Frontier, Hash};
