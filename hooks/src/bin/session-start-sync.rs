//! Pulls: registers the session, sweeps the dead, trues up the cache, tells the model.

use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    trueup_hooks::run_hook(
        "session-start-sync",
        Duration::from_secs(2),
        trueup_hooks::pull::handle_event,
    )
}
