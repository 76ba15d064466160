//! Every written file has its intended mode, whatever the umask.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use support::home::{Home, ProcessOutput, ProcessRun};

/// Runs a binary under a umask.
fn run_with_umask(umask: &str, run: ProcessRun<'_>) -> ProcessOutput {
    let script = format!("umask {umask}; exec \"$0\" \"$@\"");
    let arguments =
        |program: &std::ffi::OsStr| vec!["-c".into(), script.clone().into(), program.into()];
    run.run_through("sh", arguments).wait()
}

fn trueup(home: &Home, umask: &str, arguments: &[&str]) {
    let answer = run_with_umask(umask, home.prepare_run("trueup").args(arguments));
    assert_eq!(answer.code, Some(0), "{arguments:?}: {answer:?}");
}

fn hook(home: &Home, umask: &str, binary: &str, event: &str) {
    let payload = home.payload(event);
    let environment = home.root().join("environment.sh");
    let run = home.prepare_run(binary).payload(&payload).env("CLAUDE_ENV_FILE", environment);
    let answer = run_with_umask(umask, run);
    assert_eq!(answer.code, Some(0), "{binary} {event}: {answer:?}");
}

/// Makes the binaries write every file that they can write.
fn write_everything(home: &Home, umask: &str) {
    hook(home, umask, "session-start-sync", "session-start.startup");
    let other = home.root().join("other");
    let git = std::process::Command::new("git").args(["init", "--quiet"]).arg(&other).status();
    assert!(git.unwrap().success());
    trueup(home, umask, &["claim", "SD-002C", "--create"]);
    for path in [home.project_dir(), &other] {
        trueup(home, umask, &["repo", "add", path.to_str().unwrap()]);
    }
    fs::write(home.project_dir().join("STATE.md"), "# One\n").unwrap();
    fs::create_dir(home.project_dir().join("workplans")).unwrap();
    let plan = home.project_dir().join("workplans/A-WP-0001.md");
    fs::write(&plan, "---\nid: A-WP-0001\nstatus: active\n---\n# Plan\n").unwrap();
    for event in ["post-tool-use.bash", "post-tool-use.todo-write", "stop"] {
        hook(home, umask, "checkpoint-push", event);
    }
    hook(home, umask, "pre-handoff-validate", "pre-tool-use.agent");
    // A broken cache is set aside, and an edit of an old revision is journaled.
    home.edit_cache("currentTask", "theirs");
    home.set_state(support::home::FIRST_SESSION, "execution_state.currentTask", "newer");
    hook(home, umask, "session-start-sync", "session-start.resume");
    home.write_cache("{");
    hook(home, umask, "session-start-sync", "session-start.resume");
    trueup(home, umask, &["check", "--fix"]);
    trueup(home, umask, &["meta", "set", "77c90e61", "cost=1"]);
    trueup(home, umask, &["ports", "reserve", "77c90e61"]);
    let backup = home.trueup_home().join("copy.db");
    trueup(home, umask, &["db", "backup", backup.to_str().unwrap()]);
    // Without a database, the write goes to the outbox.
    let away = home.trueup_home().join("away.db");
    fs::rename(home.trueup_home().join("trueup.db"), &away).unwrap();
    fs::create_dir(home.trueup_home().join("trueup.db")).unwrap();
    hook(home, umask, "checkpoint-push", "post-tool-use.todo-write");
    fs::remove_dir(home.trueup_home().join("trueup.db")).unwrap();
    fs::rename(&away, home.trueup_home().join("trueup.db")).unwrap();
}

/// Lists everything below a directory, with its mode.
fn modes(dir: &Path) -> Vec<(String, bool, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let data = fs::symlink_metadata(&path).unwrap();
        found.push((path.display().to_string(), data.is_dir(), data.mode() & 0o777));
        if data.is_dir() {
            found.extend(modes(&path));
        }
    }
    found
}

#[test]
fn every_mode_is_set_regardless_of_the_umask() {
    for umask in ["000", "077", "277", "777"] {
        let home = Home::new();
        write_everything(&home, umask);
        let own = modes(&home.trueup_home());
        for part in ["passed", "checked", "locks", "counters", "outbox", "journal", ".log"] {
            assert!(own.iter().any(|(path, ..)| path.contains(part)), "{part}: {own:?}");
        }
        for (path, is_dir, mode) in own {
            let expected = if is_dir { 0o700 } else { 0o600 };
            assert_eq!(mode, expected, "{path} is {mode:o} under umask {umask}");
        }
        let environment = home.root().join("environment.sh");
        assert_eq!(fs::metadata(environment).unwrap().mode() & 0o777, 0o600);
        let in_repositories = ["project/.claude", "other/.aibrain", "project/agents"];
        for dir in in_repositories.map(|name| home.root().join(name)) {
            let dir_mode = fs::metadata(&dir).unwrap().mode();
            let own = dir_mode & 0o722;
            assert_eq!(own, 0o700, "{} under {umask}", dir.display());
            for (path, is_dir, mode) in modes(&dir) {
                assert_eq!(mode & 0o022, 0, "{path} is {mode:o} under umask {umask}");
                let own = if is_dir { 0o700 } else { 0o600 };
                assert_eq!(mode & own, own, "{path} is {mode:o} under umask {umask}");
                let is_cache = path.contains("auto-proceed-state");
                assert!(!is_cache || mode == 0o600, "{path} is {mode:o} under umask {umask}");
            }
        }
    }
}

/// A file that an earlier release left readable to others becomes private with the next write.
#[test]
fn files_open_to_others_are_closed() {
    let home = Home::new();
    write_everything(&home, "077");
    for dir in ["passed", "checked", "locks", "counters"] {
        let path = home.trueup_home().join(dir);
        for (path, is_dir, _) in modes(&path) {
            let mode = if is_dir { 0o777 } else { 0o666 };
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
    }
    fs::write(home.project_dir().join("STATE.md"), "# Two\n").unwrap();
    hook(&home, "022", "checkpoint-push", "post-tool-use.bash");
    for path in ["passed", "counters"] {
        for (path, _, mode) in modes(&home.trueup_home().join(path)) {
            let is_session = path.contains("/counters/") && path.ends_with(".offered");
            assert!(mode == 0o600 || is_session, "{path} is {mode:o}");
        }
    }
}

/// A database that an earlier release or a copy left readable to others becomes private as well.
#[test]
fn doctor_tells_what_is_open_to_others_and_closes_it() {
    let home = Home::new();
    write_everything(&home, "077");
    let own = || modes(&home.trueup_home());
    let closed = own();
    for (path, is_dir, _) in &closed {
        let mode = if *is_dir { 0o755 } else { 0o644 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::write(home.trueup_home().join("config.toml"), "").unwrap();
    let doctor = |arguments: &[&str]| {
        let run = home.prepare_run("trueup").args([&["doctor", "--json"], arguments].concat());
        let answer = run.wait().json();
        let checks = answer["data"]["checks"].as_array().unwrap().clone();
        let own = checks.into_iter().find(|it| it["name"] == "private files");
        own.unwrap()
    };
    let found = doctor(&[]);
    assert_eq!(found["status"], "warn", "{found}");
    assert_eq!(found["fix"], "trueup doctor --fix");
    assert_eq!(doctor(&["--fix"])["status"], "ok");
    assert_eq!(doctor(&[])["status"], "ok");
    for (path, is_dir, mode) in own() {
        let expected = if is_dir { 0o700 } else { 0o600 };
        let is_users = path.ends_with("config.toml");
        assert!(mode == expected || is_users, "{path} is {mode:o}");
    }
}
