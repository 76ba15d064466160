//! Gates: refuses to hand on while copies disagree.

use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    trueup_hooks::run(
        "pre-handoff-validate",
        Duration::from_secs(1),
        trueup_hooks::gate::handle,
    )
}
