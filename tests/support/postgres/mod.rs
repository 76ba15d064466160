//! PostgreSQL for tests: one server for all tests of a process, a database of its own for each.
//!
//! With `TEST_DATABASE_URL`, the URL of a superuser, databases are made on that server. Otherwise a
//! server is started in a temporary directory and ends with the process. Where no server is
//! installed every test says that it is skipped and passes, unless `TRUEUP_REQUIRE_POSTGRES=1`.

mod database;
mod held_turn;
mod pgbouncer;
mod psql;
mod secure_server;
mod server;

pub use database::TestDatabase;
pub use held_turn::{HeldTurn, await_waiting};
pub use pgbouncer::PgBouncer;
pub use psql::{SqlError, run_psql, start_psql};
pub use secure_server::SecureServer;
pub use server::{PostgresServer, ServerOptions};

/// Says that tests are skipped, or fails where they must not be.
pub fn skip_or_fail(problem: &str) {
    let is_required = std::env::var("TRUEUP_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
    assert!(!is_required, "TRUEUP_REQUIRE_POSTGRES=1, but {problem}");
    // Straight to the stream: the test runner captures the printing macros.
    let line = format!("\nSKIPPED: {problem}\n");
    drop(std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()));
}
