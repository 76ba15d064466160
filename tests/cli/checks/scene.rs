//! A clone with workplans and its remote, with helpers that compare their content.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::home::{Home, ProcessOutput};

use crate::fixture::{create_database, data, envelope, object};
use crate::state_snapshot::StateSnapshot;

/// The user of every git command here.
const SETTINGS: &str = "[user]\nname = Ana\nemail = ana@example.org\n[init]\ndefaultBranch = main\n\
    [protocol \"file\"]\nallow = always\n[advice]\ndetachedHead = false\n";

/// A workplan that is not linked: three tasks, the second begun.
pub(crate) const PLAN: &str = "---
id: CUST-WP-0026
type: workplan
title: \"Distributed Consistency\"
repo: the-custodian
status: active
---

# Distributed Consistency

### T01 — No-regress rule

```task
id: CUST-WP-0026-T01
status: todo
priority: high
```

Never back.

### T02 — Pull gate

```task
id: CUST-WP-0026-T02
status: in_progress
priority: high
```

### T03 — Writeback

```task
id: CUST-WP-0026-T03
status: todo
```
";

/// Runs git with a home of its own.
pub(crate) fn git_at(home: &Home, dir: &Path, arguments: &[&str]) -> std::process::Output {
    Command::new("git")
        .args(arguments)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.user_home())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_EDITOR", ":")
        .output()
        .unwrap()
}

#[track_caller]
pub(crate) fn git_in(home: &Home, folder: &Path, arguments: &[&str]) -> String {
    let output = git_at(home, folder, arguments);
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

pub(crate) struct Clone {
    pub(crate) home: Home,
}

/// Everything that a run without `--fix` must leave unchanged.
#[derive(Debug, PartialEq)]
pub(crate) struct State {
    database: StateSnapshot,
    files: BTreeMap<PathBuf, Vec<u8>>,
    head: String,
    remote: String,
    index: String,
}

impl State {
    /// The same without what only tells a person of it.
    pub(crate) fn without_reports(self) -> Self {
        Self { database: self.database.without_reports(), ..self }
    }

    pub(crate) fn is_the_same_but_for_the_database(&self, other: &Self) -> bool {
        let rest = |state: &Self| {
            let Self { files, head, remote, index, .. } = state;
            (files.clone(), head.clone(), remote.clone(), index.clone())
        };
        rest(self) == rest(other)
    }
}

impl Clone {
    /// A clone of a remote, with a database and no workplan.
    pub(crate) fn empty() -> Self {
        let clone = Self { home: Home::new() };
        fs::write(clone.home.user_home().join(".gitconfig"), SETTINGS).unwrap();
        let root = clone.home.root();
        git_in(&clone.home, &root, &["init", "-q", "--bare", "remote.git"]);
        clone.git(&["remote", "add", "origin", "../remote.git"]);
        clone.git(&["push", "-q", "-u", "origin", "main"]);
        create_database(&clone.home);
        clone
    }

    /// A clone with [`PLAN`] as `workplans/a.md`, committed and pushed.
    pub(crate) fn new() -> Self {
        let clone = Self::empty();
        clone.publish("workplans/a.md", PLAN);
        clone
    }

    /// A clone whose workplan is linked.
    pub(crate) fn linked() -> Self {
        let clone = Self::new();
        clone.fix();
        clone
    }

    /// A clone whose first task is completed in the database only.
    pub(crate) fn behind_the_database() -> Self {
        let clone = Self::linked();
        clone.done("CUST-WP-0026-T01");
        clone
    }

    pub(crate) fn root(&self) -> &Path {
        self.home.project_dir()
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git_in(&self.home, self.root(), arguments)
    }

    /// Runs a git command that is expected to end in a conflict.
    pub(crate) fn git_stops(&self, arguments: &[&str]) {
        let output = git_at(&self.home, self.root(), arguments);
        assert!(!output.status.success(), "git {arguments:?}: {output:?}");
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.root().join(name)).unwrap()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    /// Writes a file, commits and pushes it.
    pub(crate) fn publish(&self, name: &str, text: impl AsRef<[u8]>) {
        self.write(name, text);
        self.git(&["add", "--", name]);
        self.git(&["commit", "-q", "-m", "by hand"]);
        self.git(&["push", "-q"]);
    }

    /// Replaces a text that occurs once in `workplans/a.md`.
    #[track_caller]
    pub(crate) fn swap(&self, from: &str, to: &str) {
        let text = self.text("workplans/a.md");
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
        self.write("workplans/a.md", text.replace(from, to));
    }

    /// Writes a program; in the hooks directory it is a git hook.
    pub(crate) fn program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        support::program::write_program(&path, &format!("#!/bin/sh\n{script}\n")).unwrap();
        path
    }

    pub(crate) fn hook(&self, name: &str, script: &str) {
        self.program(&format!(".git/hooks/{name}"), script);
    }

    /// Pushes a file from another clone.
    pub(crate) fn someone_pushes(&self, name: &str, text: &str) {
        let other = self.home.root().join("someone");
        if !other.exists() {
            let root = self.home.root();
            git_in(&self.home, &root, &["clone", "-q", "remote.git", "someone"]);
        }
        let git = |arguments: &[&str]| git_in(&self.home, &other, arguments);
        git(&["pull", "-q", "--ff-only"]);
        fs::write(other.join(name), text).unwrap();
        git(&["add", "."]);
        git(&["commit", "-q", "-m", "theirs"]);
        git(&["push", "-q"]);
    }

    /// Completes an item in the database.
    #[track_caller]
    pub(crate) fn done(&self, key: &str) {
        data(&self.home, &["item", "transition", key, "completed"]);
    }

    #[track_caller]
    pub(crate) fn status(&self, key: &str) -> String {
        self.home.query_value("SELECT status FROM work_items WHERE key = ?1", [key])
    }

    /// Runs `trueup check …`.
    pub(crate) fn run(&self, arguments: &[&str]) -> ProcessOutput {
        let run = self.home.prepare_run("trueup").args(["check"]).args(arguments);
        run.env("GIT_CONFIG_NOSYSTEM", "1").wait()
    }

    /// Runs `trueup check … --json`.
    #[track_caller]
    pub(crate) fn object(&self, code: i32, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--json"]].concat();
        envelope(&self.run(&arguments), code)
    }

    /// Runs `trueup check --fix`, which must succeed; returns the repository's part of the answer.
    #[track_caller]
    pub(crate) fn fix(&self) -> Value {
        self.object(0, &["--fix"])["data"]["repos"][0].clone()
    }

    pub(crate) fn state(&self) -> State {
        State {
            database: StateSnapshot::take(&self.home),
            files: files(self.root()),
            head: self.git(&["rev-parse", "HEAD"]),
            remote: self.remote_head(),
            index: self.git(&["ls-files", "--stage"]) + &self.git(&["status", "--porcelain"]),
        }
    }

    /// All files of `.git`, by name and content.
    pub(crate) fn git_dir(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(&self.root().join(".git"))
    }

    pub(crate) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// Returns the commit that the remote has, if it can be asked.
    pub(crate) fn remote_head(&self) -> String {
        let remote = self.home.root().join("remote.git");
        if !remote.exists() {
            return String::new();
        }
        let output = git_at(&self.home, &remote, &["rev-parse", "main"]);
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

/// All files of a directory but those of git.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with(".git") {
            continue;
        }
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&path));
        } else {
            let bytes = fs::read(&path).unwrap_or_default();
            found.insert(path, bytes);
        }
    }
    found
}

/// Returns the messages of the divergences of a code.
pub(crate) fn of_code<'o>(object: &'o Value, code: &str) -> Vec<&'o Value> {
    let all = object["divergences"].as_array().unwrap();
    all.iter().filter(|it| it["code"] == code).collect()
}

/// Returns the reasons of what was skipped.
#[track_caller]
pub(crate) fn skipped(repo: &Value) -> &str {
    repo["skipped"].as_str().unwrap_or_else(|| panic!("{repo}"))
}

/// Runs `trueup … --json` for its data.
#[track_caller]
pub(crate) fn item(home: &Home, key: &str) -> Value {
    object(home, 0, &["item", "show", key])["data"]["item"].clone()
}
