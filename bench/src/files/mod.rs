//! Benchmarks of the commands that work on files.

mod check;
mod checkout;
mod plan;
mod report;
mod state;
mod workplans;

use std::time::Duration;

use crate::BenchError;
use crate::binaries::Binaries;

/// Measures everything; returns the table.
pub(crate) fn run_files(binaries: &Binaries) -> Result<String, BenchError> {
    let check = check::measure_check(binaries)?;
    let plan = plan::measure_plan(binaries)?;
    let state = state::measure_state(binaries)?;
    Ok(report::render_files(&check, &plan, &state))
}

/// Returns the median, in seconds.
fn median_seconds(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(f64::NAN, Duration::as_secs_f64)
}
