//! `session-start-sync`: brings the database's state to the local cache and to the agent.

use std::io::{self, ErrorKind};

use trueup_core::bounds::ENVIRONMENT_FILE;
use trueup_core::fs::{append_to_foreign, read_bytes};
use trueup_core::hook::{HookEvent, HookResponse, PromptKind, StartSource};
use trueup_core::model::Session;
use trueup_core::store::{DeliveryTarget, HookStore as _, StoreError};
use trueup_core::sync::{DrainReport, SyncError, drain_outbox, record_session_database, true_up};

use crate::auto_prune::prune_embedded;
use crate::cached_answer::answer_from_cache;
use crate::embedded_database::EmbeddedDatabase;
use crate::enqueue_offline::enqueue_resumed;
use crate::hook_context::{render_failure, render_findings, render_unfixed};
use crate::prompt::handle_prompt;
use crate::remote_start::start_on_server;
use crate::replica_database::ReplicaDatabase;
use crate::report_attention::report_session;
use crate::start_work::{begin_session, build_briefing, read_for_briefing};
use crate::{HookContext, HookOutcome, lost_notices};

/// Permissions of a new `CLAUDE_ENV_FILE`: private, since a shell runs what is in it.
const ENV_FILE_MODE: u32 = 0o600;

/// Answers `SessionStart` and `UserPromptSubmit`.
pub(crate) fn handle_event(context: &HookContext) -> HookOutcome {
    match &context.payload.event {
        HookEvent::SessionStart(source) => handle_start(context, *source),
        HookEvent::Prompt(PromptKind::User) if context.is_remote() => {
            // A pull registers the session whose start was missed, and leaves a briefing.
            handle_prompt::<ReplicaDatabase>(context, |_, _| Ok(HookOutcome::default()))
        }
        HookEvent::Prompt(PromptKind::User) => {
            handle_prompt::<EmbeddedDatabase>(context, |context, drained| {
                start_embedded(context, StartSource::Startup, drained)
            })
        }
        _ => HookOutcome::default(),
    }
}

fn handle_start(context: &HookContext, source: StartSource) -> HookOutcome {
    let exported = export_session_id(context);
    let outcome = if context.is_remote() {
        start_on_server(context, source)
    } else {
        start_or_answer_from_cache(context, source)
    };
    let mut outcome = outcome.with_user_lines(lost_notices::take_saved(context));
    if let Err(error) = exported {
        outcome.notes.push(format!("trueup: CLAUDE_ENV_FILE cannot be written: {error}"));
    }
    outcome
}

fn start_or_answer_from_cache(context: &HookContext, source: StartSource) -> HookOutcome {
    let mut drained = DrainReport::default();
    let mut outcome = match start_embedded(context, source, &mut drained) {
        Ok(outcome) => outcome,
        Err(error) if context.is_never_created(&error) => {
            HookOutcome::for_user(render_failure(&error))
        }
        Err(error) => {
            drained.counts.is_waiting = !context.run.outbox().is_idle();
            answer_from_cache(context, &error.to_string(), render_failure(&error))
        }
    };
    if drained.counts.is_waiting {
        outcome.notes.extend(enqueue_resumed(context));
    }
    let mut user_lines = drained.describe_problems(&context.run, Some(&context.payload.session));
    user_lines.extend(drained.describe_unmovable());
    outcome.with_user_lines(user_lines)
}

fn start_embedded(
    context: &HookContext,
    source: StartSource,
    drained: &mut DrainReport,
) -> Result<HookOutcome, SyncError> {
    let mut store = EmbeddedDatabase::open_or_create(context)?;
    let stored = load_after_drain(context, &mut store, drained)?;
    let begun = begin_session(context, &mut store, stored, source)?;
    let synced = true_up(&mut store, begun.session.clone(), &begun.peers, &context.run)?;
    report_session(context, &mut store, &synced);
    let session = &synced.session;
    if session.acknowledged != session.revision {
        store.acknowledge_revision(&session.id, session.revision)?;
    }
    let readings = read_for_briefing(context, &mut store, session, &begun)?;
    let briefing =
        build_briefing(context, session, &begun, readings, &synced.found, &synced.remaining);
    let response = HookResponse {
        system_message: render_findings(&synced.found),
        context: Some(("SessionStart", briefing.text)),
        watch_paths: briefing.watch_paths,
        ..HookResponse::default()
    };
    Ok(HookOutcome {
        response,
        notes: render_unfixed(&synced.problems),
        after_output: Some(prune_embedded),
        ..HookOutcome::default()
    })
}

/// Loads the session as it is once what waited is written, and records which database it is in.
fn load_after_drain(
    context: &HookContext,
    store: &mut dyn DeliveryTarget,
    drained: &mut DrainReport,
) -> Result<Option<Session>, StoreError> {
    let id = &context.payload.session;
    let stored = store.load_session(id)?;
    let lineage = match &stored {
        Some(session) => session.lineage.clone(),
        None => store.load_lineage()?,
    };
    record_session_database(&lineage, &context.run);
    if context.run.outbox().is_idle() {
        return Ok(stored);
    }
    drained.add(drain_outbox(store, &context.run));
    store.load_session(id)
}

/// Exports the session id to the session's Bash commands through `CLAUDE_ENV_FILE`.
fn export_session_id(context: &HookContext) -> io::Result<()> {
    let Some(path) = context.environment.path("CLAUDE_ENV_FILE") else {
        return Ok(());
    };
    let mut line = format!("export TRUEUP_SESSION_ID={}\n", context.payload.session);
    match read_bytes(&path, ENVIRONMENT_FILE.most, false) {
        Ok(bytes) if contains_line(&bytes, line.as_bytes()) => return Ok(()),
        // Without a line break at the end, the export would continue the file's last line.
        Ok(bytes) if bytes.last().is_some_and(|byte| *byte != b'\n') => line.insert(0, '\n'),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    append_to_foreign(&path, line.as_bytes(), ENV_FILE_MODE)
}

fn contains_line(bytes: &[u8], line: &[u8]) -> bool {
    bytes.windows(line.len()).any(|part| part == line)
}
