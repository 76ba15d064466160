//! Name look-ups that hang: the wait for them ends at the deadline, and so does the program.
//!
//! Which server the system asks is written in a file of `/etc`, so the look-ups are made by another
//! run of this test program, in namespaces with a file of the test's own.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::support::{database, failure_of, soon};

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

/// Far more than the deadline of the test, far less than the system would wait.
const LIMIT: Duration = Duration::from_mins(1);

fn run_in_namespaces(way: &[&str], folder: &Path, line: &[&str]) -> Option<Output> {
    let mut unshare = Command::new("unshare");
    unshare.args(way).args(["--", "sh", "-c", SCRIPT]).arg(folder).args(line);
    unshare.env("TEST_SILENT_RESOLVER", "1").output().ok()
}

#[test]
fn a_look_up_that_hangs_ends_at_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("resolv.conf"), RESOLVER).unwrap();
    fs::write(folder.path().join("nsswitch.conf"), "hosts: dns\n").unwrap();
    let works = |way: &&&[&str]| {
        let tried = run_in_namespaces(way, folder.path(), &["true"]);
        tried.is_some_and(|output| output.status.success())
    };
    let Some(way) = WAYS.iter().find(works) else {
        // Straight to the stream: the test runner captures the printing macros.
        let line = b"\nSKIPPED: this system does not permit namespaces with another resolver\n";
        drop(std::io::stderr().write_all(line));
        return;
    };
    let program = std::env::current_exe().unwrap();
    let case = "name_lookup::look_up_without_an_answer";
    let line = [program.to_str().unwrap(), "--exact", case, "--ignored", "--nocapture"];
    let began = Instant::now();
    let output = run_in_namespaces(way, folder.path(), &line).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(began.elapsed() < LIMIT, "the program waits for the look-up: {text}");
    let found: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("RESULT ")).collect();
    let problem = "timed out while looking up the name of the host";
    let expected = [
        format!("postgres://slow.example:5432/work: {problem}"),
        format!("postgres://slow.example:5432/work: {problem}"),
        format!("https://slow.example: {problem}"),
    ];
    assert_eq!(found, expected, "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "the other test of this module runs it"]
fn look_up_without_an_answer() {
    assert!(std::env::var_os("TEST_SILENT_RESOLVER").is_some(), "the other test runs this");
    // Takes questions and answers none.
    let _resolver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 53)).unwrap();
    let url = "postgres://me:s3cret@slow.example/work";
    for error in [
        failure_of(url, soon()),
        database(url).connect_directly(soon()).unwrap_err(),
        failure_of("https://slow.example/", soon()),
    ] {
        assert!(!error.may_have_committed());
        println!("RESULT {error}");
    }
}
