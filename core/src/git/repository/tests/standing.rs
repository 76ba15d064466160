//! The branch of a worktree and its state.

use super::*;

#[test]
fn commits_on_either_side_are_counted() {
    let scene = Scene::new();
    let counts = || {
        let upstream = scene.upstream();
        (upstream.ahead, upstream.behind)
    };
    assert_eq!(counts(), (0, 0));
    scene.commits("one");
    scene.commits("two");
    assert_eq!(counts(), (2, 0));
    scene.someone_pushes("theirs", "x");
    // The remote was not contacted yet.
    assert_eq!(counts(), (2, 0));
    scene.repository.fetch_upstream(&scene.upstream(), LONG).unwrap();
    assert_eq!(counts(), (2, 1));
    scene.git(&["reset", "-q", "--hard", "HEAD~2"]);
    assert_eq!(counts(), (0, 1));
}

#[test]
fn an_upstream_is_named_in_full() {
    let scene = Scene::new();
    scene.git(&["remote", "rename", "origin", "up/stream"]);
    scene.git(&["branch", "-q", "feat/x/deep"]);
    let expected = Upstream {
        remote: "up/stream".to_owned(),
        branch_ref: "refs/heads/main".to_owned(),
        local_ref: "refs/heads/main".to_owned(),
        tracking_ref: "refs/remotes/up/stream/main".to_owned(),
        gone: false,
        takes_pushes: true,
        ahead: 0,
        behind: 0,
    };
    assert_eq!(scene.upstream(), expected);
    assert_eq!(scene.standing().branch.as_deref(), Some("main"));
}

#[test]
fn a_branch_that_follows_nothing_or_a_local_one_has_no_upstream() {
    let scene = Scene::new();
    scene.git(&["checkout", "-q", "-b", "own"]);
    assert_eq!(scene.standing().upstream, None);
    scene.git(&["branch", "-q", "--set-upstream-to=main"]);
    assert_eq!(scene.standing().upstream, None);
    assert_eq!(scene.standing().branch.as_deref(), Some("own"));
}

#[test]
fn a_detached_head_has_no_branch() {
    let scene = Scene::new();
    scene.git(&["checkout", "-q", "--detach"]);
    let standing = scene.standing();
    assert_eq!((standing.branch, standing.upstream), (None, None));
}

#[test]
fn a_repository_without_commits_has_a_branch_alone() {
    let scene = Scene::cloned(&[]);
    let standing = scene.standing();
    assert_eq!(standing.branch.as_deref(), Some("main"));
    assert_eq!(standing.upstream, None);
    // The first commit has an upstream that does not exist yet.
    scene.commits("first");
    let upstream = scene.upstream();
    assert!(upstream.gone && upstream.takes_pushes);
    assert_eq!(scene.repository.list_unpushed(&upstream).unwrap().len(), 1);
    scene.repository.push_upstream(&upstream, LONG).unwrap();
    assert!(!scene.upstream().gone);
}

#[test]
fn pushes_go_where_the_users_own_would() {
    let scene = Scene::new();
    let takes = || scene.upstream().takes_pushes;
    scene.git(&["checkout", "-q", "-b", "feat", "origin/main"]);
    assert!(!takes());
    scene.git(&["config", "push.default", "upstream"]);
    assert!(takes());
    scene.git(&["config", "push.default", "current"]);
    assert!(!takes());
    scene.git(&["checkout", "-q", "main"]);
    assert!(takes());
    scene.git(&["remote", "add", "fork", "../remote.git"]);
    scene.git(&["config", "remote.pushDefault", "fork"]);
    assert!(!takes());
}

#[test]
fn what_git_cannot_use_is_its_own_complaint() {
    let scene = Scene::new();
    let other_owner =
        scene.repository.clone().with_variable("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    let message = reason(other_owner.read_branch_status());
    assert!(message.contains("dubious ownership"), "{message}");

    let no_git = scene.repository.clone().with_variable("PATH", "/nowhere");
    assert!(matches!(no_git.read_branch_status(), Err(GitError::Missing)));

    scene.git(&["config", "core.bare", "true"]);
    let message = reason(scene.repository.list_uncommitted(&["."]));
    assert!(message.contains("must be run in a work tree"), "{message}");
}

#[test]
fn a_broken_repository_does_not_stand_for_the_one_around_it() {
    let scene = Scene::new();
    let inner = scene.repository.root().join("inner");
    fs::create_dir_all(inner.join(".git")).unwrap();
    fs::write(inner.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    let inner = at(scene.dir.path(), &inner);
    let message = reason(inner.read_branch_status());
    assert!(message.contains("not a git repository"), "{message}");
}

/// Runs other tests the way a hook of another repository would.
#[test]
fn what_an_outer_git_leaves_in_the_environment_is_of_no_account() {
    let other = Scene::new();
    let root = other.repository.root();
    for name in [
        "standing::commits_on_either_side_are_counted",
        "commit::only_the_named_files_are_committed_whatever_else_is_staged",
    ] {
        let ran = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &format!("git::repository::tests::{name}")])
            .env("GIT_DIR", root.join(".git"))
            .env("GIT_WORK_TREE", root)
            .env("GIT_INDEX_FILE", root.join(".git/index"))
            .env("GIT_PREFIX", "sub/")
            .env("GIT_GLOB_PATHSPECS", "1")
            .env("GIT_OBJECT_DIRECTORY", root.join(".git/objects"))
            .env("GIT_QUARANTINE_PATH", root)
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success(), "{stdout}");
        assert!(stdout.contains("1 passed"), "{stdout}");
    }
    assert_eq!(other.git(&["status", "--porcelain"]), "");
    assert_eq!(other.git(&["rev-list", "--count", "--all"]), "1");
}

#[test]
fn a_submodule_and_a_linked_worktree_stand_for_themselves() {
    let scene = Scene::new();
    scene.git(&["submodule", "--quiet", "add", "../remote.git", "sub"]);
    let sub = at(scene.dir.path(), &scene.repository.root().join("sub"));
    assert_ne!(sub.worktree.git_dir, scene.repository.worktree.git_dir);
    let upstream = sub.read_branch_status().unwrap().upstream.unwrap();
    assert_eq!((upstream.ahead, upstream.behind), (0, 0));
    fs::write(sub.root().join("new"), "x").unwrap();
    sub.commit(&["new".to_owned()], "in the submodule", LONG).unwrap();
    sub.push_upstream(&upstream, LONG).unwrap();

    scene.git(&["worktree", "add", "-q", "-b", "linked", "../linked"]);
    let linked = at(scene.dir.path(), &scene.path("linked"));
    fs::write(linked.root().join("new"), "x").unwrap();
    linked.commit(&["new".to_owned()], "linked", LONG).unwrap();
    assert_eq!(linked.read_branch_status().unwrap().branch.as_deref(), Some("linked"));
    assert_eq!(scene.standing().branch.as_deref(), Some("main"));
}
