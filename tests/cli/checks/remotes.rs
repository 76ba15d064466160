//! Remotes that are missing, refuse, hang, or come back.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde_json::json;

use super::scene::{Clone, of_code, skipped};
use crate::fixture::{codes, data, envelope};

#[test]
fn without_an_upstream_all_is_done_but_the_push() {
    let clone = Clone::behind_the_database();
    clone.git(&["remote", "remove", "origin"]);
    let object = clone.object(0, &["--fix", "--strict"]);
    assert_eq!(codes(&object), ["C-15"]);
    let repo = &object["data"]["repos"][0];
    assert_eq!(repo["pushed"], false);
    assert_eq!(
        skipped(repo),
        "not pushed: main has no upstream branch; set one with `git push -u REMOTE main`"
    );
    assert_eq!(repo["commit"], clone.head());
    // A second commit is allowed, as there is no remote to push to.
    clone.done("CUST-WP-0026-T03");
    assert_eq!(clone.fix()["written"], json!(["workplans/a.md"]));
}

#[test]
fn a_remote_that_cannot_be_reached_is_silence_in_a_check() {
    let clone = Clone::behind_the_database();
    clone.git(&["remote", "set-url", "origin", "../nowhere.git"]);
    let object = clone.object(0, &[]);
    assert_eq!(codes(&object), ["C-15"]);
    assert_eq!(object["warnings"], json!([]));
}

/// Asserts that a failed push blocks later writes until it succeeds.
fn blocks_and_heals(clone: &Clone, break_it: impl Fn(), mend_it: impl Fn()) {
    break_it();
    let object = clone.object(0, &["--fix"]);
    assert_eq!(codes(&object), ["C-17", "C-15"], "{object}");
    let repo = &object["data"]["repos"][0];
    assert_eq!(repo["pushed"], false);
    assert_eq!(repo["commit"], clone.head());
    assert_eq!(clone.run(&["--strict"]).code, Some(1), "a check says so too");
    assert_eq!(codes(&clone.object(0, &[])), ["C-17"]);

    // One more change.
    clone.done("CUST-WP-0026-T02");
    let before = clone.state().without_reports();
    for _ in 0..2 {
        let object = clone.object(0, &["--fix"]);
        assert_eq!(codes(&object), ["C-17", "C-15"], "{object}");
        let reason = skipped(&object["data"]["repos"][0]);
        assert!(
            reason.starts_with("1 commit of an earlier run not pushed, so nothing was written"),
            "{reason}"
        );
        assert_eq!(clone.state().without_reports(), before);
    }
    mend_it();
    let object = clone.object(0, &["--fix"]);
    assert_eq!(codes(&object), ["C-15"]);
    assert_eq!(object["data"]["repos"][0]["pushed"], true);
    assert_eq!(clone.remote_head(), clone.head());
    assert_eq!(codes(&clone.object(0, &["--strict"])), [""; 0]);
}

#[test]
fn a_push_that_is_refused_blocks_what_follows_until_it_succeeds() {
    let clone = Clone::behind_the_database();
    let hook = clone.home.root().join("remote.git/hooks/pre-receive");
    let program = clone.program("../refuse", "echo 'protected' >&2; exit 1");
    blocks_and_heals(
        &clone,
        || {
            support::program::copy_program(&program, &hook).unwrap();
        },
        || fs::remove_file(&hook).unwrap(),
    );
}

#[test]
fn a_remote_that_is_away_blocks_what_follows_until_it_is_back() {
    let clone = Clone::behind_the_database();
    let remote = clone.home.root().join("remote.git");
    let away = clone.home.root().join("away.git");
    blocks_and_heals(
        &clone,
        || fs::rename(&remote, &away).unwrap(),
        || fs::rename(&away, &remote).unwrap(),
    );
}

#[test]
fn commits_by_hand_are_pushed_only_on_request() {
    let clone = Clone::behind_the_database();
    let remote = clone.remote_head();
    let by_hand = |name: &str| {
        clone.write(name, "x");
        clone.git(&["add", name]);
        clone.git(&["commit", "-q", "-m", name]);
    };
    by_hand("one");
    by_hand("two");
    assert_eq!(codes(&clone.object(0, &[])), ["C-15"]);
    let repo = clone.fix();
    assert_eq!((&repo["commit"], &repo["pushed"]), (&json!(clone.head()), &json!(false)));
    assert!(
        skipped(&repo).starts_with("not pushed: 2 commits of yours would be pushed too"),
        "{repo}"
    );
    assert_eq!(clone.remote_head(), remote);
    // It goes on, and says how many commits wait.
    clone.done("CUST-WP-0026-T02");
    let repo = clone.fix();
    assert_eq!(repo["written"], json!(["workplans/a.md"]));
    assert!(skipped(&repo).contains("2 commits of yours"), "{repo}");
    assert_eq!(clone.remote_head(), remote);
    let found = clone.object(0, &[]);
    let message = of_code(&found, "C-17")[0]["message"].as_str().unwrap();
    assert!(
        message.contains("2 commits of an earlier run not pushed, nor 2 commits of yours"),
        "{message}"
    );
    // A run that has nothing to write says it too.
    let object = clone.object(0, &["--fix"]);
    let warnings = object["warnings"].to_string();
    assert!(
        warnings.contains("2 commits of an earlier run not pushed, because 2 commits of yours"),
        "{warnings}"
    );
    let object = clone.object(0, &["--fix", "--push"]);
    assert_eq!(object["data"]["repos"][0]["pushed"], true);
    assert!(object["warnings"].to_string().contains("pushed 4 commits of an earlier run"));
    assert_eq!(clone.remote_head(), clone.head());
    // A push by hand has the same effect.
    by_hand("three");
    let start_item = ["item", "transition", "CUST-WP-0026-T03", "running"];
    data(&clone.home, &start_item);
    assert_eq!(clone.fix()["pushed"], false);
    clone.git(&["push", "-q"]);
    assert_eq!(codes(&clone.object(0, &["--strict"])), [""; 0]);
}

#[test]
fn no_push_pushes_nothing() {
    let clone = Clone::behind_the_database();
    let remote = clone.remote_head();
    let repo = clone.object(0, &["--fix", "--no-push"])["data"]["repos"][0].clone();
    assert_eq!(repo["commit"], clone.head());
    assert_eq!(repo["pushed"], false);
    assert_eq!(skipped(&repo), "not pushed because of --no-push");
    assert_eq!(clone.remote_head(), remote);
    assert_eq!(clone.run(&["--fix", "--push", "--no-push"]).code, Some(2));
    // The next run publishes it.
    clone.fix();
    assert_eq!(clone.remote_head(), clone.head());
}

#[test]
fn a_commit_whose_subject_a_hook_changes_is_still_our_own() {
    let clone = Clone::behind_the_database();
    clone.hook("commit-msg", "sed -i '1s/^/[T-1] /' \"$1\"");
    let repo = clone.fix();
    assert_eq!(repo["pushed"], true, "{repo}");
    assert!(clone.git(&["log", "-1", "--format=%s"]).starts_with("[T-1] "));
}

#[test]
fn a_branch_that_is_pushed_elsewhere_is_committed_to_and_not_pushed() {
    let clone = Clone::behind_the_database();
    clone.git(&["checkout", "-q", "-b", "topic", "--track", "origin/main"]);
    let remote = clone.remote_head();
    let repo = clone.fix();
    assert!(
        skipped(&repo).contains(
            "not pushed: a push of this branch would not go to its upstream, origin/main"
        ),
        "{repo}"
    );
    assert_eq!(repo["commit"], clone.head());
    assert_eq!(clone.remote_head(), remote);
    // Nothing is left to fix.
    assert_eq!(clone.object(0, &["--strict"])["divergences"], json!([]));
}

#[test]
fn a_hook_before_a_push_may_take_longer_than_a_remote() {
    let clone = Clone::behind_the_database();
    // Longer than the timeout for a remote without a hook.
    clone.hook("pre-push", "sleep 9");
    assert_eq!(clone.fix()["pushed"], true);
    assert_eq!(clone.remote_head(), clone.head());
}

#[test]
fn no_password_of_an_address_is_shown() {
    let clone = Clone::behind_the_database();
    let secret = "hunter2hunter2";
    let url = format!("https://ana:{secret}@127.0.0.1:9/x.git");
    clone.git(&["remote", "set-url", "origin", &url]);
    // git itself shows no progress, but a hook may print some.
    clone.hook("pre-commit", &format!("echo 'fatal: {url}' >&2; exit 1"));
    for arguments in
        [&["--fix", "--pull"][..], &["--fix"], &["--pull"], &["--fix", "--format", "sarif"]]
    {
        let answer = clone.run(arguments);
        assert_eq!(answer.code, Some(0), "{answer:?}");
        assert!(!answer.stdout.contains(secret) && !answer.stderr.contains(secret), "{answer:?}");
        let answer = clone.run(&[arguments, &["--json"]].concat());
        assert!(!answer.stdout.contains(secret), "{answer:?}");
    }
}

/// The reading end of a pipe; it reports end of file once the last writer is dead.
fn fifo(path: &Path) -> fs::File {
    let status = std::process::Command::new("mkfifo").arg(path).status().unwrap();
    assert!(status.success());
    // Opened for reading and writing, so that opening does not wait for a writer.
    let open = |write: bool| {
        let mut options = fs::File::options();
        options.read(true).write(write).custom_flags(0).open(path).unwrap()
    };
    let both = open(true);
    let path = path.to_owned();
    let reading = std::thread::spawn(move || fs::File::open(path).unwrap());
    let reading = reading.join().unwrap();
    drop(both);
    reading
}

#[test]
fn a_remote_that_hangs_is_given_up_and_nothing_of_it_survives() {
    use std::io::Read as _;
    let clone = Clone::behind_the_database();
    clone.git(&["remote", "set-url", "origin", "ssh://nowhere.invalid/x"]);
    let gate = clone.home.root().join("gate");
    let mut reading = fifo(&gate);
    let hangs = clone.program(
        "../ssh",
        "exec 9>\"$GATE\"; echo >&9; (trap '' TERM HUP; sleep 1000) & sleep 1000",
    );
    let run = clone.home.prepare_run("trueup").args(["check", "--fix", "--json"]);
    let run = run.env("GIT_SSH_COMMAND", &hangs).env("GATE", &gate);
    let object = envelope(&run.wait(), 0);
    // The remote was asked once, and is not asked again for the push.
    let mut written = Vec::new();
    reading.read_to_end(&mut written).unwrap();
    assert_eq!(written, b"\n");
    assert_eq!(codes(&object), ["C-17", "C-15"]);
    let message = of_code(&object, "C-17")[0]["message"].as_str().unwrap();
    assert!(message.contains("is unreachable"), "{message}");
    assert_eq!(object["data"]["repos"][0]["commit"], clone.head());
}
