//! `trueup check --fix` respects the user's git hooks, index, history and configuration.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::scene::{Clone, PLAN, skipped};
use crate::fixture::codes;

/// The path of the `trueup` binary, for a git hook.
fn trueup() -> PathBuf {
    support::client::find_binary("trueup").unwrap()
}

#[test]
fn a_hook_that_checks_is_answered_at_once() {
    let clone = Clone::behind_the_database();
    let seen = clone.home.root().join("seen");
    fs::create_dir(&seen).unwrap();
    let hooks = ["pre-commit", "commit-msg", "post-commit", "pre-push", "post-index-change"];
    for hook in hooks {
        let script = format!(
            "for how in '' --fix '--fix --all'; do\n\
             '{}' check $how --json >\"{}/{hook}$how\" 2>&1 || exit 1\ndone",
            trueup().display(),
            seen.display()
        );
        clone.hook(hook, &script);
    }
    let repo = clone.fix();
    assert_eq!((&repo["pushed"], &repo["skipped"]), (&json!(true), &json!(null)));
    for hook in hooks {
        for how in ["", "--fix"] {
            let text = fs::read_to_string(seen.join(format!("{hook}{how}"))).unwrap();
            let object: serde_json::Value = serde_json::from_str(&text).unwrap();
            let inner = &object["data"]["repos"][0];
            assert!(skipped(inner).contains("started by its hook"), "{hook} {how}: {text}");
        }
    }
    // Nobody is taken for within what is over.
    for hook in hooks {
        clone.hook(hook, "");
    }
    clone.done("CUST-WP-0026-T02");
    assert_eq!(clone.fix()["pushed"], true);
}

#[test]
fn a_hook_of_a_commit_by_hand_gets_no_commit_within() {
    let clone = Clone::behind_the_database();
    let home = clone.home.trueup_home();
    let database = clone.home.shared_url();
    let database = database.map_or(String::new(), |url| format!("TRUEUP_DATABASE_URL='{url}'"));
    let script = format!(
        "TRUEUP_HOME='{}' {database} '{}' check --fix >.git/said 2>&1",
        home.display(),
        trueup().display()
    );
    clone.hook("pre-commit", &script);
    clone.write("mine", "x");
    clone.git(&["add", "mine"]);
    clone.git(&["commit", "-q", "-m", "mine"]);
    assert_eq!(clone.git(&["show", "--format=%s", "--name-only"]), "mine\n\nmine");
    assert_eq!(clone.git(&["status", "--porcelain"]), "");
    let hook_output = fs::read_to_string(clone.root().join(".git/said")).unwrap();
    assert!(hook_output.contains("it runs in a commit hook"), "{hook_output}");
}

#[test]
fn files_hidden_from_git_are_not_written() {
    for mark in ["assume-unchanged", "skip-worktree"] {
        let clone = Clone::new();
        clone.publish("workplans/b.md", PLAN.replace("0026", "0027"));
        clone.fix();
        clone.done("CUST-WP-0026-T01");
        clone.done("CUST-WP-0027-T01");
        clone.git(&["update-index", &format!("--{mark}"), "workplans/a.md"]);
        clone.swap("Never back.", "A note of my own.");
        let mine = clone.bytes("workplans/a.md");
        let repo = clone.fix();
        assert_eq!(repo["written"], json!(["workplans/b.md"]), "{mark}");
        assert_eq!(
            skipped(&repo),
            format!(
                "workplans/a.md was not written: git is configured to ignore its changes ({mark})"
            )
        );
        assert_eq!(clone.bytes("workplans/a.md"), mine);
        let committed = clone.git(&["show", "HEAD:workplans/a.md"]);
        assert!(!committed.contains("A note of my own"), "{mark}");
    }
}

#[test]
fn files_outside_a_sparse_checkout_are_not_missing() {
    let clone = Clone::new();
    clone.publish("workplans/b.md", PLAN.replace("0026", "0027"));
    clone.publish("src/main.rs", "x");
    clone.fix();
    clone.git(&["sparse-checkout", "set", "--no-cone", "/src/", "/workplans/a.md"]);
    assert!(!clone.root().join("workplans/b.md").exists());
    let object = clone.object(0, &["--strict"]);
    assert_eq!(codes(&object), [""; 0], "{object}");
    let warnings = object["warnings"].to_string();
    assert!(warnings.contains("workplans/b.md: not checked out here"), "{warnings}");
    clone.done("CUST-WP-0026-T01");
    assert_eq!(clone.fix()["pushed"], true);
    // Not even the directory.
    clone.git(&["sparse-checkout", "set", "--no-cone", "/src/"]);
    assert!(!clone.root().join("workplans").exists());
    assert_eq!(codes(&clone.object(0, &["--strict"])), [""; 0]);
    // What is really gone is missing.
    clone.git(&["sparse-checkout", "disable"]);
    fs::remove_file(clone.root().join("workplans/b.md")).unwrap();
    assert_eq!(codes(&clone.object(0, &[]))[0], "C-07");
}

#[test]
fn a_formatting_hook_leaves_a_clean_worktree() {
    for script in [
        "printf '\\nformatted\\n' >>workplans/a.md; git add workplans/a.md",
        "printf '\\nformatted\\n' >>workplans/a.md; git add -u",
    ] {
        for is_staged in [false, true] {
            let clone = Clone::behind_the_database();
            clone.hook("pre-commit", script);
            if is_staged {
                clone.write("mine", "x");
                clone.git(&["add", "mine"]);
            }
            assert_eq!(clone.fix()["pushed"], true);
            let expected = if is_staged { "A  mine" } else { "" };
            assert_eq!(clone.git(&["status", "--porcelain"]), expected, "{script}");
            assert!(clone.git(&["show", "HEAD:workplans/a.md"]).contains("formatted"));
        }
    }
}

#[test]
fn a_check_of_an_unpacked_archive_runs_nothing_of_it() {
    for settings in [
        &["remote.origin.url=ext::CANARY"][..],
        &["remote.origin.uploadpack=CANARY"],
        &["core.sshCommand=CANARY", "remote.origin.url=ssh://nowhere.invalid/x"],
        &["core.fsmonitor=CANARY"],
        &["core.hooksPath=HOOKS"],
        &["credential.helper=!CANARY", "remote.origin.url=https://127.0.0.1:9/x"],
    ] {
        let clone = Clone::behind_the_database();
        clone.someone_pushes("other", "x");
        let trace = clone.home.root().join("trace");
        let canary = clone.program("../canary", &format!("touch '{}'; exit 1", trace.display()));
        let hooks = clone.home.root().join("hooks");
        fs::create_dir(&hooks).unwrap();
        fs::copy(&canary, hooks.join("reference-transaction")).unwrap();
        clone.git(&["config", "protocol.ext.allow", "always"]);
        for setting in settings {
            let setting = setting
                .replace("CANARY", canary.to_str().unwrap())
                .replace("HOOKS", hooks.to_str().unwrap());
            let (key, value) = setting.split_once('=').unwrap();
            clone.git(&["config", key, value]);
        }
        let _ = fs::remove_file(&trace);
        let before = clone.git_dir();
        let object = clone.object(0, &[]);
        assert!(!trace.exists(), "{settings:?}");
        assert_eq!(clone.git_dir(), before, "{settings:?}: a reading check writes nothing");
        assert!(codes(&object).contains(&"C-15"), "{object}");
        let is_behind = codes(&object).contains(&"C-16");
        let is_asked = settings.iter().all(|it| !it.contains(".url="));
        assert_eq!(is_behind, is_asked, "{settings:?}: {object}");
        if settings.iter().any(|it| it.contains("ext::")) {
            let warnings = object["warnings"].to_string();
            assert!(warnings.contains("origin was not contacted"), "{warnings}");
        }
    }
}

#[test]
fn a_hook_sees_patterns_as_patterns() {
    let clone = Clone::behind_the_database();
    clone.hook(
        "pre-commit",
        "git diff --cached --name-only -- '*.md' | grep -q a.md && { echo 'seen' >&2; exit 1; }; exit 0",
    );
    assert!(skipped(&clone.fix()).contains("seen"));
}
