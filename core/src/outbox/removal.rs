//! Taking single records out of the outbox by hand: dropped for good, or sent once more.
//!
//! Both hold the lock of the drain, so that no record is sent while it is taken out.

use std::fs;
use std::io;
use std::time::Duration;

use super::checksummed_lines;
use super::outbox_files::Outbox;
use super::pending_write::{PendingWrite, RefusedWrite};
use super::queue_file::{LineContent, QueueFile};
use crate::fs::{FileLock, FileReplacement, PRIVATE_MODE};

impl Outbox {
    /// Keeps others from taking records out, once those who do it now have ended.
    fn acquire_lock(&self, patience: Duration) -> io::Result<FileLock> {
        FileLock::acquire(&self.prepare_lock()?, patience)
    }

    /// Drops a record, whether it waits or was refused. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// When a drain keeps running, or a file cannot be read or written. Then nothing is dropped, or
    /// only the copies in the files before.
    pub fn drop_record(&self, op_id: &str, patience: Duration) -> io::Result<bool> {
        let _lock = self.acquire_lock(patience)?;
        let mut was_there = self.remove_refused(op_id)?;
        for queue in self.list_queues()? {
            was_there |= remove_waiting(&queue, op_id)?;
        }
        // Only an empty directory can be removed.
        let _ = fs::remove_dir(self.elsewhere_dir());
        Ok(was_there)
    }

    /// Makes a refused record wait again, behind the others. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// When a drain keeps running, or a file cannot be read or written. A record may then be in
    /// both places; it takes effect once.
    pub fn retry_refused(&self, op_id: &str, patience: Duration) -> io::Result<bool> {
        let _lock = self.acquire_lock(patience)?;
        let refused = self.list_refused()?;
        let found = refused.iter().map(|refused| &refused.record);
        let found: Vec<&PendingWrite> = found.filter(|it| it.op_id == op_id).collect();
        // A record that was refused twice is sent once.
        let Some(record) = found.last() else {
            return Ok(false);
        };
        self.put(record)?;
        self.remove_refused(op_id)
    }

    /// Rewrites the file of refused records without one. Returns whether it was there.
    fn remove_refused(&self, op_id: &str) -> io::Result<bool> {
        let path = self.refused_path();
        let refused = self.list_refused()?;
        let kept: Vec<&RefusedWrite> =
            refused.iter().filter(|refused| refused.record.op_id != op_id).collect();
        if kept.len() == refused.len() {
            return Ok(false);
        }
        if kept.is_empty() {
            checksummed_lines::remove_if_present(&path)?;
            checksummed_lines::sync_parent_dir(&path)?;
            return Ok(true);
        }
        let content = checksummed_lines::encode_records(&kept)?;
        let replacement = FileReplacement {
            path: &path,
            content: content.as_bytes(),
            mode: PRIVATE_MODE,
            durable: true,
            exists: true,
        };
        replacement.apply(&|_| true).map(|_| true)
    }
}

/// Rewrites a queue without a record. What is appended meanwhile stays behind the others.
fn remove_waiting(queue: &QueueFile, op_id: &str) -> io::Result<bool> {
    let mut was_there = false;
    while let Some(mut taken) = queue.take_over()? {
        let mut kept = Vec::new();
        let was_there_before = was_there;
        loop {
            let window = taken.read_window()?;
            for line in window.lines {
                match line.content {
                    LineContent::Record(record) if record.op_id == op_id => was_there = true,
                    LineContent::Record(record) => {
                        kept.extend(checksummed_lines::encode_records(&[record])?.into_bytes());
                    }
                    LineContent::Damaged(bytes) => {
                        kept.extend(bytes);
                        kept.push(b'\n');
                    }
                }
            }
            taken.offset = window.end;
            if window.is_last {
                break;
            }
        }
        if kept.is_empty() {
            queue.remove_taken()?;
        } else if !queue.keep_before_landed(&kept, was_there == was_there_before)? {
            return Ok(was_there);
        }
    }
    Ok(was_there)
}
