//! What the commands on hand-offs show alike.

use serde_json::{Value, json};
use trueup_core::model::{Handoff, SessionId};

use crate::views;

/// Builds the `data` of a command on one hand-off.
pub(super) fn handoff_data(handoff: &Handoff) -> Value {
    json!({"handoff": views::handoff_view(handoff)})
}

/// Describes the receiver of a hand-off.
pub(super) fn describe_addressee(handoff: &Handoff) -> &str {
    handoff.to.as_ref().map_or("any session", SessionId::as_str)
}
