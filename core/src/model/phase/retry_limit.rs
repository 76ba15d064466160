//! How often a phase may be started within a short time.

use crate::model::Timestamp;
use serde::{Deserialize, Serialize};

/// Most starts of one phase within [`COOLDOWN_SECONDS`]. The limit stops a workflow that relaunches
/// itself in a loop.
pub const MAX_STARTS: usize = 3;

/// How far back starts count, in seconds.
pub const COOLDOWN_SECONDS: u64 = 30 * 60;

/// A phase that was started too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryLimit {
    /// How many starts count.
    pub starts: usize,
    /// When the first of them was.
    pub since: Timestamp,
    /// When it may be started again.
    pub until: Timestamp,
}

/// Checks the latest starts within the cooldown, newest first; the first [`MAX_STARTS`] decide.
pub(super) fn check_retry_limit(latest_starts: &[Timestamp]) -> Option<RetryLimit> {
    let counted = latest_starts.get(..MAX_STARTS)?;
    let since = *counted.last()?;
    let cooldown = i64::try_from(COOLDOWN_SECONDS * 1000).unwrap_or(i64::MAX);
    Some(RetryLimit {
        starts: counted.len(),
        since,
        until: Timestamp::from_millis(since.as_millis().saturating_add(cooldown)),
    })
}
