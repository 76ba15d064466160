//! How `trueup check` chooses its repository.

use std::fs;

use serde_json::json;
use support::race::run_at_once;

use super::scene::{Clone, PLAN};
use crate::fixture::data;

#[test]
fn a_repository_is_named_by_slug_or_path() {
    let clone = Clone::new();
    let root = clone.root().to_str().unwrap().to_owned();
    data(&clone.home, &["repo", "add", &root, "--slug", "Shop"]);
    let elsewhere = clone.home.user_home();
    let deep = format!("{root}/workplans");
    for name in ["shop", "SHOP", &root, &deep] {
        let run = clone.home.prepare_run("trueup").args(["check", name, "--json"]);
        let object = crate::fixture::envelope(&run.cwd(&elsewhere).wait(), 0);
        let repos = object["data"]["repos"].as_array().unwrap();
        assert_eq!(repos.len(), 1);
        assert_eq!(
            (&repos[0]["repo"], &repos[0]["path"]),
            (&json!("Shop"), &json!(root)),
            "{name}"
        );
    }
    let both = clone.object(0, &["shop", &root]);
    assert_eq!(both["data"]["repos"].as_array().unwrap().len(), 1, "once");
    // Rows are stored under the slug, whatever name the file has.
    clone.object(0, &["--fix", "shop"]);
    let repo: String =
        clone.home.query_value("SELECT repo FROM work_items WHERE key = 'CUST-WP-0026'", []);
    assert_eq!(repo, "Shop");
}

#[test]
fn a_target_that_is_neither_is_refused_by_name() {
    let clone = Clone::new();
    let object = clone.object(1, &["nobody"]);
    assert_eq!(object["error"]["code"], "repo_not_found");
    assert_eq!(object["divergences"], json!([]));
    let object = clone.object(3, &["no/where"]);
    assert_eq!(object["error"]["code"], "io");
    // A name that is both a slug and a directory is the repository's.
    let other = clone.home.root().join("other");
    fs::create_dir_all(other.join("workplans")).unwrap();
    let status =
        std::process::Command::new("git").args(["init", "--quiet"]).current_dir(&other).status();
    assert!(status.unwrap().success());
    data(&clone.home, &["repo", "add", other.to_str().unwrap(), "--slug", "both"]);
    fs::create_dir(clone.root().join("both")).unwrap();
    let object = clone.object(0, &["both"]);
    assert_eq!(object["data"]["repos"][0]["path"], other.to_str().unwrap());
    // A repository with a checkout on another machine only.
    let other = r#"{"elsewhere":{"host":"h","path":"/p"}}"#;
    clone.home.execute_sql("UPDATE repos SET places = ?1", [other]);
    let object = clone.object(1, &["both"]);
    assert_eq!(object["error"]["code"], "repo_not_here");
}

#[test]
fn without_a_slug_the_file_its_rows_or_the_directory_names_it() {
    let clone = Clone::new();
    clone.swap("repo: the-custodian\n", "");
    assert_eq!(clone.object(0, &[])["data"]["repos"][0]["repo"], "project");
    let clone = Clone::new();
    assert_eq!(clone.object(0, &[])["data"]["repos"][0]["repo"], "the-custodian");
    clone.fix();
    clone.swap("repo: the-custodian\n", "");
    assert_eq!(clone.object(0, &[])["data"]["repos"][0]["repo"], "the-custodian");
    clone
        .write("workplans/a.md", PLAN.replace("0026", "0099").replace("repo: the-custodian\n", ""));
    // It is still the same repository.
    assert_eq!(clone.object(0, &[])["data"]["repos"][0]["repo"], "the-custodian");
    clone.write(".trueup.toml", "repo = \"named\"\n");
    assert_eq!(clone.object(0, &[])["data"]["repos"][0]["repo"], "named");
}

#[test]
fn of_several_in_one_checkout_at_once_one_commits_and_nothing_is_there_twice() {
    let clone = Clone::new();
    let answers =
        run_at_once(4, |_| clone.home.prepare_run("trueup").args(["check", "--fix", "--json"]));
    let commits = answers.iter().filter(|answer| {
        let object = crate::fixture::envelope(answer, 0);
        !object["data"]["repos"][0]["commit"].is_null()
    });
    assert_eq!(commits.count(), 1, "{answers:?}");
    assert_eq!(clone.git(&["log", "--format=%s"]).lines().count(), 3);
    assert_eq!(clone.head(), clone.remote_head());
    let links: i64 = clone.home.query_value("SELECT count(*) FROM workplan_links", []);
    assert_eq!(links, 4);
}

#[test]
fn a_linked_worktree_is_a_checkout_of_its_own() {
    let clone = Clone::behind_the_database();
    let tree = clone.home.root().join("tree");
    clone.git(&["worktree", "add", "-q", "-b", "topic", tree.to_str().unwrap()]);
    let object = clone.object(0, &["--fix", tree.to_str().unwrap()]);
    let repo = &object["data"]["repos"][0];
    assert_eq!(repo["written"], json!(["workplans/a.md"]), "{object}");
    assert_eq!(repo["path"], tree.to_str().unwrap());
    assert!(clone.text("workplans/a.md").contains("T01\nstatus: todo"), "the other is as it was");
}
