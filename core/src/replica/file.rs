//! The file of a replica, and its lock.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::document::{REPLICA_VERSION, Replica};
use crate::bounds::REPLICA;
use crate::fs::{
    FileLock, FileReplacement, PRIVATE_MODE, create_private_dir, read_bytes, sweep_temp_files,
};
use crate::model::{Lineage, SessionId};
use crate::settings::Paths;

/// Where the replica of a session is.
#[derive(Debug, Clone)]
pub struct ReplicaFile {
    path: PathBuf,
    lock: PathBuf,
}

impl ReplicaFile {
    /// Names the replica of a session of a database.
    pub fn of_session(paths: &Paths, lineage: &Lineage, session: &SessionId) -> Self {
        let path = paths.replica(lineage, session);
        Self { lock: paths.lock_of(&path), path }
    }

    /// Reads the replica. One that is missing, damaged or of another version is none: the server
    /// has everything that was in it.
    pub fn read(&self) -> Option<Replica> {
        let bytes = read_bytes(&self.path, REPLICA.most, false).ok()?;
        let replica: Replica = serde_json::from_slice(&bytes).ok()?;
        (replica.version == REPLICA_VERSION).then_some(replica)
    }

    /// Returns whether there is a replica.
    pub(super) fn exists(&self) -> bool {
        self.path.symlink_metadata().is_ok()
    }

    /// Locks the replica against other processes.
    ///
    /// # Errors
    ///
    /// When another process held it for all that time, or the lock file cannot be made.
    pub fn acquire_lock(&self, patience: Duration) -> io::Result<FileLock> {
        if let Some(parent) = self.lock.parent() {
            create_private_dir(parent)?;
        }
        FileLock::acquire(&self.lock, patience)
    }

    /// Replaces the replica. The caller holds the lock. It need not survive a power failure, after
    /// which it is read from the server again.
    ///
    /// # Errors
    ///
    /// When the system refuses; the file is as it was then.
    pub fn write(&self, replica: &Replica) -> io::Result<()> {
        if let Some(parent) = self.path.parent() {
            create_private_dir(parent)?;
        }
        let replacement = FileReplacement {
            path: &self.path,
            content: &serde_json::to_vec(replica)?,
            mode: PRIVATE_MODE,
            durable: false,
            exists: self.exists(),
        };
        replacement.apply(&|_| true).map(drop)
    }

    /// Removes what killed processes left beside the replica. The caller holds the lock.
    pub(super) fn remove_debris(&self) {
        sweep_temp_files(&self.path);
    }
}
