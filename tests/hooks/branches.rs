//! Which branches are a mismatch: those that name a known item other than the claimed one.

use support::home::Home;

/// Tells whether a hand-off is refused on this branch.
fn refused(home: &Home, branch: &str) -> bool {
    home.git(&["switch", "--quiet", "-C", branch]);
    let payload = home
        .payload("pre-tool-use.bash")
        .input("command", "make handoff");
    let answer = home.hook("pre-handoff-validate", &payload);
    assert!(
        answer.code == Some(2) || answer.stderr.is_empty(),
        "{branch}: {answer:?}"
    );
    answer.code == Some(2)
}

#[test]
fn a_word_in_the_shape_of_an_item_is_none() {
    let home = Home::new().holding();
    for branch in [
        "feat/UTF-8",
        "fix/SHA-256",
        "CVE-2026-1234",
        "release/RC-1",
        "feat/SD-002B-x",
    ] {
        assert!(!refused(&home, branch), "{branch}");
        home.hook("pre-handoff-validate", &home.payload("stop"))
            .assert_silent();
    }
}

#[test]
fn a_known_item_is_seen_whatever_the_case() {
    let home = Home::new().holding();
    for key in ["SD-002B", "login", "170", "app_v2.x"] {
        home.sql("INSERT INTO work_items (key) VALUES (?1)", [key]);
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
    for branch in [
        "feat/sd-002c-x",
        "main",
        "feat/SD-002BX",
        "feat/SD-002C-after-SD-002B",
    ] {
        assert!(!refused(&home, branch), "{branch}");
    }
    home.git(&["switch", "--quiet", "--detach"]);
    home.hook("pre-handoff-validate", &home.payload("stop"))
        .assert_silent();
}

#[test]
fn what_a_pattern_of_the_repository_finds_must_be_known_too() {
    let home = Home::new().holding();
    std::fs::write(
        home.project().join(".trueup.toml"),
        "branch_pattern = \"issue-([0-9]+)\"\n",
    )
    .unwrap();
    assert!(!refused(&home, "fix/my-issue-170-x"));
    home.sql("INSERT INTO work_items (key) VALUES ('170')", []);
    assert!(refused(&home, "fix/my-issue-170-x"));
    assert!(refused(&home, "fix/MY-ISSUE-170"));
}
