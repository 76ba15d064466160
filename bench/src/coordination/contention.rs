//! Many short processes that write at the same time: writes per second, the longest waits, and
//! whether a write is lost or refused.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::ScratchStore;
use crate::binaries::{Binaries, FLOOR_WRITE};
use crate::measure::{self, Task};
use crate::{BenchError, print_progress};

/// Processes at once.
pub(crate) const PROCESSES: usize = 128;

/// Processes of one run.
const WRITES: usize = 5_120;

/// The session of the floor's update.
const FLOOR_SESSION: &str = "floor";

/// The result.
#[derive(Debug)]
pub(crate) struct Contention {
    /// The commands.
    pub(crate) commands: CrowdTimes,
    /// The same number of floor programs, which update one row without a queue.
    pub(crate) floor: CrowdTimes,
    /// Rows that the commands left in the database.
    pub(crate) recorded: i64,
}

/// Times of processes of one kind.
#[derive(Debug)]
pub(crate) struct CrowdTimes {
    /// Processes that succeeded in a second.
    pub(crate) rate: f64,
    /// The median and the 99th percentile of a whole process, in seconds.
    pub(crate) median: f64,
    pub(crate) p99: f64,
    /// Processes started, and those that failed.
    pub(crate) asked: usize,
    pub(crate) refused: usize,
}

/// Lets each of the processes add an item of its own, and counts the rows.
pub(crate) fn measure_contention(binaries: &Binaries) -> Result<Contention, BenchError> {
    print_progress(&format!("{PROCESSES} processes at once"));
    let yard = ScratchStore::create(binaries)?;
    // Nobody but the processes has the database open while they are timed.
    Connection::open(yard.database())?
        .execute("INSERT INTO claude_sessions (session_id) VALUES (?1)", [FLOOR_SESSION])?;
    let add = |number| yard.trueup_task(&["item", "add", &format!("I-{number}")]);
    let commands = run_writers((0..WRITES).map(add))?;
    let update = |number: usize| {
        let file = yard.folder.path().join(format!("floor-{number}"));
        let mut task = Task::new(binaries.path(FLOOR_WRITE), yard.project(), Vec::new());
        task.argument(yard.database());
        task.argument(FLOOR_SESSION);
        task.argument(file);
        task
    };
    let floor = run_writers((0..WRITES).map(update))?;
    let recorded = Connection::open(yard.database())?.query_row(
        "SELECT count(*) FROM work_items WHERE key GLOB 'I-*'",
        [],
        |row| row.get(0),
    )?;
    Ok(Contention { commands, floor, recorded })
}

fn run_writers(tasks: impl Iterator<Item = Task>) -> Result<CrowdTimes, BenchError> {
    let start = Instant::now();
    let outcomes = measure::run_crowd(PROCESSES, tasks)?;
    let took = start.elapsed().as_secs_f64();
    let mut times: Vec<Duration> = outcomes.iter().flatten().copied().collect();
    times.sort_unstable();
    let at = |share: usize| {
        let index = times.len().saturating_sub(1) * share / 100;
        times.get(index).map_or(f64::NAN, Duration::as_secs_f64)
    };
    Ok(CrowdTimes {
        rate: rate_per_second(times.len(), took),
        median: at(50),
        p99: at(99),
        asked: outcomes.len(),
        refused: outcomes.len() - times.len(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "nobody writes 2^52 times in one run")]
fn rate_per_second(count: usize, seconds: f64) -> f64 {
    count as f64 / seconds
}
