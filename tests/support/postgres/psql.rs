//! Plain SQL by `psql`.

#![expect(clippy::unwrap_used, reason = "a psql that cannot be run fails its test")]

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::server::find_programs;

/// The line behind the output of one text of SQL.
const END: &str = "-- end of the answer";

/// What the server said no to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    /// Five characters.
    pub sqlstate: String,
    /// In the server's words.
    pub message: String,
}

impl SqlError {
    fn parse(stderr: &str) -> Self {
        let error = stderr.split_once("ERROR:  ").map_or("", |(_, error)| error);
        let (sqlstate, message) = error.split_once(": ").unwrap_or(("", stderr));
        let message = message.lines().next().unwrap_or_default();
        Self { sqlstate: sqlstate.to_owned(), message: message.to_owned() }
    }
}

/// Runs SQL by `psql`; returns what it printed, a row a line and `|` between columns.
///
/// # Errors
///
/// What the server said no to.
pub fn run_psql(url: &str, sql: &str) -> Result<String, SqlError> {
    let mut child = start_psql(url);
    // It reads no further than the first error, which its answer tells.
    let _ = child.stdin.take().unwrap().write_all(sql.as_bytes());
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap().trim_end().to_owned());
    }
    Err(SqlError::parse(&String::from_utf8_lossy(&output.stderr)))
}

/// Starts `psql` for SQL on its standard input.
pub fn start_psql(url: &str) -> Child {
    command(url).stderr(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("psql: {error}"))
}

/// Finds the program itself: what packages put into the search path may be a script that looks for
/// it, and takes longer than it.
fn find_psql() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let beside_server = find_programs().map(|programs| programs.join("psql"));
        beside_server.filter(|program| program.is_file()).unwrap_or_else(|| "psql".into())
    })
}

fn command(url: &str) -> Command {
    let mut command = Command::new(find_psql());
    command
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose"])
        .args(["-d", url, "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// A `psql` that stays connected, since starting one takes longer than most SQL. An error ends it,
/// and the next text starts another.
#[derive(Debug)]
pub(super) struct KeptPsql {
    url: String,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    stderr: File,
}

impl KeptPsql {
    pub(super) const fn new(url: String) -> Self {
        Self { url, running: Mutex::new(None) }
    }

    /// Runs SQL as [`run_psql`] does. Settings of an earlier text are gone.
    pub(super) fn run(&self, sql: &str) -> Result<String, SqlError> {
        let mut kept = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let mut running = kept.take().unwrap_or_else(|| Running::start(&self.url));
        let answer = running.run(sql)?;
        *kept = Some(running);
        Ok(answer)
    }

    /// Ends the connection, as what copies or drops the database demands.
    pub(super) fn disconnect(&self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Running {
    fn start(url: &str) -> Self {
        let stderr = tempfile::tempfile().unwrap();
        let mut child = command(url)
            .stderr(stderr.try_clone().unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("psql: {error}"));
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdin, stdout, stderr }
    }

    fn run(&mut self, sql: &str) -> Result<String, SqlError> {
        let text = format!("DISCARD ALL;\n{sql}\n;\n\\echo '{END}'\n");
        // A psql that stopped at an error reads no further.
        let _ = self.stdin.write_all(text.as_bytes());
        let mut answer = String::new();
        loop {
            let begin = answer.len();
            if self.stdout.read_line(&mut answer).unwrap() == 0 {
                return Err(self.explain_end());
            }
            if answer[begin..].trim_end() == END {
                answer.truncate(begin);
                return Ok(answer.trim_end().to_owned());
            }
        }
    }

    fn explain_end(&mut self) -> SqlError {
        self.child.wait().unwrap();
        let mut text = String::new();
        self.stderr.rewind().unwrap();
        self.stderr.read_to_string(&mut text).unwrap();
        SqlError::parse(&text)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
