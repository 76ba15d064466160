//! Telling the server what hooks noted in a replica.

use super::run_context::{RunContext, now};
use crate::model::{Lineage, SessionId};
use crate::replica::{LocalMarks, ReplicaFile};
use crate::store::{HeartbeatRequest, HookStore, StoreError};

/// Tells the server what hooks noted in the replica of a session.
///
/// # Errors
///
/// When the server cannot be used.
pub fn send_marks(
    store: &mut dyn HookStore,
    lineage: &Lineage,
    session: &SessionId,
    context: &RunContext,
) -> Result<(), StoreError> {
    let file = ReplicaFile::of_session(&context.settings.paths, lineage, session);
    let Some(marks) = file.read().map(|it| it.marks).filter(|marks| !marks.is_empty()) else {
        return Ok(());
    };
    let LocalMarks { acknowledged, status, silent_until, shown_handoffs } = marks;
    let Some(session) = store.load_session(session)? else {
        return Ok(());
    };
    if let Some(revision) = acknowledged.filter(|revision| *revision > session.acknowledged) {
        store.acknowledge_revision(&session.id, revision)?;
    }
    if !shown_handoffs.is_empty() {
        let notices = store.list_handoff_notices(&session.id, true)?;
        let is_shown = |id| shown_handoffs.contains(id);
        for (_, handoff) in notices.iter().filter(|(_, it)| it.is_unread() && is_shown(&it.id)) {
            store.mark_handoff_shown(handoff)?;
        }
    }
    let status = status.filter(|status| *status != session.status);
    let quiet_seconds = silent_until.map(|until| until.seconds_since(now()));
    let quiet_seconds = quiet_seconds.filter(|seconds| *seconds > session.quiet_seconds_left());
    if status.is_some() || quiet_seconds.is_some() {
        store.record_heartbeat(&HeartbeatRequest {
            session: session.id,
            lease_seconds: None,
            status,
            quiet_seconds,
        })?;
    }
    Ok(())
}
