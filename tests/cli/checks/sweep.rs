//! `trueup check --all`: every registered repository of the machine, one sweep at a time.

use std::fs;

use serde_json::{Value, json};
use trueup_core::fs::FileLock;

use super::scene::{Clone, PLAN, git_in, of_code, skipped};
use crate::fixture::{codes, data};

/// Adds a repository with a workplan beside the clone, registered, without a remote.
fn add_repo_beside(clone: &Clone, name: &str, number: &str) -> std::path::PathBuf {
    let root = clone.home.root().join(name);
    fs::create_dir_all(root.join("workplans")).unwrap();
    let text = PLAN.replace("0026", number).replace("the-custodian", name);
    fs::write(root.join("workplans/a.md"), text).unwrap();
    for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-q", "-m", "x"]] {
        git_in(&clone.home, &root, arguments);
    }
    data(&clone.home, &["repo", "add", root.to_str().unwrap()]);
    root
}

fn clone_with_repos() -> Clone {
    let clone = Clone::new();
    let root = clone.root().to_str().unwrap().to_owned();
    data(&clone.home, &["repo", "add", &root, "--slug", "the-custodian"]);
    clone
}

fn of<'o>(object: &'o Value, name: &str) -> &'o Value {
    let repos = object["data"]["repos"].as_array().unwrap();
    repos.iter().find(|repo| repo["repo"] == name).unwrap()
}

#[test]
fn every_repository_is_mended_and_a_missing_one_passed_over() {
    let clone = clone_with_repos();
    let beta = add_repo_beside(&clone, "beta", "0031");
    let gone = add_repo_beside(&clone, "gone", "0032");
    fs::remove_dir_all(&gone).unwrap();
    let object = clone.object(0, &["--all", "--fix"]);
    assert_eq!(object["data"]["repos"].as_array().unwrap().len(), 3);
    assert_eq!(of(&object, "the-custodian")["pushed"], true);
    assert_eq!(of(&object, "beta")["written"], json!(["workplans/a.md"]));
    assert_eq!(skipped(of(&object, "gone")), "its directory is missing");
    let message = of_code(&object, "C-06")[0]["message"].as_str().unwrap();
    assert!(message.starts_with(&format!("{}/workplans/a.md:2:", beta.display())), "{message}");
    assert_eq!(codes(&clone.object(0, &["--all", "--strict"])), [""; 0]);
    let text = clone.run(&["--all"]).ok().stdout;
    assert!(text.contains("skipped: its directory is missing"), "{text}");
}

#[test]
fn without_repositories_a_sweep_says_so() {
    let clone = Clone::empty();
    let text = clone.run(&["--all"]).ok().stdout;
    assert!(text.starts_with("no repositories on this machine"), "{text}");
}

#[test]
fn a_second_sweep_is_skipped_and_is_no_failure() {
    let clone = clone_with_repos();
    let place = clone.home.trueup_home().join("locks/sweep");
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    let lock = FileLock::acquire(&place, std::time::Duration::ZERO).unwrap();
    let before = clone.state();
    let object = clone.object(0, &["--all", "--fix"]);
    assert_eq!(object["data"]["repos"], json!([]));
    assert!(object["data"]["skipped"].as_str().unwrap().contains("another sweep"), "{object}");
    assert!(clone.run(&["--all"]).ok().stdout.contains("skipped"));
    assert_eq!(clone.state(), before);
    // A check of one repository does not wait for a sweep.
    clone.fix();
    drop(lock);
    assert_eq!(clone.object(0, &["--all"])["data"]["skipped"], json!(null));
}

#[test]
fn a_repository_that_cannot_be_checked_is_c00_and_the_others_go_on() {
    let clone = clone_with_repos();
    let broken = add_repo_beside(&clone, "broken", "0031");
    fs::remove_dir_all(broken.join("workplans")).unwrap();
    fs::write(broken.join("workplans"), "no folder").unwrap();
    for arguments in [&["--all", "--fix"][..], &["--fix", "broken", "the-custodian"]] {
        let object = clone.object(3, arguments);
        let found = of_code(&object, "C-00");
        assert_eq!(found.len(), 1, "{object}");
        assert_eq!(
            (&found[0]["subject"], &found[0]["severity"]),
            (&json!("broken"), &json!("error"))
        );
        assert_eq!(object["error"], json!(null));
        assert!(of(&object, "the-custodian")["files"] == 1, "{object}");
    }
    assert_eq!(clone.remote_head(), clone.head());
    assert_eq!(clone.status("CUST-WP-0026-T02"), "running");
    let alone = clone.object(3, &["broken"]);
    assert_eq!(codes(&alone), ["C-00"]);
    assert_eq!(alone["error"]["code"], "io");
}

#[test]
fn the_repository_around_one_that_is_none_any_more_is_left_alone() {
    let clone = clone_with_repos();
    let beta = add_repo_beside(&clone, "beta", "0031");
    fs::remove_dir_all(beta.join(".git")).unwrap();
    let around = clone.home.root();
    git_in(&clone.home, &around, &["init", "-q"]);
    git_in(&clone.home, &around, &["add", "beta"]);
    git_in(&clone.home, &around, &["commit", "-q", "-m", "around"]);
    let text = fs::read(beta.join("workplans/a.md")).unwrap();
    let object = clone.object(0, &["--all", "--fix"]);
    let reason = skipped(of(&object, "beta"));
    assert!(reason.contains("not a git repository"), "{reason}");
    assert_eq!(fs::read(beta.join("workplans/a.md")).unwrap(), text);
    let log = git_in(&clone.home, &around, &["log", "--format=%s"]);
    assert_eq!(log, "around");
}

#[test]
fn targets_and_all_exclude_each_other() {
    let clone = clone_with_repos();
    assert_eq!(clone.run(&["--all", "the-custodian"]).code, Some(2));
}
