//! The `validate-session-state` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    trueup::validate_main()
}
