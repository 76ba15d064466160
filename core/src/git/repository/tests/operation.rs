//! Merges, rebases and other operations in progress are detected.

use super::*;
use crate::git::GitOperation;

/// A scene whose branches `main` and `side` changed the same file.
fn conflict(scene: &Scene) {
    scene.git(&["checkout", "-q", "-b", "side"]);
    for (branch, text) in [("side", "side\n"), ("main", "main\n")] {
        scene.git(&["checkout", "-q", branch]);
        scene.write("a.txt", text);
        scene.git(&["commit", "-q", "-a", "-m", branch]);
    }
}

/// Commands that stop half way, the operation they start, and how to abort it.
const STOPPED: [(&[&str], GitOperation, &[&str]); 5] = [
    (&["merge", "side"], GitOperation::Merge, &["merge", "--abort"]),
    (&["rebase", "side"], GitOperation::Rebase, &["rebase", "--abort"]),
    (&["rebase", "--apply", "side"], GitOperation::Rebase, &["rebase", "--abort"]),
    (&["cherry-pick", "side"], GitOperation::CherryPick, &["cherry-pick", "--abort"]),
    (&["revert", "HEAD~1"], GitOperation::Revert, &["revert", "--abort"]),
];

fn stops(scene: &Scene) {
    let operation = || scene.standing().operation;
    assert_eq!(operation(), None);
    for (begin, expected, give_up) in STOPPED {
        scene.git_stops(begin);
        assert_eq!(operation(), Some(expected), "{begin:?}");
        scene.git(give_up);
        assert_eq!(operation(), None, "{give_up:?}");
    }
    scene.git(&["bisect", "start"]);
    assert_eq!(operation(), Some(GitOperation::Bisect));
    scene.git(&["bisect", "reset"]);

    let patch = scene.git(&["format-patch", "-q", "-1", "side", "-o", ".git/patches"]);
    assert_eq!(patch, "");
    scene.git_stops(&["am", "-q", ".git/patches/0001-side.patch"]);
    assert_eq!(operation(), Some(GitOperation::Am));
    scene.git(&["am", "--abort"]);
    assert_eq!(operation(), None);
}

#[test]
fn an_operation_that_stopped_half_way_is_seen() {
    let scene = Scene::new();
    conflict(&scene);
    stops(&scene);
}

#[test]
fn in_a_linked_worktree_it_is_that_of_the_worktree() {
    let mut scene = Scene::new();
    conflict(&scene);
    scene.git(&["worktree", "add", "-q", "-b", "linked", "../linked"]);
    let first = scene.repository.clone();
    scene.repository = at(scene.dir.path(), &scene.path("linked"));
    scene.git_stops(&["merge", "side"]);
    assert_eq!(scene.standing().operation, Some(GitOperation::Merge));
    assert_eq!(first.read_branch_status().unwrap().operation, None);
}

#[test]
fn between_two_commits_of_a_series_it_is_seen_too() {
    let scene = Scene::new();
    scene.commits("base");
    scene.commits("more");
    for (command, expected) in
        [("cherry-pick", GitOperation::CherryPick), ("revert", GitOperation::Revert)]
    {
        fs::create_dir(scene.repository.root().join(".git/sequencer")).unwrap();
        let step = if command == "revert" { "revert" } else { "pick" };
        scene.write(".git/sequencer/todo", &format!("{step} {} x\n", scene.head()));
        assert_eq!(scene.standing().operation, Some(expected));
        fs::remove_dir_all(scene.repository.root().join(".git/sequencer")).unwrap();
    }
}

#[test]
fn a_rebase_that_stops_in_a_merge_of_its_own_is_a_rebase() {
    let scene = Scene::new();
    scene.write(".git/rebase-merge/done", "");
    scene.write(".git/MERGE_HEAD", &scene.head());
    scene.write(".git/CHERRY_PICK_HEAD", &scene.head());
    assert_eq!(scene.standing().operation, Some(GitOperation::Rebase));
}

#[test]
fn where_references_are_no_files_git_is_asked() {
    let scene = Scene::new();
    let home = scene.dir.path();
    let status = git_command(home, home, &["init", "-q", "--ref-format=reftable", "tables"]);
    if !status.status.success() {
        eprintln!("skipped: this git knows no reftable");
        return;
    }
    let scene = Scene { repository: at(home, &scene.path("tables")), dir: scene.dir };
    scene.commits("a.txt");
    conflict(&scene);
    assert_eq!(scene.standing().branch.as_deref(), Some("main"));
    stops(&scene);
}

#[test]
fn a_commit_of_files_does_not_end_a_merge() {
    let scene = Scene::new();
    conflict(&scene);
    scene.git_stops(&["merge", "side"]);
    scene.write("new", "x");
    let before = scene.index();
    let message = reason(scene.repository.commit(&["new".to_owned()], "x", LONG));
    assert!(message.contains("partial commit during a merge"), "{message}");
    assert_eq!(scene.index(), before);
    assert_eq!(scene.standing().operation, Some(crate::git::GitOperation::Merge));
}
