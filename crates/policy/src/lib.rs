//! Policy packs: a folder of rules, each one file that people read and Stead judges.
//!
//! In scope: reading and checking packs, judging facts by them, their own tests, the register of
//! what the source documents ask. Out of scope: reading a clock or a disk; callers hand in texts.

pub mod expression;
mod expression_check;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod glass;
pub mod judge;
pub mod lint;
pub mod losses;
pub mod os_support;
pub mod pack;
pub mod pack_test;
pub mod requirement;
pub mod rule;
pub mod shipped;
pub mod terms;
pub mod words;

pub use judge::{Judged, Judgement, Previous, judge};
pub use lint::Lint;
pub use pack::Pack;
pub use rule::Rule;
pub use terms::Terms;
