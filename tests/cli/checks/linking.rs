//! Linking: workplans are inserted into the database, and their ids written into the files.

use serde_json::json;

use super::scene::{Clone, PLAN, item, of_code, skipped};
use crate::fixture::{codes, keys};

#[test]
fn a_repository_that_is_not_linked_is_linked_committed_and_pushed() {
    let clone = Clone::new();
    let before = clone.head();
    let object = clone.object(0, &["--fix"]);
    assert_eq!(codes(&object), ["C-06", "C-11", "C-11", "C-11"]);
    let repo = &object["data"]["repos"][0];
    assert_eq!(
        keys(repo),
        ["commit", "files", "mended", "path", "pushed", "repo", "skipped", "written"]
    );
    assert_eq!(repo["repo"], "the-custodian");
    assert_eq!(repo["path"], clone.root().to_str().unwrap());
    assert_eq!(repo["files"], 1);
    assert_eq!(repo["written"], json!(["workplans/a.md"]));
    assert_eq!(repo["pushed"], true);
    assert_eq!(repo["skipped"], json!(null));
    assert_eq!(repo["mended"], json!(["C-06", "C-11"]));
    assert_eq!(repo["commit"], clone.head());
    assert_eq!(clone.remote_head(), clone.head());
    assert_eq!(clone.git(&["rev-parse", "HEAD^"]), before);
    assert_eq!(clone.git(&["status", "--porcelain"]), "");
    // One line each, and nothing else.
    let diff = clone.git(&["show", "--format=", "--unified=0", "HEAD"]);
    let lines: Vec<&str> = diff
        .lines()
        .filter(|line| {
            (line.starts_with('+') || line.starts_with('-'))
                && !line.starts_with("+++")
                && !line.starts_with("---")
        })
        .collect();
    assert_eq!(lines.len(), 4, "{diff}");
    assert!(lines[0].starts_with("+state_hub_workstream_id: \""), "{diff}");
    assert!(lines[1..].iter().all(|line| line.starts_with("+state_hub_task_id: \"")), "{diff}");
    for (key, status) in [
        ("CUST-WP-0026", "running"),
        ("CUST-WP-0026-T01", "queued"),
        ("CUST-WP-0026-T02", "running"),
        ("CUST-WP-0026-T03", "queued"),
    ] {
        let item = item(&clone.home, key);
        assert_eq!(item["status"], status, "{key}");
        assert_eq!(item["repo"], "the-custodian", "{key}");
    }
    let task = item(&clone.home, "CUST-WP-0026-T01");
    assert_eq!(task["parent"], "CUST-WP-0026");
    assert_eq!(task["title"], "T01 — No-regress rule");
}

#[test]
fn a_second_run_changes_and_commits_nothing() {
    let clone = Clone::linked();
    let before = clone.state();
    let again = clone.object(0, &["--fix", "--strict"]);
    assert_eq!(codes(&again), [""; 0]);
    assert_eq!(again["data"]["repos"][0]["commit"], json!(null));
    clone.object(0, &["--strict"]);
    assert_eq!(clone.state(), before);
}

#[test]
fn without_writeback_the_database_is_fixed_and_files_are_not() {
    let clone = Clone::new();
    let before = (clone.head(), clone.bytes("workplans/a.md"));
    let object = clone.object(0, &["--fix", "--no-writeback"]);
    assert_eq!(codes(&object).len(), 4);
    assert_eq!(object["data"]["repos"][0]["mended"], json!([]));
    assert_eq!(clone.status("CUST-WP-0026-T02"), "running");
    assert_eq!((clone.head(), clone.bytes("workplans/a.md")), before);
    clone.done("CUST-WP-0026-T01");
    let object = clone.object(0, &["--fix", "--no-writeback"]);
    assert_eq!(of_code(&object, "C-15").len(), 1, "the report stays");
    assert_eq!((clone.head(), clone.bytes("workplans/a.md")), before);
    // The same ids are written into the file later.
    let link: String = clone
        .home
        .query_value("SELECT link FROM workplan_links WHERE item = 'CUST-WP-0026-T01'", []);
    clone.fix();
    assert!(clone.text("workplans/a.md").contains(&link));
    // With nothing to fix, it still reports what is informational.
    clone.done("CUST-WP-0026-T02");
    let head = clone.head();
    let object = clone.object(0, &["--no-writeback"]);
    assert_eq!(of_code(&object, "C-15").len(), 1);
    assert_eq!(clone.head(), head);
}

#[test]
fn untracked_files_are_not_written_and_the_others_are() {
    let clone = Clone::new();
    let other = PLAN.replace("CUST-WP-0026", "CUST-WP-0027");
    clone.write("workplans/new.md", &other);
    let repo = clone.fix();
    assert_eq!(repo["written"], json!(["workplans/a.md"]));
    assert!(skipped(&repo).starts_with("workplans/new.md was not written: "), "{repo}");
    assert_eq!(clone.text("workplans/new.md"), other);
    assert_eq!(clone.status("CUST-WP-0027"), "running");
    assert_eq!(clone.git(&["status", "--porcelain"]), "?? workplans/new.md");
    clone.git(&["add", "."]);
    clone.git(&["commit", "-q", "-m", "new"]);
    clone.git(&["push", "-q"]);
    let repo = clone.fix();
    assert_eq!(repo["written"], json!(["workplans/new.md"]));
    assert_eq!(clone.remote_head(), clone.head());
}

#[test]
fn archived_workplans_are_linked_and_readmes_are_none() {
    let clone = Clone::empty();
    clone.write("workplans/README.md", "---\nid: no\n");
    clone.write("workplans/archived/README.md", "x");
    let archived = PLAN.replace("status: active", "status: archived");
    clone.write(
        "workplans/archived/260321-a.md",
        archived.replace("todo", "done").replace("in_progress", "cancelled"),
    );
    clone.publish("workplans/deep/er.md", PLAN);
    clone.git(&["add", "."]);
    clone.git(&["commit", "-q", "-m", "archived"]);
    clone.git(&["push", "-q"]);
    let repo = clone.fix();
    assert_eq!(repo["files"], 1);
    assert_eq!(repo["written"], json!(["workplans/archived/260321-a.md"]));
    assert_eq!(clone.status("CUST-WP-0026"), "completed");
    assert_eq!(codes(&clone.object(0, &["--strict"])), [""; 0]);
}
