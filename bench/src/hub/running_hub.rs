//! A hub over a scratch database.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::BenchError;
use crate::binaries::{Binaries, HUB_BINARY, command_output};

/// How long the database may be another writer's.
const BUSY_LIMIT: Duration = Duration::from_secs(30);

/// A hub that serves a database of its own, and is killed when the value is dropped.
pub(super) struct RunningHub {
    folder: TempDir,
    child: Child,
    pub(super) address: SocketAddr,
    pub(super) token: String,
}

/// What the system says of the process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Consumption {
    /// Seconds of a processor.
    pub(super) processor: f64,
    /// The most memory that it had, in MB.
    pub(super) peak_mb: f64,
}

impl RunningHub {
    pub(super) fn start(binaries: &Binaries) -> Result<Self, BenchError> {
        let folder = tempfile::Builder::new().prefix("trueup-hub-").tempdir()?;
        let hub = |arguments: &[&str]| prepare(&binaries.path(HUB_BINARY), &folder, arguments);
        let token = command_output(&mut hub(&["token", "create", "bench", "--role", "agent"]))?;
        let mut serve = hub(&["serve", "--listen", "127.0.0.1:0", "--max-rate", "1000000"]);
        let mut child = serve.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.as_mut().ok_or("the hub has no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let url = line.split(' ').nth(3).and_then(|url| url.strip_prefix("http://"));
        let address = url.ok_or_else(|| format!("no address: {line:?}"))?.parse()?;
        Ok(Self { folder, child, address, token: token.trim().to_owned() })
    }

    /// Opens the database, as another process would.
    pub(super) fn open_database(&self) -> Result<Connection, BenchError> {
        let connection = Connection::open(self.database())?;
        connection.busy_timeout(BUSY_LIMIT)?;
        Ok(connection)
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("trueup.db")
    }

    /// Reads what the process has used so far.
    pub(super) fn consumption(&self) -> Result<Consumption, BenchError> {
        let process = PathBuf::from(format!("/proc/{}", self.child.id()));
        let stat = fs::read_to_string(process.join("stat"))?;
        // Behind the name, which may hold anything.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
        let status = fs::read_to_string(process.join("status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak_kb = peak.and_then(|text| text.split_whitespace().next()).map(str::parse::<f64>);
        Ok(Consumption {
            processor: ticks.sum::<Result<f64, _>>()? / ticks_per_second(),
            peak_mb: peak_kb.ok_or("no peak")?? / 1_024.0,
        })
    }
}

impl Drop for RunningHub {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn prepare(binary: &Path, folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command
        .args(arguments)
        .env_clear()
        .env("TRUEUP_HOME", folder.path())
        .env("HOME", folder.path());
    command
}

#[expect(clippy::cast_precision_loss, reason = "a hundred or a thousand")]
fn ticks_per_second() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}
