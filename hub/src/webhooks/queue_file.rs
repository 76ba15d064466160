//! The file of a queue, and the lock that lets one hub of a machine send from it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use trueup_core::fs::{FileLock, create_private_dir, read_bytes, replace_private, sha256_hex};

use super::queue::WebhookQueue;
use super::webhook_error::WebhookError;

/// Largest file, in bytes: a full queue of the longest messages.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// The format of the file.
const FORMAT: u32 = 1;

/// Characters of the name of a file.
const NAME_CHARS: usize = 16;

#[derive(Serialize, Deserialize)]
struct Contents<Q> {
    format: u32,
    queue: Q,
}

/// The file of a queue, for as long as this hub may write it.
#[derive(Debug)]
pub(super) struct QueueFile {
    path: PathBuf,
    _lock: FileLock,
}

impl QueueFile {
    /// Takes the file of a database; nothing where another hub of this machine has it.
    pub(super) fn take(folder: &Path, lineage: &str) -> Result<Option<Self>, WebhookError> {
        let mut name = sha256_hex(lineage.as_bytes());
        name.truncate(NAME_CHARS);
        create_private_dir(folder).map_err(|error| WebhookError::file(folder, error))?;
        let lock = folder.join(format!("{name}.lock"));
        match FileLock::acquire(&lock, Duration::ZERO) {
            Ok(held) => Ok(Some(Self { path: folder.join(format!("{name}.json")), _lock: held })),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(WebhookError::file(lock, error)),
        }
    }

    /// Loads the queue; an empty one where there is no file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is of no known format.
    pub(super) fn load(&self, lineage: &str) -> Result<WebhookQueue, WebhookError> {
        let fail = |error| WebhookError::file(&self.path, error);
        let bytes = match read_bytes(&self.path, MAX_FILE_BYTES, false) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(WebhookQueue::new(lineage.to_owned()));
            }
            read => read.map_err(fail)?,
        };
        let contents: Contents<WebhookQueue> =
            serde_json::from_slice(&bytes).map_err(|error| fail(error.into()))?;
        if contents.format == FORMAT && contents.queue.lineage() == lineage {
            Ok(contents.queue)
        } else {
            Err(fail(std::io::Error::other("it is of another format or database")))
        }
    }

    /// Writes the queue durably.
    pub(super) fn save(&self, queue: &WebhookQueue) -> Result<(), WebhookError> {
        let fail = |error| WebhookError::file(&self.path, error);
        let bytes = serde_json::to_vec(&Contents { format: FORMAT, queue })
            .map_err(|error| fail(error.into()))?;
        replace_private(&self.path, &bytes).map_err(fail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hub_of_a_machine_has_the_queue_and_the_next_one_takes_it_over() {
        let dir = tempfile::tempdir().unwrap();
        let take = || QueueFile::take(dir.path(), "lineage").unwrap();
        let first = take().unwrap();
        assert!(take().is_none());
        let queue = first.load("lineage").unwrap();
        first.save(&queue).unwrap();
        drop(first);
        // A process that another test starts has a copy of the lock until it runs its program.
        let next = std::iter::repeat_with(take).find_map(|taken| taken).unwrap();
        assert_eq!(next.load("lineage").unwrap(), queue);
    }

    #[test]
    fn a_file_that_cannot_be_understood_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let file = QueueFile::take(dir.path(), "lineage").unwrap().unwrap();
        for text in ["", "{", "{\"format\":2,\"queue\":{}}"] {
            std::fs::write(&file.path, text).unwrap();
            file.load("lineage").unwrap_err();
            assert_eq!(std::fs::read_to_string(&file.path).unwrap(), text);
        }
    }
}
