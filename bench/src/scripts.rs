//! The scripts a hook would otherwise be.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::binaries::answer;
use crate::measure::Task;
use crate::world::{CALM, World};
use crate::{Failure, say};

const NODE: &str = include_str!("../baselines/hook.mjs");
const PYTHON: &str = include_str!("../baselines/hook.py");

/// An interpreter, for one of the scripts or for none.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// What exactly ran.
    pub(crate) detail: String,
    interpreter: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Node,
    NodeAlone,
    Python,
}

/// The Node script's name in the table.
pub(crate) const NODE_HOOK: &str = "Node script";
/// The Python script's name in the table.
pub(crate) const PYTHON_HOOK: &str = "Python script";

/// Finds the interpreters there are, and says which are missing.
pub(crate) fn find() -> Vec<Script> {
    let mut scripts = Vec::new();
    match python("import sys") {
        Ok((interpreter, version)) => scripts.push(Script {
            name: PYTHON_HOOK,
            detail: format!("Python {version}, json and sqlite3"),
            interpreter,
            kind: Kind::Python,
        }),
        Err(error) => say(&format!("NOT MEASURED: the Python script: {error}")),
    }
    match asked(
        "node",
        &["-p", "process.execPath + '\\n' + process.version"],
    ) {
        Ok((interpreter, version)) => {
            scripts.push(Script {
                name: NODE_HOOK,
                detail: format!(
                    "Node {version}, node:sqlite where it has that, else the sqlite3 command"
                ),
                interpreter: interpreter.clone(),
                kind: Kind::Node,
            });
            scripts.push(Script {
                name: "node -e 0",
                detail: format!("Node {version}, nothing at all"),
                interpreter,
                kind: Kind::NodeAlone,
            });
        }
        Err(error) => say(&format!("NOT MEASURED: the Node script: {error}")),
    }
    scripts
}

/// Returns the Python there is, if it can import what is asked for, and its version: the
/// interpreter itself, for a shim of a version manager is a shell script of its own.
pub(crate) fn python(imports: &str) -> Result<(PathBuf, String), Failure> {
    let ask = format!("{imports}; print(sys.executable); print(sys.version.split()[0])");
    asked("python3", &["-c", &ask])
}

fn asked(program: &str, arguments: &[&str]) -> Result<(PathBuf, String), Failure> {
    let text = answer(Command::new(program).args(arguments))?;
    let mut lines = text.lines();
    let (Some(path), Some(version)) = (lines.next(), lines.next()) else {
        return Err(format!("{program} does not say what it is").into());
    };
    Ok((PathBuf::from(path), version.to_owned()))
}

impl Script {
    /// Makes a run in a world, on a cache of its own that is in step after the first run.
    pub(crate) fn task(&self, world: &World) -> Result<Task, Failure> {
        let more = json!({"source": "resume"});
        let mut task = world.call(self.interpreter.clone(), CALM, "SessionStart", &more)?;
        let (file, text) = match self.kind {
            Kind::NodeAlone => {
                task.argument("-e");
                task.argument("0");
                return Ok(task);
            }
            Kind::Node => ("hook.mjs", NODE),
            Kind::Python => ("hook.py", PYTHON),
        };
        let path = world.root().join(file);
        fs::write(&path, text)?;
        task.argument(path);
        task.argument(world.database());
        task.argument(CALM);
        task.argument(world.root().join(format!("{file}.json")));
        Ok(task)
    }
}
