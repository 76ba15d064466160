//! Clones of one repository count as one, whatever their directories are called, registered or not.

use std::path::{Path, PathBuf};

use serde_json::Value;
use support::home::{FIRST_SESSION, Home, Payload, ProcessOutput, SECOND_SESSION};

use crate::fixture::{SYNC, create_database};

/// Two clones of one remote, a fork of it, and a repository without a remote, in directories named
/// `app` or after their role.
struct Clones {
    home: Home,
}

impl Clones {
    fn new() -> Self {
        let home = Home::new();
        create_database(&home);
        let clones = Self { home };
        for (name, remote) in [
            ("one/app", Some("https://example.org/acme/app.git")),
            ("two/second-clone", Some("git@example.org:acme/app")),
            ("three/app", Some("https://example.org/other/app.git")),
            ("four/app", None),
        ] {
            let at = clones.at(name);
            clones.home.init_repository(&at);
            if let Some(remote) = remote {
                clones.git(&at, &["remote", "add", "origin", remote]);
            }
        }
        clones
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.root().join(name)
    }

    fn git(&self, at: &Path, arguments: &[&str]) {
        let output = std::process::Command::new("git")
            .current_dir(at)
            .env("HOME", self.home.user_home())
            .args(arguments)
            .status()
            .unwrap();
        assert!(output.success());
    }

    fn start(&self, name: &str, session: &str) -> ProcessOutput {
        let payload = Payload::from_fixture("session-start.startup", session, &self.at(name));
        self.home.prepare_run(SYNC).cwd(self.at(name)).payload(&payload).wait().ok()
    }

    fn data(&self, name: &str, arguments: &[&str]) -> Value {
        let run = self.home.prepare_run("trueup").cwd(self.at(name));
        let answer = run.args(arguments).args(["--json"]).wait().ok();
        serde_json::from_str::<Value>(&answer.stdout).unwrap()["data"].clone()
    }

    fn next(&self, name: &str) -> Value {
        self.data(name, &["next"])["item"]["key"].clone()
    }
}

#[test]
fn what_one_clone_adds_the_other_is_offered_and_no_other_repository() {
    let clones = Clones::new();
    clones.start("one/app", FIRST_SESSION);
    clones.data("one/app", &["item", "add", "ours"]);
    assert_eq!(clones.next("two/second-clone"), "ours");
    for other in ["three/app", "four/app"] {
        assert_eq!(clones.next(other), Value::Null, "{other}");
        // The same once it has its own name.
        clones.data(other, &["item", "add", &other.replace('/', "-")]);
        assert_eq!(clones.next(other), other.replace('/', "-"), "{other}");
    }
    clones.data("two/second-clone", &["item", "add", "theirs"]);
    let items = clones.data("one/app", &["item", "list"]);
    let repos = items["items"].as_array().unwrap();
    let repos: Vec<&str> = repos.iter().map(|item| item["repo"].as_str().unwrap()).collect();
    assert_eq!(repos, ["app", "app"], "{items}");
    // A session of the other clone says the same.
    clones.start("two/second-clone", SECOND_SESSION);
    let session = clones.data("two/second-clone", &["sessions", "show", SECOND_SESSION]);
    assert_eq!(session["session"]["repo"], "app");
}

#[test]
fn a_registered_clone_names_all_and_the_rows_from_before() {
    let clones = Clones::new();
    clones.data("two/second-clone", &["item", "add", "early"]);
    clones.data(
        "one/app",
        &["repo", "add", clones.at("one/app").to_str().unwrap(), "--slug", "acme"],
    );
    for name in ["one/app", "two/second-clone"] {
        assert_eq!(clones.next(name), "early", "{name}");
    }
    clones.start("two/second-clone", FIRST_SESSION);
    clones.data("two/second-clone", &["claim", "late", "--create"]);
    for key in ["early", "late"] {
        let repo: String =
            clones.home.query_value("SELECT repo FROM work_items WHERE key = ?1", [key]);
        assert_eq!(repo, "acme", "{key}");
    }
}

#[test]
fn a_repository_that_gets_its_remote_later_keeps_its_items() {
    let clones = Clones::new();
    clones.data("four/app", &["item", "add", "kept"]);
    let remote = "https://example.org/late/thing.git";
    clones.git(&clones.at("four/app"), &["remote", "add", "origin", remote]);
    assert_eq!(clones.next("four/app"), "kept");
    clones.start("four/app", FIRST_SESSION);
    let other = clones.at("five/thing");
    clones.home.init_repository(&other);
    clones.git(&other, &["remote", "add", "origin", remote]);
    assert_eq!(clones.next("five/thing"), "kept");
    // The repository that is now at its old path is another one.
    std::fs::remove_dir_all(clones.at("four/app")).unwrap();
    clones.home.init_repository(&clones.at("four/app"));
    assert_eq!(clones.next("four/app"), Value::Null);
}

#[test]
fn what_was_added_before_a_remote_is_seen_once_others_have_it() {
    let clones = Clones::new();
    clones.data("four/app", &["item", "add", "early"]);
    let remote = "https://example.org/late/thing.git";
    clones.git(&clones.at("four/app"), &["remote", "add", "origin", remote]);
    // The other clone comes first and has a name of its own.
    let other = clones.at("five/thing");
    clones.home.init_repository(&other);
    clones.git(&other, &["remote", "add", "origin", remote]);
    clones.start("five/thing", FIRST_SESSION);
    clones.data("five/thing", &["item", "add", "late"]);
    for name in ["four/app", "five/thing"] {
        let items = clones.data(name, &["item", "list"]);
        let keys: Vec<&str> = items["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["key"].as_str().unwrap())
            .collect();
        assert_eq!(keys, ["early", "late"], "{name}");
    }
}

#[test]
fn a_repository_whose_remote_changes_keeps_its_items() {
    for change in [
        &["remote", "set-url", "origin", "git@example.org:new/app"][..],
        &["remote", "rename", "origin", "upstream"],
    ] {
        let clones = Clones::new();
        clones.start("one/app", FIRST_SESSION);
        clones.data("one/app", &["item", "add", "kept"]);
        clones.git(&clones.at("one/app"), change);
        if change.contains(&"rename") {
            let fork = ["remote", "add", "origin", "git@example.org:me/app"];
            clones.git(&clones.at("one/app"), &fork);
        }
        assert_eq!(clones.next("one/app"), "kept", "{change:?}");
        clones.start("one/app", SECOND_SESSION);
        assert_eq!(clones.next("one/app"), "kept", "{change:?}");
        // Clones that stayed with the old remote see it too.
        assert_eq!(clones.next("two/second-clone"), "kept", "{change:?}");
        assert_eq!(clones.next("three/app"), Value::Null, "{change:?}");
    }
}

#[test]
fn a_name_of_its_own_makes_a_clone_another_repository() {
    let clones = Clones::new();
    let own = clones.at("two/second-clone");
    std::fs::write(own.join(".trueup.toml"), "repo = \"mine\"\n").unwrap();
    clones.data("one/app", &["item", "add", "ours"]);
    assert_eq!(clones.next("two/second-clone"), Value::Null);
    clones.data("two/second-clone", &["item", "add", "mine"]);
    assert_eq!(clones.next("one/app"), "ours");
}

#[test]
fn workplans_and_sessions_of_a_clone_agree_on_its_name() {
    let clones = Clones::new();
    let workplans = clones.at("two/second-clone").join("workplans");
    std::fs::create_dir(&workplans).unwrap();
    std::fs::write(
        workplans.join("A-WP-0001.md"),
        "---\nid: A-WP-0001\nstatus: active\n---\n# Plan\n",
    )
    .unwrap();
    clones.data("one/app", &["item", "add", "ours"]);
    let checked = clones.data("two/second-clone", &["check", "--fix", "--no-writeback"]);
    assert_eq!(checked["repos"][0]["repo"], "app", "{checked}");
}

#[test]
fn what_the_files_call_a_repository_its_items_follow() {
    let clones = Clones::new();
    clones.data("one/app", &["item", "add", "ours"]);
    for name in ["one/app", "two/second-clone"] {
        let dir = clones.at(name).join("workplans");
        std::fs::create_dir(&dir).unwrap();
        let text = "---\nid: A-WP-0001\nrepo: custodian\nstatus: active\n---\n# Plan\n";
        std::fs::write(dir.join("A-WP-0001.md"), text).unwrap();
        let checked = clones.data(name, &["check", "--fix", "--no-writeback"]);
        assert_eq!(checked["repos"][0]["repo"], "custodian", "{checked}");
        let repo: String =
            clones.home.query_value("SELECT repo FROM work_items WHERE key = 'ours'", []);
        assert_eq!(repo, "custodian", "{name}");
        let items = clones.data(name, &["item", "list"]).to_string();
        assert!(items.contains("\"ours\""), "{name}: {items}");
    }
}
