//! `trueup pull`: brings what waits to the server, and what the server has of a session to its
//! replica.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Duration;

use trueup_core::cache::{CacheFile, shared_cache_path};
use trueup_core::deadline::Deadline;
use trueup_core::diagnostic::Code;
use trueup_core::hook::{HookEvent, HookPayload};
use trueup_core::log::LogLevel;
use trueup_core::model::{EventFilter, ItemKey, Lineage, Session, SessionId};
use trueup_core::reconcile::{Reading, list_key_candidates};
use trueup_core::replica::{LocalMarks, Replica, ReplicaFile};
use trueup_core::settings::{Environment, Settings};
use trueup_core::store::{HeartbeatRequest, HookStore, Store, StoreError};
use trueup_core::sync::{
    DrainReport, SyncError, drain_outbox, is_known_by_id_only, now, record_session_database,
    register_session, true_up,
};

use crate::hook_context::{HookCall, keep_changes_to_user_work, render_findings};
use crate::replica_database::open_replica;
use crate::server_contact::note_contact;
use crate::share_state::{has_unshared_state, share_with_repos};
use crate::{HookContext, HookDatabase};

/// How long to wait for a hook that works on the replica.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// Most events of an item that are kept.
const MAX_EVENTS: u32 = 64;

/// What a pull did.
#[derive(Debug)]
pub struct PullReport {
    /// What became of the outbox.
    pub drained: DrainReport,
    /// The session, as the server has it.
    pub session: Session,
}

/// Why a pull failed.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The server cannot be used, or a local file of the sync cannot.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// The replica cannot be written.
    #[error("what is known of the session is not written: {0}")]
    Replica(#[source] io::Error),
}

impl From<StoreError> for PullError {
    fn from(error: StoreError) -> Self {
        Self::Sync(error.into())
    }
}

/// Brings what waits to the server and reads a session anew. What has to be told to the user waits
/// in the replica for the next prompt.
///
/// # Errors
///
/// When the server cannot be used, or the replica cannot be written.
pub fn pull_session<D: HookDatabase>(
    session: &SessionId,
    directory: &Path,
    environment: &Environment,
    settings: Settings,
    deadline: Deadline,
) -> Result<PullReport, PullError> {
    let context = build_context(session, directory, environment, settings, deadline);
    let mut store = D::open(&context)?;
    let lineage = store.load_lineage()?;
    record_session_database(&lineage, &context.run);
    // What the agents were told of comes first: a write of their own is no news where they knew the
    // state that it was made on.
    for writer in list_writers(&context) {
        send_marks(&context, &mut store, &lineage, &writer)?;
    }
    let mut drained = drain_outbox(&mut store, &context.run);
    let mut news = leave_to_prompt(&context, &lineage, &drained);
    let session = load_or_register(&context, &mut store)?;
    renew_lease(&context, &mut store, &session)?;
    note_contact(&context);
    if has_unshared_state(&context) {
        news.extend(share_with_repos(&context, &mut store));
    }
    let mut session = store.reload_session(&session.id)?.unwrap_or(session);
    refresh_replica(&context, &mut store, &session, news)?;
    let mut outcome = true_up_cache(&context, false)?;
    if outcome == CacheOutcome::NeedsServer {
        // A command has changed the session since, or the database was restored from a backup.
        session = store.reload_session(&session.id)?.unwrap_or(session);
        refresh_replica(&context, &mut store, &session, Vec::new())?;
        outcome = true_up_cache(&context, true)?;
    }
    if outcome == CacheOutcome::HasEdit {
        let later = drain_outbox(&mut store, &context.run);
        news = leave_to_prompt(&context, &lineage, &later);
        drained.add(later);
        session = store.reload_session(&session.id)?.unwrap_or(session);
        refresh_replica(&context, &mut store, &session, news)?;
        true_up_cache(&context, false)?;
    }
    Ok(PullReport { drained, session })
}

/// The sessions whose marks are sent: that of the pull, and those with writes that are about to be.
fn list_writers(context: &HookContext) -> BTreeSet<SessionId> {
    let waiting = context.run.outbox().list_waiting().unwrap_or_default();
    let mut writers: BTreeSet<SessionId> = waiting.into_iter().map(|it| it.session).collect();
    writers.insert(context.payload.session.clone());
    writers
}

/// Leaves lines about waiting writes to the next prompt at once: what fails later must not keep them
/// from the user. Returns those that the replica, which is not there yet, has to be made with.
fn leave_to_prompt(context: &HookContext, lineage: &Lineage, drained: &DrainReport) -> Vec<String> {
    let id = &context.payload.session;
    let lines = drained.describe_problems(&context.run, Some(id));
    let file = ReplicaFile::of_session(&context.run.settings.paths, lineage, id);
    let is_left = !lines.is_empty() && file.add_news(&lines, LOCK_PATIENCE).unwrap_or(false);
    if is_left { Vec::new() } else { lines }
}

/// What came of truing up a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CacheOutcome {
    InStep,
    /// An edit of the cache waits in the outbox now.
    HasEdit,
    /// The cache was met in a state, or on a branch, that the replica does not know.
    NeedsServer,
}

/// Trues up the cache with the replica, under its lock, so that no hook changes either meanwhile.
/// What others changed is told by the next prompt; so is what became of edits.
fn true_up_cache(context: &HookContext, is_newest: bool) -> Result<CacheOutcome, PullError> {
    let opened = open_replica(context, LOCK_PATIENCE);
    let mut store = opened.map_err(|error| PullError::Replica(io::Error::other(error)))?;
    if is_newest {
        store.set_newest();
    }
    let session = store.replica().session.clone();
    let synced = match true_up(&mut store, session, &[], &context.run) {
        Err(SyncError::Store(error)) => {
            context.run.log(LogLevel::Info, "pull", &error.to_string());
            return Ok(CacheOutcome::NeedsServer);
        }
        other => other?,
    };
    let mut found = keep_changes_to_user_work(synced.fixed_findings());
    let rejected = synced.found.into_iter().filter(|it| it.code == Code::EditRejected);
    for divergence in rejected {
        if !found.contains(&divergence) {
            found.push(divergence);
        }
    }
    store.add_news(render_findings(&found));
    store.save().map_err(PullError::Replica)?;
    Ok(if synced.pushed_edit { CacheOutcome::HasEdit } else { CacheOutcome::InStep })
}

/// Builds the context of an event that says nothing but whose session it is.
fn build_context(
    session: &SessionId,
    directory: &Path,
    environment: &Environment,
    settings: Settings,
    deadline: Deadline,
) -> HookContext {
    let payload = HookPayload {
        session: session.clone(),
        cwd: directory.to_str().map(str::to_owned),
        is_subagent: false,
        event: HookEvent::SubagentStop,
    };
    let call = HookCall::without_input("pull");
    HookContext::new(call, payload, environment.clone(), settings, deadline)
}

fn load_or_register(context: &HookContext, store: &mut dyn Store) -> Result<Session, StoreError> {
    let id = &context.payload.session;
    match store.load_session(id)?.filter(|session| !is_known_by_id_only(session)) {
        Some(session) => Ok(session),
        None => register_session(store, id, None, &context.run),
    }
}

/// Tells the server what hooks noted in the replica of a session.
fn send_marks(
    context: &HookContext,
    store: &mut dyn Store,
    lineage: &Lineage,
    session: &SessionId,
) -> Result<(), StoreError> {
    let file = ReplicaFile::of_session(&context.run.settings.paths, lineage, session);
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

/// Renews the lease of a session that goes on.
fn renew_lease(
    context: &HookContext,
    store: &mut dyn Store,
    session: &Session,
) -> Result<(), StoreError> {
    let settings = &context.run.settings;
    if !session.status.is_present() || !session.is_renewal_due(settings.renewal_seconds()) {
        return Ok(());
    }
    store.record_heartbeat(&HeartbeatRequest {
        session: session.id.clone(),
        lease_seconds: Some(settings.lease_seconds),
        status: None,
        quiet_seconds: None,
    })
}

/// Takes the lines that wait for the user in the replica.
pub(crate) fn take_news(context: &HookContext) -> Vec<String> {
    let Ok(mut store) = open_replica(context, LOCK_PATIENCE) else {
        return Vec::new();
    };
    let news = store.take_news();
    // Otherwise they would be told again.
    if store.save().is_ok() { news } else { Vec::new() }
}

/// Replaces the replica by what the server has, with what waits on top.
///
/// # Errors
///
/// When the server cannot be read or the replica cannot be written.
pub(crate) fn refresh_replica(
    context: &HookContext,
    store: &mut dyn HookStore,
    session: &Session,
    news: Vec<String>,
) -> Result<(), PullError> {
    let mut replica = Replica::of_session(session.clone(), now());
    load_surroundings(context, store, &mut replica)?;
    replica.news = news;
    if matches!(context.payload.event, HookEvent::SessionStart(_)) {
        replica.marks.status = Some(session.status);
    }
    let paths = &context.run.settings.paths;
    let file = ReplicaFile::of_session(paths, &session.lineage, &session.id);
    file.replace_if_newer(replica, &context.run.outbox(), LOCK_PATIENCE).map_err(PullError::Replica)
}

/// Loads the items, events and hand-offs that concern the session.
fn load_surroundings(
    context: &HookContext,
    store: &mut dyn HookStore,
    replica: &mut Replica,
) -> Result<(), StoreError> {
    let session = &replica.session;
    let named = session.execution_state().work.item;
    let branch = context.run.branch();
    let candidates = branch.as_ref().map_or_else(Vec::new, |branch| {
        list_key_candidates(branch, context.run.configured_pattern())
    });
    let mut keys: Vec<ItemKey> = session.item.iter().cloned().collect();
    keys.extend(named.as_deref().and_then(|key| key.parse().ok()));
    if !candidates.is_empty() {
        let known = store.find_item_keys(&candidates)?;
        keys.extend(known.iter().filter_map(|key| key.parse().ok()));
    }
    keys.sort_unstable();
    keys.dedup();
    let mut looked_up: Vec<String> = candidates.into_iter().map(str::to_owned).collect();
    looked_up.extend(keys.iter().map(ToString::to_string));
    let notices = store.list_handoff_notices(&session.id, false)?;
    let shared = shared_cache_path(&context.run.project.dir);
    let owner = match CacheFile::read(&shared).document {
        Reading::Fresh(document) => document.session().filter(|owner| *owner != session.id),
        _ => None,
    };
    let cache_owner = match owner {
        Some(owner) => {
            let found = store.reload_session(&owner)?;
            Some((owner, found))
        }
        None => None,
    };
    let mut items = Vec::new();
    let mut events = Vec::new();
    for key in &keys {
        let item = store.load_item(key)?;
        let is_lost = Some(key) != session.item.as_ref() && named.as_deref() == Some(key.as_str());
        if is_lost && item.as_ref().is_some_and(|item| item.holder.is_none()) {
            events.extend(store.list_events(&EventFilter {
                item: Some(key.to_string()),
                limit: MAX_EVENTS,
                ..EventFilter::default()
            })?);
        }
        items.extend(item);
    }
    replica.cache_owner = cache_owner;
    replica.items = items;
    replica.events = events;
    replica.looked_up = looked_up;
    replica.handoffs = notices;
    Ok(())
}
