//! What the start of a session does in its database, and what it reads there for the agent.

use trueup_core::claims::reclaim_own_item;
use trueup_core::diagnostic::Divergence;
use trueup_core::hook::StartSource;
use trueup_core::model::{DeadOrchestrator, RepoScope, Session, SessionStatus};
use trueup_core::orchestrators;
use trueup_core::replica::RenderedBriefing;
use trueup_core::store::{
    ReleasedClaim, SessionFilter, SessionStartStore, SessionStore, StoreError, StuckWorkStore,
};
use trueup_core::sync::{
    Briefing, HandoffNotice, SyncError, describe_stuck_work, fail_stuck_phases, fail_stuck_tasks,
    find_predecessor, is_registration_current, register_session, sweep_dead_sessions,
};
use trueup_core::text::one_line;

use crate::HookContext;
use crate::prompt::{load_item_title, take_handoff_notices};
use crate::share_state::{RepoContext, gather_repo_context};

/// How many sessions of a worktree are loaded, as present ones or for work to resume.
pub(crate) const MAX_SESSIONS: u32 = 8;

/// Longest text of another session that is shown, in characters.
const MAX_EXCERPT_CHARS: usize = 120;

/// A session that has begun in its database.
pub(crate) struct BegunSession {
    pub(crate) session: Session,
    /// Other sessions of its worktree.
    pub(crate) peers: Vec<Session>,
    interrupted: Vec<ReleasedClaim>,
    failed_work: FailedWork,
    has_handoffs: bool,
}

/// Registers the session, sweeps dead ones and fails what gives no sign of life. `stored` is the
/// session as the database has it.
///
/// # Errors
///
/// When the database cannot be used.
pub(crate) fn begin_session(
    context: &HookContext,
    store: &mut dyn SessionStartStore,
    stored: Option<Session>,
    source: StartSource,
) -> Result<BegunSession, SyncError> {
    let id = &context.payload.session;
    let was_ended = stored.as_ref().is_some_and(|session| session.status == SessionStatus::Ended);
    let session = register_if_needed(context, store, stored, source)?;
    let interrupted = sweep_dead_sessions(store, &context.run, id.as_str(), session.read_at)?;
    let session = if was_ended
        && source == StartSource::Resume
        && reclaim_own_item(store, &session, &context.run)?
    {
        store.load_session(id)?.unwrap_or(session)
    } else {
        session
    };
    let pending = store.find_pending_matters()?;
    let failed_work = if pending.has_running_work {
        fail_silent_work(context, store)?
    } else {
        FailedWork::default()
    };
    let peers = store.list_peers(&session, MAX_SESSIONS)?;
    let has_handoffs = pending.has_handoffs;
    Ok(BegunSession { session, peers, interrupted, failed_work, has_handoffs })
}

/// What a briefing says beside the session itself.
pub(crate) struct StartReadings {
    title: Option<String>,
    suggestion: Option<(String, String)>,
    handoffs: Vec<HandoffNotice>,
    repos: RepoContext,
}

/// Reads what the agent is told at the start of its session.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn read_for_briefing(
    context: &HookContext,
    store: &mut dyn SessionStartStore,
    session: &Session,
    begun: &BegunSession,
) -> Result<StartReadings, SyncError> {
    let title = load_item_title(store, session)?;
    let suggestion = find_resumable_item(store, session)?;
    // A hand-off that was made since the question has raised the revision, which the agent is
    // told of.
    let may_have_handoffs = begun.has_handoffs || session.revision != begun.session.revision;
    let handoffs =
        if may_have_handoffs { take_handoff_notices(store, session, true)? } else { Vec::new() };
    let repos = gather_repo_context(context, store, session)?;
    Ok(StartReadings { title, suggestion, handoffs, repos })
}

/// Renders what the agent is told.
pub(crate) fn build_briefing(
    context: &HookContext,
    session: &Session,
    begun: &BegunSession,
    readings: StartReadings,
    found: &[Divergence],
    remaining: &[Divergence],
) -> RenderedBriefing {
    let briefing = Briefing {
        session,
        title: readings.title.as_deref(),
        found,
        remaining,
        handoffs: &readings.handoffs,
        interrupted: &begun.interrupted,
        dead_orchestrators: &begun.failed_work.orchestrators,
        stuck_work: &begun.failed_work.phases_and_tasks,
        other_repos: &readings.repos.summaries,
        suggestion: readings.suggestion,
    };
    let text = briefing.render(&context.new_delimiter());
    let metadata = session.metadata.clone();
    RenderedBriefing { text, metadata, watch_paths: readings.repos.watch_paths }
}

/// Work that was in progress without a sign of life, one line each.
#[derive(Default)]
struct FailedWork {
    orchestrators: Vec<String>,
    phases_and_tasks: Vec<String>,
}

/// Fails what is in progress without a sign of life.
fn fail_silent_work(
    context: &HookContext,
    store: &mut dyn StuckWorkStore,
) -> Result<FailedWork, SyncError> {
    let actor = context.payload.session.as_str();
    let tasks = fail_stuck_tasks(store, &context.run, actor)?;
    let dead = orchestrators::find_dead_orchestrators(store, &context.run)?;
    let dead = orchestrators::clear_dead_orchestrators(store, dead, actor)?;
    let phases = fail_stuck_phases(store, &context.run, actor)?;
    Ok(FailedWork {
        orchestrators: dead.iter().map(DeadOrchestrator::render_line).collect(),
        phases_and_tasks: describe_stuck_work(&tasks, &phases),
    })
}

/// Registers the session, unless its registration is current.
fn register_if_needed(
    context: &HookContext,
    store: &mut dyn SessionStartStore,
    stored: Option<Session>,
    source: StartSource,
) -> Result<Session, StoreError> {
    let id = &context.payload.session;
    match stored {
        Some(session) if is_registration_current(store, &session, &context.run)? => Ok(session),
        Some(_) => register_session(store, id, None, &context.run),
        None => {
            let predecessor_id = find_predecessor(store, id, source, &context.run)?;
            register_session(store, id, predecessor_id, &context.run)
        }
    }
}

/// Lists sessions of the same worktree, the latest heartbeat first.
fn list_worktree_sessions(
    store: &mut dyn SessionStore,
    session: &Session,
    status: SessionStatus,
) -> Result<Vec<Session>, SyncError> {
    Ok(store.list_sessions(&filter_of_worktree(session.worktree.as_deref(), status))?)
}

/// The sessions of a worktree from which work may be resumed. One query per status walks an index,
/// however many sessions there are.
pub(crate) fn filter_of_worktree(worktree: Option<&str>, status: SessionStatus) -> SessionFilter {
    SessionFilter {
        statuses: match status {
            SessionStatus::Lost => vec![SessionStatus::Lost],
            _ => vec![SessionStatus::Ended],
        },
        worktree: worktree.map(str::to_owned),
        limit: MAX_SESSIONS,
        ..SessionFilter::default()
    }
}

/// Finds an item to resume for a session that holds none: its own last item, else that of its
/// predecessor, else that of the last session in this worktree.
fn find_resumable_item(
    store: &mut dyn SessionStartStore,
    session: &Session,
) -> Result<Option<(String, String)>, SyncError> {
    if session.item.is_some() {
        return Ok(None);
    }
    let scope = RepoScope::Here(session.repo.clone());
    let mut candidates: Vec<Session> = Vec::new();
    if let Some(predecessor) = &session.predecessor {
        candidates.extend(store.load_session(predecessor)?);
    }
    candidates.extend(list_worktree_sessions(store, session, SessionStatus::Ended)?);
    candidates.extend(list_worktree_sessions(store, session, SessionStatus::Lost)?);
    let own_work = session.execution_state().work.item.map(|item| (item, session));
    let other_work = candidates
        .iter()
        .filter(|other| other.id != session.id)
        .filter_map(|other| Some((other.execution_state().work.item?, other)));
    for (key, from) in own_work.into_iter().chain(other_work) {
        let Ok(key) = key.parse() else { continue };
        let Some(item) = store.load_item(&key)? else {
            continue;
        };
        let is_free = item.holder.as_ref().is_none_or(|h| Some(h) == session.predecessor.as_ref());
        if is_free && !item.status.is_finished() && scope.includes(item.repo.as_deref()) {
            let work = from.execution_state().work;
            let last_task =
                work.task.or(work.phase).unwrap_or_else(|| "no task recorded".to_owned());
            let reason = format!(
                "session {} ({}) worked on it: {}",
                from.id,
                from.status,
                one_line(&last_task, MAX_EXCERPT_CHARS)
            );
            return Ok(Some((key.to_string(), reason)));
        }
    }
    Ok(None)
}
