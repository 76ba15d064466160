//! Nothing is written while the remote has commits that are not here.

use super::scene::{Clone, of_code, skipped};
use crate::fixture::codes;

#[test]
fn behind_its_remote_nothing_is_written_and_a_check_only_says_so() {
    let clone = Clone::behind_the_database();
    clone.swap("T03\nstatus: todo", "T03\nstatus: done");
    clone.git(&["commit", "-q", "-a", "-m", "x"]);
    clone.git(&["push", "-q"]);
    clone.someone_pushes("other", "x");
    clone.someone_pushes("another", "x");
    let before = clone.state().without_reports();
    let check = clone.object(0, &[]);
    let found = of_code(&check, "C-16");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["severity"], "info");
    assert_eq!(found[0]["message"], "repository the-custodian is behind its remote by 2 commits");
    let fix = clone.object(0, &["--fix"]);
    assert_eq!(codes(&fix), ["C-16", "C-15", "C-10"]);
    let found = of_code(&fix, "C-16");
    assert_eq!(found[0]["severity"], "warning");
    assert_eq!(found[0]["subject"], "the-custodian");
    assert_eq!(found[0]["authority"], "git");
    assert_eq!(found[0]["fix"], "trueup check --fix --pull");
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.contains("pull before fixing"), "{message}");
    assert_eq!(skipped(&fix["data"]["repos"][0]), message);
    assert_eq!(clone.state().without_reports(), before, "neither file nor database");
    let reported = |is_open: i64| -> String {
        let sql = "SELECT line FROM attention WHERE kind = 'repo_behind'
                   AND CASE WHEN ended_at IS NULL THEN 1 ELSE 0 END = ?1";
        clone.home.query_value(sql, [is_open])
    };
    assert_eq!(reported(1), message);
    assert_eq!(clone.run(&["--fix", "--strict"]).code, Some(1));
    let text = clone.run(&["--fix"]).ok().stdout;
    assert!(text.contains("warning C-16 repository "), "{text}");
    assert!(text.contains("warning C-15 workplans/"), "{text}");
    clone.git(&["pull", "-q"]);
    clone.run(&["--fix"]).ok();
    assert_eq!(reported(0), message, "the person has to do no more");
}

#[test]
fn pull_brings_the_branch_up_to_date_first() {
    let clone = Clone::behind_the_database();
    let text = clone.text("workplans/a.md");
    clone.someone_pushes("workplans/a.md", &text.replace("T03\nstatus: todo", "T03\nstatus: done"));
    // Also without --fix.
    let object = clone.object(0, &["--pull"]);
    assert_eq!(codes(&object), ["C-15", "C-10"]);
    assert_eq!(clone.head(), clone.remote_head());
    clone.someone_pushes("other", "x");
    let object = clone.object(0, &["--fix", "--pull"]);
    assert_eq!(codes(&object), ["C-15", "C-10"]);
    assert_eq!(object["data"]["repos"][0]["pushed"], true);
    assert_eq!(clone.status("CUST-WP-0026-T03"), "completed");
    assert!(clone.root().join("other").exists());
    assert_eq!(clone.head(), clone.remote_head());
    assert_eq!(codes(&clone.object(0, &["--strict"])), [""; 0]);
}

#[test]
fn a_pull_that_is_not_possible_is_reported_and_nothing_is_written() {
    let clone = Clone::behind_the_database();
    let text = clone.text("workplans/a.md");
    clone.someone_pushes("workplans/a.md", &text.replace("Never back.", "theirs"));
    clone.swap("Never back.", "ours");
    let before = clone.state().without_reports();
    let object = clone.object(0, &["--fix", "--pull"]);
    assert_eq!(codes(&object)[0], "C-16");
    let warnings = object["warnings"].to_string();
    assert!(warnings.contains("not pulled"), "{object}");
    assert_eq!(clone.state().without_reports(), before);
}

#[test]
fn ahead_only_is_not_behind() {
    let clone = Clone::behind_the_database();
    clone.write("other", "x");
    clone.git(&["add", "other"]);
    clone.git(&["commit", "-q", "-m", "ours"]);
    let repo = clone.fix();
    assert_eq!(repo["commit"], clone.head());
    assert!(skipped(&repo).contains("1 commit of yours"), "{repo}");
}

#[test]
fn diverged_is_behind_too() {
    let clone = Clone::behind_the_database();
    clone.someone_pushes("other", "x");
    clone.write("ours", "x");
    clone.git(&["add", "ours"]);
    clone.git(&["commit", "-q", "-m", "ours"]);
    let before = clone.state().without_reports();
    for arguments in [&["--fix"][..], &["--fix", "--pull"]] {
        let object = clone.object(0, arguments);
        let found = of_code(&object, "C-16");
        let message = found[0]["message"].as_str().unwrap();
        assert!(
            message.contains("has diverged from its remote: 1 commit here, 1 commit there"),
            "{message}"
        );
        assert_eq!(found[0]["fix"], "git pull --no-rebase --no-edit && trueup check --fix");
        assert_eq!(clone.state().without_reports(), before);
    }
}

#[test]
fn an_outdated_checkout_lacks_nothing() {
    let clone = Clone::linked();
    let other = super::scene::PLAN.replace("0026", "0027");
    clone.someone_pushes("workplans/b.md", &other);
    // The other machine linked it already.
    clone.git(&["pull", "-q"]);
    clone.fix();
    clone.git(&["reset", "-q", "--hard", "HEAD~2"]);
    assert_eq!(codes(&clone.object(0, &[])), ["C-16"]);
}
