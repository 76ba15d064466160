//! A full disk: one clear line, nothing half written, and normal work once there is space.

use std::fs;

use support::home::{FIRST_SESSION, Home};

use super::mount::Mount;

#[test]
fn a_full_disk_under_trueups_directory() {
    let mut home = Home::new();
    let Some(mount) = Mount::over(&home.trueup_home(), "2m") else {
        return;
    };
    home = home.with_held_item();
    let before = home.execution_state().to_string();
    mount.fill();
    let answer = home.start_session();
    assert_eq!(answer.code, Some(0));
    // Reading needs space as well, unless the log's files still exist: then the answer is right.
    let is_whole = answer.context().contains("item: SD-002C (claimed)");
    let is_dated = answer.context().contains("currentSd: SD-002C")
        && answer.message().iter().any(|line| line.contains("full"));
    assert!(is_whole || is_dated, "{answer:?}");
    let answer = home.push_event("post-tool-use.todo-write");
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(answer.stderr.contains("full"), "{answer:?}");
    assert!(answer.message()[0].starts_with("⚠️ the write is lost, because "), "{answer:?}");
    let answer = home.run_hook("pre-handoff-validate", &home.payload("pre-tool-use.agent"));
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let answer =
        home.prepare_run("trueup").args(["set", "--task", "x", "--session", FIRST_SESSION]).wait();
    assert_eq!(answer.code, Some(3), "{answer:?}");
    assert!(answer.stderr.contains("full"), "{answer:?}");
    mount.free();
    assert_eq!(home.query_value::<String>("PRAGMA quick_check", []), "ok");
    assert_eq!(home.execution_state().to_string(), before);
    assert_eq!(home.start_session().code, Some(0));
    home.prepare_run("trueup").args(["set", "--task", "x", "--session", FIRST_SESSION]).wait().ok();
    assert_eq!(home.read_cache()["currentTask"], "x");
}

#[test]
fn a_full_disk_before_there_is_a_database() {
    let home = Home::new();
    let Some(mount) = Mount::over(&home.trueup_home(), "64k") else {
        return;
    };
    mount.fill();
    let answer = home.start_session();
    assert_eq!(answer.code, Some(0));
    assert!(answer.message().iter().any(|line| line.contains("full") || line.contains("space")));
    let answer = home.prepare_run("trueup").args(["db", "migrate"]).wait();
    assert_eq!(answer.code, Some(3), "{answer:?}");
    mount.free();
    let names: Vec<_> = fs::read_dir(home.trueup_home())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != "trueup.db.queue" && entry.file_name() != "trueup.log")
        .map(|entry| entry.file_name())
        .collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("database")), "{names:?}");
    assert!(!home.trueup_home().join("trueup.db").exists());
}

#[test]
fn a_full_disk_under_the_repository() {
    let Some((home, mount)) = Mount::under_a_repository() else {
        return;
    };
    let before = fs::read(home.cache_path()).unwrap();
    mount.fill();
    home.set_state(FIRST_SESSION, "execution_state.currentPhase", "EXEC");
    let answer = home.start_session();
    assert_eq!(answer.code, Some(0));
    assert!(answer.stderr.starts_with("trueup: not fixed: "), "{answer:?}");
    assert_eq!(answer.stderr.lines().count(), 1, "{answer:?}");
    assert!(answer.context().contains("\nphase: EXEC\n"), "the database is the truth: {answer:?}");
    assert!(answer.context().contains("Remaining differences:"), "{answer:?}");
    assert_eq!(fs::read(home.cache_path()).unwrap(), before, "the old file stays whole");
    assert_eq!(home.claude_names(), ["auto-proceed-state.json"], "no draft is left");
    let guard = home.run_hook("pre-handoff-validate", &home.payload("pre-tool-use.agent"));
    assert_eq!(
        guard.code,
        Some(0),
        "the database is right, and no command could end a refusal: {guard:?}"
    );
    assert!(guard.stdout.contains("No space left on device"), "{guard:?}");
    mount.free();
    assert_eq!(home.start_session().code, Some(0));
    assert_eq!(home.read_cache()["currentPhase"], "EXEC");
}

#[test]
fn a_disk_that_fills_up_while_others_have_the_database_open() {
    let mut home = Home::new();
    let Some(mount) = Mount::over(&home.trueup_home(), "2m") else {
        return;
    };
    home = home.with_held_item();
    // Keeps the write-ahead log and its shared memory in place.
    let other = home.open_database();
    let count = || other.query_row("SELECT count(*) FROM events", [], |row| row.get::<_, i64>(0));
    let before = count().unwrap();
    mount.fill();
    let mut refused = 0;
    // The log may have space for a few more writes; each is complete or absent.
    for number in 0..40 {
        let task = format!("{number}-{}", "x".repeat(2_000));
        let run =
            home.prepare_run("trueup").args(["set", "--task", &task, "--session", FIRST_SESSION]);
        let answer = run.wait();
        if answer.code == Some(0) {
            assert_eq!(home.execution_state()["currentTask"], task);
        } else {
            assert_eq!(answer.code, Some(3), "{answer:?}");
            assert!(answer.stderr.contains("full"), "{answer:?}");
            refused += 1;
        }
    }
    assert!(refused > 0, "the disk was not full");
    let answer = home.push_event("session-end.other");
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(count().unwrap() >= before);
    mount.free();
    assert_eq!(home.query_value::<String>("PRAGMA quick_check", []), "ok");
    home.prepare_run("trueup").args(["set", "--task", "x", "--session", FIRST_SESSION]).wait().ok();
    drop(other);
}
