//! The least that a hook which only looks can do.

use trueup_bench::{Failure, argument, open, select, stdin};

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (database, session) = (argument(&mut arguments)?, argument(&mut arguments)?);
    stdin()?;
    let connection = open(&database)?;
    select(&connection, &session)?;
    Ok(())
}
