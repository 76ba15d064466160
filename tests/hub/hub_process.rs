//! A running hub.

use std::io::Read as _;
use std::net::SocketAddr;
use std::process::Child;

use serde_json::Value as Json;
use support::home::{Home, ProcessOutput, ProcessRun};

use super::http_client::{Answer, RawRequest, send_bytes};

/// A running hub, which is killed when the value is dropped.
pub(crate) struct HubProcess {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl HubProcess {
    /// Starts a hub over the database of a home, on a free port of this machine.
    pub(crate) fn start(home: &Home) -> Self {
        Self::start_with(home, &["--listen", "127.0.0.1:0"])
    }

    /// Starts a hub with these arguments.
    pub(crate) fn start_with(home: &Home, arguments: &[&str]) -> Self {
        Self::begin(prepare_hub(home, &["serve"]).args(arguments))
    }

    /// Starts a hub as it was prepared.
    pub(crate) fn begin(run: ProcessRun<'_>) -> Self {
        let (child, line) = run.begin();
        let url = line.split(' ').nth(3).unwrap_or_else(|| panic!("no address: {line:?}"));
        let address = url.split("://").nth(1).unwrap().parse().unwrap();
        Self { child, address }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a request, which must be answered.
    pub(crate) fn send(&self, request: &RawRequest) -> Answer {
        send_bytes(self.address, &request.render(self.address)).expect("an answer")
    }

    pub(crate) fn get(&self, path: &str, token: &str) -> Answer {
        self.send(&RawRequest::new("GET", path).bearer(token))
    }

    pub(crate) fn post(&self, path: &str, token: &str, body: &Json) -> Answer {
        self.send(&RawRequest::new("POST", path).bearer(token).json(body))
    }

    /// Tells the hub to stop.
    pub(crate) fn terminate(&self) {
        let pid = rustix_pid(self.pid());
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Kills the hub without notice; returns everything that it printed.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut printed = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut printed).unwrap();
        printed
    }

    /// Waits for the end; returns whether it was as it should be, and what else was printed.
    pub(crate) fn wait(mut self) -> (bool, String) {
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
        (status.success(), rest)
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn rustix_pid(pid: u32) -> rustix::process::Pid {
    rustix::process::Pid::from_raw(pid.cast_signed()).unwrap()
}

/// Prepares a command of `trueup-hub`.
pub(crate) fn prepare_hub<'h>(home: &'h Home, arguments: &[&str]) -> ProcessRun<'h> {
    let run = home.prepare_run("trueup-hub").args(arguments);
    match home.hub_url() {
        Some(url) => run.env("TRUEUP_DATABASE_URL", url),
        None => run,
    }
}

/// Runs a command of `trueup-hub`.
pub(crate) fn run_hub(home: &Home, arguments: &[&str]) -> ProcessOutput {
    prepare_hub(home, arguments).wait()
}

/// Makes a token.
pub(crate) fn make_token(home: &Home, name: &str, role: &str) -> String {
    let made = run_hub(home, &["token", "create", name, "--role", role]);
    assert_eq!(made.code, Some(0), "{made:?}");
    made.stdout.trim().to_owned()
}
