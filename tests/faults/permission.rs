//! Files of another user. Root ignores permission bits, so as root these run as `nobody`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use support::client::find_binary;
use support::home::{FIRST_SESSION, Home, ProcessOutput, ProcessRun};
use support::program;

const NOBODY: &str = "65534";

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Runs as a user to whom permission bits apply.
struct Bound {
    home: Home,
    is_root: bool,
}

impl Bound {
    /// Makes a scratch that the user `nobody` may enter; `None` with a printed reason if that is
    /// impossible.
    fn new(home: Home) -> Option<Self> {
        let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
        let can = Command::new("setpriv").args(["--reuid", NOBODY, "true"]).output();
        if is_root && !can.is_ok_and(|done| done.status.success()) {
            println!("SKIPPED: root is bound by no permission, and setpriv cannot leave it");
            return None;
        }
        mode(&home.root(), 0o755);
        fs::create_dir(home.root().join("bin")).unwrap();
        for name in ["session-start-sync", "checkpoint-push", "pre-handoff-validate", "trueup"] {
            // The user `nobody` may not enter the build directory.
            let copied = home.root().join("bin").join(name);
            program::copy_program(&find_binary(name).unwrap(), &copied).unwrap();
        }
        Some(Self { home, is_root })
    }

    fn run(&self, run: ProcessRun<'_>) -> ProcessOutput {
        if !self.is_root {
            return run.wait();
        }
        let dir = self.home.root().join("bin");
        let arguments = move |program: &OsStr| -> Vec<OsString> {
            let name = Path::new(program).file_name().unwrap();
            ["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"]
                .into_iter()
                .map(OsString::from)
                .chain([dir.join(name).into_os_string()])
                .collect()
        };
        run.run_through("setpriv", arguments).wait()
    }

    fn hook(&self, binary: &str, fixture: &str) -> ProcessOutput {
        self.run(self.home.prepare_run(binary).payload(&self.home.payload(fixture)))
    }

    fn set(&self) -> ProcessOutput {
        self.run(self.home.prepare_run("trueup").args([
            "set",
            "--task",
            "x",
            "--session",
            FIRST_SESSION,
        ]))
    }
}

#[test]
fn a_directory_that_may_not_be_written_has_no_database() {
    let Some(bound) = Bound::new(Home::new()) else {
        return;
    };
    mode(&bound.home.trueup_home(), 0o555);
    let answer = bound.hook("session-start-sync", "session-start.startup");
    assert_eq!(answer.code, Some(0));
    assert!(answer.message()[0].contains("ermission denied"), "{answer:?}");
    assert_eq!(answer.stderr.lines().count(), 1, "{answer:?}");
    let answer = bound.hook("checkpoint-push", "stop");
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), ""));
    assert_eq!(answer.stderr, "", "only a start makes a database");
    let answer = bound.run(bound.home.prepare_run("trueup").args(["db", "migrate"]));
    assert_eq!(answer.code, Some(3), "{answer:?}");
    assert_eq!(fs::read_dir(bound.home.trueup_home()).unwrap().count(), 0);
    mode(&bound.home.trueup_home(), 0o755);
}

#[test]
fn a_database_that_may_not_be_read() {
    let Some(bound) = Bound::new(Home::new().with_held_item()) else {
        return;
    };
    let database = bound.home.trueup_home().join("trueup.db");
    mode(&bound.home.trueup_home(), 0o755);
    mode(&database, 0o000);
    let answer = bound.hook("session-start-sync", "session-start.resume");
    assert_eq!(answer.code, Some(0));
    assert!(answer.message()[0].starts_with("⚠️ database unreachable; "), "{answer:?}");
    for attended in [false, true] {
        let payload = bound.home.payload("pre-tool-use.agent");
        let run = bound.home.prepare_run("pre-handoff-validate").payload(&payload);
        let value = if attended { "1" } else { "0" };
        let answer = bound.run(run.env("CLAUDE_CODE_SESSION_ATTENDED", value));
        assert_eq!(answer.code, Some(0), "{answer:?}");
        assert_eq!(answer.stdout.contains("\"ask\""), attended, "{answer:?}");
    }
    assert_eq!(bound.set().code, Some(3));
    mode(&database, 0o600);
    assert_eq!(bound.home.query_value::<String>("PRAGMA quick_check", []), "ok");
}

#[test]
fn a_database_that_may_be_read_and_not_written() {
    let Some(bound) = Bound::new(Home::new().with_held_item()) else {
        return;
    };
    let database = bound.home.trueup_home().join("trueup.db");
    let before = bound.home.execution_state().to_string();
    mode(&bound.home.trueup_home(), 0o755);
    mode(&database, 0o444);
    let answer = bound.hook("session-start-sync", "session-start.resume");
    assert_eq!(answer.code, Some(0));
    assert!(answer.message()[0].starts_with("⚠️ database unreachable; "), "{answer:?}");
    let answer = bound.set();
    assert_eq!(answer.code, Some(3), "{answer:?}");
    mode(&database, 0o600);
    assert_eq!(bound.home.execution_state().to_string(), before);
}

#[test]
fn a_project_that_may_not_be_written_still_gets_the_truth() {
    let Some(bound) = Bound::new(Home::new().with_held_item()) else {
        return;
    };
    let everything = ["trueup.db", "trueup.db-wal", "trueup.db-shm", "trueup.db.queue"];
    mode(&bound.home.trueup_home(), 0o777);
    for name in everything {
        let path = bound.home.trueup_home().join(name);
        if path.exists() {
            mode(&path, 0o666);
        }
    }
    mode(&bound.home.trueup_home().join("locks"), 0o777);
    for lock in fs::read_dir(bound.home.trueup_home().join("locks")).unwrap() {
        mode(&lock.unwrap().path(), 0o666);
    }
    mode(&bound.home.cache_path(), 0o644);
    let dir = bound.home.project_dir().join(".claude");
    mode(&dir, 0o555);
    mode(&bound.home.project_dir().join(".git"), 0o555);
    bound.home.set_state(FIRST_SESSION, "execution_state.currentPhase", "EXEC");
    let before = fs::read(bound.home.cache_path()).unwrap();
    let answer = bound.hook("session-start-sync", "session-start.resume");
    assert_eq!(answer.code, Some(0));
    assert!(answer.context().contains("\nphase: EXEC\n"), "{answer:?}");
    assert!(answer.stderr.starts_with("trueup: not fixed: "), "{answer:?}");
    assert!(answer.stderr.contains("ermission denied"), "{answer:?}");
    assert_eq!(fs::read(bound.home.cache_path()).unwrap(), before);
    mode(&dir, 0o755);
}
