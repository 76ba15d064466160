//! The least that a hook which writes can do: one select, one update, one file replaced.

use std::fs;

use rusqlite::TransactionBehavior;
use trueup_bench::{Failure, argument, open, select, stdin};

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (database, session) = (argument(&mut arguments)?, argument(&mut arguments)?);
    let file = argument(&mut arguments)?;
    stdin()?;
    let mut connection = open(&database)?;
    let state = select(&connection, &session)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute(
        "UPDATE claude_sessions SET heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
         WHERE session_id = ?1",
        [&session],
    )?;
    transaction.commit()?;
    let draft = format!("{file}.tmp");
    fs::write(&draft, state)?;
    fs::rename(&draft, &file)?;
    Ok(())
}
