//! Sends waiting writes to the database in batches.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::checksummed_lines;
use super::outbox_files::Outbox;
use super::pending_write::{DrainTarget, PendingWrite, RefusedWrite};
use super::queue_file::{LineContent, LineWindow, QueueFile, QueueLine, TakenFile};
use crate::deadline::Deadline;
use crate::fs::FileLock;

/// The database's answer to one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendVerdict {
    /// The write is done, or known to the database already.
    Sent,
    /// The database will never accept it; holds the reason.
    Refused(String),
}

/// Time limits of one drain.
#[derive(Debug, Clone, Copy)]
pub struct DrainLimits {
    /// Longest wait for another drain.
    pub patience: Duration,
    /// When to stop starting further batches.
    pub share: Deadline,
    /// When to stop starting even the first batch. It is later than `share`, so that every drain
    /// makes progress, however slow the machine is.
    pub deadline: Deadline,
}

/// The result of draining the outbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DrainCounts {
    /// Writes that need not be sent again.
    pub sent: usize,
    /// Writes that the database refused for good.
    pub refused: usize,
    /// Writes that belong to another database.
    pub elsewhere: usize,
    /// Lines that cannot be read.
    pub damaged: usize,
    /// Writes that stay in the queue because they can neither be sent to this database nor moved
    /// aside.
    pub unmovable: usize,
    /// Whether something still waits for this database.
    pub is_waiting: bool,
    /// What went wrong before everything was sent; running out of time is not a problem.
    pub problem: Option<String>,
}

impl Outbox {
    /// Sends what waits for a database, in order, in batches, and saves the progress after each
    /// batch.
    ///
    /// `send` answers for as many writes of a batch as it had time for, from the first one on. A
    /// killed drain causes at most one batch to be sent again. If another drain is running, this
    /// one leaves the work to it.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or progress cannot be saved. Everything that was not sent is
    /// still queued then.
    pub fn drain<E: std::fmt::Display>(
        &self,
        target: &DrainTarget,
        limits: &DrainLimits,
        send: impl FnMut(&[&PendingWrite]) -> Result<Vec<SendVerdict>, E>,
    ) -> io::Result<DrainCounts> {
        let mut counts = DrainCounts::default();
        if self.is_idle() {
            return Ok(counts);
        }
        let Ok(_lock) = FileLock::acquire(&self.prepare_lock()?, limits.patience) else {
            counts.is_waiting = true;
            return Ok(counts);
        };
        let mut drain = Drain {
            outbox: self,
            target,
            limits,
            send,
            batches: 0,
            counts,
            failed_paths: BTreeSet::new(),
        };
        for queue in self.queues_for(target) {
            // Later writes must wait for earlier ones.
            if !drain.drain_queue(&queue)? {
                drain.counts.is_waiting = true;
                break;
            }
        }
        // Only an empty directory can be removed.
        let _ = fs::remove_dir(self.elsewhere_dir());
        Ok(drain.counts)
    }
}

struct Drain<'a, S> {
    outbox: &'a Outbox,
    target: &'a DrainTarget,
    limits: &'a DrainLimits,
    send: S,
    /// How many batches made progress.
    batches: usize,
    counts: DrainCounts,
    /// Files that could not be appended to. Later records for them stay in the queue too, which
    /// keeps the order.
    failed_paths: BTreeSet<PathBuf>,
}

/// How far a file was processed.
enum FileProgress {
    Finished,
    /// The next record has to wait.
    Paused,
}

/// Records of a file that could neither be sent nor moved aside.
#[derive(Debug, Default)]
struct Unmovable {
    bytes: Vec<u8>,
    /// Whether other records of the file are done, so that it has to be rewritten with only these.
    needs_rewrite: bool,
}

impl<S, E> Drain<'_, S>
where
    S: FnMut(&[&PendingWrite]) -> Result<Vec<SendVerdict>, E>,
    E: std::fmt::Display,
{
    /// Sends the records of a queue. Returns whether none of them still waits for this database.
    fn drain_queue(&mut self, queue: &QueueFile) -> io::Result<bool> {
        while let Some(mut taken) = queue.take_over()? {
            self.counts.unmovable = 0;
            let mut unmovable =
                Unmovable { needs_rewrite: taken.offset > 0, ..Unmovable::default() };
            match self.drain_file(queue, &mut taken, &mut unmovable)? {
                FileProgress::Finished if unmovable.bytes.is_empty() => queue.remove_taken()?,
                FileProgress::Finished => {
                    if !queue.keep_before_landed(&unmovable.bytes, !unmovable.needs_rewrite)? {
                        return Ok(true);
                    }
                }
                FileProgress::Paused => {
                    if unmovable.needs_rewrite && !unmovable.bytes.is_empty() {
                        queue.keep_before_rest(&taken, &unmovable.bytes)?;
                    }
                    return Ok(false);
                }
            }
            if !self.has_time_left() {
                return Ok(queue.is_absent());
            }
        }
        Ok(true)
    }

    fn drain_file(
        &mut self,
        queue: &QueueFile,
        taken: &mut TakenFile,
        unmovable: &mut Unmovable,
    ) -> io::Result<FileProgress> {
        while self.has_time_left() {
            let window = taken.read_window()?;
            let (before, is_last) = (taken.offset, window.is_last);
            let is_complete = self.process_window(taken, window, unmovable)?;
            if is_complete && is_last {
                return Ok(FileProgress::Finished);
            }
            // A mark would skip the unmovable records, so do not save one behind them.
            if taken.offset > before && unmovable.bytes.is_empty() {
                queue.save_progress(taken)?;
            }
            if !is_complete {
                break;
            }
        }
        Ok(FileProgress::Paused)
    }

    fn has_time_left(&self) -> bool {
        let deadline = if self.batches == 0 { self.limits.deadline } else { self.limits.share };
        !deadline.has_passed()
    }

    /// Sends the next records and moves aside what does not belong to this database. Returns
    /// whether the whole window was processed.
    fn process_window(
        &mut self,
        taken: &mut TakenFile,
        window: LineWindow,
        unmovable: &mut Unmovable,
    ) -> io::Result<bool> {
        let target = self.target;
        let own_writes = window.lines.iter().filter_map(|line| match &line.content {
            LineContent::Record(record) if target.owns(record) => Some(&**record),
            _ => None,
        });
        let own_writes: Vec<&PendingWrite> = own_writes.collect();
        let verdicts = if own_writes.is_empty() {
            Vec::new()
        } else {
            (self.send)(&own_writes).unwrap_or_else(|error| {
                self.counts.problem = Some(error.to_string());
                Vec::new()
            })
        };
        let end = window.end;
        let mut sorted = SortedLines::default();
        taken.offset = match sorted.sort_lines(window.lines, target, verdicts) {
            SortedExtent::All => end,
            SortedExtent::UpTo(reached) => reached,
            SortedExtent::None => taken.offset,
        };
        let is_complete = taken.offset == end;
        let unmovable_bytes = unmovable.bytes.len();
        let moved = self.move_aside(sorted, unmovable)?;
        // A batch that only met unmovable records does not count, so that they take no time from
        // records that can be sent.
        self.batches += usize::from(moved || unmovable.bytes.len() == unmovable_bytes);
        unmovable.needs_rewrite |= moved;
        Ok(is_complete)
    }

    /// Moves refused, damaged and foreign records to their files; what cannot be moved stays.
    /// Returns whether anything left the queue.
    fn move_aside(&mut self, sorted: SortedLines, unmovable: &mut Unmovable) -> io::Result<bool> {
        let mut moved = sorted.sent > 0 || !sorted.damaged.is_empty();
        self.counts.sent += sorted.sent;
        self.counts.damaged += sorted.damaged.len();
        if !sorted.damaged.is_empty() {
            let mut bytes = sorted.damaged.join(&b'\n');
            bytes.push(b'\n');
            checksummed_lines::append_rotating(&self.outbox.damaged_path(), &bytes)?;
        }
        let refused_count = sorted.refused.len();
        if refused_count > 0 && self.append_to(&self.outbox.refused_path(), &sorted.refused) {
            self.counts.refused += refused_count;
            moved = true;
        } else {
            let records = sorted.refused.into_iter().map(|dead| dead.record);
            self.keep_unmovable(&records.collect::<Vec<_>>(), unmovable)?;
        }
        for records in sorted.elsewhere.into_values() {
            let origin = records.first().and_then(|record| record.origin.as_ref());
            let Some(other) = origin.map(|origin| self.outbox.queue_for(origin)) else {
                continue;
            };
            if self.append_to(other.landing_path(), &records) {
                self.counts.elsewhere += records.len();
                moved = true;
            } else {
                self.keep_unmovable(&records, unmovable)?;
            }
        }
        Ok(moved)
    }

    /// Appends records to another file, unless an earlier append to it failed.
    fn append_to<T: Serialize>(&mut self, path: &Path, records: &[T]) -> bool {
        if self.failed_paths.contains(path) {
            return false;
        }
        match checksummed_lines::append_records(path, records) {
            Ok(()) => true,
            Err(error) => {
                let trouble = format!("{}: {error}", path.display());
                self.counts.problem.get_or_insert(trouble);
                self.failed_paths.insert(path.to_owned());
                false
            }
        }
    }

    fn keep_unmovable(
        &mut self,
        records: &[PendingWrite],
        unmovable: &mut Unmovable,
    ) -> io::Result<()> {
        self.counts.unmovable += records.len();
        unmovable.bytes.extend(checksummed_lines::encode_records(records)?.into_bytes());
        Ok(())
    }
}

/// How many lines of a window were sorted.
enum SortedExtent {
    All,
    /// Lines up to this offset.
    UpTo(u64),
    None,
}

/// The lines of a window by their destination.
#[derive(Debug, Default)]
struct SortedLines {
    sent: usize,
    refused: Vec<RefusedWrite>,
    damaged: Vec<Vec<u8>>,
    /// By lineage, or by address where the lineage is unknown.
    elsewhere: BTreeMap<(Option<String>, String), Vec<PendingWrite>>,
}

impl SortedLines {
    /// Sorts lines up to the first one without a verdict.
    fn sort_lines(
        &mut self,
        lines: Vec<QueueLine>,
        target: &DrainTarget,
        verdicts: Vec<SendVerdict>,
    ) -> SortedExtent {
        let mut verdicts = verdicts.into_iter();
        let mut reached = SortedExtent::None;
        for line in lines {
            match line.content {
                LineContent::Damaged(bytes) => self.damaged.push(shorten_zeros(bytes)),
                LineContent::Record(record) if target.owns(&record) => match verdicts.next() {
                    Some(SendVerdict::Sent) => self.sent += 1,
                    Some(SendVerdict::Refused(reason)) => {
                        self.refused.push(RefusedWrite { reason, record: *record });
                    }
                    None => return reached,
                },
                LineContent::Record(record) => self.add_elsewhere(*record),
            }
            reached = SortedExtent::UpTo(line.end);
        }
        SortedExtent::All
    }

    fn add_elsewhere(&mut self, record: PendingWrite) {
        let key = record.origin.as_ref().map(|origin| {
            let lineage = origin.lineage.as_ref().map(ToString::to_string);
            let address = lineage.is_none().then(|| origin.database.clone());
            (lineage, address.unwrap_or_default())
        });
        self.elsewhere.entry(key.unwrap_or_default()).or_default().push(record);
    }
}

/// Shortens a run of zero bytes, which a power failure leaves behind; returns any other line as it
/// is.
fn shorten_zeros(bytes: Vec<u8>) -> Vec<u8> {
    if bytes.iter().all(|byte| *byte == 0) {
        return format!("({} zero bytes)", bytes.len()).into_bytes();
    }
    bytes
}
