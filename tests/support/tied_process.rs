//! A server that ends when its test process does, however that ends.

#![expect(clippy::unwrap_used, reason = "a server that cannot be started fails its test")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The user that servers run as where the tests run as root, which they refuse to.
const NOBODY: u32 = 65534;

/// How long a server may take to start on a busy machine.
const START_LIMIT: Duration = Duration::from_mins(2);

/// Runs a program until the end of standard input, which the test process holds, and removes the
/// directory then. A line starts the program again once it has ended.
const SCRIPT: &str = r#"
    signal=$1; shift
    "$@" >>log 2>&1 &
    child=$!
    while read -r again; do
        wait $child
        "$@" >>log 2>&1 &
        child=$!
    done
    kill -CONT $child $(cat /proc/$child/task/$child/children)
    kill "-$signal" $child
    wait $child
    cd / && rm -rf "$0""#;

/// A running server with a directory of its own, which holds its output as `log`. It is ended, and
/// the directory removed, when the value is dropped or the process ends.
#[derive(Debug)]
pub struct TiedProcess {
    shell: Child,
    directory: PathBuf,
}

impl TiedProcess {
    /// Starts a program in the directory; `signal` ends it.
    pub fn start<S: AsRef<OsStr>>(directory: PathBuf, signal: &str, program: &[S]) -> Self {
        let shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .arg(&directory)
            .arg(signal)
            .args(program)
            .current_dir(&directory)
            // What ends the group of the tests must leave the shell, which ends the server.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { shell, directory }
    }

    /// Returns the directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Waits until `is_ready` says so.
    pub fn wait_until(&self, is_ready: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_ready() {
            let log = || fs::read_to_string(self.directory.join("log")).unwrap_or_default();
            assert!(begun.elapsed() < START_LIMIT, "the server does not start: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a port of this machine takes connections.
    pub fn wait_for_port(&self, port: u16) {
        self.wait_until(|| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
    }

    /// Starts the program again, which has ended or is about to.
    pub fn start_again(&self) {
        let mut shell = self.shell.stdin.as_ref().unwrap();
        shell.write_all(b"again\n").unwrap();
    }

    /// Ends the program and waits for that.
    pub fn end(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

impl Drop for TiedProcess {
    fn drop(&mut self) {
        self.end();
    }
}

/// Makes a directory that the user of the servers owns.
pub fn new_directory() -> PathBuf {
    let directory = tempfile::Builder::new().prefix("trueup-server-").tempdir().unwrap().keep();
    give_away(&directory);
    directory
}

/// Gives a file to the user that servers run as.
pub fn give_away(path: &Path) {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        let mode = if path.is_dir() { 0o711 } else { 0o600 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// Returns the command line that runs a program as the user of the servers.
pub fn run_unprivileged(program: &Path) -> Vec<OsString> {
    let mut line: Vec<OsString> = Vec::new();
    if is_root() {
        line.extend(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"].map(Into::into),
        );
    }
    line.push(program.into());
    line
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0)
}

/// Returns a port that nothing listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
