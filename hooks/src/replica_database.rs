//! The replica of a session of a database on a server, as hooks work on it.

use std::time::Duration;

use trueup_core::model::{Session, Timestamp};
use trueup_core::replica::{RenderedBriefing, ReplicaFile, ReplicaStore};
use trueup_core::store::{HookStore as _, StoreError};
use trueup_core::sync::{DrainReport, SyncError, TrueUpOutcome, now};
use trueup_core::text::pluralize;

use crate::HookContext;
use crate::detached_pull::{start_pull, start_pull_if_due};
use crate::enqueue_offline::build_write;
use crate::session_database::SessionDatabase;

/// How long a hook waits for another one of its session. They work on the replica for a few
/// milliseconds.
const MAX_LOCK_WAIT: Duration = Duration::from_millis(100);

/// What is known here of a database on a server. Nothing of it contacts the server: that is left to
/// `trueup pull`, which runs by itself.
#[derive(Debug)]
pub(crate) struct ReplicaDatabase;

/// Names the replica of the event's session, if the database was ever met from here.
pub(crate) fn find_replica_file(context: &HookContext) -> Option<ReplicaFile> {
    let run = &context.run;
    let lineage = run.databases().last_known_at(&run.settings.database_address())?;
    Some(ReplicaFile::of_session(&run.settings.paths, &lineage, &context.payload.session))
}

/// Whether the server was met before and answered the last pull, so that the next one may bring what
/// is missing in a moment.
pub(crate) fn may_server_answer(context: &HookContext) -> bool {
    find_replica_file(context)
        .is_some_and(|file| file.read().is_none_or(|replica| replica.outage_since.is_none()))
}

/// Opens the replica of the event's session.
///
/// # Errors
///
/// When there is none, or another process works on it for longer than `patience`.
pub(crate) fn open_replica(
    context: &HookContext,
    patience: Duration,
) -> Result<ReplicaStore, StoreError> {
    let run = &context.run;
    let nothing_known = || {
        let session = &context.payload.session;
        StoreError::unavailable(format!(
            "{}: nothing was read of session {session} yet",
            run.settings.database
        ))
    };
    let file = find_replica_file(context).ok_or_else(nothing_known)?;
    let lock = file.acquire_lock(patience).map_err(|error| {
        StoreError::unavailable(format!("what is known of the session is locked: {error}"))
    })?;
    let replica = file.read().ok_or_else(nothing_known)?;
    let address = (run.settings.database_address(), run.settings.database.to_string());
    Ok(ReplicaStore::new(file, replica, lock, run.outbox(), address, now()))
}

impl SessionDatabase for ReplicaDatabase {
    type Store = ReplicaStore;

    fn open(context: &HookContext) -> Result<ReplicaStore, StoreError> {
        open_replica(context, MAX_LOCK_WAIT.min(context.run.deadline.remaining()))
    }

    /// Leaves it to the next pull.
    fn drain_waiting(_context: &HookContext, _store: &mut ReplicaStore) -> DrainReport {
        DrainReport::default()
    }

    fn register(context: &HookContext, _store: &mut ReplicaStore) -> Result<Session, StoreError> {
        let session = &context.payload.session;
        Err(StoreError::unavailable(format!("session {session} is registered by the next pull")))
    }

    fn record_event(
        context: &HookContext,
        store: &mut ReplicaStore,
        synced: TrueUpOutcome,
    ) -> Result<Option<Session>, SyncError> {
        let before = store.replica().session.execution_state().work;
        if let Some(write) = build_write(context) {
            store.put_change(context.op_id(), write)?;
        }
        let branch = synced.observation.snapshot.branch.map(|branch| branch.name);
        let session = &store.replica().session;
        if let Some(branch) = branch.filter(|branch| session.branch() != Some(branch)) {
            let patch = [("branch".to_owned(), branch.into())].into_iter().collect();
            let id = session.id.clone();
            store.merge_metadata(&id, &patch, &context.build_provenance("observed"))?;
        }
        context.mark_event_recorded();
        let session = &store.replica().session;
        Ok((session.execution_state().work != before).then(|| session.clone()))
    }

    /// Leaves it to the next pull.
    fn share_state(_context: &HookContext, _store: &mut ReplicaStore) -> Vec<String> {
        Vec::new()
    }

    fn describe_basis(
        context: &HookContext,
        store: &mut ReplicaStore,
    ) -> Result<Option<String>, StoreError> {
        let replica = store.replica();
        let lease = context.run.settings.lease_seconds;
        let read_at = replica.session.read_at;
        match replica.age_seconds(now()) {
            Some(age) if age < lease => {
                let backlog = context.run.outbox().count_backlog().unwrap_or_default();
                let waiting = backlog.waiting.saturating_sub(backlog.elsewhere);
                Ok(Some(describe_age(age, read_at, waiting)))
            }
            Some(age) => Err(StoreError::unavailable(format!(
                "the database was last read {age} s ago, at {read_at}"
            ))),
            None => Err(StoreError::unavailable(format!(
                "when the database was last read is not known: this machine's clock went back \
                 behind {}",
                replica.pulled_at
            ))),
        }
    }

    fn has_unread_handoffs(store: &ReplicaStore) -> bool {
        store.replica().has_unread_handoffs()
    }

    fn take_briefing(store: &mut ReplicaStore) -> Option<RenderedBriefing> {
        store.take_briefing()
    }

    fn take_news(store: &mut ReplicaStore) -> Vec<String> {
        store.take_news()
    }

    fn close(context: &HookContext, mut store: ReplicaStore) -> Vec<String> {
        let saved = store.save();
        let age = store.replica().age_seconds(now());
        let has_marks = !store.replica().marks.is_empty();
        // The lock is free before another process asks for it.
        drop(store);
        start_pull_if_due(context, age, has_marks);
        let line = |error| format!("trueup: what is known of the session is not updated: {error}");
        saved.err().map(line).into_iter().collect()
    }

    fn retry_later(context: &HookContext) {
        start_pull(context);
    }
}

fn describe_age(age: u64, read_at: Timestamp, waiting: usize) -> String {
    let mut line = format!("trueup: decided on the database as it was {age} s ago, at {read_at}");
    if waiting > 0 {
        let writes = pluralize(waiting, "write waits", "writes wait");
        line = format!("{line}; {writes} to be sent");
    }
    line
}
