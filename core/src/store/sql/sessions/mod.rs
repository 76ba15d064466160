//! Sessions.

mod lifecycle;
mod load;
mod state;

use crate::model::SessionId;
use crate::store::StoreError;

pub(super) use lifecycle::{
    end_session, record_heartbeat, record_heartbeat_of_any, register_session, write_end,
};
pub(super) use load::{
    SELECT_SESSION, check_registered, is_registered, list_peers, list_sessions, load_registered,
    load_session, prefetch_is_registered, prefetch_peers, prefetch_session, prefetch_sessions,
    session_from_row, sessions_with_expired_lease,
};
pub(super) use state::{
    acknowledge_revision, merge_metadata, patch_execution_state, push_state, start_work_on_item,
    write_push,
};

pub(super) use lifecycle::STATEMENTS as LIFECYCLE_STATEMENTS;
pub(super) use load::STATEMENTS as LOAD_STATEMENTS;
pub(super) use state::STATEMENTS as STATE_STATEMENTS;

/// Every key of a session's metadata that it may lack, as arguments of `json_insert`: a reader of
/// the column by plain SQL finds them all, absent values as `null`.
const METADATA_DEFAULTS: &str = "'$.auto_proceed', json('false'), '$.chain_orchestrators', \
     json('false'), '$.execution_state.currentSd', NULL, '$.execution_state.currentPhase', NULL, \
     '$.execution_state.currentTask', NULL, '$.execution_state.isActive', json('false'), \
     '$.execution_state.wasInterrupted', json('false'), '$.execution_state.lastUpdatedAt', NULL";

fn unregistered_error(id: &SessionId) -> StoreError {
    StoreError::invalid(format!("session {id} is not registered"))
}

/// Writes a duration as a modifier of SQLite's date functions.
fn seconds_modifier(count: u64) -> String {
    format!("+{count} seconds")
}
