//! Fetching from a remote and pushing to it.

use super::*;

#[test]
fn what_was_fetched_is_pulled_where_nothing_needs_a_merge() {
    let scene = Scene::new();
    let repository = &scene.repository;
    assert!(!repository.pull_fast_forward(&scene.upstream(), LONG).unwrap());
    scene.someone_pushes("theirs", "x");
    repository.fetch_upstream(&scene.upstream(), LONG).unwrap();
    assert!(repository.pull_fast_forward(&scene.upstream(), LONG).unwrap());
    assert_eq!(scene.upstream().behind, 0);
    assert!(repository.root().join("theirs").exists());
    scene.commits("ours");
    assert!(!repository.pull_fast_forward(&scene.upstream(), LONG).unwrap());
}

#[test]
fn sides_that_parted_are_not_pulled() {
    let scene = Scene::new();
    scene.commits("ours");
    scene.someone_pushes("theirs", "x");
    scene.repository.fetch_upstream(&scene.upstream(), LONG).unwrap();
    let before = scene.head();
    let message = reason(scene.repository.pull_fast_forward(&scene.upstream(), LONG));
    assert!(message.contains("fast-forward"), "{message}");
    assert_eq!(scene.head(), before);
}

#[test]
fn a_change_that_would_be_overwritten_stays() {
    let scene = Scene::new();
    scene.git(&["config", "merge.autoStash", "true"]);
    scene.someone_pushes("a.txt", "theirs\n");
    scene.repository.fetch_upstream(&scene.upstream(), LONG).unwrap();
    scene.write("a.txt", "mine\n");
    let before = (scene.head(), scene.index());
    let message = reason(scene.repository.pull_fast_forward(&scene.upstream(), LONG));
    assert!(message.contains("would be overwritten"), "{message}");
    assert!(message.contains("a.txt"), "{message}");
    assert_eq!((scene.head(), scene.index()), before);
    let text = fs::read_to_string(scene.repository.root().join("a.txt")).unwrap();
    assert_eq!(text, "mine\n");
}

#[test]
fn a_branch_that_is_not_checked_out_any_more_is_not_pulled() {
    let scene = Scene::new();
    let upstream = scene.upstream();
    scene.someone_pushes("theirs", "x");
    scene.repository.fetch_upstream(&upstream, LONG).unwrap();
    for elsewhere in [&["checkout", "-q", "-b", "b"][..], &["checkout", "-q", "--detach"]] {
        scene.git(elsewhere);
        let before = scene.head();
        let found = found(scene.repository.pull_fast_forward(&upstream, LONG));
        assert!(found.contains("refs/heads/main"), "{found}");
        assert_eq!(scene.head(), before);
    }
}

#[test]
fn a_fetch_touches_the_upstreams_branch_alone() {
    let scene = Scene::new();
    scene.git(&["push", "-q", "origin", "main:doomed", "main:other"]);
    scene.git(&["config", "fetch.prune", "true"]);
    scene.git(&["config", "fetch.pruneTags", "true"]);
    scene.git(&["tag", "mine"]);
    scene.someone_pushes("theirs", "x");
    git_in(
        scene.dir.path(),
        &scene.path("other"),
        &["push", "-q", "origin", ":doomed", "main:other", "main:refs/tags/theirs"],
    );
    let refs = || scene.git(&["for-each-ref"]);
    let main = |refs: &str| refs.lines().filter(|line| !line.ends_with("origin/main")).count();
    let before = refs();
    scene.repository.fetch_upstream(&scene.upstream(), LONG).unwrap();
    let after = refs();
    let unmoved = after.lines().filter(|line| before.contains(line)).count();
    assert_eq!(unmoved, main(&before), "{before}\n{after}");
    assert_eq!(after.lines().count(), before.lines().count());
    assert_eq!(scene.upstream().behind, 1);
}

#[test]
fn a_remote_that_is_not_there_is_a_failure() {
    let scene = Scene::new();
    scene.commits("ours");
    fs::rename(scene.path("remote.git"), scene.path("moved.git")).unwrap();
    for said in [
        reason(scene.repository.fetch_upstream(&scene.upstream(), LONG)),
        reason(scene.repository.push_upstream(&scene.upstream(), LONG)),
    ] {
        assert!(said.contains("does not appear to be a git repository"), "{said}");
    }
    assert_eq!(scene.upstream().ahead, 1);
}

#[test]
fn a_branch_that_the_remote_does_not_have_is_distinguished() {
    let scene = Scene::new();
    scene.git(&["checkout", "-q", "-b", "feat"]);
    scene.git(&["push", "-q", "-u", "origin", "feat"]);
    git_in(scene.dir.path(), &scene.path("remote.git"), &["branch", "-q", "-D", "feat"]);
    let missing = scene.repository.fetch_upstream(&scene.upstream(), LONG).unwrap_err();
    assert_eq!(missing.to_string(), "origin has no branch refs/heads/feat");
    // The last known state is still there.
    assert!(!scene.upstream().gone);
    scene.git(&["fetch", "-q", "--prune"]);
    let upstream = scene.upstream();
    assert!(upstream.gone);
    scene.commits("new");
    let unpushed = scene.repository.list_unpushed(&upstream).unwrap();
    let subjects: Vec<&str> = unpushed.iter().map(|it| &*it.subject).collect();
    assert_eq!(subjects, ["ours"]);
}

#[test]
fn a_push_arrives_and_takes_nothing_else_along() {
    let scene = Scene::new();
    scene.git(&["config", "push.followTags", "true"]);
    scene.git(&["branch", "-q", "-m", "main", "local"]);
    scene.git(&["config", "push.default", "upstream"]);
    scene.commits("ours");
    scene.git(&["tag", "-a", "-m", "x", "v1"]);
    scene.repository.push_upstream(&scene.upstream(), LONG).unwrap();
    assert_eq!(scene.upstream().ahead, 0);
    let remote = git_in(scene.dir.path(), &scene.path("remote.git"), &["for-each-ref"]);
    assert_eq!(remote, format!("{} commit\trefs/heads/main", scene.head()));
    // Again, with nothing to send.
    scene.repository.push_upstream(&scene.upstream(), LONG).unwrap();
}

#[test]
fn a_push_to_a_remote_that_moved_is_rejected() {
    let scene = Scene::new();
    scene.commits("ours");
    scene.someone_pushes("theirs", "x");
    let theirs =
        |scene: &Scene| git_in(scene.dir.path(), &scene.path("remote.git"), &["rev-parse", "main"]);
    let before = theirs(&scene);
    let message = reason(scene.repository.push_upstream(&scene.upstream(), LONG));
    assert!(message.contains("[rejected]"), "{message}");
    scene.git(&["config", "remote.origin.push", "+refs/heads/main:refs/heads/main"]);
    let message = reason(scene.repository.push_upstream(&scene.upstream(), LONG));
    assert!(message.contains("[rejected]"), "{message}");
    assert_eq!(theirs(&scene), before);
    assert_eq!(scene.upstream().ahead, 1);
}

#[test]
fn a_mirror_is_not_overwritten() {
    let scene = Scene::new();
    scene.someone_pushes("theirs", "x");
    scene.commits("ours");
    scene.git(&["config", "remote.origin.mirror", "true"]);
    assert!(scene.repository.push_upstream(&scene.upstream(), LONG).is_err());
    let remote = git_in(scene.dir.path(), &scene.path("remote.git"), &["log", "--format=%s"]);
    assert_eq!(remote, "theirs\nfirst");
}

#[test]
fn what_is_pushed_elsewhere_is_not_sent() {
    let scene = Scene::new();
    scene.git(&["checkout", "-q", "-b", "feat", "origin/main"]);
    scene.commits("unfinished");
    let found = found(scene.repository.push_upstream(&scene.upstream(), LONG));
    assert!(found.contains("is not pushed there"), "{found}");
    assert_eq!(scene.upstream().ahead, 1);
}

#[test]
fn a_hook_may_refuse_a_push() {
    let scene = Scene::new();
    scene.commits("ours");
    scene.hook("pre-push", "cat >.git/seen; echo 'not today' >&2; exit 1");
    let message = reason(scene.repository.push_upstream(&scene.upstream(), LONG));
    assert!(message.contains("failed to push"), "{message}");
    // The hook sees the branch's own name.
    let seen = fs::read_to_string(scene.repository.root().join(".git/seen")).unwrap();
    assert!(seen.starts_with("refs/heads/main "), "{seen}");
    assert_eq!(scene.upstream().ahead, 1);
}

#[test]
fn a_push_that_leaves_no_trace_is_not_believed() {
    let scene = Scene::new();
    scene.commits("ours");
    for elsewhere in ["refs/remotes/origin/none", "refs/heads/older"] {
        scene.git(&["branch", "-q", "-f", "older", "HEAD~1"]);
        let mut upstream = scene.upstream();
        elsewhere.clone_into(&mut upstream.tracking_ref);
        let found = found(scene.repository.push_upstream(&upstream, LONG));
        assert!(found.starts_with(&format!("{elsewhere} is not at")), "{found}");
    }
}

#[test]
fn a_refusal_of_the_remote_is_reported() {
    let scene = Scene::new();
    scene.commits("ours");
    let script = "echo 'branch is protected'; exit 1";
    scene.program("../remote.git/hooks/pre-receive", script);
    let message = reason(scene.repository.push_upstream(&scene.upstream(), LONG));
    assert!(message.contains("branch is protected"), "{message}");
    assert!(message.contains("pre-receive hook declined"), "{message}");
}

#[test]
fn unpushed_commits_are_listed_with_their_whole_subjects() {
    let scene = Scene::new();
    let commit = |message: &str| scene.git(&["commit", "-q", "--allow-empty", "-m", message]);
    for message in ["plan: x", "plan: x\n\nbody", "a plan: x", "plan: ü"] {
        commit(message);
    }
    scene.git(&["config", "log.showSignature", "true"]);
    let unpushed = scene.repository.list_unpushed(&scene.upstream()).unwrap();
    let subjects: Vec<&str> = unpushed.iter().map(|it| &*it.subject).collect();
    assert_eq!(subjects, ["plan: ü", "a plan: x", "plan: x", "plan: x"]);
    assert_eq!(unpushed.first().unwrap().id, scene.head());
    scene.repository.push_upstream(&scene.upstream(), LONG).unwrap();
    assert_eq!(scene.repository.list_unpushed(&scene.upstream()).unwrap(), []);
}
