//! Scripts that do the work of a hook, for comparison.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::binaries::command_output;
use crate::measure::Task;
use crate::world::{IN_STEP_SESSION, Installation};
use crate::{BenchError, print_progress};

const NODE_SOURCE: &str = include_str!("../baselines/hook.mjs");
const PYTHON_SOURCE: &str = include_str!("../baselines/hook.py");

/// An interpreter with the script that it runs.
#[derive(Debug, Clone)]
pub(crate) struct HookScript {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// What exactly ran.
    pub(crate) detail: String,
    interpreter: PathBuf,
    kind: Interpreter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interpreter {
    Node,
    NodeAlone,
    Python,
}

/// The Node script's name in the table.
pub(crate) const NODE_HOOK: &str = "Node script";
/// The Python script's name in the table.
pub(crate) const PYTHON_HOOK: &str = "Python script";

/// Finds the interpreters there are, and says which are missing.
pub(crate) fn find_scripts() -> Vec<HookScript> {
    let mut scripts = Vec::new();
    match find_python("import sys") {
        Ok((interpreter, version)) => scripts.push(HookScript {
            name: PYTHON_HOOK,
            detail: format!("Python {version}, json and sqlite3"),
            interpreter,
            kind: Interpreter::Python,
        }),
        Err(error) => print_progress(&format!("NOT MEASURED: the Python script: {error}")),
    }
    match ask_interpreter("node", &["-p", "process.execPath + '\\n' + process.version"]) {
        Ok((interpreter, version)) => {
            scripts.push(HookScript {
                name: NODE_HOOK,
                detail: format!(
                    "Node {version}, node:sqlite where it has that, else the sqlite3 command"
                ),
                interpreter: interpreter.clone(),
                kind: Interpreter::Node,
            });
            scripts.push(HookScript {
                name: "node -e 0",
                detail: format!("Node {version}, nothing at all"),
                interpreter,
                kind: Interpreter::NodeAlone,
            });
        }
        Err(error) => print_progress(&format!("NOT MEASURED: the Node script: {error}")),
    }
    scripts
}

/// Returns the Python there is, if it can import what is asked for, and its version: the
/// interpreter itself, for a shim of a version manager is a shell script of its own.
pub(crate) fn find_python(imports: &str) -> Result<(PathBuf, String), BenchError> {
    let ask = format!("{imports}; print(sys.executable); print(sys.version.split()[0])");
    ask_interpreter("python3", &["-c", &ask])
}

fn ask_interpreter(program: &str, arguments: &[&str]) -> Result<(PathBuf, String), BenchError> {
    let text = command_output(Command::new(program).args(arguments))?;
    let mut lines = text.lines();
    let (Some(path), Some(version)) = (lines.next(), lines.next()) else {
        return Err(format!("{program} does not say what it is").into());
    };
    Ok((PathBuf::from(path), version.to_owned()))
}

impl HookScript {
    /// Makes a run in a world, on a cache of its own that is in step after the first run.
    pub(crate) fn build_task(&self, world: &Installation) -> Result<Task, BenchError> {
        let more = json!({"source": "resume"});
        let mut task = world.build_hook_task(
            self.interpreter.clone(),
            IN_STEP_SESSION,
            "SessionStart",
            &more,
        )?;
        let (file, text) = match self.kind {
            Interpreter::NodeAlone => {
                task.argument("-e");
                task.argument("0");
                return Ok(task);
            }
            Interpreter::Node => ("hook.mjs", NODE_SOURCE),
            Interpreter::Python => ("hook.py", PYTHON_SOURCE),
        };
        let path = world.root().join(file);
        fs::write(&path, text)?;
        task.argument(path);
        task.argument(world.database());
        task.argument(IN_STEP_SESSION);
        task.argument(world.root().join(format!("{file}.json")));
        Ok(task)
    }
}
