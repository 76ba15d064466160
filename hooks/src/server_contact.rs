//! Whether an event has anything for a database on a server.
//!
//! Most tool calls change nothing that it keeps. A hook that finds nothing new here leaves the
//! replica alone, and starts no pull until the lease is due for renewal; what others changed
//! meanwhile is told by the next prompt.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use trueup_core::fs::write_private;
use trueup_core::hook::HookEvent;
use trueup_core::model::AttentionKind;
use trueup_core::reconcile::Reading;
use trueup_core::sync::{SessionReports, observe_without_database};

use crate::HookContext;
use crate::record_event::find_task_change;
use crate::share_state::has_unshared_state;

/// Notes that the session is registered at the server, and its lease is not due for renewal.
pub(crate) fn note_contact(context: &HookContext) {
    if context.is_remote() {
        // Without the note, the next event contacts the server again.
        let _ = write_private(&contact_note(context), b"");
    }
}

/// Returns whether a push may have something for the server. `operation` is the number of the tool
/// call.
pub(crate) fn needs_contact(context: &HookContext, operation: Option<u64>) -> bool {
    let is_plain_event = match &context.payload.event {
        HookEvent::AfterTool(_) => find_task_change(context).is_none(),
        HookEvent::SubagentStop => true,
        _ => false,
    };
    !is_plain_event
        || is_checkpoint_due(context, operation)
        || is_renewal_due(context)
        || !context.run.outbox().is_idle()
        || has_report_to_end(context)
        || has_local_changes(context)
        || has_unshared_state(context)
}

/// Returns whether something is reported that the agent's next step may have ended.
fn has_report_to_end(context: &HookContext) -> bool {
    let reports = SessionReports::read(&context.run, &context.payload.session);
    reports.is_open(AttentionKind::WaitsForInput) || reports.is_open(AttentionKind::GateRefusal)
}

/// Returns whether this is the operation after which a checkpoint is recorded.
pub(crate) fn is_checkpoint_due(context: &HookContext, operation: Option<u64>) -> bool {
    operation.is_some_and(|number| number % context.run.settings.checkpoint_every == 0)
}

/// Returns whether the last contact is so long ago that the lease may be due for renewal. A note
/// from the future tells nothing.
fn is_renewal_due(context: &HookContext) -> bool {
    let renewal = Duration::from_secs(context.run.settings.renewal_seconds());
    let noted_at = contact_note(context).symlink_metadata().and_then(|data| data.modified());
    let age = noted_at.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    age.is_none_or(|age| age >= renewal)
}

/// Returns whether the cache was edited or cannot be used, or another branch is checked out. A
/// missing cache has no edits; the next prompt writes it again.
fn has_local_changes(context: &HookContext) -> bool {
    let observation = observe_without_database(&context.payload.session, "", &context.run);
    match observation.snapshot.cache {
        Reading::Missing => false,
        Reading::Fresh(cache) => {
            !cache.is_stamped()
                || cache.session.as_ref() != Some(&context.payload.session)
                || !cache.edited.is_empty()
                || !cache.malformed.is_empty()
                || context.run.branch().is_some_and(|branch| cache.branch != Some(branch))
        }
        Reading::Corrupt(_) | Reading::Unavailable(_) => true,
    }
}

/// The file whose modification time is that of the session's last contact.
fn contact_note(context: &HookContext) -> PathBuf {
    let name = format!("{}.contact", context.payload.session);
    context.run.settings.paths.counters().join(name)
}
