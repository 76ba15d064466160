//! Sending what waits, batch by batch.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::Duration;

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
    batches: usize,
    tally: Tally,
}

impl<S, E> Drain<'_, S>
where
    S: FnMut(&[&Pending]) -> Result<Vec<Verdict>, E>,
    E: std::fmt::Display,
{
    /// Sends what is in a queue; tells whether it is empty now.
    fn empty(&mut self, queue: &Queue) -> io::Result<bool> {
        while let Some(mut taken) = queue.take_over()? {
            while self.goes_on() {
                self.batches += 1;
                let window = taken.window()?;
                let (before, is_last) = (taken.offset, window.is_last);
                let whole = self.carry_out(&mut taken, window)?;
                if whole && is_last {
                    queue.finish()?;
                    break;
                }
                if taken.offset > before {
                    queue.keep(&taken)?;
                }
                if !whole {
                    return Ok(false);
                }
            }
            if !self.goes_on() {
                return Ok(queue.is_absent());
            }
        }
        Ok(true)
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
    fn carry_out(&mut self, taken: &mut Taken, window: Window) -> io::Result<bool> {
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
        self.put_aside(&sorted)?;
        Ok(whole)
    }

    fn put_aside(&mut self, sorted: &Sorted) -> io::Result<()> {
        self.tally.sent += sorted.sent;
        self.tally.dead += sorted.dead.len();
        self.tally.damaged += sorted.damaged.len();
        if !sorted.dead.is_empty() {
            lines::append(&self.outbox.graveyard(), &sorted.dead)?;
        }
        if !sorted.damaged.is_empty() {
            let mut bytes = sorted.damaged.join(&b'\n');
            bytes.push(b'\n');
            lines::append_bytes(&self.outbox.aside(), &bytes)?;
        }
        for records in sorted.elsewhere.values() {
            let origin = records.first().and_then(|record| record.origin.as_ref());
            let Some(other) = origin.map(|origin| self.outbox.queue_of(origin)) else {
                continue;
            };
            lines::append(other.landing(), records)?;
            self.tally.elsewhere += records.len();
        }
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
