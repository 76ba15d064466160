//! A branch is a mismatch if it names a known item other than the claimed one.

use std::fs;
use std::path::Path;

use support::home::Home;

/// Returns whether a hand-off is refused on this branch.
fn refused(home: &Home, branch: &str) -> bool {
    home.run_git(&["switch", "--quiet", "-C", branch]);
    let payload = home.payload("pre-tool-use.bash").with_input("command", "make handoff");
    let answer = home.run_hook("pre-handoff-validate", &payload);
    assert!(answer.code == Some(2) || answer.stderr.is_empty(), "{branch}: {answer:?}");
    answer.code == Some(2)
}

#[test]
fn a_word_in_the_shape_of_an_item_is_none() {
    let home = Home::new().with_held_item();
    for branch in ["feat/UTF-8", "fix/SHA-256", "CVE-2026-1234", "release/RC-1", "feat/SD-002B-x"] {
        assert!(!refused(&home, branch), "{branch}");
        home.run_hook("pre-handoff-validate", &home.payload("stop")).assert_silent();
    }
}

#[test]
fn a_known_item_is_seen_regardless_of_the_case() {
    let home = Home::new().with_held_item();
    for key in ["SD-002B", "login", "170", "app_v2.x"] {
        home.execute_sql("INSERT INTO work_items (key) VALUES (?1)", [key]);
    }
    for branch in [
        "feat/sd-002b-sync",
        "feat/SD-002B-x",
        "feat/UTF-8-in-Sd-002B",
        "feat/LOGIN-page",
        "fix/170-x",
        "feat/App_v2.X-y",
    ] {
        assert!(refused(&home, branch), "{branch}");
    }
    for branch in ["feat/sd-002c-x", "main", "feat/SD-002BX", "feat/SD-002C-after-SD-002B"] {
        assert!(!refused(&home, branch), "{branch}");
    }
    home.run_git(&["switch", "--quiet", "--detach"]);
    home.run_hook("pre-handoff-validate", &home.payload("stop")).assert_silent();
}

#[test]
fn keys_found_by_a_pattern_of_the_repository_must_exist() {
    let home = Home::new().with_held_item();
    std::fs::write(
        home.project_dir().join(".trueup.toml"),
        "branch_pattern = \"issue-([0-9]+)\"\n",
    )
    .unwrap();
    assert!(!refused(&home, "fix/my-issue-170-x"));
    home.execute_sql("INSERT INTO work_items (key) VALUES ('170')", []);
    assert!(refused(&home, "fix/my-issue-170-x"));
    assert!(refused(&home, "fix/MY-ISSUE-170"));
}

#[test]
fn a_head_that_nobody_can_read_is_not_that_of_no_branch() {
    type Break = (&'static str, fn(&Path));
    let handing_on = |home: &Home| {
        let payload = home.payload("pre-tool-use.bash").with_input("command", "make handoff");
        let run = home.prepare_run("pre-handoff-validate").payload(&payload);
        run.env("CLAUDE_CODE_SESSION_ATTENDED", "1").wait()
    };
    let breaks: [Break; 8] = [
        ("empty", |head| fs::write(head, "").unwrap()),
        ("no name", |head| {
            fs::write(head, "ref: refs/heads/\n").unwrap();
        }),
        ("no branch's name", |head| {
            fs::write(head, "ref: refs/heads/a b\n").unwrap();
        }),
        ("zeros", |head| fs::write(head, [0; 40]).unwrap()),
        ("no reference", |head| {
            fs::write(head, "refs/heads/x").unwrap();
        }),
        ("long", |head| fs::write(head, "x".repeat(100_000)).unwrap()),
        ("gone", |head| fs::remove_file(head).unwrap()),
        ("a directory", |head| {
            fs::remove_file(head).unwrap();
            fs::create_dir(head).unwrap();
        }),
    ];
    for (name, break_it) in breaks {
        let home = Home::new().with_held_item();
        break_it(&home.project_dir().join(".git/HEAD"));
        let answer = handing_on(&home);
        let decision = answer.json()["hookSpecificOutput"].clone();
        assert_eq!(decision["permissionDecision"], "ask", "{name}: {answer:?}");
        let stop = home.run_hook("pre-handoff-validate", &home.payload("stop"));
        assert_eq!(stop.code, Some(0), "{name}");
        assert!(stop.stdout.contains("cannot be read"), "{name}: {stop:?}");
    }
    // A detached HEAD is readable, as is the HEAD symlink of old versions of git.
    let home = Home::new().with_held_item();
    home.run_git(&["switch", "--quiet", "--detach"]);
    handing_on(&home).assert_silent();
    home.add_item("SD-002B");
    home.run_git(&["branch", "feat/SD-002B-x"]);
    let head = home.project_dir().join(".git/HEAD");
    fs::remove_file(&head).unwrap();
    std::os::unix::fs::symlink("refs/heads/feat/SD-002B-x", &head).unwrap();
    let payload = home.payload("pre-tool-use.bash").with_input("command", "make handoff");
    let answer = home.run_hook("pre-handoff-validate", &payload);
    assert_eq!(answer.code, Some(2), "{answer:?}");
}
