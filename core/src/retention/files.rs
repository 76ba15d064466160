//! Files of this machine that nobody needs any more.

use std::fs;
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Order;
use crate::cache::lock::{FileLock, remove_idle};
use crate::cache::{self, CacheFile};
use crate::files::path_from_text;
use crate::model::{Lineage, SessionId, SessionRemains};
use crate::reconcile::Reading;
use crate::store::StoreError;
use crate::sync::Site;

/// Files that went, or would.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Files {
    /// Counts of operations.
    pub counters: u64,
    /// Locks of caches.
    pub locks: u64,
    /// Caches of sessions that had a file of their own.
    pub caches: u64,
    /// Files set aside because they could not be used.
    pub set_aside: u64,
}

impl AddAssign for Files {
    fn add_assign(&mut self, more: Self) {
        self.counters += more.counters;
        self.locks += more.locks;
        self.caches += more.caches;
        self.set_aside += more.set_aside;
    }
}

/// Removes the files of a session that went.
pub(super) fn of_session(
    order: &Order,
    site: &Site,
    lineage: &Lineage,
    session: &SessionRemains,
) -> Files {
    let counter = site.settings.paths.counters().join(session.id.as_str());
    let here = session.host.as_ref() == Some(&site.host);
    let own = session
        .worktree
        .as_deref()
        .map(path_from_text)
        .filter(|dir| here && dir.is_absolute())
        .map(|dir| cache::own_path(&dir, &session.id));
    let ours = own.filter(|path| is_ours(path, lineage, &session.id));
    Files {
        counters: u64::from(is_file(&counter) && remove(order, &counter)),
        caches: u64::from(ours.is_some_and(|path| remove_cache(order, site, &path))),
        ..Files::default()
    }
}

/// Tells whether a cache is a copy of what this database said of the session, and nothing
/// else: what somebody wrote into it is his.
fn is_ours(path: &Path, lineage: &Lineage, session: &SessionId) -> bool {
    match CacheFile::read(path).document {
        Reading::Fresh(document) => {
            let reading = document.reading();
            reading.lineage.as_ref() == Some(lineage)
                && reading.session.as_ref() == Some(session)
                && reading.edited.is_empty()
        }
        _ => false,
    }
}

fn remove_cache(order: &Order, site: &Site, path: &Path) -> bool {
    let lock = site.settings.paths.lock_of(path);
    // Somebody who works on it needs it.
    let free = order.dry_run || FileLock::exclusive(&lock, Duration::ZERO).is_ok();
    free && remove(order, path)
}

/// Removes old files that belong to no row: counters of sessions that are not known, locks that
/// nobody holds, and what was set aside.
pub(super) fn old(
    order: &Order,
    site: &Site,
    mut is_known: impl FnMut(&SessionId) -> Result<bool, StoreError>,
) -> Result<Files, StoreError> {
    let paths = &site.settings.paths;
    let mut files = Files::default();
    for path in aged(&paths.counters(), order) {
        let session = name(&path).and_then(|name| name.parse().ok());
        if let Some(session) = session
            && !is_known(&session)?
        {
            files.counters += u64::from(remove(order, &path));
        }
    }
    for path in aged(&paths.locks(), order) {
        let gone = if order.dry_run {
            FileLock::exclusive(&path, Duration::ZERO).is_ok()
        } else {
            remove_idle(&path).unwrap_or(false)
        };
        files.locks += u64::from(gone);
    }
    for path in aged(&paths.data, order) {
        if name(&path).is_some_and(is_set_aside) {
            files.set_aside += u64::from(remove(order, &path));
        }
    }
    Ok(files)
}

/// Tells the names under which files are set aside.
fn is_set_aside(name: &str) -> bool {
    [".corrupt-", ".foreign-", ".orphan-"]
        .iter()
        .any(|mark| name.contains(mark))
}

fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_file())
}

/// Lists the regular files of a folder that were neither written nor renamed for so long.
fn aged(folder: &Path, order: &Order) -> Vec<PathBuf> {
    let keep = Duration::from_secs(order.keep_seconds);
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            let data = entry.metadata();
            data.is_ok_and(|data| data.is_file() && age(&data).is_some_and(|age| age > keep))
        })
        .map(|entry| entry.path())
        .collect()
}

/// Returns how long ago a file was changed, its name included: what is set aside keeps the
/// time of its content.
fn age(data: &fs::Metadata) -> Option<Duration> {
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

/// Removes a file; tells whether it is gone, or would be.
fn remove(order: &Order, path: &Path) -> bool {
    order.dry_run || fs::remove_file(path).is_ok()
}
