//! What must be reached by the commands that work on files.

mod check;
mod checkout;
mod plan;
mod report;
mod state;
mod workplans;

use std::time::Duration;

use crate::Failure;
use crate::binaries::Binaries;

/// Measures everything; returns the table.
pub(crate) fn run(binaries: &Binaries) -> Result<String, Failure> {
    let check = check::measure(binaries)?;
    let plan = plan::measure(binaries)?;
    let state = state::measure(binaries)?;
    Ok(report::render(&check, &plan, &state))
}

/// Returns the median, in seconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times
        .get(times.len() / 2)
        .map_or(f64::NAN, Duration::as_secs_f64)
}
