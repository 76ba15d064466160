//! The outbox: writes wait here until the database can take them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::checksummed_lines;
use super::pending_write::{DrainTarget, PendingWrite, RefusedWrite, WriteOrigin};
use super::queue_file::QueueFile;
use crate::fs::{create_private_dir, ensure_id, move_obstacle_aside, short_digest};
use crate::model::{SessionId, Timestamp};
use crate::text::redact::redact_json;
use serde_json::Value as Json;

/// Size in bytes from which the user is warned that the outbox fills up.
const NEARLY_FULL_BYTES: u64 = checksummed_lines::MAX_FILE_BYTES / 2;

/// What the name of a queue begins with whose writes name an address and no database.
const ADDRESS_PREFIX: &str = "address-";

/// How much of a queue is looked at to find the sessions of its writes, in bytes.
const LOOKED_AT_BYTES: u64 = 32 * 1024;

/// The number of waiting writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many writes wait.
    pub waiting: usize,
    /// How many of them belong to another database than the one of the last drain.
    pub elsewhere: usize,
    /// When the oldest was made, by the local clock.
    pub oldest_at: Option<Timestamp>,
}

/// The outbox file and its companions.
///
/// `outbox.jsonl` takes new writes. Writes for another database move to `outbox.elsewhere/`, one
/// file per database; writes that the database refuses for good to `outbox.dead.jsonl`; unreadable
/// lines to `outbox.damaged`. A record that cannot be moved stays in the queue and blocks nothing
/// behind it.
#[derive(Debug, Clone)]
pub struct Outbox {
    path: PathBuf,
}

impl Outbox {
    /// Uses a file as the outbox; it need not exist.
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Returns the id of this outbox, by which a database tells its writes from those of others.
    ///
    /// # Errors
    ///
    /// When its file can neither be read nor made.
    pub fn ensure_id(&self) -> io::Result<String> {
        ensure_id(&self.path.with_extension("id"), "id of an outbox")
    }

    /// Appends a write durably.
    ///
    /// # Errors
    ///
    /// When it could not be written. The caller must then report that it is lost.
    pub fn put(&self, pending: &PendingWrite) -> io::Result<()> {
        self.put_all(&[pending])
    }

    /// Appends several writes durably in one go.
    ///
    /// # Errors
    ///
    /// When they could not be written.
    pub fn put_all(&self, pending: &[&PendingWrite]) -> io::Result<()> {
        let records: Result<Vec<Json>, _> =
            pending.iter().map(|pending| redact_write(pending)).collect();
        checksummed_lines::append_records(&self.path, &records?)
    }

    /// Returns whether so many writes wait that further ones may soon be refused.
    pub fn is_nearly_full(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|data| data.len() > NEARLY_FULL_BYTES)
    }

    /// Returns whether nothing waits, for any database.
    pub fn is_idle(&self) -> bool {
        self.main_queue().is_absent() && fs::symlink_metadata(self.elsewhere_dir()).is_err()
    }

    /// Lists the writes that wait for any database, oldest first.
    ///
    /// # Errors
    ///
    /// When a file exists and cannot be read.
    pub fn list_waiting(&self) -> io::Result<Vec<PendingWrite>> {
        let mut waiting = Vec::new();
        for queue in self.list_queues()? {
            waiting.extend(queue.list_waiting()?);
        }
        Ok(waiting)
    }

    /// Lists the sessions whose waiting writes name an address and no database, each with the
    /// digest of the address. Only the writes that are sent next are looked at, since every drain
    /// asks.
    ///
    /// # Errors
    ///
    /// When a file exists and cannot be read.
    pub fn list_sessions_without_lineage(&self) -> io::Result<BTreeSet<(String, SessionId)>> {
        let mut found = BTreeSet::new();
        let elsewhere = self.list_queues_elsewhere()?;
        let is_by_address = |queue: &&QueueFile| {
            let name = queue.landing_path().file_name();
            name.is_some_and(|name| name.to_string_lossy().starts_with(ADDRESS_PREFIX))
        };
        for queue in elsewhere.iter().filter(is_by_address).chain([&self.main_queue()]) {
            for pending in queue.list_first(LOOKED_AT_BYTES)? {
                if let Some(WriteOrigin { database, lineage: None, .. }) = pending.origin {
                    found.insert((database, pending.session));
                }
            }
        }
        Ok(found)
    }

    /// Counts the waiting writes.
    ///
    /// # Errors
    ///
    /// When a file exists and cannot be read.
    pub fn count_backlog(&self) -> io::Result<Backlog> {
        let mut backlog = Backlog::default();
        if self.is_idle() {
            return Ok(backlog);
        }
        let main = self.main_queue().count_waiting()?;
        let mut oldest = main.oldest_at;
        for queue in self.list_queues_elsewhere()? {
            let count = queue.count_waiting()?;
            backlog.elsewhere += count.records;
            oldest = oldest.into_iter().chain(count.oldest_at).min();
        }
        backlog.waiting = main.records + backlog.elsewhere;
        backlog.oldest_at = oldest;
        Ok(backlog)
    }

    /// Counts damaged lines, those moved aside and those still in the queue.
    ///
    /// # Errors
    ///
    /// When a file exists and cannot be read.
    pub fn count_damaged(&self) -> io::Result<usize> {
        let main = self.main_queue();
        let mut damaged = 0;
        for path in [&main.taken_path(), main.landing_path()] {
            damaged += checksummed_lines::read_records::<PendingWrite>(path)?.damaged;
        }
        Ok(damaged + checksummed_lines::read_records::<PendingWrite>(&self.damaged_path())?.damaged)
    }

    /// Lists the writes that a database refused for good.
    ///
    /// # Errors
    ///
    /// When the file exists and cannot be read.
    pub fn list_refused(&self) -> io::Result<Vec<RefusedWrite>> {
        Ok(checksummed_lines::read_records::<RefusedWrite>(&self.refused_path())?.records)
    }

    pub(super) fn main_queue(&self) -> QueueFile {
        QueueFile::new(self.path.clone())
    }

    /// Returns the queues that may hold writes for a database, oldest first.
    pub(super) fn queues_for(&self, target: &DrainTarget) -> Vec<QueueFile> {
        let mut queues = Vec::new();
        if fs::symlink_metadata(self.elsewhere_dir()).is_ok() {
            queues.push(self.queue_named(&lineage_stem(target.lineage.0.as_str())));
            let adopted = target.adopted.iter().map(|(address, _)| address);
            let addresses: BTreeSet<&String> = target.addresses.iter().chain(adopted).collect();
            queues.extend(addresses.into_iter().map(|it| self.queue_named(&address_stem(it))));
        }
        queues.push(self.main_queue());
        queues
    }

    /// Returns the queue for writes that were made on such a database.
    pub(super) fn queue_for(&self, origin: &WriteOrigin) -> QueueFile {
        self.queue_named(&match &origin.lineage {
            Some(lineage) => lineage_stem(lineage.0.as_str()),
            None => address_stem(&origin.database),
        })
    }

    fn queue_named(&self, name: &str) -> QueueFile {
        QueueFile::new(self.elsewhere_dir().join(format!("{name}.jsonl")))
    }

    /// Lists all queues, those of other databases first.
    pub(super) fn list_queues(&self) -> io::Result<Vec<QueueFile>> {
        let mut queues = self.list_queues_elsewhere()?;
        queues.push(self.main_queue());
        Ok(queues)
    }

    /// Lists the queues of other databases.
    fn list_queues_elsewhere(&self) -> io::Result<Vec<QueueFile>> {
        let entries = match fs::read_dir(self.elsewhere_dir()) {
            Err(error) if checksummed_lines::is_not_found(&error) => return Ok(Vec::new()),
            other => other?,
        };
        let mut names: Vec<String> = Vec::new();
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let stem = name.split_once('.').map_or(name.as_str(), |(stem, _)| stem);
            names.push(stem.to_owned());
        }
        names.sort();
        names.dedup();
        Ok(names.iter().map(|name| self.queue_named(name)).collect())
    }

    pub(super) fn elsewhere_dir(&self) -> PathBuf {
        self.sibling_path("elsewhere")
    }

    pub(super) fn refused_path(&self) -> PathBuf {
        self.sibling_path("dead.jsonl")
    }

    /// The file for lines that cannot be read.
    pub(super) fn damaged_path(&self) -> PathBuf {
        self.sibling_path("damaged")
    }

    /// Makes sure that the lock of those who take records out can be acquired; returns its path.
    pub(super) fn prepare_lock(&self) -> io::Result<PathBuf> {
        let lock = self.sibling_path("lock");
        move_obstacle_aside(&lock)?;
        create_private_dir(self.path.parent().unwrap_or(Path::new(".")))?;
        Ok(lock)
    }

    fn sibling_path(&self, end: &str) -> PathBuf {
        self.path.with_extension(end)
    }
}

/// Redacts a write like any other text that leaves the session. Its origin is kept, since that
/// identifies the database.
fn redact_write(pending: &PendingWrite) -> serde_json::Result<Json> {
    let mut value = serde_json::to_value(pending)?;
    let origin = value.get("origin").cloned();
    redact_json(&mut value);
    if let (Some(record), Some(origin)) = (value.as_object_mut(), origin) {
        record.insert("origin".to_owned(), origin);
    }
    Ok(value)
}

fn lineage_stem(lineage: &str) -> String {
    format!("lineage-{}", short_digest(lineage.as_bytes()))
}

fn address_stem(database: &str) -> String {
    format!("{ADDRESS_PREFIX}{}", short_digest(database.as_bytes()))
}
