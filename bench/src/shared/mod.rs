//! Benchmarks of a database that other machines share: what a command costs over PostgreSQL with
//! TLS and SCRAM, what a push costs beside it, and many sessions at once.

mod commands;
mod hooks;
mod load;
mod report;

use support::postgres::SecureServer;

use crate::BenchError;
use crate::binaries::Binaries;

/// The database that everything is measured in.
const DATABASE: &str = "trueup";

/// Measures everything; returns the tables.
pub(crate) fn run_shared(binaries: &Binaries, is_quick: bool) -> Result<String, BenchError> {
    binaries.build_load()?;
    let server = SecureServer::start().ok_or("no PostgreSQL server is installed")?;
    server.create_database(DATABASE).map_err(|error| error.message)?;
    let commands = commands::measure_commands(binaries, &server, is_quick)?;
    let pushes = hooks::measure_pushes(binaries, &server, is_quick)?;
    let loads = load::measure_loads(binaries, &server, is_quick)?;
    Ok(report::render_shared(&commands, &pushes, &loads))
}
