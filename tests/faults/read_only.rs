//! Read-only file systems, which even root cannot write.

use std::fs;

use support::home::{FIRST_SESSION, Home};

use super::mount::Mount;

#[test]
fn trueups_directory_on_a_read_only_file_system() {
    let mut home = Home::new();
    let Some(mount) = Mount::over(&home.trueup_home(), "4m") else {
        return;
    };
    home = home.with_held_item();
    let before = home.execution_state().to_string();
    mount.read_only(true);
    let answer = home.start_session();
    assert_eq!(answer.code, Some(0));
    assert!(answer.message()[0].starts_with("⚠️ database unreachable; cache used, "), "{answer:?}");
    assert_eq!(answer.stderr.lines().count(), 1, "{answer:?}");
    let answer = home.push_event("stop");
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), ""));
    assert_eq!(answer.stderr.lines().count(), 1, "{answer:?}");
    let answer = home.run_hook("pre-handoff-validate", &home.payload("stop"));
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let answer =
        home.prepare_run("trueup").args(["set", "--task", "x", "--session", FIRST_SESSION]).wait();
    assert_eq!(answer.code, Some(3), "{answer:?}");
    mount.read_only(false);
    assert_eq!(home.execution_state().to_string(), before);
    assert_eq!(home.start_session().code, Some(0));
}

#[test]
fn a_repository_on_a_read_only_file_system() {
    let Some((home, mount)) = Mount::under_a_repository() else {
        return;
    };
    let before = fs::read(home.cache_path()).unwrap();
    mount.read_only(true);
    home.set_state(FIRST_SESSION, "execution_state.currentPhase", "EXEC");
    let answer = home.start_session();
    assert_eq!(answer.code, Some(0));
    assert!(answer.stderr.starts_with("trueup: not fixed: "), "{answer:?}");
    assert_eq!(answer.stderr.lines().count(), 1, "{answer:?}");
    assert!(answer.context().contains("\nphase: EXEC\n"), "{answer:?}");
    // The state itself is written: the database is elsewhere.
    home.push_event("post-tool-use.todo-write");
    assert_eq!(home.execution_state()["currentTask"], "write the test");
    assert_eq!(fs::read(home.cache_path()).unwrap(), before);
    mount.read_only(false);
    assert_eq!(home.send_prompt().code, Some(0));
    assert_eq!(home.read_cache()["currentTask"], "write the test");
}

#[test]
fn what_only_a_copy_says_that_nobody_can_write_holds_nothing_up() {
    let Some((home, mount)) = Mount::under_a_repository() else {
        return;
    };
    home.edit_cache("currentSd", "SD-002B");
    mount.read_only(true);
    let bash = home.payload("pre-tool-use.bash");
    for payload in [home.payload("stop"), bash.with_input("command", "make handoff")] {
        let answer = home.run_hook("pre-handoff-validate", &payload);
        assert_eq!(answer.code, Some(0), "{answer:?}");
        let message = answer.message().join("\n");
        assert!(message.contains("⚠️ SD mismatch: file=SD-002B, db_claim=SD-002C"), "{message}");
        for said in [&message, &answer.stderr] {
            assert!(said.contains("not fixed: "), "it says why: {said}");
            assert!(said.contains("Read-only file system"), "{said}");
        }
    }
    mount.read_only(false);
    home.execute_sql("INSERT INTO work_items (key) VALUES ('SD-002B')", []);
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
    mount.read_only(true);
    let answer = home.run_hook("pre-handoff-validate", &home.payload("stop"));
    assert_eq!(answer.code, Some(2), "{answer:?}");
    assert!(answer.stderr.starts_with("⚠️ Branch mismatch"), "{answer:?}");
    assert!(!answer.stderr.contains("SD mismatch"), "{answer:?}");
    assert!(answer.stderr.contains("Read-only file system"), "{answer:?}");
}
