//! Writers that wait for their turn.

#![expect(clippy::unwrap_used, reason = "a connection that cannot be made fails its test")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Child;
use std::time::{Duration, Instant};

use super::{TestDatabase, start_psql};

/// How long connections may take to come so far on a busy machine.
const WAIT_LIMIT: Duration = Duration::from_mins(1);

/// A connection that holds the turn of writers until it is released.
#[derive(Debug)]
pub struct HeldTurn {
    psql: Child,
}

impl HeldTurn {
    /// Takes the turn of writers in the database of a superuser's URL, as a writer does that never
    /// ends. The key is that of the schema; a database without one has it too, for the scripts that
    /// make it.
    pub fn take(url: &str) -> Self {
        let mut psql = start_psql(url);
        let hold = "BEGIN; SELECT pg_advisory_xact_lock(1414681936) IS NULL;\n";
        psql.stdin.as_mut().unwrap().write_all(hold.as_bytes()).unwrap();
        let mut answer = String::new();
        let mut stdout = BufReader::new(psql.stdout.as_mut().unwrap());
        stdout.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim_end(), "f", "the turn is held");
        Self { psql }
    }

    /// Lets the next writer go on.
    pub fn release(mut self) {
        drop(self.psql.stdin.take());
        self.psql.wait().unwrap();
    }
}

impl TestDatabase {
    /// Takes the turn of writers until the value is released.
    pub fn hold_turn(&self) -> HeldTurn {
        HeldTurn::take(&self.url())
    }

    /// Waits until so many connections wait for a lock.
    pub fn await_waiting(&self, connections: usize) {
        await_waiting(connections, |sql| self.run(sql).unwrap());
    }
}

/// Waits until so many connections to a database wait for a lock; `run` runs SQL there.
pub fn await_waiting(connections: usize, run: impl Fn(&str) -> String) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let begun = Instant::now();
    while run(waiting) != connections.to_string() {
        assert!(begun.elapsed() < WAIT_LIMIT, "{connections} connections wait for a lock");
        std::thread::sleep(Duration::from_millis(20));
    }
}
