//! The cost of asking for the next work as the number of rows grows.

use std::time::Duration;

use rusqlite::{Connection, params};

use super::ScratchStore;
use crate::binaries::Binaries;
use crate::{BenchError, measure, print_progress};

/// The numbers of rows compared.
const FEW_ROWS: u32 = 1_000;
const MANY_ROWS: u32 = 100_000;

/// Rounds, and those before that count for nothing.
const ROUNDS: usize = 40;
const WARM_UP: usize = 3;

/// The session that asks.
const ASKING_SESSION: &str = "bench-worker";

/// The commands compared.
const COMMANDS: [(&str, &[&str]); 2] = [
    ("queue next", &["queue", "next"]),
    ("next --claim", &["next", "--claim", "--parent", "PLAN"]),
];

/// A command's medians, in milliseconds.
#[derive(Debug)]
pub(crate) struct Growth {
    pub(crate) command: &'static str,
    pub(crate) few: f64,
    pub(crate) many: f64,
}

/// Asks both stores in turns.
pub(crate) fn measure_growth(binaries: &Binaries) -> Result<Vec<Growth>, BenchError> {
    print_progress(&format!("stores of {FEW_ROWS} and {MANY_ROWS} items and phases"));
    let yards = [create_filled(binaries, FEW_ROWS)?, create_filled(binaries, MANY_ROWS)?];
    let mut grown = Vec::new();
    for (command, words) in COMMANDS {
        let mut times: [Vec<Duration>; 2] = [Vec::new(), Vec::new()];
        for round in 0..WARM_UP + ROUNDS {
            for (yard, times) in yards.iter().zip(&mut times) {
                let mut task = yard.trueup_task(words);
                task.set("TRUEUP_SESSION_ID", ASKING_SESSION);
                let time = measure::wall_time(&task)?;
                if round >= WARM_UP {
                    times.push(time);
                }
            }
        }
        let [few, many] = times.map(median_millis);
        grown.push(Growth { command, few, many });
    }
    Ok(grown)
}

fn median_millis(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// A store with so many children of one item and so many phases: a third is done, and of what
/// is left some waits for others.
fn create_filled(binaries: &Binaries, rows: u32) -> Result<ScratchStore, BenchError> {
    let yard = ScratchStore::create(binaries)?;
    let mut connection = Connection::open(yard.database())?;
    let tx = connection.transaction()?;
    tx.execute(
        "INSERT INTO claude_sessions (session_id, metadata, worktree, last_actor, last_op)
         VALUES (?1, '{\"execution_state\": {}}', ?2, 'seed', 'seed-session')",
        params![ASKING_SESSION, yard.project().to_string_lossy()],
    )?;
    tx.execute(
        "INSERT INTO work_items (key, kind, last_actor, last_op)
         VALUES ('PLAN', 'orchestrator', 'seed', 'seed-PLAN')",
        [],
    )?;
    {
        let mut item = tx.prepare(
            "INSERT INTO work_items (key, parent, position, status, last_actor, last_op)
             VALUES (?1, 'PLAN', ?2, ?3, 'seed', 'seed-' || ?1)",
        )?;
        let mut waits =
            tx.prepare("INSERT INTO item_dependencies (item, depends_on) VALUES (?1, ?2)")?;
        let mut phase = tx.prepare(
            "INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, status,
                 depends_on_phases, queue_position, last_actor, last_op)
             VALUES (?1 || ':' || ?2, ?1, ?2, ?3, ?4, ?5, ?6, 'seed', 'seed-' || ?1 || ?2)",
        )?;
        for number in 0..rows {
            let key = format!("C-{number:06}");
            let done = number < rows / 3;
            let status = if done { "completed" } else { "queued" };
            item.execute(params![key, number, status])?;
            // Every other child waits for the one before it.
            if !done && number % 2 == 1 {
                waits.execute(params![key, format!("C-{:06}", number - 1)])?;
            }
        }
        for number in 0..rows / 2 {
            let key = format!("C-{number:06}");
            let (first, second) =
                if number < rows / 6 { ("completed", "completed") } else { ("ready", "queued") };
            phase.execute(params![key, 1, "plan", first, "[]", number])?;
            phase.execute(params![key, 2, "build", second, "[1]", number])?;
        }
        // As if the items had been completed after they were given phases.
        tx.execute(
            "UPDATE phase_queue SET is_over = 1
             WHERE item IN (SELECT key FROM work_items WHERE status = 'completed')",
            [],
        )?;
    }
    tx.commit()?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(yard)
}
