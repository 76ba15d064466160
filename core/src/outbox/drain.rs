//! Sending what waits, batch by batch.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::lines;
use super::queue::{Line, Queue, Taken, What, Window};
use super::record::{Dead, Pending, Target};
use super::store::Outbox;
use crate::cache::lock::FileLock;
use crate::deadline::Deadline;
use crate::files;

/// What a database says of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It need not be sent again.
    Sent,
    /// It never can be sent; why.
    Refused(String),
}

/// How long a drain may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How long another drain is waited for.
    pub patience: Duration,
    /// Until when a further batch is begun.
    pub share: Deadline,
    /// Until when the first batch is begun: each drain gets on, however slow the machine is.
    pub end: Deadline,
}

/// What a drain came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many need not be sent again.
    pub sent: usize,
    /// How many the database refused for good.
    pub dead: usize,
    /// How many were found that are for another database.
    pub elsewhere: usize,
    /// How many lines were found that cannot be read.
    pub damaged: usize,
    /// How many stay among those that wait: they are not for this database, or it refuses them,
    /// and they cannot be put aside.
    pub stays: usize,
    /// Whether something still waits for this database.
    pub waits: bool,
    /// Why the drain ended before everything was sent, other than by its bounds.
    pub trouble: Option<String>,
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
        target: &Target,
        bounds: &Bounds,
        send: impl FnMut(&[&Pending]) -> Result<Vec<Verdict>, E>,
    ) -> io::Result<Tally> {
        let mut tally = Tally::default();
        if self.is_idle() {
            return Ok(tally);
        }
        let lock = self.lock();
        files::clear_the_way(&lock)?;
        files::private_dir(self.folder())?;
        let Ok(_lock) = FileLock::exclusive(&lock, bounds.patience) else {
            tally.waits = true;
            return Ok(tally);
        };
        let mut drain = Drain {
            outbox: self,
            target,
            bounds,
            send,
            batches: 0,
            tally,
            closed: BTreeSet::new(),
        };
        for queue in self.queues_for(target) {
            // What landed later waits behind what did not go.
            if !drain.empty(&queue)? {
                drain.tally.waits = true;
                break;
            }
        }
        // Only an empty one goes.
        let _ = fs::remove_dir(self.elsewhere());
        Ok(drain.tally)
    }
}

struct Drain<'a, S> {
    outbox: &'a Outbox,
    target: &'a Target,
    bounds: &'a Bounds,
    send: S,
    /// How many batches came to anything.
    batches: usize,
    tally: Tally,
    /// Files that nothing more is put into: what follows stays behind what could not be.
    closed: BTreeSet<PathBuf>,
}

/// How far a file was gone through.
enum Reached {
    End,
    /// What comes next waits.
    Here,
}

/// What could be neither sent nor put aside of a file.
#[derive(Debug, Default)]
struct Stays {
    bytes: Vec<u8>,
    /// Whether all else of the file is gone past: then it has to be written without that.
    is_apart: bool,
}

impl<S, E> Drain<'_, S>
where
    S: FnMut(&[&Pending]) -> Result<Vec<Verdict>, E>,
    E: std::fmt::Display,
{
    /// Sends what is in a queue; tells whether nothing of it waits for this database now.
    fn empty(&mut self, queue: &Queue) -> io::Result<bool> {
        while let Some(mut taken) = queue.take_over()? {
            self.tally.stays = 0;
            let mut stays = Stays {
                is_apart: taken.offset > 0,
                ..Stays::default()
            };
            match self.go_through(queue, &mut taken, &mut stays)? {
                Reached::End if stays.bytes.is_empty() => queue.finish()?,
                Reached::End => {
                    if !queue.let_stay_before_new(&stays.bytes, !stays.is_apart)? {
                        return Ok(true);
                    }
                }
                Reached::Here => {
                    if stays.is_apart && !stays.bytes.is_empty() {
                        queue.let_stay(&taken, &stays.bytes)?;
                    }
                    return Ok(false);
                }
            }
            if !self.goes_on() {
                return Ok(queue.is_absent());
            }
        }
        Ok(true)
    }

    fn go_through(
        &mut self,
        queue: &Queue,
        taken: &mut Taken,
        stays: &mut Stays,
    ) -> io::Result<Reached> {
        while self.goes_on() {
            let window = taken.window()?;
            let (before, is_last) = (taken.offset, window.is_last);
            let whole = self.carry_out(taken, window, stays)?;
            if whole && is_last {
                return Ok(Reached::End);
            }
            // Behind a mark nobody looks for what stays.
            if taken.offset > before && stays.bytes.is_empty() {
                queue.keep(taken)?;
            }
            if !whole {
                break;
            }
        }
        Ok(Reached::Here)
    }

    fn goes_on(&self) -> bool {
        let until = if self.batches == 0 {
            self.bounds.end
        } else {
            self.bounds.share
        };
        !until.passed()
    }

    /// Sends what comes next, and puts aside what is not to be sent; tells whether that was all
    /// of it.
    fn carry_out(
        &mut self,
        taken: &mut Taken,
        window: Window,
        stays: &mut Stays,
    ) -> io::Result<bool> {
        let target = self.target;
        let ours = window.lines.iter().filter_map(|line| match &line.what {
            What::Record(record) if target.owns(record) => Some(&**record),
            _ => None,
        });
        let ours: Vec<&Pending> = ours.collect();
        let verdicts = if ours.is_empty() {
            Vec::new()
        } else {
            (self.send)(&ours).unwrap_or_else(|error| {
                self.tally.trouble = Some(error.to_string());
                Vec::new()
            })
        };
        let end = window.end;
        let mut sorted = Sorted::default();
        taken.offset = match sorted.sort(window.lines, target, verdicts) {
            Extent::All => end,
            Extent::UpTo(reached) => reached,
            Extent::None => taken.offset,
        };
        let whole = taken.offset == end;
        let stayed = stays.bytes.len();
        let moved = self.put_aside(sorted, stays)?;
        // A batch that came to nothing is none: what stays takes no time from what is sent.
        self.batches += usize::from(moved || stays.bytes.len() == stayed);
        stays.is_apart |= moved;
        Ok(whole)
    }

    /// Puts aside what is not sent; what cannot be stays. Tells whether anything was gone past.
    fn put_aside(&mut self, sorted: Sorted, stays: &mut Stays) -> io::Result<bool> {
        let mut moved = sorted.sent > 0 || !sorted.damaged.is_empty();
        self.tally.sent += sorted.sent;
        self.tally.damaged += sorted.damaged.len();
        if !sorted.damaged.is_empty() {
            let mut bytes = sorted.damaged.join(&b'\n');
            bytes.push(b'\n');
            lines::append_in_turn(&self.outbox.aside(), &bytes)?;
        }
        let dead = sorted.dead.len();
        if dead > 0 && self.put_into(&self.outbox.graveyard(), &sorted.dead) {
            self.tally.dead += dead;
            moved = true;
        } else {
            let refused = sorted.dead.into_iter().map(|dead| dead.record);
            self.stay(&refused.collect::<Vec<_>>(), stays)?;
        }
        for records in sorted.elsewhere.into_values() {
            let origin = records.first().and_then(|record| record.origin.as_ref());
            let Some(other) = origin.map(|origin| self.outbox.queue_of(origin)) else {
                continue;
            };
            if self.put_into(other.landing(), &records) {
                self.tally.elsewhere += records.len();
                moved = true;
            } else {
                self.stay(&records, stays)?;
            }
        }
        Ok(moved)
    }

    /// Puts records into another file, unless an earlier one could not be put there.
    fn put_into<T: Serialize>(&mut self, path: &Path, records: &[T]) -> bool {
        if self.closed.contains(path) {
            return false;
        }
        match lines::append(path, records) {
            Ok(()) => true,
            Err(error) => {
                let trouble = format!("{}: {error}", path.display());
                self.tally.trouble.get_or_insert(trouble);
                self.closed.insert(path.to_owned());
                false
            }
        }
    }

    fn stay(&mut self, records: &[Pending], stays: &mut Stays) -> io::Result<()> {
        self.tally.stays += records.len();
        stays.bytes.extend(lines::encode(records)?.into_bytes());
        Ok(())
    }
}

/// How many of the lines of a window were sorted.
enum Extent {
    All,
    /// Those that end here and before.
    UpTo(u64),
    None,
}

/// The lines of a window, by what becomes of them.
#[derive(Debug, Default)]
struct Sorted {
    sent: usize,
    dead: Vec<Dead>,
    damaged: Vec<Vec<u8>>,
    /// By the lineage, or the address where that is unknown.
    elsewhere: BTreeMap<(Option<String>, String), Vec<Pending>>,
}

impl Sorted {
    /// Sorts lines up to the first one without a verdict.
    fn sort(&mut self, lines: Vec<Line>, target: &Target, verdicts: Vec<Verdict>) -> Extent {
        let mut verdicts = verdicts.into_iter();
        let mut reached = Extent::None;
        for line in lines {
            match line.what {
                What::Damaged(bytes) => self.damaged.push(shown(bytes)),
                What::Record(record) if target.owns(&record) => match verdicts.next() {
                    Some(Verdict::Sent) => self.sent += 1,
                    Some(Verdict::Refused(reason)) => self.dead.push(Dead {
                        reason,
                        record: *record,
                    }),
                    None => return reached,
                },
                What::Record(record) => self.set_apart(*record),
            }
            reached = Extent::UpTo(line.end);
        }
        Extent::All
    }

    fn set_apart(&mut self, record: Pending) {
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
fn shown(bytes: Vec<u8>) -> Vec<u8> {
    if bytes.iter().all(|byte| *byte == 0) {
        return format!("({} zero bytes)", bytes.len()).into_bytes();
    }
    bytes
}
