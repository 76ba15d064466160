//! The start of a session whose database is on a server.
//!
//! The hook starts `trueup pull` and waits for it as long as its deadline allows. What the pull
//! brought lies in the replica, from where whoever comes first tells it: this hook, or the next
//! prompt if the server was too slow for this one.

use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::hook::{HookResponse, StartSource};
use trueup_core::log::LogLevel;
use trueup_core::model::{Session, SessionStatus};
use trueup_core::outbox::PendingChange;
use trueup_core::reconcile::describe_unreachable;
use trueup_core::replica::{RenderedBriefing, ReplicaStore};
use trueup_core::store::{HeartbeatRequest, HookStore as _};
use trueup_core::sync::{Briefing, SyncError, now, true_up};

use crate::cached_answer::answer_from_cache;
use crate::detached_pull::{PullFailure, run_start_pull};
use crate::enqueue_offline::enqueue_resumed;
use crate::hook_context::{render_findings, render_unfixed};
use crate::replica_database::{ReplicaDatabase, find_replica_file};
use crate::session_database::SessionDatabase as _;
use crate::{HookContext, HookOutcome};

/// The time that is left for an answer without the server.
const ANSWER_TIME: Duration = Duration::from_millis(150);

/// The answer takes at most this fraction of the hook's time, however short that is.
const ANSWER_TIME_DIVISOR: u32 = 3;

/// Answers the start of a session.
pub(crate) fn start_on_server(context: &HookContext, source: StartSource) -> HookOutcome {
    let left = context.run.deadline.remaining();
    let patience = left.saturating_sub(ANSWER_TIME.min(left / ANSWER_TIME_DIVISOR));
    drop_older_briefing(context);
    let failure = run_start_pull(context, source, Deadline::after(patience)).err();
    if let Some(failure) = failure.as_ref().filter(|failure| failure.is_never_created) {
        return HookOutcome::for_user(failure.line.clone());
    }
    let Ok(mut store) = ReplicaDatabase::open(context) else {
        return answer_without_replica(
            context,
            failure.unwrap_or_else(|| PullFailure::no_answer(context)),
        );
    };
    if let Some(briefing) = store.take_briefing() {
        return tell_briefing(context, store, briefing);
    }
    let failure = failure.unwrap_or_else(|| PullFailure::no_answer(context));
    answer_from_replica(context, store, &failure).unwrap_or_else(|error| {
        // The cache is ahead of the replica, for instance: a command has written it since.
        context.run.log(LogLevel::Info, "start", &error.to_string());
        answer_without_replica(context, failure)
    })
}

/// Drops what an earlier start brought and nobody was told: this one brings the same, or newer.
fn drop_older_briefing(context: &HookContext) {
    let replica = find_replica_file(context).and_then(|file| file.read());
    if replica.is_some_and(|replica| replica.briefing.is_some())
        && let Ok(mut store) = ReplicaDatabase::open(context)
    {
        store.take_briefing();
        // Where this fails, the older one is told.
        let _ = store.save();
    }
}

/// Tells what the pull has brought.
fn tell_briefing(
    context: &HookContext,
    mut store: ReplicaStore,
    briefing: RenderedBriefing,
) -> HookOutcome {
    let response = HookResponse {
        context: Some(("SessionStart", briefing.text)),
        watch_paths: briefing.watch_paths,
        ..HookResponse::default()
    };
    let news = store.take_news();
    let notes = ReplicaDatabase::close(context, store);
    HookOutcome { response, notes, ..HookOutcome::default() }.with_user_lines(news)
}

/// Nothing was ever read of this session, or what was read is of no use.
fn answer_without_replica(context: &HookContext, failure: PullFailure) -> HookOutcome {
    let mut outcome = answer_from_cache(context, &failure.reason, failure.line);
    if !context.run.outbox().is_idle() {
        outcome.notes.extend(enqueue_resumed(context));
    }
    outcome
}

/// Answers from what was read before, and says how old that is.
fn answer_from_replica(
    context: &HookContext,
    mut store: ReplicaStore,
    failure: &PullFailure,
) -> Result<HookOutcome, SyncError> {
    let age = store.replica().age_seconds(now());
    let unreachable = describe_unreachable(age, &failure.reason);
    mark_as_active(context, &mut store)?;
    let session = store.replica().session.clone();
    let synced = true_up(&mut store, session, &[], &context.run)?;
    let session = &synced.session;
    store.acknowledge_revision(&session.id, session.revision)?;
    let briefing = Briefing {
        session,
        title: None,
        found: &synced.found,
        remaining: &synced.remaining,
        handoffs: &[],
        interrupted: &[],
        dead_orchestrators: &[],
        stuck_work: &[],
        other_repos: &[],
        suggestion: None,
    };
    let text = briefing.render(&context.new_delimiter());
    let read_at = session.read_at;
    let text = format!(
        "trueup: the database did not answer, so this is what was read of it at {read_at}; what is \
         newer is told at a later prompt. What this session does is kept and sent later.\n{text}"
    );
    let response = HookResponse {
        system_message: render_findings(&synced.found),
        context: Some(("SessionStart", text)),
        ..HookResponse::default()
    };
    let mut news = vec![unreachable];
    store.set_outage_told();
    news.extend(store.take_news());
    let mut notes = vec![failure.line.clone()];
    notes.extend(render_unfixed(&synced.problems));
    notes.extend(ReplicaDatabase::close(context, store));
    Ok(HookOutcome { response, notes, ..HookOutcome::default() }.with_user_lines(news))
}

/// Notes that the session is active again. Behind its end, which may wait in the outbox, this has to
/// be a write as well.
fn mark_as_active(context: &HookContext, store: &mut ReplicaStore) -> Result<(), SyncError> {
    let Session { id, status, .. } = store.replica().session.clone();
    if !context.run.outbox().is_idle() {
        store.put_change(context.op_id(), PendingChange::Resumed)?;
    }
    if status != SessionStatus::Active {
        let status = Some(SessionStatus::Active);
        let heartbeat =
            HeartbeatRequest { session: id, lease_seconds: None, status, quiet_seconds: None };
        store.record_heartbeat(&heartbeat)?;
    }
    Ok(())
}
