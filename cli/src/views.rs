//! JSON views of the domain model. An absent value is `null`, never a missing key.

mod plan_views;

use serde_json::{Value, json};
use trueup_core::liveness;
use trueup_core::model::{
    Event, ExecutionState, Handoff, HandoffElement, Item, Liveness, Orchestrator, Phase, Session,
    judge_session,
};
use trueup_core::outbox::{JournalEntry, PendingWrite};
use trueup_core::store::Violation;
use trueup_core::sync::RunContext;
use trueup_remote::ServerFacts;

pub(crate) use plan_views::{plan_state_view, plan_summary_view, plan_task_view, plan_view};

/// Assesses the liveness of a session, as seen from this machine.
pub(crate) fn assess_liveness(session: &Session, site: &RunContext) -> Liveness {
    let evidence = liveness::check_session_process(session, &site.host);
    judge_session(session, evidence, site.settings.ceiling_seconds)
}

/// Builds the view of a session.
pub(crate) fn session_view(session: &Session, vitality: &Liveness) -> Value {
    json!({
        "session_id": session.id,
        "repo": session.repo,
        "worktree": session.worktree,
        "branch": session.branch(),
        "host": session.host,
        "pid": session.process.as_ref().map(|process| process.pid),
        "status": session.status,
        "alive": vitality.state.as_str(),
        "witness": vitality.evidence,
        "heartbeat_at": session.heartbeat_at,
        "lease_expires_at": session.lease_expires_at,
        "item": session.item,
        "epoch": session.epoch,
        "execution_state": execution_state_view(&session.execution_state()),
        "metadata": session.metadata,
        "revision": session.revision,
        "predecessor": session.predecessor,
    })
}

fn execution_state_view(state: &ExecutionState) -> Value {
    json!({
        "currentSd": state.work.item,
        "currentPhase": state.work.phase,
        "currentTask": state.work.task,
        "isActive": state.work.is_active,
        "wasInterrupted": state.work.was_interrupted,
        "autoProceed": state.work.auto_proceed,
        "chainOrchestrators": state.work.chain_orchestrators,
        "lastUpdatedAt": state.history.last_updated_at,
        "lastInterruptedAt": state.history.last_interrupted_at,
        "lastResumedAt": state.history.last_resumed_at,
        "resumeCount": state.history.resume_count.unwrap_or(0),
    })
}

/// Builds the view of an item.
pub(crate) fn item_view(item: &Item) -> Value {
    json!({
        "key": item.key,
        "title": item.title,
        "kind": item.kind,
        "parent": item.parent,
        "position": item.position,
        "repo": item.repo,
        "status": item.status,
        "phase": item.phase,
        "holder": item.holder,
        "epoch": item.epoch,
        "claimed_at": item.claimed_at,
        "error_message": item.error_message,
        "evidence": item.evidence,
        "requires_evidence": item.requires_evidence,
        "depends_on": item.depends_on,
        "revision": item.revision,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "completed_at": item.completed_at,
    })
}

/// Builds the view of a hand-off.
pub(crate) fn handoff_view(handoff: &Handoff) -> Value {
    let mut row = json!({
        "id": handoff.id,
        "type": handoff.kind,
        "status": handoff.status,
        "item": handoff.item,
        "from_session": handoff.from,
        "to_session": handoff.to,
        "repo": handoff.repo,
        "worktree": handoff.worktree,
        "branch": handoff.branch,
        "phase": handoff.phase,
        "task": handoff.task,
        "epoch": handoff.epoch,
        "score": handoff.elements.completeness_percent(),
        "created_at": handoff.created_at,
        "decided_at": handoff.decided_at,
        "decided_by": handoff.decided_by,
        "reject_reason": handoff.reject_reason,
        "shown_at": handoff.shown_at,
        "told_at": handoff.told_at,
        "revision": handoff.revision,
    });
    for element in HandoffElement::ALL {
        row[element.as_str()] = json!(handoff.elements.get(element));
    }
    row
}

/// Builds the view of an orchestrator.
pub(crate) fn orchestrator_view(orchestrator: &Orchestrator) -> Value {
    json!({
        "id": orchestrator.id,
        "plan_id": orchestrator.plan,
        "host": orchestrator.host,
        "pid": orchestrator.process.pid,
        "status": orchestrator.status,
        "started_at": orchestrator.started_at,
        "heartbeat_at": orchestrator.heartbeat_at,
        "epoch": orchestrator.epoch,
    })
}

/// Builds the view of a phase.
pub(crate) fn phase_view(phase: &Phase) -> Value {
    json!({
        "queue_id": phase.id,
        "item": phase.item,
        "issue_number": phase.issue_number,
        "feature_id": phase.feature_id,
        "parent_issue": phase.feature_id,
        "status": phase.status,
        "current_phase": phase.name,
        "assigned_to": phase.assigned_to,
        "adw_id": phase.adw_id,
        "pr_number": phase.pr_number,
        "created_at": phase.created_at,
        "updated_at": phase.updated_at,
        "completed_at": phase.completed_at,
        "priority": phase.priority,
        "queue_position": phase.position,
        "phase_number": phase.number,
        "depends_on_phases": phase.depends_on,
        "phase_data": phase.data,
        "ready_timestamp": phase.ready_at,
        "started_timestamp": phase.started_at,
        "error_message": phase.error_message,
        "revision": phase.revision,
    })
}

/// Builds the view of a row that breaks a rule.
pub(crate) fn violation_view(flaw: &Violation) -> Value {
    json!({
        "table": flaw.table, "row": flaw.row, "field": flaw.field, "problem": flaw.problem,
    })
}

/// Builds the view of the server of a shared database.
pub(crate) fn server_view(facts: &ServerFacts) -> Value {
    let rights = facts.rights.as_ref();
    json!({
        "software": facts.software.name(),
        "version": facts.version,
        "tls": facts.uses_tls,
        "certificate_days_left": facts.certificate_days_left,
        "round_trip_ms": facts.round_trip.as_secs_f64() * 1000.0,
        "clock_ahead_ms": i64::try_from(facts.clock_ahead.as_millis()).unwrap_or(i64::MAX),
        "user": rights.map(|rights| &rights.user),
        "is_client": rights.and_then(|rights| rights.is_client),
        "is_owner": rights.map(|rights| rights.is_owner),
    })
}

/// Builds the view of an event.
pub(crate) fn event_view(event: &Event) -> Value {
    json!({
        "seq": event.seq,
        "at": event.at,
        "actor": event.actor,
        "via": event.via,
        "entity": event.entity,
        "key": event.key,
        "kind": event.kind,
        "before": event.before,
        "after": event.after,
        "epoch": event.epoch,
        "reason": event.reason,
        "op_id": event.op_id,
    })
}

/// Builds the view of a write that waits, or that was refused for a reason.
pub(crate) fn outbox_record_view(record: &PendingWrite, reason: Option<&str>) -> Value {
    json!({
        "op_id": record.op_id,
        "at": record.at,
        "session_id": record.session,
        "operation": record.write.name(),
        "base_revision": record.origin.as_ref().and_then(|origin| origin.base),
        "state": if reason.is_some() { "dead" } else { "waiting" },
        "reason": reason,
    })
}

/// Builds the view of a journal entry.
pub(crate) fn journal_entry_view(entry: &JournalEntry) -> Value {
    let lost: serde_json::Map<String, Value> = entry
        .lost
        .fields
        .iter()
        .map(|(field, value)| (field.key().to_owned(), json!(value)))
        .collect();
    json!({
        "id": entry.id,
        "at": entry.at,
        "session_id": entry.lost.session,
        "reason": entry.lost.reason,
        "base_revision": entry.lost.base,
        "database_revision": entry.lost.database,
        "lost": lost,
    })
}
