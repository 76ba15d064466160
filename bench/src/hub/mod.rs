//! Benchmarks of the hub: hundreds of clients that follow the live stream, and many that claim.

mod claims;
mod followers;
mod report;
mod running_hub;

use crate::BenchError;
use crate::binaries::Binaries;

/// Measures everything; returns the table.
pub(crate) fn run_hub(binaries: &Binaries, is_quick: bool) -> Result<String, BenchError> {
    let stream = followers::measure_stream(binaries, is_quick)?;
    let claims = claims::measure_claims(binaries, is_quick)?;
    Ok(report::render_hub(&stream, &claims))
}
