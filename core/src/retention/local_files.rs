//! Files of this machine that nobody needs any more.

use std::fs;
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::PruneOptions;
use crate::cache::{self, CacheFile};
use crate::fs::{FileLock, remove_idle_lock};
use crate::model::{EndedSession, Lineage, SessionId};
use crate::reconcile::Reading;
use crate::store::StoreError;
use crate::sync::RunContext;
use crate::text::path_from_text;

/// The number of files that were removed, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PrunedFiles {
    /// Operation counters.
    pub counters: u64,
    /// Locks of caches.
    pub locks: u64,
    /// Caches of single sessions, and replicas.
    pub caches: u64,
    /// Files that were set aside because they could not be used.
    pub set_aside: u64,
}

impl AddAssign for PrunedFiles {
    fn add_assign(&mut self, more: Self) {
        self.counters += more.counters;
        self.locks += more.locks;
        self.caches += more.caches;
        self.set_aside += more.set_aside;
    }
}

/// Removes the files of a removed session.
pub(super) fn remove_session_files(
    options: &PruneOptions,
    site: &RunContext,
    lineage: &Lineage,
    session: &EndedSession,
) -> PrunedFiles {
    let counter = site.settings.paths.counters().join(session.id.as_str());
    let here = session.host.as_ref() == Some(&site.host);
    let own = session
        .worktree
        .as_deref()
        .map(path_from_text)
        .filter(|dir| here && dir.is_absolute())
        .map(|dir| cache::session_cache_path(&dir, &session.id));
    let own_cache = own.filter(|path| is_own_cache(path, lineage, &session.id));
    PrunedFiles {
        counters: u64::from(is_file(&counter) && remove_file(options, &counter)),
        caches: u64::from(own_cache.is_some_and(|path| remove_cache(options, site, &path))),
        ..PrunedFiles::default()
    }
}

/// Returns whether a cache only repeats what this database said of the session. An edited cache
/// belongs to the user.
fn is_own_cache(path: &Path, lineage: &Lineage, session: &SessionId) -> bool {
    match CacheFile::read(path).document {
        Reading::Fresh(document) => {
            let reading = document.to_reading();
            reading.lineage.as_ref() == Some(lineage)
                && reading.session.as_ref() == Some(session)
                && reading.edited.is_empty()
        }
        _ => false,
    }
}

fn remove_cache(options: &PruneOptions, site: &RunContext, path: &Path) -> bool {
    let lock = site.settings.paths.lock_of(path);
    // A lock means that somebody still uses the cache.
    let free = options.dry_run || FileLock::acquire(&lock, Duration::ZERO).is_ok();
    free && remove_file(options, path)
}

/// Removes old files without a row: counters of unknown sessions, replicas that are not read any
/// more, locks that nobody holds, and files that were set aside.
pub(super) fn remove_old_files(
    options: &PruneOptions,
    site: &RunContext,
    mut is_known: impl FnMut(&SessionId) -> Result<bool, StoreError>,
) -> Result<PrunedFiles, StoreError> {
    let paths = &site.settings.paths;
    let mut files = PrunedFiles::default();
    for path in list_aged_files(&paths.counters(), options) {
        let session = file_name(&path).and_then(|name| name.parse().ok());
        if let Some(session) = session
            && !is_known(&session)?
        {
            files.counters += u64::from(remove_file(options, &path));
        }
    }
    // A session that goes on has its replica written again.
    for folder in list_folders(&paths.replicas_dir()) {
        for path in list_aged_files(&folder, options) {
            files.caches += u64::from(remove_file(options, &path));
        }
    }
    for path in list_aged_files(&paths.locks(), options) {
        let gone = if options.dry_run {
            FileLock::acquire(&path, Duration::ZERO).is_ok()
        } else {
            remove_idle_lock(&path).unwrap_or(false)
        };
        files.locks += u64::from(gone);
    }
    for path in list_aged_files(&paths.data, options) {
        if file_name(&path).is_some_and(is_set_aside) {
            files.set_aside += u64::from(remove_file(options, &path));
        }
    }
    Ok(files)
}

/// Returns whether a file has a name of one that was set aside.
fn is_set_aside(name: &str) -> bool {
    [".corrupt-", ".foreign-", ".orphan-"].iter().any(|mark| name.contains(mark))
}

fn file_name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_file())
}

fn list_folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|it| it.file_type().is_ok_and(|it| it.is_dir())).map(|it| it.path()).collect()
}

/// Lists the regular files of a directory that were neither written nor renamed within the retention.
fn list_aged_files(folder: &Path, options: &PruneOptions) -> Vec<PathBuf> {
    let keep = Duration::from_secs(options.keep_seconds);
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            let data = entry.metadata();
            data.is_ok_and(|data| data.is_file() && file_age(&data).is_some_and(|age| age > keep))
        })
        .map(|entry| entry.path())
        .collect()
}

/// Returns how long ago a file was written or renamed. Setting a file aside keeps the time of its
/// content, so the rename counts.
fn file_age(data: &fs::Metadata) -> Option<Duration> {
    #[cfg(unix)]
    let renamed = {
        use std::os::unix::fs::MetadataExt as _;
        let seconds = u64::try_from(data.ctime()).unwrap_or(0);
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    };
    #[cfg(not(unix))]
    let renamed = SystemTime::UNIX_EPOCH;
    let changed = data.modified().ok()?.max(renamed);
    SystemTime::now().duration_since(changed).ok()
}

/// Removes a file, and tells whether it is gone or would be.
fn remove_file(options: &PruneOptions, path: &Path) -> bool {
    options.dry_run || fs::remove_file(path).is_ok()
}
