//! Sending what waits, batch by batch.

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
use crate::fs::{FileLock, create_private_dir, move_obstacle_aside};

/// What a database says of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendVerdict {
    /// It need not be sent again.
    Sent,
    /// It never can be sent; why.
    Refused(String),
}

/// How long a drain may take.
#[derive(Debug, Clone, Copy)]
pub struct DrainLimits {
    /// How long another drain is waited for.
    pub patience: Duration,
    /// Until when a further batch is begun.
    pub share: Deadline,
    /// Until when the first batch is begun: each drain gets on, however slow the machine is.
    pub deadline: Deadline,
}

/// What a drain came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DrainCounts {
    /// How many need not be sent again.
    pub sent: usize,
    /// How many the database refused for good.
    pub refused: usize,
    /// How many were found that are for another database.
    pub elsewhere: usize,
    /// How many lines were found that cannot be read.
    pub damaged: usize,
    /// How many stay among those that wait: they are not for this database, or it refuses them,
    /// and they cannot be put aside.
    pub unmovable: usize,
    /// Whether something still waits for this database.
    pub is_waiting: bool,
    /// Why the drain ended before everything was sent, other than by its bounds.
    pub problem: Option<String>,
}

impl Outbox {
    /// Sends what waits for a database, in order, in batches; keeps after each how far it came.
    ///
    /// `send` answers for as many of a batch, from its beginning, as it had time for. A drain
    /// that is killed leaves a batch at most that is sent again. Another drain under way is left
    /// to do it.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or progress cannot be kept; then everything not yet sent is
    /// still there.
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
        let lock = self.lock_path();
        move_obstacle_aside(&lock)?;
        create_private_dir(self.folder())?;
        let Ok(_lock) = FileLock::acquire(&lock, limits.patience) else {
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
            // What landed later waits behind what did not go.
            if !drain.drain_queue(&queue)? {
                drain.counts.is_waiting = true;
                break;
            }
        }
        // Only an empty one goes.
        let _ = fs::remove_dir(self.elsewhere_dir());
        Ok(drain.counts)
    }
}

struct Drain<'a, S> {
    outbox: &'a Outbox,
    target: &'a DrainTarget,
    limits: &'a DrainLimits,
    send: S,
    /// How many batches came to anything.
    batches: usize,
    counts: DrainCounts,
    /// Files that nothing more is put into: what follows stays behind what could not be.
    failed_paths: BTreeSet<PathBuf>,
}

/// How far a file was gone through.
enum FileProgress {
    Finished,
    /// What comes next waits.
    Paused,
}

/// What could be neither sent nor put aside of a file.
#[derive(Debug, Default)]
struct Unmovable {
    bytes: Vec<u8>,
    /// Whether all else of the file is gone past: then it has to be written without that.
    needs_rewrite: bool,
}

impl<S, E> Drain<'_, S>
where
    S: FnMut(&[&PendingWrite]) -> Result<Vec<SendVerdict>, E>,
    E: std::fmt::Display,
{
    /// Sends what is in a queue; tells whether nothing of it waits for this database now.
    fn drain_queue(&mut self, queue: &QueueFile) -> io::Result<bool> {
        while let Some(mut taken) = queue.take_over()? {
            self.counts.unmovable = 0;
            let mut unmovable = Unmovable {
                needs_rewrite: taken.offset > 0,
                ..Unmovable::default()
            };
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
            // Behind a mark nobody looks for what stays.
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
        let deadline = if self.batches == 0 {
            self.limits.deadline
        } else {
            self.limits.share
        };
        !deadline.has_passed()
    }

    /// Sends what comes next, and puts aside what is not to be sent; tells whether that was all
    /// of it.
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
        // A batch that came to nothing is none: what stays takes no time from what is sent.
        self.batches += usize::from(moved || unmovable.bytes.len() == unmovable_bytes);
        unmovable.needs_rewrite |= moved;
        Ok(is_complete)
    }

    /// Puts aside what is not sent; what cannot be stays. Tells whether anything was gone past.
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

    /// Puts records into another file, unless an earlier one could not be put there.
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
        unmovable
            .bytes
            .extend(checksummed_lines::encode_records(records)?.into_bytes());
        Ok(())
    }
}

/// How many of the lines of a window were sorted.
enum SortedExtent {
    All,
    /// Those that end here and before.
    UpTo(u64),
    None,
}

/// The lines of a window, by what becomes of them.
#[derive(Debug, Default)]
struct SortedLines {
    sent: usize,
    refused: Vec<RefusedWrite>,
    damaged: Vec<Vec<u8>>,
    /// By the lineage, or the address where that is unknown.
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
                    Some(SendVerdict::Refused(reason)) => self.refused.push(RefusedWrite {
                        reason,
                        record: *record,
                    }),
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
        self.elsewhere
            .entry(key.unwrap_or_default())
            .or_default()
            .push(record);
    }
}

/// Keeps what a line held; a run of zeros, as a power failure leaves it, in a word.
fn shorten_zeros(bytes: Vec<u8>) -> Vec<u8> {
    if bytes.iter().all(|byte| *byte == 0) {
        return format!("({} zero bytes)", bytes.len()).into_bytes();
    }
    bytes
}
