//! The answer: what changed, and who is told.

use serde::Serialize;
use trueup_core::overview::OverviewChanges;

use super::cache::SharedHistory;
use crate::access::Caller;

/// The overview, or what changed of it, for a caller.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OverviewAnswer {
    #[serde(flatten)]
    changes: OverviewChanges,
    caller: CallerView,
}

/// Who is told.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CallerView {
    /// The name of the token.
    name: String,
    /// The role of the token.
    role: &'static str,
}

impl OverviewAnswer {
    pub(super) fn new(history: &SharedHistory, since: Option<&str>, caller: &Caller) -> Self {
        Self {
            changes: history.changes_since(since),
            caller: CallerView { name: caller.name.to_string(), role: caller.role.as_str() },
        }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        // Every key is a text, so it can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }
}
