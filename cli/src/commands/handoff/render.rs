//! What the commands on hand-offs show alike.

use serde_json::{Value, json};
use trueup_core::model::{Handoff, SessionId};
use trueup_core::views::HandoffView;

/// Builds the `data` of a command on one hand-off.
pub(super) fn handoff_data(handoff: &Handoff) -> Value {
    json!({"handoff": HandoffView::from(handoff)})
}

/// Describes the receiver of a hand-off.
pub(super) fn describe_addressee(handoff: &Handoff) -> &str {
    handoff.to.as_ref().map_or("any session", SessionId::as_str)
}
