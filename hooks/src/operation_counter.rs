//! Counts a session's operations, exactly, with any number of hooks running at once.
//!
//! The count is the length of an append-only file. The kernel gives each append its own offset,
//! so exactly one process sees each count, without a lock and without a database write.

use std::io::{self, Seek as _, Write as _};
use std::path::Path;

use trueup_core::fs::{ensure_private_dir, open_to_append};
use trueup_core::model::SessionId;

/// Counts one operation and returns its number, starting at 1.
pub(crate) fn count_operation(dir: &Path, session: &SessionId) -> io::Result<u64> {
    let path = dir.join(session.as_str());
    let mut file = match open_to_append(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            ensure_private_dir(dir)?;
            open_to_append(&path)?
        }
        other => other?,
    };
    file.write_all(b".")?;
    // After an append, the position is the end of what *this* process wrote.
    file.stream_position()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_number_is_given_once() {
        let dir = tempfile::tempdir().unwrap();
        let session: SessionId = "s1".parse().unwrap();
        let numbers: Vec<u64> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        (0..50)
                            .map(|_| count_operation(&dir.path().join("c"), &session).unwrap())
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        let distinct: BTreeSet<u64> = numbers.iter().copied().collect();
        assert_eq!(distinct, (1..=400).collect());
    }
}
