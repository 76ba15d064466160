//! `trueup plan status` of a very long plan.

use std::fmt::Write as _;
use std::fs;

use super::median_seconds;
use crate::binaries::Binaries;
use crate::coordination::ScratchStore;
use crate::{BenchError, measure, print_progress};

/// Phases, and tasks in each.
const PHASES: usize = 100;
const TASKS: usize = 100;

/// Rounds, and those before that count for nothing.
const ROUNDS: usize = 40;
const WARM_UP: usize = 3;

/// Medians in milliseconds.
#[derive(Debug)]
pub(super) struct PlanTimes {
    /// Text for a person.
    pub(super) text: f64,
    /// One object.
    pub(super) json: f64,
}

/// Imports the plan and asks where it stands.
pub(super) fn measure_plan(binaries: &Binaries) -> Result<PlanTimes, BenchError> {
    print_progress(&format!("a plan of {} tasks", PHASES * TASKS));
    let yard = ScratchStore::create(binaries)?;
    fs::write(yard.project().join("plan.md"), render_plan()?)?;
    measure::wall_time(&yard.trueup_task(&["plan", "import", "plan.md"]))?;
    let tasks =
        [yard.trueup_task(&["plan", "status"]), yard.trueup_task(&["plan", "status", "--json"])];
    for task in &tasks {
        let last = format!("{PHASES}.{TASKS}");
        if !measure::read_stdout(task)?.contains(&last) {
            return Err(format!("task {last} is not in the plan's status").into());
        }
    }
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..WARM_UP + ROUNDS {
        for (task, times) in tasks.iter().zip(&mut times) {
            let time = measure::wall_time(task)?;
            if round >= WARM_UP {
                times.push(time);
            }
        }
    }
    let [text, json] = times.map(|times| median_seconds(times) * 1e3);
    Ok(PlanTimes { text, json })
}

/// A third is done; every other task waits for the one before it.
fn render_plan() -> Result<String, BenchError> {
    let mut plan = "# Move the stock to the new tables\n".to_owned();
    for phase in 1..=PHASES {
        write!(plan, "\n## Phase {phase}: region {phase}\n\n")?;
        for task in 1..=TASKS {
            let mark = if phase <= PHASES / 3 { 'x' } else { ' ' };
            write!(plan, "- [{mark}] {phase}.{task} Compare shelf {task} with its count")?;
            if task % 2 == 0 {
                write!(plan, " (depends: {phase}.{})", task - 1)?;
            }
            plan.push('\n');
        }
    }
    Ok(plan)
}
