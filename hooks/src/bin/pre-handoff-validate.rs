//! Gates: refuses to hand on while copies disagree. With `--span` it only announces how long a
//! command keeps the session silent.

use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let spans = std::env::args_os().any(|argument| argument == "--span");
    trueup_hooks::run(
        "pre-handoff-validate",
        Duration::from_secs(1),
        if spans {
            trueup_hooks::span::handle
        } else {
            trueup_hooks::gate::handle
        },
    )
}
