//! Pulls: registers the session, sweeps dead ones, trues up the cache and briefs the agent.

use std::process::ExitCode;

use trueup_hooks::{Hook, run_hook};

fn main() -> ExitCode {
    run_hook(Hook::session_start_sync())
}
