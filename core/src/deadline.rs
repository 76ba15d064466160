//! A deadline that bounds all waits of one run.

use std::time::{Duration, Instant};

/// The moment by which an answer is due, on the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// Returns the deadline `duration` from now.
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    /// Returns the time left; zero once it has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Returns whether it has passed.
    pub fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }
}
