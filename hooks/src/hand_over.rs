//! Hands a hook over to `trueup` when its database is on a server.
//!
//! The hook binaries link no network. Where one of them would open a database on a server, it
//! becomes `trueup hook NAME` by exec: process id, environment, stdout and the kernel's alarm stay
//! the same, and stdin is the payload again. `trueup` runs the same handler from its beginning, so
//! what a handler does before it opens the database is done only once, or twice without effect.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use trueup_core::fs::create_unlinked_file;
use trueup_core::settings::Environment;
use trueup_core::store::StoreError;

use crate::hook::Hook;
use crate::hook_context::HookContext;
use crate::hook_database::HookDatabase;

/// The program that speaks to servers.
const PROGRAM: &str = "trueup";

/// The option with the time that the hook has left, in milliseconds.
const TIME_LEFT: &str = "--time-left-ms";

/// The option with the number of the operation, where it is counted already.
const OPERATION: &str = "--operation";

/// A hook that another program of this process has begun.
#[derive(Debug)]
pub struct BegunHook {
    pub(crate) hook: Hook,
    pub(crate) time_left: Duration,
    pub(crate) operation: Option<u64>,
}

impl BegunHook {
    /// Reads the arguments behind `trueup hook`.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn from_arguments<D: HookDatabase>(arguments: &[OsString]) -> Result<Self, String> {
        let words: Option<Vec<&str>> = arguments.iter().map(|word| word.to_str()).collect();
        let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text:?}: {error}"));
        let (name, milliseconds, operation) = match words.as_deref() {
            Some([name, TIME_LEFT, left]) => (*name, number(left)?, None),
            Some([name, TIME_LEFT, left, OPERATION, operation]) => {
                (*name, number(left)?, Some(number(operation)?))
            }
            _ => return Err("only a hook of the plugin starts this".to_owned()),
        };
        let hook = Hook::all::<D>().into_iter().find(|hook| hook.name == name);
        Ok(Self {
            hook: hook.ok_or_else(|| format!("there is no hook {name:?}"))?,
            time_left: Duration::from_millis(milliseconds),
            operation,
        })
    }
}

/// Makes this process `trueup`, which goes on with the hook; returns why that failed.
pub(crate) fn become_trueup(context: &HookContext) -> StoreError {
    match prepare_trueup(context) {
        Ok(mut command) => {
            let error = command.exec();
            let program = command.get_program().display();
            let database = &context.run.settings.database;
            StoreError::unavailable(format!("{database}: {program}: {error}"))
        }
        Err(error) => error,
    }
}

/// Prepares the call of `trueup` that goes on with a hook.
fn prepare_trueup(context: &HookContext) -> Result<Command, StoreError> {
    let database = &context.run.settings.database;
    let unavailable = |problem: String| StoreError::unavailable(format!("{database}: {problem}"));
    let program = find_program(&context.environment).ok_or_else(|| {
        unavailable(format!(
            "{PROGRAM}, which connects to it, is neither beside this hook nor on PATH"
        ))
    })?;
    let payload = create_unlinked_file(&context.run.settings.paths.data, &context.call.input)
        .map_err(|error| unavailable(format!("the payload cannot be handed over: {error}")))?;
    let time_left = context.run.deadline.remaining().as_millis().to_string();
    let mut command = Command::new(&program);
    command.args(["hook", context.call.hook, TIME_LEFT, &time_left]).stdin(payload);
    if let Some(operation) = context.call.operation.get() {
        command.args([OPERATION, &operation.to_string()]);
    }
    Ok(command)
}

/// Finds `trueup` beside the running program, as the plugin has it, else on the search path.
fn find_program(environment: &Environment) -> Option<PathBuf> {
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name(PROGRAM));
    let search_path = environment.os_value("PATH").unwrap_or(OsStr::new(""));
    // A relative directory would let the repository choose the program.
    let on_path = std::env::split_paths(search_path).filter(|dir| dir.is_absolute());
    let candidates = beside.into_iter().chain(on_path.map(|dir| dir.join(PROGRAM)));
    candidates.into_iter().find(|program| program.is_file())
}
