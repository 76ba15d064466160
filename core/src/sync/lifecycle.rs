//! Registers sessions, finds their predecessors and sweeps dead ones.

use super::clock_doubt::ClockDoubt;
use super::run_context::RunContext;
use serde_json::{Map, json};

use crate::cache::{self, CacheFile};
use crate::hook::StartSource;
use crate::model::{Session, SessionId, SessionStatus, Timestamp, has_forfeited_claim};
use crate::reconcile::Reading;
use crate::repos::{assign_repo_name, find_repo_name, may_keep_name};
use crate::store::{
    HookStore, Provenance, ReleasedClaim, RepoNameStore, Result, SessionFilter,
    SessionRegistration, SessionStartStore, SessionStore,
};

/// Most sessions that one sweep examines, the longest silent first, so that a session start stays
/// cheap.
const SWEEP_LIMIT: u32 = 64;

/// Most sessions of a worktree that are considered as the predecessor.
const MAX_PREDECESSOR_CANDIDATES: u32 = 16;

/// Makes an id for a session whose client, of this name, gives it none.
pub fn fresh_session_id(client: &str) -> SessionId {
    SessionId::from_random_bits(uuid::Uuid::new_v4().as_u128(), client)
}

/// Registers a session, or refreshes its registration.
///
/// # Errors
///
/// When the database refuses it.
pub fn register_session(
    store: &mut dyn SessionStartStore,
    id: &SessionId,
    predecessor: Option<SessionId>,
    context: &RunContext,
) -> Result<Session> {
    let repo = assign_repo_name(store, context.naming_context())?;
    let session = store.register_session(&SessionRegistration {
        session: id.clone(),
        repo,
        worktree: Some(context.project.name()),
        branch: context.branch(),
        host: Some(context.host.clone()),
        process: context.client_process_of(id),
        predecessor,
        lease_seconds: context.settings.lease_seconds,
        provenance: Provenance::new(id.as_str(), "session start"),
    })?;
    label_session(store, session, context)
}

/// Notes in a session's metadata which agent it is of.
fn label_session(
    store: &mut dyn HookStore,
    session: Session,
    context: &RunContext,
) -> Result<Session> {
    let Some(agent) = context.agent.filter(|agent| session.agent() != Some(agent)) else {
        return Ok(session);
    };
    let patch = Map::from_iter([("agent".to_owned(), json!(agent))]);
    store.merge_metadata(
        &session.id,
        &patch,
        &Provenance::new(session.id.as_str(), "session start"),
    )
}

/// Returns whether the database knows a session by its id only: its registration failed, and a
/// queued write of it created the row.
pub const fn is_known_by_id_only(session: &Session) -> bool {
    session.worktree.is_none()
}

/// Returns whether registering would change nothing and the lease is not due for renewal. A session
/// start is then read-only.
///
/// # Errors
///
/// When the database cannot be read.
pub fn is_registration_current(
    store: &mut dyn RepoNameStore,
    session: &Session,
    context: &RunContext,
) -> Result<bool> {
    let renewal = context.settings.renewal_seconds();
    let is_current = session.status == SessionStatus::Active
        && !session.is_renewal_due(renewal)
        && session.host.as_ref() == Some(&context.host)
        && session.worktree.as_deref() == Some(context.project.name().as_str())
        && session.process == context.client_process_of(&session.id)
        && context.branch().is_none_or(|branch| session.branch() == Some(&branch));
    Ok(is_current
        && match &session.repo {
            Some(name) => may_keep_name(store, context.naming_context(), name)?,
            None => find_repo_name(store, context.naming_context())?.is_none(),
        })
}

/// Finds the session that a new one continues after `/clear` or a fork, since the client does not
/// say. Preferred is a session of the same process, then the one that the project's cache names,
/// then the latest in this worktree.
///
/// # Errors
///
/// When the database cannot be read.
pub fn find_predecessor(
    store: &mut dyn SessionStore,
    id: &SessionId,
    source: StartSource,
    context: &RunContext,
) -> Result<Option<SessionId>> {
    if !matches!(source, StartSource::Clear | StartSource::Fork) {
        return Ok(None);
    }
    let filter = SessionFilter {
        worktree: Some(context.project.name()),
        limit: MAX_PREDECESSOR_CANDIDATES,
        ..SessionFilter::default()
    };
    let mut candidates = store.list_sessions(&filter)?;
    candidates.retain(|session| session.id != *id && session.predecessor.as_ref() != Some(id));
    let client = context.client_process();
    let same_process = candidates
        .iter()
        .find(|s| client.is_some() && s.process == client && source == StartSource::Clear);
    let shared = CacheFile::read(&cache::shared_cache_path(&context.project.dir));
    let named = match &shared.document {
        Reading::Fresh(document) => document.session(),
        _ => None,
    };
    let named = candidates.iter().find(|s| Some(&s.id) == named.as_ref());
    Ok(same_process.or(named).or_else(|| candidates.first()).map(|session| session.id.clone()))
}

/// Marks sessions lost whose death is certain and releases their claims; their state stays
/// readable. `now` is the time of the database.
///
/// # Errors
///
/// When the database cannot be read.
pub fn sweep_dead_sessions(
    store: &mut dyn SessionStartStore,
    context: &RunContext,
    actor: &str,
    now: Timestamp,
) -> Result<Vec<ReleasedClaim>> {
    let mut released = Vec::new();
    let mut clock_doubt = ClockDoubt::default();
    for session in store.sessions_with_expired_lease(now, SWEEP_LIMIT)? {
        let liveness = clock_doubt.judge_session(&session, context, store)?;
        if !has_forfeited_claim(&session, &liveness) {
            continue;
        }
        let provenance = Provenance::new(actor, &liveness.evidence);
        released.extend(store.mark_lost(&session, &provenance)?);
    }
    Ok(released)
}
