//! The server of trueup: its operations, a live stream and a dashboard by HTTP.

use std::process::ExitCode;

/// Runs `trueup-hub` on the arguments of the process.
pub fn hub_main() -> ExitCode {
    ExitCode::SUCCESS
}
