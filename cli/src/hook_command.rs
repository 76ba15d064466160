//! `trueup hook NAME`: goes on with a hook whose database is on a server.
//!
//! It is no command for people, so the definition of the commands does not have it: a line that
//! cannot be parsed would end with exit code 2, by which a hook refuses what the agent is about to
//! do.

use std::ffi::OsString;
use std::process::ExitCode;

use trueup_hooks::{BegunHook, continue_hook};

use crate::printer::print_status;
use crate::store_location::ServerDatabase;

/// Runs the hook if that is what the arguments ask for.
pub(crate) fn run_if_hook(argv: &[OsString]) -> Option<ExitCode> {
    let [_, command, arguments @ ..] = argv else {
        return None;
    };
    (command == "hook").then(|| match BegunHook::from_arguments::<ServerDatabase>(arguments) {
        Ok(begun) => continue_hook(&begun),
        Err(problem) => {
            print_status(&format!("trueup: hook: {problem}"));
            ExitCode::SUCCESS
        }
    })
}
