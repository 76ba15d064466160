//! Pushes local edits and the agent's current work, and renews the lease.

use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    trueup_hooks::run_hook(
        "checkpoint-push",
        Duration::from_millis(250),
        trueup_hooks::push::handle_event,
    )
}
