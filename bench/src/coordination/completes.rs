//! Distinct tasks of one plan completed at once: the originals' status file kept 4 to 7 of 30.

use std::fs;
use std::thread;

use rusqlite::Connection;

use super::ScratchStore;
use crate::binaries::Binaries;
use crate::{BenchError, measure, print_progress};

/// Tasks completed at once, and how often that is repeated.
pub(crate) const TASKS: usize = 30;
pub(crate) const REPETITIONS: usize = 20;

/// Returns, for each repetition, how many the database has as completed.
pub(crate) fn measure_completions(binaries: &Binaries) -> Result<Vec<i64>, BenchError> {
    print_progress(&format!("{REPETITIONS} times {TASKS} completes at once"));
    let tasks: Vec<String> =
        (1..=TASKS).map(|task| format!("- [ ] 1.{task} task number {task}")).collect();
    let plan = format!("# Plan\n\n## Phase 1: all\n\n{}\n", tasks.join("\n"));
    let mut recorded = Vec::new();
    for _ in 0..REPETITIONS {
        let yard = ScratchStore::create(binaries)?;
        let file = yard.project().join("plan.md");
        fs::write(&file, &plan)?;
        measure::wall_time(&yard.trueup_task(&["plan", "import", "plan.md"]))?;
        thread::scope(|scope| {
            for task in 1..=TASKS {
                let yard = &yard;
                // What was refused is missing in the database, which is what counts.
                scope.spawn(move || {
                    measure::wall_time(&yard.trueup_task(&[
                        "plan",
                        "complete",
                        &format!("1.{task}"),
                    ]))
                    .ok()
                });
            }
        });
        recorded.push(Connection::open(yard.database())?.query_row(
            "SELECT count(*) FROM plan_tasks WHERE status = 'completed'",
            [],
            |row| row.get(0),
        )?);
    }
    Ok(recorded)
}
