//! Pulls: registers the session, sweeps the dead, trues up the cache, tells the model.

use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    trueup_hooks::run(
        "session-start-sync",
        Duration::from_millis(2000),
        trueup_hooks::pull::handle,
    )
}
