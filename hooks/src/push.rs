//! `checkpoint-push`: brings local changes to the database.

use crate::detached_pull::start_pull;
use crate::embedded_database::EmbeddedDatabase;
use crate::enqueue_offline::{enqueue_after_error, enqueue_event};
use crate::hook_context::{keep_changes_to_user_work, render_findings, render_unfixed};
use crate::replica_database::ReplicaDatabase;
use crate::report_attention::report_session;
use crate::server_contact::{is_checkpoint_due, needs_contact};
use crate::session_database::SessionDatabase;
use crate::share_state::{has_unshared_state, share_with_repos};
use crate::{HookContext, HookOutcome, lost_notices, operation_counter, suggest_check};
use trueup_core::diagnostic::{Code, Divergence};
use trueup_core::hook::{HookEvent, HookResponse};
use trueup_core::model::{Session, SessionStatus};
use trueup_core::store::{HeartbeatRequest, HookStore, StoreError};
use trueup_core::sync::{DrainReport, SyncError, is_known_by_id_only, true_up};

/// Handles the events after which something may have changed.
pub(crate) fn handle_event(context: &HookContext) -> HookOutcome {
    if matches!(
        context.payload.event,
        HookEvent::SessionStart(_)
            | HookEvent::Prompt(_)
            | HookEvent::BeforeTool(_)
            | HookEvent::BeforeSkillLine(_)
    ) {
        return HookOutcome::default();
    }
    if context.payload.event == HookEvent::FileChanged {
        return handle_file_changed(context);
    }
    let operations = count_operations(context);
    if context.is_remote() && !needs_contact(context, operations) {
        return HookOutcome::default();
    }
    if context.is_remote() {
        record_checkpoint_event::<ReplicaDatabase>(context, operations)
    } else {
        record_checkpoint_event::<EmbeddedDatabase>(context, operations)
    }
}

fn record_checkpoint_event<S: SessionDatabase>(
    context: &HookContext,
    operations: Option<u64>,
) -> HookOutcome {
    let mut drained = DrainReport::default();
    let mut lost_lines = Vec::new();
    let mut outcome = match push_checkpoint::<S>(context, operations, &mut drained, &mut lost_lines)
    {
        Ok(outcome) => outcome,
        Err(error) => {
            let outcome = enqueue_after_error(context, &error);
            S::retry_later(context);
            outcome
        }
    };
    // The next session is not the one whose writes were superseded, so its lines name the session.
    lost_lines.extend(drained.describe_lost_edits(None));
    outcome.notes.extend(lost_notices::save_for_next_start(context, &lost_lines));
    outcome.with_user_lines(drained.describe_problems(&context.run, Some(&context.payload.session)))
}

/// Shares STATE.md after somebody saved it. No session acted, so nothing else is due.
fn handle_file_changed(context: &HookContext) -> HookOutcome {
    if context.is_remote() && !has_unshared_state(context) {
        return HookOutcome::default();
    }
    if context.is_remote() {
        start_pull(context);
        return HookOutcome::default();
    }
    match EmbeddedDatabase::open(context) {
        Ok(mut store) => {
            HookOutcome { notes: share_with_repos(context, &mut store), ..HookOutcome::default() }
        }
        // Nothing was registered yet.
        Err(StoreError::Missing(_)) => HookOutcome::default(),
        Err(error) => HookOutcome::from_note(format!("trueup: STATE.md was not shared: {error}")),
    }
}

/// Counts a tool call. `None` for other events, and when it cannot be counted.
fn count_operations(context: &HookContext) -> Option<u64> {
    if !matches!(context.payload.event, HookEvent::AfterTool(_)) {
        return None;
    }
    let counters = context.run.settings.paths.counters();
    operation_counter::count_operation(&counters, &context.payload.session).ok()
}

fn push_checkpoint<S: SessionDatabase>(
    context: &HookContext,
    operations: Option<u64>,
    drained: &mut DrainReport,
    lost_lines: &mut Vec<String>,
) -> Result<HookOutcome, SyncError> {
    let mut store = match S::open(context) {
        // No session was registered yet; the next start registers one.
        Err(StoreError::Missing(_)) if !context.was_synced() => return Ok(HookOutcome::default()),
        other => other?,
    };
    drained.add(S::drain_waiting(context, &mut store));
    let session = load_or_register::<S>(context, &mut store)?;
    context.set_session_base(&session);
    renew_lease(context, &mut store, &session)?;
    let registered_at = session.registered_at;
    // Local edits come first: recording the event raises the revision that they are based on.
    let synced = true_up(&mut store, session, &[], &context.run)?;
    context.set_session_base(&synced.session);
    lost_lines.extend(lost_edit_lines(&synced.found));
    let mut found = keep_changes_to_user_work(synced.fixed_findings());
    let mut notes = render_unfixed(&synced.problems);
    let has_problems = !synced.problems.is_empty();
    report_session(context, &mut store, &synced);
    let mut lost_write = None;
    let changed_session = if drained.counts.is_waiting {
        let queued = enqueue_event(context);
        notes.extend(queued.notes);
        lost_write = queued.lost;
        context.mark_event_recorded();
        None
    } else {
        S::record_event(context, &mut store, synced)?
    };
    if let Some(session) = changed_session.filter(|_| !has_problems) {
        let second_pass = true_up(&mut store, session, &[], &context.run)?;
        lost_lines.extend(lost_edit_lines(&second_pass.found));
        found.extend(second_pass.found.into_iter().filter(|d| d.code == Code::EditRejected));
    }
    if matches!(context.payload.event, HookEvent::AfterTool(_) | HookEvent::Stop { .. }) {
        notes.extend(S::share_state(context, &mut store));
    }
    let mut user_lines: Vec<String> = lost_write.into_iter().collect();
    user_lines.extend(render_findings(&found));
    if context.payload.event == (HookEvent::Stop { is_repeated: false }) {
        let suggestion = suggest_check::suggest_for_workplans(context, registered_at);
        user_lines.extend(suggestion.line);
        notes.extend(suggestion.notes);
    }
    let mut response = HookResponse {
        system_message: (!user_lines.is_empty()).then(|| user_lines.join("\n")),
        ..HookResponse::default()
    };
    response.context = record_due_checkpoint(context, &mut store, operations)?;
    notes.extend(S::close(context, store));
    Ok(HookOutcome { response, notes, ..HookOutcome::default() })
}

/// Loads the session, and registers one whose start was missed.
fn load_or_register<S: SessionDatabase>(
    context: &HookContext,
    store: &mut S::Store,
) -> Result<Session, StoreError> {
    let stored = store.load_session(&context.payload.session)?;
    match stored.filter(|session| !is_known_by_id_only(session)) {
        Some(session) => Ok(session),
        None => S::register(context, store),
    }
}

/// Records a checkpoint every so many operations, with a reminder for the agent, and one before a
/// compaction.
fn record_due_checkpoint(
    context: &HookContext,
    store: &mut dyn HookStore,
    operations: Option<u64>,
) -> Result<Option<(&'static str, String)>, StoreError> {
    let id = &context.payload.session;
    let mut reminder = None;
    if let Some(count) = operations.filter(|_| is_checkpoint_due(context, operations)) {
        store.record_checkpoint(id, count, &context.build_provenance("operations"))?;
        reminder = build_reminder(context, store, count)?;
    }
    if context.payload.event == HookEvent::BeforeCompaction {
        let count = operations.unwrap_or(0);
        store.record_checkpoint(id, count, &context.build_provenance("compaction"))?;
    }
    Ok(reminder)
}

/// Returns the messages about local edits that lost to the database.
fn lost_edit_lines(divergences: &[Divergence]) -> impl Iterator<Item = String> {
    let lost_edits = divergences.iter().filter(|d| d.code == Code::EditRejected);
    lost_edits.map(|d| d.message.clone())
}

/// Renews the lease when that is due, and sets the status that follows from the event.
fn renew_lease(
    context: &HookContext,
    store: &mut dyn HookStore,
    session: &Session,
) -> Result<(), StoreError> {
    let status = match context.payload.event {
        HookEvent::Stop { .. } | HookEvent::Interrupted => Some(SessionStatus::Idle),
        // A session that works is not lost, even if a sweep took it for lost.
        HookEvent::AfterTool(_) | HookEvent::Task(_) if !session.status.is_present() => {
            Some(SessionStatus::Active)
        }
        _ => None,
    };
    // A hook that outlives its client must not make an ended session active again.
    if session.status == SessionStatus::Ended && context.run.client_is_gone() {
        return Ok(());
    }
    let lease_due = session.is_renewal_due(context.run.settings.renewal_seconds());
    let status_changes = status.is_some_and(|status| status != session.status);
    let is_session_end = matches!(context.payload.event, HookEvent::SessionEnd(_));
    if is_session_end || !(lease_due || status_changes) {
        return Ok(());
    }
    store.record_heartbeat(&HeartbeatRequest {
        session: session.id.clone(),
        // The end of a turn alone does not renew the lease.
        lease_seconds: lease_due.then_some(context.run.settings.lease_seconds),
        status,
        quiet_seconds: None,
    })
}

/// Builds a reminder to record progress, for an agent whose session holds an item.
fn build_reminder(
    context: &HookContext,
    store: &mut dyn HookStore,
    count: u64,
) -> Result<Option<(&'static str, String)>, StoreError> {
    let session = store.load_session(&context.payload.session)?;
    Ok(session.filter(|session| session.item.is_some()).map(|_| {
        let text = format!(
            "trueup checkpoint: {count} operations in this session. If phase or task changed, \
             record it: `trueup set --phase P --task T`."
        );
        ("PostToolUse", text)
    }))
}
