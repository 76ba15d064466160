//! One deadline bounds a whole exchange, whatever it is made of.

use std::time::{Duration, Instant};

/// The moment by which an answer is due, on the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// Makes a deadline `duration` from now.
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    /// Returns what is left, zero when it has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Tells whether it has passed.
    pub fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }
}
