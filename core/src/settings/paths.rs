//! Where trueup keeps its own files.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::Environment;
use crate::fs::{ResolvedPath, short_digest};
use crate::model::{Lineage, SessionId};

/// The directories of trueup's own files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Contains `config.toml`.
    pub config: PathBuf,
    /// Contains the database, journal, outbox, log and locks.
    pub data: PathBuf,
}

/// The locks of the pulls of a session: one works, one waits for its turn, and one that the start of
/// the session waits for.
#[derive(Debug, Clone)]
pub struct PullLocks {
    /// Held by the one that works.
    pub turn: PathBuf,
    /// Held by the one that waits for its turn.
    pub next: PathBuf,
    /// Held by the one of a start that waits for its turn.
    pub next_start: PathBuf,
}

impl Paths {
    /// Finds the directories: `TRUEUP_HOME`, else the platform's.
    ///
    /// # Errors
    ///
    /// When `TRUEUP_HOME` is relative, or there is no home directory.
    pub fn find(environment: &Environment) -> Result<Self, String> {
        if let Some(home) = environment.path("TRUEUP_HOME") {
            // A relative one would mean another database in every directory.
            if !home.is_absolute() {
                return Err(format!("TRUEUP_HOME={} must be an absolute path", home.display()));
            }
            return Ok(Self { config: home.clone(), data: home });
        }
        let dirs = ProjectDirs::from("", "", "trueup")
            .ok_or_else(|| "no home directory; set TRUEUP_HOME".to_owned())?;
        Ok(Self { config: dirs.config_dir().to_owned(), data: dirs.data_dir().to_owned() })
    }

    /// Returns the user's configuration file.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// Returns the default database.
    pub fn database(&self) -> PathBuf {
        self.data.join("trueup.db")
    }

    /// Returns the journal of rejected edits.
    pub fn journal(&self) -> PathBuf {
        self.data.join("journal.jsonl")
    }

    /// Returns the outbox.
    pub fn outbox(&self) -> PathBuf {
        self.data.join("outbox.jsonl")
    }

    /// Returns the directory that records which database is at which address.
    pub fn databases(&self) -> PathBuf {
        self.data.join("databases")
    }

    /// Returns the directory that remembers what answers at which `https://` URL.
    pub fn servers(&self) -> PathBuf {
        self.data.join("servers")
    }

    /// Returns the directory of what a hub has to send, a file for each database.
    pub fn webhooks(&self) -> PathBuf {
        self.data.join("webhooks")
    }

    /// Returns the file with the secret that a hub made for itself to sign what it sends.
    pub fn webhook_secret(&self) -> PathBuf {
        self.data.join("webhook-secret")
    }

    /// Returns the log file.
    pub fn log(&self) -> PathBuf {
        self.data.join("trueup.log")
    }

    /// Returns the file whose modification time is that of the last automatic prune.
    pub fn prune_marker(&self) -> PathBuf {
        self.data.join("pruned")
    }

    /// Returns the file with the name by which the database knows this machine.
    pub fn machine_name(&self) -> PathBuf {
        self.data.join("machine")
    }

    /// Returns the file whose modification time is that of the last check of a checkout's
    /// workplans. Its lines are the folders of workplans in packages.
    pub fn check_marker(&self, root: &Path) -> PathBuf {
        self.data.join("checked").join(file_name_for(&ResolvedPath::resolve(root)))
    }

    /// Returns the file that records which state of a repository was published last.
    pub fn passed_state_marker(&self, root: &Path) -> PathBuf {
        self.data.join("passed").join(file_name_for(&ResolvedPath::resolve(root)))
    }

    /// Returns the file with notices that the next session of a project shows, because the session
    /// they are for has ended.
    pub fn pending_notice(&self, project: &Path) -> PathBuf {
        self.data.join("untold").join(file_name_for(&ResolvedPath::resolve(project)))
    }

    /// Returns the lock of a check over all repositories.
    pub fn sweep_lock(&self) -> PathBuf {
        self.locks().join("sweep")
    }

    /// Returns the undo log of changes to the files of a checkout.
    pub fn undo_log_of(&self, checkout: &Path) -> PathBuf {
        self.data.join("unfinished").join(file_name_for(&ResolvedPath::resolve(checkout)))
    }

    /// Returns the directory of locks.
    pub fn locks(&self) -> PathBuf {
        self.data.join("locks")
    }

    /// Returns the replica of a session of a database on a server.
    pub fn replica(&self, lineage: &Lineage, session: &SessionId) -> PathBuf {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let name = match &lineage.0 {
            // The server chose it, and it must not lead out of the directory.
            text if text.is_empty() || !text.chars().all(is_plain) => short_digest(text.as_bytes()),
            text => text.clone(),
        };
        self.replicas_dir().join(name).join(format!("{session}.json"))
    }

    /// Returns the directory with the replicas, which has one for each database.
    pub fn replicas_dir(&self) -> PathBuf {
        self.data.join("replica")
    }

    /// Returns the locks of the processes that talk to a server for the hooks of a session.
    /// `address` is the digest of the server's address: one that does not answer keeps nobody from
    /// another one.
    pub fn pull_locks(&self, address: &str, session: &SessionId) -> PullLocks {
        let lock = |kind| self.locks().join(format!("{kind}-{address}-{session}"));
        PullLocks { turn: lock("pull"), next: lock("next-pull"), next_start: lock("next-start") }
    }

    /// Returns the directory of operation counters.
    pub fn counters(&self) -> PathBuf {
        self.data.join("counters")
    }

    /// Returns the lock of a cache file. It is outside the repository, so that it works where that
    /// is read-only.
    pub fn lock_of(&self, cache: &Path) -> PathBuf {
        self.locks().join(file_name_for(&ResolvedPath::resolve(cache)))
    }
}

/// Derives a file name from a path elsewhere, the same for every spelling of it.
fn file_name_for(path: &ResolvedPath) -> String {
    short_digest(path.as_path().as_os_str().as_encoded_bytes())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_place_has_one_lock_and_one_mark_whatever_it_is_called() {
        let temp_dir = tempfile::tempdir().unwrap();
        let at = |name: &str| temp_dir.path().join(name);
        std::fs::create_dir_all(at("real/.claude")).unwrap();
        symlink("real", at("link")).unwrap();
        let paths = Paths { config: at("config"), data: at("data") };
        for name in ["link", "real/../link", "./link/.claude/.."] {
            let (named, real) = (at(name), at("real"));
            assert_eq!(paths.check_marker(&named), paths.check_marker(&real), "{name}");
            assert_eq!(
                paths.passed_state_marker(&named),
                paths.passed_state_marker(&real),
                "{name}"
            );
            assert_eq!(paths.undo_log_of(&named), paths.undo_log_of(&real));
            // For an existing file, and for one that does not exist yet.
            for file in [".claude", ".claude/state.json"] {
                let (named, real) = (named.join(file), real.join(file));
                assert_eq!(paths.lock_of(&named), paths.lock_of(&real), "{name}");
            }
        }
    }
}
