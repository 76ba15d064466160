//! One message on its way.

use serde::{Deserialize, Serialize};
use trueup_core::model::Timestamp;

use super::backoff::{MAX_WAIT_SECONDS, wait_millis};

/// How long a message is tried, in seconds: three days.
pub(super) const MAX_AGE_SECONDS: u64 = 3 * 24 * 3_600;

/// A message that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Delivery {
    /// The same however often it is sent.
    pub(super) id: String,
    /// The ids of what it is about.
    pub(super) needs: Vec<String>,
    /// The text that is signed and sent.
    pub(super) body: String,
    /// Since when it waits.
    pub(super) queued_at: Timestamp,
    /// When it may be tried again.
    due_at: Timestamp,
    /// How often it was tried in vain.
    pub(super) failures: u32,
}

impl Delivery {
    /// Makes a message that may be sent at once.
    pub(super) fn new(id: String, needs: Vec<String>, body: String, now: Timestamp) -> Self {
        Self { id, needs, body, queued_at: now, due_at: now, failures: 0 }
    }

    /// Returns how long it has to wait, in milliseconds; never longer than the longest wait, even if
    /// the clock was set back.
    pub(super) fn millis_until_due(&self, now: Timestamp) -> u64 {
        let left = self.due_at.as_millis().saturating_sub(now.as_millis());
        u64::try_from(left).unwrap_or_default().min(MAX_WAIT_SECONDS * 1_000)
    }

    /// Notes that it could not be sent.
    pub(super) fn put_off(&mut self, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        let wait = i64::try_from(wait_millis(self.failures, &self.id)).unwrap_or(i64::MAX);
        self.due_at = Timestamp::from_millis(now.as_millis().saturating_add(wait));
    }

    /// Lets it be tried at once.
    pub(super) const fn make_due(&mut self, now: Timestamp) {
        self.due_at = now;
    }

    /// Whether it was tried for long enough.
    pub(super) fn is_too_old(&self, now: Timestamp) -> bool {
        now.seconds_since(self.queued_at) > MAX_AGE_SECONDS
    }
}
