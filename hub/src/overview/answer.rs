//! The answer: what changed, and who is told.

use serde::Serialize;
use trueup_core::model::{TokenName, TokenRole};
use trueup_core::overview::OverviewChanges;

use super::cache::SharedHistory;
use crate::access::Caller;

/// The overview, or what changed of it, for a caller.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct OverviewAnswer {
    #[serde(flatten)]
    changes: OverviewChanges,
    caller: OverviewCaller,
}

/// Who is told.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
struct OverviewCaller {
    /// The name of the token.
    name: TokenName,
    /// What its bearer may do.
    role: TokenRole,
}

impl OverviewAnswer {
    pub(super) fn new(history: &SharedHistory, since: Option<&str>, caller: &Caller) -> Self {
        Self {
            changes: history.changes_since(since),
            caller: OverviewCaller { name: caller.name.clone(), role: caller.role },
        }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        // Every key is a text, so it can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }
}
