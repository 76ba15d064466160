//! A load on a shared database, as many agents at once make it, and the proof that none of it was
//! lost.
//!
//! ```text
//! trueup-load schema                        prints the schema
//! trueup-load work URL --name NAME --queue ITEM --sessions COUNT --deadline-ms TIME --log FILE
//!                  (--operations COUNT | --until FILE)
//! trueup-load follow URL --until FILE --log FILE
//! trueup-load verify URL FOLDER [--json]    compares the logs of a folder with the database
//! ```
//!
//! A worker simulates sessions that take turns: each adds an item to the queue (a child of
//! that item, which must be there), claims the next one, pushes its state, gives a sign of life, and
//! completes or releases the item. What the database acknowledged
//! is written down with its operation id. An operation that fails at its deadline is repeated under
//! the same id, as the outbox and a person would. With `--until`, work ends once the file exists.

mod arguments;
mod checks;
mod connection;
mod follower;
mod record;
mod summary;
mod verify;
mod worker;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use trueup_core::store::sql::{PostgresFlavor, postgres_schema};

use crate::arguments::Arguments;

/// An error that ends the program: a line for a person.
type LoadError = Box<dyn Error>;

fn main() -> ExitCode {
    match run_command(Arguments::from_process()) {
        Ok(code) => code,
        Err(error) => {
            // If stderr is closed, the line is dropped.
            let _ = writeln!(std::io::stderr(), "trueup-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_command(mut arguments: Arguments) -> Result<ExitCode, LoadError> {
    match arguments.next("a command")?.as_str() {
        "schema" => {
            std::io::stdout().write_all(postgres_schema(PostgresFlavor::Postgres).as_bytes())?;
        }
        "work" => worker::run_worker(arguments)?,
        "follow" => follower::run_follower(arguments)?,
        "verify" => return verify::run_verify(arguments),
        other => return Err(format!("there is no command {other}").into()),
    }
    Ok(ExitCode::SUCCESS)
}
