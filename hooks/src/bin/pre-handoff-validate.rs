//! Refuses a hand-off while copies differ. With `--span` it only announces the quiet period of a
//! command.

use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let announces_quiet_period = std::env::args_os().any(|argument| argument == "--span");
    let (name, time) = ("pre-handoff-validate", Duration::from_secs(1));
    if announces_quiet_period {
        trueup_hooks::run_hook(name, time, trueup_hooks::quiet_period::handle_event)
    } else {
        trueup_hooks::run_hook_or(
            name,
            time,
            trueup_hooks::handoff_guard::handle_event,
            trueup_hooks::handoff_guard::handle_broken_payload,
        )
    }
}
