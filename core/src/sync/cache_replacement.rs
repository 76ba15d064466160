//! Replacing a cache by what the database has, under the lock of the cache.

use std::path::Path;
use std::time::Duration;

use super::observe::Observation;
use super::run_context::{RunContext, now};
use crate::cache::{self, CacheDocument, CacheFile, SyncStamp, WriteOutcome};
use crate::fs::{FileLock, create_private_dir, sweep_temp_files};
use crate::model::Session;
use crate::reconcile::{DatabaseReading, Reading};
use crate::store::{HookStore, StoreError};

/// Longest wait for another process that is writing the same cache.
const CACHE_LOCK_PATIENCE: Duration = Duration::from_millis(200);

/// What came of replacing a cache.
pub(super) enum CacheReplacement {
    Written,
    Unchanged,
    ChangedMeanwhile,
}

/// Why a cache was not replaced.
pub(super) enum ReplaceCacheError {
    Store(StoreError),
    Cache(String),
}

/// Writes the session into its cache, unless either has changed since it was observed.
pub(super) fn replace_cache(
    store: &mut dyn HookStore,
    session: &Session,
    observation: &Observation,
    context: &RunContext,
) -> Result<CacheReplacement, ReplaceCacheError> {
    let path = &observation.file.path;
    // Before the lock: a server may take its time, and a hook must not wait for it.
    let fresh = match store.load_session(&session.id) {
        Ok(Some(fresh)) if fresh.revision == session.revision => fresh,
        Ok(_) => return Ok(CacheReplacement::ChangedMeanwhile),
        Err(error) => return Err(ReplaceCacheError::Store(error)),
    };
    let _lock = lock_cache(path, context).map_err(ReplaceCacheError::Cache)?;
    // Under the lock: do not overwrite an edit made since the decision. Whoever has read the
    // database later and written the cache since has changed it as well.
    let current = CacheFile::read(path);
    let was_set_aside = matches!(current.document, Reading::Missing);
    if current.document != observation.file.document && !was_set_aside {
        return Ok(CacheReplacement::ChangedMeanwhile);
    }
    let Reading::Fresh(database) = &observation.snapshot.database else {
        return Ok(CacheReplacement::ChangedMeanwhile);
    };
    let base =
        if was_set_aside { CacheDocument::default() } else { observation.document_or_empty() };
    let document = build_document(&base, &fresh, database.clone(), observation);
    let written =
        current.write(&document).map_err(|error| ReplaceCacheError::Cache(error.to_string()))?;
    if written == WriteOutcome::ChangedMeanwhile {
        return Ok(CacheReplacement::ChangedMeanwhile);
    }
    // A file without a stamp predates trueup, so git may not ignore it yet.
    if !base.to_reading().is_stamped() {
        exclude_cache_from_git(context);
    }
    sweep_temp_files(path);
    Ok(if written == WriteOutcome::Replaced {
        CacheReplacement::Written
    } else {
        CacheReplacement::Unchanged
    })
}

fn lock_cache(path: &Path, context: &RunContext) -> Result<FileLock, String> {
    let lock_path = context.settings.paths.lock_of(path);
    if let Some(parent) = lock_path.parent() {
        create_private_dir(parent).map_err(|error| error.to_string())?;
    }
    let patience = CACHE_LOCK_PATIENCE.min(context.deadline.remaining());
    FileLock::acquire(&lock_path, patience)
        .map_err(|error| format!("{}: another process is writing it: {error}", path.display()))
}

/// Builds the cache from the session's current state, keeping what others wrote into `base`.
fn build_document(
    base: &CacheDocument,
    session: &Session,
    mut database: DatabaseReading,
    observation: &Observation,
) -> CacheDocument {
    let state = session.execution_state();
    database.work = state.work;
    let stamp = SyncStamp {
        lineage: database.lineage.clone(),
        revision: session.revision,
        synced_at: now(),
    };
    let branch = observation.snapshot.branch.as_ref();
    base.trued_up(
        &session.id,
        &database.expected_work_state(),
        &state.history,
        branch.map(|branch| branch.name.as_str()),
        &stamp,
    )
}

/// Adds a new cache file to `info/exclude`. A failure only goes to the log: it costs the user an
/// untracked file in `git status`, nothing else.
fn exclude_cache_from_git(context: &RunContext) {
    if let Some(git) = &context.project.git
        && let Err(error) = cache::exclude_from_git(&git.common_dir)
    {
        let message = format!("{}: info/exclude: {error}", git.common_dir.display());
        context.log(crate::log::LogLevel::Warn, "cache", &message);
    }
}
