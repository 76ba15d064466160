//! The `trueup` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    trueup::trueup_main()
}
