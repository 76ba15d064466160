//! What is known here of a session in a database on a server, for commands that only show it.

use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::log::LogLevel;
use trueup_core::model::{Session, SessionId};
use trueup_core::replica::{Replica, ReplicaFile, ReplicaStore};
use trueup_core::sync::now;

use super::CommandContext;

/// How long to wait for a hook that works on the replica.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// How long to wait for a server that could not be reached before: long enough to see that it is
/// back.
const OUTAGE_PATIENCE: Duration = Duration::from_secs(1);

impl CommandContext {
    /// Names the replica of a session, if the database is on a server that was met before.
    pub(crate) fn find_replica_file(&self, session: &SessionId) -> Option<ReplicaFile> {
        let settings = &self.run.settings;
        if !settings.is_remote() {
            return None;
        }
        let lineage = self.run.databases().last_known_at(&settings.database_address())?;
        Some(ReplicaFile::of_session(&settings.paths, &lineage, session))
    }

    /// Reads the replica of a session.
    pub(crate) fn read_replica(&self, session: &SessionId) -> Option<Replica> {
        self.find_replica_file(session)?.read()
    }

    /// Waits for a moment only, where the last pull could not reach the server: this command shows
    /// what was read before then.
    pub(crate) fn hurry_in_outage(&self) {
        let session = self.named_session.clone().or_else(|| self.read_env_session().ok().flatten());
        let replica = session.and_then(|session| self.read_replica(&session));
        if replica.is_some_and(|replica| replica.outage_since.is_some()) {
            self.prepare_store(|store| store.set_deadline(Deadline::after(OUTAGE_PATIENCE)));
        }
    }

    /// Opens the replica of the session that is named, or of the environment.
    pub(crate) fn open_own_replica(&self) -> Option<ReplicaStore> {
        let session = self.named_session.clone().or(self.read_env_session().ok().flatten())?;
        let file = self.find_replica_file(&session)?;
        let lock = file.acquire_lock(LOCK_PATIENCE).ok()?;
        let replica = file.read()?;
        let settings = &self.run.settings;
        let address = (settings.database_address(), settings.database.to_string());
        Some(ReplicaStore::new(file, replica, lock, self.run.outbox(), address, now()))
    }

    /// Tells the hooks of a session, which do not ask the server, what a command made of it. The
    /// next pull would as well.
    pub(crate) fn renew_replica(&self, session: &Session) {
        let Some(file) = self.find_replica_file(&session.id) else {
            return;
        };
        let renewed =
            file.replace_session(session.clone(), now(), &self.run.outbox(), LOCK_PATIENCE);
        if let Err(error) = renewed {
            self.run.log(LogLevel::Warn, "replica", &error.to_string());
        }
    }
}
