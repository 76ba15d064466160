//! Hands the start of a session over to `trueup` when its database is on a server.
//!
//! The hook binaries link no network. Where the start of a session needs a database on a server, it
//! becomes `trueup hook NAME` by exec: process id, environment, stdout and the kernel's alarm stay
//! the same, and stdin is the payload again. `trueup` runs the same handler from its beginning, so
//! what a handler does before it opens the database is done only once, or twice without effect.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

use trueup_core::fs::create_unlinked_file;
use trueup_core::store::StoreError;

use crate::hook::Hook;
use crate::hook_context::HookContext;
use crate::hook_database::HookDatabase;
use crate::trueup_program::{PROGRAM, find_program};

/// The option with the time that the hook has left, in milliseconds.
const TIME_LEFT: &str = "--time-left-ms";

/// A hook that another program of this process has begun.
#[derive(Debug)]
pub struct BegunHook {
    pub(crate) hook: Hook,
    pub(crate) time_left: Duration,
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
        let Some([name, TIME_LEFT, left]) = words.as_deref() else {
            return Err("only a hook of the plugin starts this".to_owned());
        };
        let hook = Hook::session_start_sync::<D>();
        if *name != hook.name {
            return Err(format!("there is no hook {name:?} that needs a server"));
        }
        Ok(Self { hook, time_left: Duration::from_millis(number(left)?) })
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
    Ok(command)
}
