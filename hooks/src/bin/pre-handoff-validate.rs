//! Refuses a hand-off while copies differ. With `--span` it only announces the quiet period of a
//! command.

use std::process::ExitCode;

use trueup_hooks::{Hook, run_hook};

fn main() -> ExitCode {
    let announces_quiet_period = std::env::args_os().any(|argument| argument == "--span");
    if announces_quiet_period {
        run_hook(Hook::announce_quiet_period())
    } else {
        run_hook(Hook::pre_handoff_validate())
    }
}
