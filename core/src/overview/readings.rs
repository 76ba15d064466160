//! What an overview is built from.

use std::collections::BTreeMap;

use crate::model::{LivenessState, SessionId, Timestamp};
use crate::store::OverviewRows;

/// Everything that an overview is built from.
#[derive(Debug, Clone, PartialEq)]
pub struct OverviewReadings {
    /// The rows of the database, all of one moment.
    pub rows: OverviewRows,
    /// Whether each of its sessions lives, as far as this machine can tell.
    pub liveness: BTreeMap<SessionId, LivenessState>,
    /// When today began: what was finished since then is still shown.
    pub day_start: Timestamp,
}
