//! The minimal work of a hook that writes: one select, one update, one file replaced.

use std::fs;

use rusqlite::TransactionBehavior;
use trueup_bench::{BenchError, next_argument, open_database, read_stdin, select_session};

fn main() -> Result<(), BenchError> {
    let mut arguments = std::env::args().skip(1);
    let (database, session) = (next_argument(&mut arguments)?, next_argument(&mut arguments)?);
    let file = next_argument(&mut arguments)?;
    read_stdin()?;
    let mut connection = open_database(&database)?;
    let state = select_session(&connection, &session)?;
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
