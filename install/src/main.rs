//! `trueup-install`: plans, builds, stages, registers, verifies and reports; `--uninstall` undoes
//! all of it.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make files of their own"))]

mod args;
mod artifacts;
mod client;
mod client_events;
mod codex;
mod compile;
mod dirs;
mod documents;
mod drafts;
mod environment;
mod error;
mod files;
mod install;
mod layout;
mod link;
mod manifest;
mod origin;
mod plugin_files;
mod preflight;
mod process;
mod progress;
mod report;
mod screen;
mod stage;
mod steps;
mod terminal_text;
mod uninstall;
mod unrecorded;
mod user_files;
mod verify;
mod version;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Args;
use crate::layout::Layout;
use crate::report::Report;
use crate::terminal_text::clean_line;

fn main() -> ExitCode {
    let args = read_arguments().unwrap_or_else(|error| error.exit());
    environment::continue_as_installed(&args);
    let mut report = Report::new();
    let outcome = Layout::resolve(&args).and_then(|places| {
        if args.uninstall {
            uninstall::run_uninstall(&args, &places, &mut report)
        } else {
            install::run_install(&args, &places, &mut report)
        }
    });
    report.finish(outcome)
}

/// Reads the command line. An error message repeats arguments, so it is built from cleaned ones.
fn read_arguments() -> Result<Args, clap::Error> {
    Args::try_parse().map_err(|error| {
        let arguments = std::env::args_os().map(|given| clean_line(&given.to_string_lossy()));
        match Args::try_parse_from(arguments) {
            Err(clean) if error.use_stderr() => clean,
            _ => error,
        }
    })
}
