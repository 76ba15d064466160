//! The sessions that checks inspect.

use trueup_core::model::{Session, SessionStatus};
use trueup_core::store::SessionFilter;

use crate::command_context::CommandContext;

/// Most sessions inspected, latest sign of life first.
const MAX_SESSIONS_INSPECTED: u32 = 100;

/// Lists sessions that have not ended. A database that cannot be read has none here: other checks
/// report it.
pub(super) fn list_present_sessions(context: &CommandContext) -> Vec<Session> {
    let filter = SessionFilter {
        statuses: SessionStatus::PRESENT.to_vec(),
        limit: MAX_SESSIONS_INSPECTED,
        ..SessionFilter::default()
    };
    let sessions =
        context.open_for_reading().ok().and_then(|mut store| store.list_sessions(&filter).ok());
    sessions.unwrap_or_default()
}

/// Tells whether a session of this machine has given a sign of life within its lease.
pub(super) fn is_live_here(session: &Session, context: &CommandContext) -> bool {
    !session.is_lease_expired() && session.host.as_ref() == Some(&context.run.host)
}
