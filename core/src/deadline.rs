//! A deadline that bounds all waits of one run.

use std::time::{Duration, Instant};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest time that another process may ask for in a request.
pub const MAX_REQUESTED_TIME: Duration = Duration::from_secs(30);

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

/// Between processes a deadline is the number of milliseconds that are left.
impl Serialize for Deadline {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        u64::try_from(self.remaining().as_millis()).unwrap_or(u64::MAX).serialize(serializer)
    }
}

/// A deadline that another process asks for is at most [`MAX_REQUESTED_TIME`] away.
impl<'de> Deserialize<'de> for Deadline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let left = Duration::from_millis(u64::deserialize(deserializer)?);
        Ok(Self::after(left.min(MAX_REQUESTED_TIME)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_more_time_than_the_longest() {
        for (sent, longest_seconds) in [("0", 0), ("1500", 2), ("30001", 30)] {
            let deadline: Deadline = serde_json::from_str(sent).unwrap();
            assert!(deadline.remaining() <= Duration::from_secs(longest_seconds), "{sent}");
        }
        let endless: Deadline = serde_json::from_str(&u64::MAX.to_string()).unwrap();
        assert!(endless.remaining() <= MAX_REQUESTED_TIME);
        let sent = serde_json::to_string(&Deadline::after(Duration::from_secs(9))).unwrap();
        assert!(sent.parse::<u64>().unwrap() <= 9000);
    }
}
