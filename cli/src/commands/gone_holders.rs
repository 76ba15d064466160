//! Items of sessions that may be gone, for somebody who finds nothing to do.

use trueup_core::store::Store;

use crate::command_error::CommandResult;

/// Most sessions that are looked at.
const MAX_SESSIONS: u32 = 16;

/// Says which items are held by sessions that ended or gave no sign of life for longer than their
/// lease, and how they become free. Only a sweep can tell whether such a session is dead.
pub(super) fn describe_gone_holders(store: &mut dyn Store) -> CommandResult<Option<String>> {
    let now = store.database_time()?;
    let silent = store.sessions_with_expired_lease(now, MAX_SESSIONS)?;
    let items: Vec<&str> =
        silent.iter().filter_map(|session| Some(session.item.as_ref()?.as_str())).collect();
    Ok((!items.is_empty()).then(|| {
        format!(
            "held by a session that may be gone: {}; `trueup sessions sweep` frees what a dead one holds",
            items.join(", ")
        )
    }))
}
