//! Pulls: registers the session, sweeps dead ones, trues up the cache and briefs the agent.

use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    trueup_hooks::run_hook(
        "session-start-sync",
        Duration::from_secs(2),
        trueup_hooks::pull::handle_event,
    )
}
