//! A server for names that takes questions and answers none.
//!
//! Which server the system asks is written in a file of `/etc`, so a test that needs this one is
//! run by another run of its program, in namespaces with a file of the test's own.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::{Command, Output};

/// What enters the namespaces: as root, else where users may make their own.
const WAYS: [&[&str]; 2] =
    [&["--mount", "--net"], &["--user", "--map-root-user", "--mount", "--net"]];

/// Puts the files in the place of the system's, and turns on the network of this machine alone.
const SCRIPT: &str = r#"
    set -e
    mount --bind "$0/resolv.conf" /etc/resolv.conf
    if [ -e /etc/nsswitch.conf ]; then mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf; fi
    ip link set lo up
    exec "$@""#;

/// The system would wait for minutes: five times half a minute.
const RESOLVER: &str = "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n";

/// Says that a program runs in the namespaces.
const MARK: &str = "TEST_SILENT_RESOLVER";

/// Runs an ignored test of this program where names are asked of this machine alone; `None`, said
/// aloud, where the system does not permit that.
pub fn run_in_namespaces(case: &str) -> Option<Output> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("resolv.conf"), RESOLVER).unwrap();
    fs::write(folder.path().join("nsswitch.conf"), "hosts: dns\n").unwrap();
    let works = |way: &&&[&str]| {
        let tried = run_by(way, folder.path(), &["true"]);
        tried.is_some_and(|output| output.status.success())
    };
    let Some(way) = WAYS.iter().find(works) else {
        // Straight to the stream: the test runner captures the printing macros.
        let line = b"\nSKIPPED: this system does not permit namespaces with another resolver\n";
        drop(std::io::Write::write_all(&mut std::io::stderr(), line));
        return None;
    };
    let program = std::env::current_exe().unwrap();
    let line = [program.to_str().unwrap(), "--exact", case, "--ignored", "--nocapture"];
    Some(run_by(way, folder.path(), &line).unwrap())
}

fn run_by(way: &[&str], folder: &Path, line: &[&str]) -> Option<Output> {
    let mut unshare = Command::new("unshare");
    unshare.args(way).args(["--", "sh", "-c", SCRIPT]).arg(folder).args(line);
    unshare.env(MARK, "1").output().ok()
}

/// Sets where the system looks names up, as `dns` or `files`, in the namespaces.
pub fn find_names_in(source: &str) {
    let switch = Path::new("/etc/nsswitch.conf");
    assert!(std::env::var_os(MARK).is_some(), "another test runs this one");
    // Elsewhere it would be the system's own file.
    let is_own = fs::read_to_string(switch).is_ok_and(|text| text.lines().count() == 1);
    assert!(is_own, "the file is that of the test");
    fs::write(switch, format!("hosts: {source}\n")).unwrap();
}

/// Takes questions until it is dropped. Without it they are refused.
#[derive(Debug)]
pub struct SilentResolver {
    _socket: UdpSocket,
}

impl SilentResolver {
    /// Starts in the namespaces.
    pub fn start() -> Self {
        assert!(std::env::var_os(MARK).is_some(), "another test runs this one");
        Self { _socket: UdpSocket::bind((Ipv4Addr::LOCALHOST, 53)).unwrap() }
    }
}
