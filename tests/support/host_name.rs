//! Processes that see another host name, as on another machine.

use std::io::Write as _;
use std::process::Command;
use std::sync::OnceLock;

/// The program that gives a process a host name of its own.
pub const PROGRAM: &str = "unshare";

const NAMESPACES: [&str; 3] = ["--user", "--map-root-user", "--uts"];

/// Returns whether this system permits it, and says once if it does not.
pub fn can_rename_host() -> bool {
    static PERMITTED: OnceLock<bool> = OnceLock::new();
    *PERMITTED.get_or_init(|| {
        let tried = Command::new(PROGRAM).args(NAMESPACES).arg("true").output();
        let is_permitted = tried.is_ok_and(|output| output.status.success());
        if !is_permitted {
            // Straight to the stream: the test runner captures the printing macros.
            let line = b"\nSKIPPED: this system does not permit `unshare --user --uts`\n";
            drop(std::io::stderr().write_all(line));
        }
        is_permitted
    })
}

/// Returns the arguments of [`PROGRAM`] before the path of the program to run.
pub fn rename_arguments(host: &str) -> Vec<String> {
    let script = format!(r#"hostname {host} && exec "$0" "$@""#);
    let words = NAMESPACES.into_iter().chain(["sh", "-c", &script]);
    words.map(str::to_owned).collect()
}
