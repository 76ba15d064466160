//! Files that git was told not to look at.

use super::*;
use crate::git::HiddenFlag;

#[test]
fn what_git_is_told_not_to_look_at_is_known() {
    let scene = Scene::new();
    for name in ["plans/assumed", "plans/skipped", "plans/both", "plans/ü x", "other"] {
        scene.write(name, "x");
    }
    scene.git(&["add", "."]);
    scene.git(&["commit", "-q", "-m", "second"]);
    assert!(scene.repository.list_hidden(&["plans"]).unwrap().is_empty());
    scene.git(&["update-index", "--assume-unchanged", "plans/assumed", "other"]);
    scene.git(&["update-index", "--skip-worktree", "plans/skipped", "plans/ü x"]);
    scene.git(&["update-index", "--assume-unchanged", "plans/both"]);
    scene.git(&["update-index", "--skip-worktree", "plans/both"]);
    let hidden: Vec<(String, HiddenFlag)> =
        scene.repository.list_hidden(&["plans"]).unwrap().into_iter().collect();
    assert_eq!(
        hidden,
        [
            ("plans/assumed".to_owned(), HiddenFlag::AssumeUnchanged),
            ("plans/both".to_owned(), HiddenFlag::SkipWorktree),
            ("plans/skipped".to_owned(), HiddenFlag::SkipWorktree),
            ("plans/ü x".to_owned(), HiddenFlag::SkipWorktree),
        ]
    );
    assert_eq!(scene.repository.list_hidden(&["other"]).unwrap().len(), 1);
}
