//! Many short processes that write at once: how many get through in a second, how long the
//! unlucky ones wait, and whether anything is lost or refused.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::Yard;
use crate::binaries::Binaries;
use crate::{Failure, measure, say};

/// Processes at once.
pub(crate) const PROCESSES: usize = 128;

/// Writes of each of them in one run.
const WRITES_EACH: usize = 40;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Contention {
    /// Writes a second.
    pub(crate) rate: f64,
    /// The median and the 99th percentile of a whole process, in seconds.
    pub(crate) median: f64,
    pub(crate) p99: f64,
    /// Writes asked for, and those found in the database.
    pub(crate) asked: usize,
    pub(crate) recorded: i64,
    /// Processes that said no.
    pub(crate) refused: usize,
}

/// Lets each of the processes add items of its own, one per process, and counts the rows.
pub(crate) fn measure(binaries: &Binaries) -> Result<Contention, Failure> {
    say(&format!("{PROCESSES} processes at once"));
    let yard = Yard::make(binaries)?;
    let outcomes = Mutex::new(Vec::new());
    let start = Instant::now();
    thread::scope(|scope| {
        for writer in 0..PROCESSES {
            let (yard, outcomes) = (&yard, &outcomes);
            scope.spawn(move || {
                let mut mine: Vec<Option<Duration>> = Vec::with_capacity(WRITES_EACH);
                for write in 0..WRITES_EACH {
                    let task = yard.trueup(&["item", "add", &format!("I-{writer}-{write}")]);
                    // A process that refuses is counted, not timed.
                    mine.push(measure::wall(&task).ok());
                }
                if let Ok(mut all) = outcomes.lock() {
                    all.extend(mine);
                }
            });
        }
    });
    let took = start.elapsed().as_secs_f64();
    let outcomes = outcomes.into_inner().map_err(|_| "a writer panicked")?;
    let mut times: Vec<Duration> = outcomes.iter().flatten().copied().collect();
    times.sort_unstable();
    let at = |share: usize| {
        let index = times.len().saturating_sub(1) * share / 100;
        times.get(index).map_or(f64::NAN, Duration::as_secs_f64)
    };
    let recorded: i64 = Connection::open(yard.database())?.query_row(
        "SELECT count(*) FROM work_items WHERE key GLOB 'I-*'",
        [],
        |row| row.get(0),
    )?;
    Ok(Contention {
        rate: per_second(times.len(), took),
        median: at(50),
        p99: at(99),
        asked: outcomes.len(),
        recorded,
        refused: outcomes.iter().filter(|time| time.is_none()).count(),
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "nobody writes 2^52 times in one run"
)]
fn per_second(count: usize, seconds: f64) -> f64 {
    count as f64 / seconds
}
