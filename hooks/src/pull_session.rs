//! `trueup pull`: brings what waits to the server, and what the server has of a session to its
//! replica.

use std::io;
use std::path::Path;
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::diagnostic::{Code, Divergence};
use trueup_core::hook::{Client, HookEvent, HookPayload, StartSource};
use trueup_core::log::LogLevel;
use trueup_core::model::{Lineage, Revision, Session, SessionId};
use trueup_core::replica::ReplicaFile;
use trueup_core::settings::{Environment, Settings};
use trueup_core::store::{CommandStore, HeartbeatRequest, StoreError};
use trueup_core::sync::{
    DrainReport, SyncError, drain_outbox, is_known_by_id_only, now, record_session_database,
    send_marks, true_up,
};

use crate::HookContext;
use crate::announced_reads::announce_reads;
use crate::hook_context::{keep_changes_to_user_work, render_findings};
use crate::pull_error::{PullError, REPLICA_LOCK_PATIENCE};
use crate::replica_database::open_replica;
use crate::replica_refresh::refresh_replica;
use crate::server_contact::note_contact;
use crate::share_state::{has_unshared_state, share_with_repos};
use crate::start_work::{
    BegunSession, StartReadings, begin_session, build_briefing, read_for_briefing,
};

/// What a pull did.
#[derive(Debug)]
pub struct PullReport {
    /// What became of the outbox.
    pub drained: DrainReport,
    /// The session, as the server has it.
    pub session: Session,
}

/// What is pulled for.
#[derive(Debug, Clone, Copy)]
pub struct PullRequest<'r> {
    /// The session that is read.
    pub session: &'r SessionId,
    /// Its working directory.
    pub directory: &'r Path,
    /// The client that runs it.
    pub client: &'static Client,
    /// Why it starts, if it does.
    pub start: Option<StartSource>,
}

impl PullRequest<'_> {
    /// Builds the context of the pull.
    pub fn build_context(
        &self,
        environment: &Environment,
        settings: Settings,
        deadline: Deadline,
    ) -> HookContext {
        let payload = HookPayload {
            client: self.client,
            session: self.session.clone(),
            cwd: self.directory.to_str().map(str::to_owned),
            is_subagent: false,
            // The second one says nothing but whose session it is.
            event: self.start.map_or(HookEvent::SubagentStop, HookEvent::SessionStart),
        };
        HookContext::new(payload, environment.clone(), settings, deadline)
    }
}

/// Brings what waits to the server and reads a session anew. What has to be told to user and agent
/// waits in the replica, for the start of the session or for the next prompt. Where nobody waits for
/// the pull, each of its parts may take `patience`, so that a slow server gets as far as a quick one.
///
/// # Errors
///
/// When the server cannot be used, or the replica cannot be written.
pub fn pull_session(
    context: &HookContext,
    store: &mut dyn CommandStore,
    patience: Option<Duration>,
) -> Result<PullReport, PullError> {
    let begin_part = |store: &mut dyn CommandStore| {
        if let Some(patience) = patience {
            store.set_deadline(Deadline::after(patience));
        }
    };
    announce_reads(context, store);
    let lineage = store.load_lineage()?;
    record_session_database(&lineage, &context.run);
    if !has_waiting_writes(context) {
        // Otherwise they are sent along with the writes.
        send_marks(store, &lineage, &context.payload.session, &context.run)?;
    }
    begin_part(store);
    let mut drained = drain_outbox(store, &context.run);
    let mut news = leave_to_prompt(context, &lineage, &drained);
    begin_part(store);
    let (session, mut start) = load_or_begin(context, store, begin_part)?;
    let is_start = start.is_some();
    note_contact(context);
    if is_start {
        news.extend(drained.describe_unmovable());
    }
    if has_unshared_state(context) {
        news.extend(share_with_repos(context, store));
    }
    let mut session = session;
    begin_part(store);
    refresh_replica(context, store, &session, news)?;
    let mut outcome = true_up_cache(context, &mut start, false)?;
    if outcome == CacheOutcome::NeedsServer {
        // A command has changed the session since, or the database was restored from a backup.
        session = store.reload_session(&session.id)?.unwrap_or(session);
        refresh_replica(context, store, &session, Vec::new())?;
        outcome = true_up_cache(context, &mut start, true)?;
    }
    if outcome == CacheOutcome::HasEdit {
        let later = drain_outbox(store, &context.run);
        news = leave_to_prompt(context, &lineage, &later);
        drained.add(later);
        session = store.reload_session(&session.id)?.unwrap_or(session);
        refresh_replica(context, store, &session, news)?;
        true_up_cache(context, &mut start, false)?;
    }
    if is_start {
        begin_part(store);
        acknowledge_start(context, store, &session);
    }
    note_sending(context, &session, &drained)?;
    Ok(PullReport { drained, session })
}

/// A session that starts, and what its agent is to be told beside the session itself.
struct StartedSession {
    begun: BegunSession,
    readings: StartReadings,
}

/// Loads the session and renews its lease; one that starts, or whose start was missed, begins.
fn load_or_begin(
    context: &HookContext,
    store: &mut dyn CommandStore,
    begin_part: impl Fn(&mut dyn CommandStore),
) -> Result<(Session, Option<StartedSession>), SyncError> {
    let stored = store.load_session(&context.payload.session)?;
    let source = match (&context.payload.event, &stored) {
        (HookEvent::SessionStart(source), _) => *source,
        // The pull of its start may have ended before its agent was told anything.
        (_, Some(session))
            if !is_known_by_id_only(session) && session.acknowledged > Revision::default() =>
        {
            let renewed = renew_lease(context, store, session)?;
            return Ok((renewed.unwrap_or_else(|| session.clone()), None));
        }
        _ => StartSource::Startup,
    };
    let mut begun = begin_session(context, store, stored, source)?;
    begin_part(store);
    let readings = read_for_briefing(context, store, &begun.session, &begun)?;
    // The briefing, which is kept until it was told, says all of it.
    begun.session.acknowledged = begun.session.revision;
    Ok((begun.session.clone(), Some(StartedSession { begun, readings })))
}

/// Tells the server what the briefing says. Where that fails, the next prompt tells it once more.
fn acknowledge_start(context: &HookContext, store: &mut dyn CommandStore, session: &Session) {
    if let Err(error) = store.acknowledge_revision(&session.id, session.revision) {
        context.run.log(LogLevel::Info, "pull", &error.to_string());
    }
}

/// Renews the lease of a session that goes on, if that is due; returns the session as it is then.
fn renew_lease(
    context: &HookContext,
    store: &mut dyn CommandStore,
    session: &Session,
) -> Result<Option<Session>, StoreError> {
    let settings = &context.run.settings;
    if !session.status.is_present() || !session.is_renewal_due(settings.renewal_seconds()) {
        return Ok(None);
    }
    store.record_heartbeat(&HeartbeatRequest {
        session: session.id.clone(),
        lease_seconds: Some(settings.lease_seconds),
        status: None,
        quiet_seconds: None,
    })?;
    store.load_session(&session.id)
}

/// Notes in the replica whether the server, which answers, took what waits.
fn note_sending(
    context: &HookContext,
    session: &Session,
    drained: &DrainReport,
) -> Result<(), PullError> {
    let paths = &context.run.settings.paths;
    let file = ReplicaFile::of_session(paths, &session.lineage, &session.id);
    let counts = &drained.counts;
    let problem = counts.problem.as_deref().filter(|_| counts.is_waiting);
    file.note_sending(problem, now(), REPLICA_LOCK_PATIENCE).map_err(PullError::Replica)
}

/// Returns whether writes of the session wait.
fn has_waiting_writes(context: &HookContext) -> bool {
    let waiting = context.run.outbox().list_waiting().unwrap_or_default();
    waiting.iter().any(|write| write.session == context.payload.session)
}

/// Leaves lines about waiting writes to the next prompt at once: what fails later must not keep them
/// from the user. Returns those that the replica, which is not there yet, has to be made with.
fn leave_to_prompt(context: &HookContext, lineage: &Lineage, drained: &DrainReport) -> Vec<String> {
    let id = &context.payload.session;
    let lines = drained.describe_problems(&context.run, Some(id));
    let file = ReplicaFile::of_session(&context.run.settings.paths, lineage, id);
    let is_left =
        !lines.is_empty() && file.add_news(&lines, REPLICA_LOCK_PATIENCE).unwrap_or(false);
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
/// What others changed is told by the next prompt; so is what became of edits. `is_newest`: the
/// server was asked again after the cache was met. `start` is taken once its briefing is left.
fn true_up_cache(
    context: &HookContext,
    start: &mut Option<StartedSession>,
    is_newest: bool,
) -> Result<CacheOutcome, PullError> {
    let opened = open_replica(context, REPLICA_LOCK_PATIENCE);
    let mut store = opened.map_err(|error| PullError::Replica(io::Error::other(error)))?;
    if is_newest {
        store.set_newest();
    }
    let session = store.replica().session.clone();
    let peers = start.as_ref().map_or(&[][..], |start| &start.begun.peers);
    let synced = match true_up(&mut store, session, peers, &context.run) {
        Err(SyncError::Store(error)) => {
            context.run.log(LogLevel::Info, "pull", &error.to_string());
            if let Some(StartedSession { begun, readings }) = start.take_if(|_| is_newest) {
                // Nobody knows more, and the agent waits.
                let session = &store.replica().session.clone();
                let briefing = build_briefing(context, session, &begun, readings, &[], &[]);
                store.put_briefing(briefing);
                store.save().map_err(PullError::Replica)?;
            }
            return Ok(CacheOutcome::NeedsServer);
        }
        other => other?,
    };
    let found = if let Some(StartedSession { begun, readings }) = start.take() {
        let (found, remaining) = (&synced.found, &synced.remaining);
        let session = &synced.session;
        store.put_briefing(build_briefing(context, session, &begun, readings, found, remaining));
        synced.found
    } else {
        list_news_of_cache(synced.fixed_findings(), synced.found)
    };
    store.add_news(render_findings(&found));
    store.save().map_err(PullError::Replica)?;
    Ok(if synced.pushed_edit { CacheOutcome::HasEdit } else { CacheOutcome::InStep })
}

/// Lists what the user has to know of what happened to the cache: changes to his work, and edits
/// that were lost.
fn list_news_of_cache(fixed: Vec<Divergence>, found: Vec<Divergence>) -> Vec<Divergence> {
    let mut news = keep_changes_to_user_work(fixed);
    for divergence in found.into_iter().filter(|it| it.code == Code::EditRejected) {
        if !news.contains(&divergence) {
            news.push(divergence);
        }
    }
    news
}
