//! Pushes local edits and the agent's current work, and renews the lease.

use std::process::ExitCode;

use trueup_hooks::{Hook, run_hook};

fn main() -> ExitCode {
    run_hook(Hook::checkpoint_push())
}
