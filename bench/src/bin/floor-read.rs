//! The minimal work of a hook that only reads.

use trueup_bench::{BenchError, next_argument, open_database, read_stdin, select_session};

fn main() -> Result<(), BenchError> {
    let mut arguments = std::env::args().skip(1);
    let (database, session) = (next_argument(&mut arguments)?, next_argument(&mut arguments)?);
    read_stdin()?;
    let connection = open_database(&database)?;
    select_session(&connection, &session)?;
    Ok(())
}
