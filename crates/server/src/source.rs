//! Time and randomness, given and never taken: tests set both.

use aws_lc_rs::rand;
use stead_model::Millis;

/// A clock.
pub trait Clock: Send + Sync {
    /// The time.
    fn now(&self) -> Millis;
}

/// The system's clock.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the server's one reading of the clock; everything else asks a Clock"
    )]
    fn now(&self) -> Millis {
        Millis(jiff::Timestamp::now().as_millisecond())
    }
}

/// A source of randomness.
pub trait Randomness: Send + Sync {
    /// Fills `out` with random bytes; whether it could.
    fn fill(&self, out: &mut [u8]) -> bool;
}

/// The system's randomness.
#[derive(Debug)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, out: &mut [u8]) -> bool {
        rand::fill(out).is_ok()
    }
}
