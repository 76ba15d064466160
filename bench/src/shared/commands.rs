//! Commands that change a session over PostgreSQL, beside a program that connects, selects and
//! updates.

use std::fs;
use std::time::Duration;

use support::postgres::{SecureServer, run_psql};
use tempfile::TempDir;

use super::DATABASE;
use crate::binaries::{Binaries, COMMAND_BINARY, FLOOR_POSTGRES};
use crate::measure::{self, Task};
use crate::{BenchError, print_progress};

/// The session that changes, and the item that it claims and releases.
const SESSION: &str = "bench-session";
const ITEM: &str = "BENCH-1";

/// Those of the floor.
const FLOOR_SESSION: &str = "floor-session";
const FLOOR_ITEM: &str = "FLOOR-1";

/// Rounds, and those before that count for nothing.
const ROUNDS: usize = 60;
const QUICK_ROUNDS: usize = 10;
const WARM_UP: usize = 2;

/// The commands of a round, in their order. Each changes something, and the last one leaves things
/// as the first one found them.
const COMMANDS: [(Floor, &[&str]); 7] = [
    (Floor::Item, &["claim", ITEM]),
    (Floor::Item, &["set", "--phase", "EXEC"]),
    (Floor::Session, &["set", "--task", "measure"]),
    (Floor::Session, &["interrupt"]),
    (Floor::Session, &["resume"]),
    (Floor::Item, &["set", "--phase", "PLAN"]),
    (Floor::Item, &["release", ITEM]),
];

/// What the program that a command is compared with changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Floor {
    /// The session.
    Session,
    /// The session and an item.
    Item,
}

impl Floor {
    const ALL: [Self; 2] = [Self::Session, Self::Item];

    fn name(self) -> String {
        match self {
            Self::Session => FLOOR_POSTGRES.to_owned(),
            Self::Item => format!("{FLOOR_POSTGRES}, session and item"),
        }
    }
}

/// The times of whole processes of one kind.
#[derive(Debug)]
pub(crate) struct ProcessTimes {
    pub(crate) name: String,
    /// What they are compared with.
    pub(crate) floor: Floor,
    pub(crate) median_ms: f64,
    pub(crate) min_ms: f64,
}

/// Measures the floors, first in the list, and the commands, all in the same rounds.
pub(crate) fn measure_commands(
    binaries: &Binaries,
    server: &SecureServer,
    is_quick: bool,
) -> Result<Vec<ProcessTimes>, BenchError> {
    print_progress("commands over PostgreSQL");
    let folder = tempfile::Builder::new().prefix("trueup-bench-").tempdir()?;
    fs::create_dir(folder.path().join("project"))?;
    let project = folder.path().join("project").display().to_string();
    let seed = format!(
        "INSERT INTO trueup.claude_sessions (session_id, worktree)
             VALUES ('{SESSION}', '{project}'), ('{FLOOR_SESSION}', '/elsewhere');
         INSERT INTO trueup.work_items (key) VALUES ('{ITEM}'), ('{FLOOR_ITEM}')"
    );
    run_psql(&server.admin_url(DATABASE), &seed).map_err(|error| error.message)?;
    let mut tasks: Vec<Task> =
        Floor::ALL.into_iter().map(|floor| floor_task(binaries, server, &folder, floor)).collect();
    for (_, words) in COMMANDS {
        tasks.push(command_task(binaries, server, &folder, words));
    }
    let mut times = vec![Vec::new(); tasks.len()];
    let rounds = if is_quick { QUICK_ROUNDS } else { ROUNDS };
    for round in 0..rounds + WARM_UP {
        for (task, times) in tasks.iter().zip(&mut times) {
            let time = measure::wall_time(task)?;
            if round >= WARM_UP {
                times.push(time);
            }
        }
    }
    let floors = Floor::ALL.into_iter().map(|floor| (floor, floor.name()));
    let commands = COMMANDS.iter().map(|(floor, words)| (*floor, words.join(" ")));
    let names = floors.chain(commands);
    Ok(names.zip(times).map(|((floor, name), times)| summarize_times(name, floor, times)).collect())
}

fn summarize_times(name: String, floor: Floor, mut times: Vec<Duration>) -> ProcessTimes {
    times.sort_unstable();
    let at = |index: usize| times.get(index).map_or(f64::NAN, |it| it.as_secs_f64() * 1000.0);
    ProcessTimes { name, floor, median_ms: at(times.len() / 2), min_ms: at(0) }
}

fn floor_task(binaries: &Binaries, server: &SecureServer, folder: &TempDir, floor: Floor) -> Task {
    let mut task = Task::new(binaries.path(FLOOR_POSTGRES), folder.path().to_owned(), Vec::new());
    task.argument(server.port().to_string());
    task.argument(DATABASE);
    task.argument("owner");
    task.argument(server.authority());
    task.argument(FLOOR_SESSION);
    if floor == Floor::Item {
        task.argument(FLOOR_ITEM);
    }
    task
}

fn command_task(
    binaries: &Binaries,
    server: &SecureServer,
    folder: &TempDir,
    words: &[&str],
) -> Task {
    let dir = folder.path().join("project");
    let mut task = Task::new(binaries.path(COMMAND_BINARY), dir, Vec::new());
    for word in words.iter().chain(&["--session", SESSION]) {
        task.argument(word);
    }
    task.set("TRUEUP_HOME", folder.path().join("home"));
    task.set("HOME", folder.path());
    task.set("TRUEUP_DATABASE_URL", server.url("client", DATABASE));
    task
}
