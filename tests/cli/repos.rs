//! `trueup repo`: registered repositories and their checkouts.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use support::home::{Home, skip_over_postgres};

use crate::fixture::{data, keys, object, refused, started, trueup};

/// Makes a repository beside the project.
fn dir(home: &Home, name: &str) -> PathBuf {
    let path = home.root().join(name);
    home.init_repository(&path);
    path
}

fn add(home: &Home, name: &str, more: &[&str]) -> serde_json::Value {
    let path = dir(home, name);
    let path = path.to_str().unwrap();
    data(home, &[&["repo", "add", path], more].concat())["repo"].clone()
}

#[test]
fn a_repository_is_added_listed_and_removed() {
    let home = started();
    let alpha = add(&home, "alpha", &[]);
    assert_eq!(
        keys(&alpha),
        ["created_at", "passive", "path", "places", "slug", "state", "updated_at"]
    );
    assert_eq!(alpha["slug"], "alpha");
    assert_eq!(alpha["passive"], false);
    assert_eq!(alpha["state"], json!(null));
    let beta = add(&home, "some where", &["--slug", "Beta", "--passive"]);
    assert_eq!((&beta["slug"], &beta["passive"]), (&json!("Beta"), &json!(true)));
    let repos = data(&home, &["repo", "list"]);
    assert_eq!(repos["repos"], json!([alpha, beta]));
    let text = trueup(&home, &["repo", "remove", "beta"]).ok().stdout;
    assert!(text.starts_with("removed Beta from "), "{text}");
    refused(&home, "repo_not_found", &["repo", "remove", "beta"]);
    assert_eq!(data(&home, &["repo", "list"])["repos"], json!([alpha]));
}

#[test]
fn a_path_within_a_repository_stands_for_its_root() {
    let home = started();
    let deep = home.project_dir().join("deep/er");
    fs::create_dir_all(&deep).unwrap();
    let repo = &data(&home, &["repo", "add", deep.to_str().unwrap()])["repo"];
    assert_eq!(repo["path"], home.project_dir().to_str().unwrap());
    assert_eq!(repo["slug"], "project");
}

#[test]
fn what_is_taken_is_refused_and_says_by_whom() {
    let home = started();
    add(&home, "alpha", &[]);
    let alpha = dir(&home, "alpha");
    let other = dir(&home, "other/alpha");
    let [alpha, other] = [&alpha, &other].map(|path| path.to_str().unwrap());
    refused(&home, "already_registered", &["repo", "add", alpha, "--slug", "beta"]);
    let error = refused(&home, "slug_taken", &["repo", "add", other, "--slug", "alpha"]);
    let message = error["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains(alpha), "{message}");
    let again = trueup(&home, &["repo", "add", alpha]).ok().stdout;
    assert!(again.contains("already"), "{again}");
    let passive = trueup(&home, &["repo", "add", alpha, "--passive"]).ok().stdout;
    assert!(passive.contains("(passive)"), "{passive}");
    let active = trueup(&home, &["repo", "add", alpha, "--active"]).ok().stdout;
    assert!(!active.trim_end().ends_with("(passive)"), "{active}");
}

#[test]
fn a_repository_that_moved_is_said_anew() {
    let home = started();
    add(&home, "alpha", &[]);
    let moved = home.root().join("moved");
    fs::rename(home.root().join("alpha"), &moved).unwrap();
    let moved = moved.to_str().unwrap();
    let repo = &data(&home, &["repo", "add", moved, "--slug", "alpha"])["repo"];
    assert_eq!(repo["path"], moved);
}

#[test]
fn a_directory_that_is_none_is_no_repository() {
    let home = started();
    let file = home.root().join("file");
    fs::write(&file, "x").unwrap();
    for path in [&home.root().join("nowhere"), &file] {
        let answer = object(&home, 3, &["repo", "add", path.to_str().unwrap()]);
        assert_eq!(answer["error"]["code"], "io");
    }
    assert_eq!(data(&home, &["repo", "list"])["repos"], json!([]));
}

#[test]
fn machines_that_share_a_database_do_not_move_each_others_repositories() {
    if skip_over_postgres("two machines share the file") {
        return;
    }
    let home = started();
    add(&home, "alpha", &[]);
    let there = dir(&home, "there");
    let clone = dir(&home, "clone");
    let url = format!("sqlite:{}", home.trueup_home().join("trueup.db").display());
    let on_there = |arguments: &[&str]| {
        let run = home.prepare_run("trueup").args(arguments).args(["--json"]);
        let run = run.env("TRUEUP_HOME", &there);
        run.env("TRUEUP_DATABASE_URL", &url).wait().ok().json()["data"].clone()
    };
    assert_eq!(on_there(&["repo", "list"])["repos"][0]["path"], json!(null));
    let clone = clone.to_str().unwrap();
    let repo = on_there(&["repo", "add", clone, "--slug", "alpha"])["repo"].clone();
    assert_eq!(repo["path"], clone);
    assert_eq!(repo["places"].as_array().unwrap().len(), 2);
    let here = &data(&home, &["repo", "list"])["repos"][0];
    assert_eq!(here["path"], home.root().join("alpha").to_str().unwrap());
}
