//! `trueup-hub`: see [`trueup_hub`].

use std::process::ExitCode;

fn main() -> ExitCode {
    trueup_hub::hub_main()
}
