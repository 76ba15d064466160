//! Which files have uncommitted content, and which git hides.

use std::os::unix::fs::MetadataExt as _;

use super::*;

fn set(paths: &[&str]) -> std::collections::BTreeSet<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

#[test]
fn every_way_of_not_being_committed_counts() {
    let scene = Scene::new();
    for name in ["kept", "changed", "staged", "removed", "gone", "old", "both"] {
        scene.write(&format!("plans/{name}"), &format!("text of {name}\n"));
    }
    std::os::unix::fs::symlink("kept", scene.repository.root().join("plans/link")).unwrap();
    scene.write("plans/script", "#!/bin/sh\ntext of script\n");
    scene.git(&["add", "."]);
    scene.git(&["commit", "-q", "-m", "x"]);
    assert_eq!(scene.repository.list_uncommitted(&["plans"]).unwrap(), set(&[]));

    scene.write("plans/changed", "x");
    scene.write("plans/staged", "x");
    scene.write("plans/both", "x");
    scene.git(&["add", "plans/staged", "plans/both"]);
    scene.write("plans/both", "text of both\n");
    scene.git(&["rm", "-q", "plans/removed"]);
    fs::remove_file(scene.repository.root().join("plans/gone")).unwrap();
    scene.git(&["mv", "plans/old", "plans/renamed"]);
    scene.write("plans/deep/er/new", "x");
    scene.write("plans/ignored/one", "x");
    scene.write("plans/two.log", "x");
    fs::remove_file(scene.repository.root().join("plans/link")).unwrap();
    scene.write("plans/link", "no link any more");
    scene.program("plans/script", "text of script");
    scene.write(".gitignore", "ignored/\n*.log\n");
    scene.write("elsewhere", "x");
    assert_eq!(
        scene.repository.list_uncommitted(&["plans"]).unwrap(),
        set(&[
            "plans/both",
            "plans/changed",
            "plans/deep/er/new",
            "plans/gone",
            "plans/ignored/one",
            "plans/link",
            "plans/old",
            "plans/removed",
            "plans/renamed",
            "plans/script",
            "plans/staged",
            "plans/two.log",
        ])
    );
    assert!(scene.repository.list_uncommitted(&["."]).unwrap().contains("elsewhere"));
    assert_eq!(scene.repository.list_uncommitted(&["nowhere"]).unwrap(), set(&[]));
}

#[test]
fn settings_that_shorten_the_list_do_not() {
    let scene = Scene::new();
    for (name, value) in [
        ("status.showUntrackedFiles", "no"),
        ("status.renames", "copies"),
        ("status.relativePaths", "true"),
        ("status.short", "true"),
        ("status.branch", "true"),
        ("status.showStash", "true"),
        ("core.quotePath", "true"),
        ("color.ui", "always"),
        ("diff.relative", "true"),
        ("diff.external", "false"),
        ("diff.noprefix", "true"),
    ] {
        scene.git(&["config", name, value]);
    }
    scene.write("a.txt", "other\n");
    assert_eq!(scene.repository.list_uncommitted(&["."]).unwrap(), set(&["a.txt"]));
    scene.write("plans/ü \"x\"\n", "x");
    assert_eq!(scene.repository.list_uncommitted(&["plans"]).unwrap(), set(&["plans/ü \"x\"\n"]));
}

#[test]
fn without_commits_everything_is_uncommitted() {
    let scene = Scene::cloned(&[]);
    assert_eq!(scene.repository.list_uncommitted(&["plans"]).unwrap(), set(&[]));
    scene.write("plans/a", "x");
    scene.write("plans/b", "x");
    scene.git(&["add", "plans/b"]);
    assert_eq!(
        scene.repository.list_uncommitted(&["plans"]).unwrap(),
        set(&["plans/a", "plans/b"])
    );
}

#[test]
fn a_directory_behind_a_symlink_cannot_be_judged() {
    let scene = Scene::new();
    scene.write("real/plans/a", "x");
    std::os::unix::fs::symlink("real", scene.repository.root().join("link")).unwrap();
    for dir in ["link", "link/plans"] {
        let found = found(scene.repository.list_uncommitted(&[dir]));
        assert!(found.ends_with("link is a symlink"), "{found}");
    }
}

#[test]
fn a_directory_is_a_name_and_no_pattern() {
    let scene = Scene::new();
    scene.write("p[a]/x", "x");
    scene.write("pa/x", "x");
    assert_eq!(scene.repository.list_uncommitted(&["p[a]"]).unwrap(), set(&["p[a]/x"]));
    assert_eq!(scene.repository.list_uncommitted(&[":/"]).unwrap(), set(&[]));
}

#[test]
fn reading_does_not_touch_the_index() {
    let scene = Scene::new();
    let index = scene.repository.root().join(".git/index");
    scene.write("a.txt", "a\n");
    let before = fs::metadata(&index).unwrap();
    scene.repository.list_uncommitted(&["."]).unwrap();
    let after = fs::metadata(&index).unwrap();
    assert_eq!(before.ino(), after.ino());
}
