//! How often a phase may be started.

use crate::model::Timestamp;

/// Most starts of one phase within [`COOLDOWN_SECONDS`].
///
/// Source: seed 1, after a loop that relaunched itself had made 32 copies of one workflow.
pub const MAX_STARTS: usize = 3;

/// How far back starts count, in seconds (seed 1: 30 minutes).
pub const COOLDOWN_SECONDS: u64 = 30 * 60;

/// A phase that was started too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryLimit {
    /// How often.
    pub starts: usize,
    /// Since when.
    pub since: Timestamp,
    /// From when on it may be started again.
    pub until: Timestamp,
}

/// Judges by the latest starts within the cooldown, newest first, of which [`MOST_STARTS`] are
/// enough.
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
