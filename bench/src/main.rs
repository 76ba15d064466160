//! Measures the hooks: each whole process, beside floor programs and two scripts.
//!
//! Invariants: everything compared runs in the same rounds of one run; a case that does not do
//! what its name says ends the run; what could not be measured is named, never left out.

mod binaries;
mod budget;
mod budget_check;
mod case;
mod cli;
mod coordination;
mod files;
mod hub;
mod measure;
mod report;
mod run;
mod scripts;
mod seed;
mod shared;
mod verdict;
mod world;

use std::io::Write as _;
use std::process::ExitCode;

/// An error that ends a run: a line for a person.
type BenchError = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match cli::run_command(std::env::args().skip(1).collect()) {
        Ok(code) => code,
        Err(error) => {
            print_progress(&format!("trueup-bench: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints a line to stderr; stdout holds the result alone.
fn print_progress(line: &str) {
    // If stderr is closed, the line is dropped.
    let _ = writeln!(std::io::stderr(), "{line}");
}
