//! A throw-away `TRUEUP_HOME` with a repository beside it, and the product's binaries run in it.
//!
//! Every process gets a cleared environment, so that nothing of the developer's own trueup or
//! client reaches a test, and is killed when it outlives a generous limit.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::return_self_not_must_use,
    reason = "a scratch that cannot be set up fails the test, with the line that failed"
)]

mod answer;
mod database;
mod payload;
mod postgres_sql;
mod process;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

pub use answer::{ProcessOutput, without_times};
pub use database::skip_over_postgres;
pub use payload::Payload;
pub(crate) use process::read_first_line;
pub use process::{Bystander, ProcessRun, process_start_time, spawn_bystander};

use crate::postgres::TestDatabase;

/// The session of a test with one session.
pub const FIRST_SESSION: &str = "0a1b2c3d-0000-4000-8000-000000000001";

/// The second session of a test with two.
pub const SECOND_SESSION: &str = "0a1b2c3d-0000-4000-8000-000000000002";

/// The scratch directories: `home` of the user, `trueup`'s own, and the project.
#[derive(Debug)]
pub struct Home {
    dir: TempDir,
    project: PathBuf,
    /// `None` for the file that is there unless another database is configured.
    shared: Option<SharedDatabase>,
}

/// A database of a scratch's own on a server.
#[derive(Debug)]
struct SharedDatabase {
    database: TestDatabase,
    /// The URL of a user with the rights of a client alone.
    client_url: String,
}

/// Creates the database of a scratch if the suite runs over PostgreSQL.
fn create_shared_database() -> Option<SharedDatabase> {
    if !database::is_over_postgres() {
        return None;
    }
    let database = TestDatabase::create().expect("TRUEUP_TEST_DATABASE=postgres needs a server");
    let client_url = database.client_url();
    Some(SharedDatabase { database, client_url })
}

impl Home {
    /// Makes a scratch whose project is a git repository on branch `main` with one commit.
    pub fn new() -> Self {
        let home = Self::without_git();
        home.run_git(&["init", "--quiet", "--initial-branch=main"]);
        home.run_git(&["commit", "--quiet", "--allow-empty", "-m", "first"]);
        home
    }

    /// Makes a scratch whose project is not a git repository.
    pub fn without_git() -> Self {
        let dir = tempfile::Builder::new().prefix("trueup-").tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for name in ["home", "trueup", "project"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        Self { project: root.join("project"), dir, shared: create_shared_database() }
    }

    /// Returns the URL of the database on a server; none where the database is the default file.
    pub fn shared_url(&self) -> Option<&str> {
        self.shared.as_ref().map(|shared| shared.client_url.as_str())
    }

    /// Returns the URL by which a hub serves that database.
    pub fn hub_url(&self) -> Option<String> {
        self.shared.as_ref().map(|shared| shared.database.hub_url())
    }

    /// Sets what makes a command use the directories and the database of the scratch alone.
    pub fn set_variables(&self, command: &mut Command) {
        command.env("HOME", self.user_home()).env("TRUEUP_HOME", self.trueup_home());
        if let Some(url) = self.shared_url() {
            command.env("TRUEUP_DATABASE_URL", url);
        }
    }

    /// Returns the root of everything.
    pub fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    /// Returns the user's home directory.
    pub fn user_home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// Returns `TRUEUP_HOME`.
    pub fn trueup_home(&self) -> PathBuf {
        self.root().join("trueup")
    }

    /// Returns the project's directory.
    pub fn project_dir(&self) -> &Path {
        &self.project
    }

    /// Takes another directory for the project.
    pub fn move_project(&mut self, to: PathBuf) {
        self.project = to;
    }

    /// Runs git in the project.
    pub fn run_git(&self, arguments: &[&str]) {
        self.git_in(&self.project, arguments);
    }

    /// Makes a git repository of a directory, with its parents.
    pub fn init_repository(&self, directory: &Path) {
        fs::create_dir_all(directory).unwrap();
        self.git_in(directory, &["init", "--quiet", "--initial-branch=main"]);
    }

    fn git_in(&self, directory: &Path, arguments: &[&str]) {
        let output = Command::new("git")
            .current_dir(directory)
            .env("HOME", self.user_home())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(arguments)
            .output()
            .expect("git is installed");
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
    }

    /// Prepares a run of a binary.
    pub fn prepare_run(&self, binary: &str) -> ProcessRun<'_> {
        ProcessRun::new(self, binary)
    }

    /// Runs a hook on a payload.
    pub fn run_hook(&self, binary: &str, payload: &Payload) -> ProcessOutput {
        self.prepare_run(binary).payload(payload).wait()
    }

    /// Makes a payload from a fixture, for [`FIRST_SESSION`] in the project.
    pub fn payload(&self, fixture: &str) -> Payload {
        Payload::from_fixture(fixture, FIRST_SESSION, &self.project)
    }

    /// Starts [`FIRST_SESSION`].
    pub fn start_session(&self) -> ProcessOutput {
        self.run_hook("session-start-sync", &self.payload("session-start.startup"))
    }

    /// Sends a prompt in [`FIRST_SESSION`].
    pub fn send_prompt(&self) -> ProcessOutput {
        self.run_hook("session-start-sync", &self.payload("user-prompt-submit"))
    }

    /// Pushes after the event of a fixture in [`FIRST_SESSION`].
    pub fn push_event(&self, fixture: &str) -> ProcessOutput {
        self.run_hook("checkpoint-push", &self.payload(fixture))
    }

    /// Returns the path of the shared cache.
    pub fn cache_path(&self) -> PathBuf {
        self.project.join(".claude/auto-proceed-state.json")
    }

    /// Reads a cache.
    pub fn read_json(path: &Path) -> Value {
        let text =
            fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Reads the shared cache.
    pub fn read_cache(&self) -> Value {
        Self::read_json(&self.cache_path())
    }

    /// Edits the shared cache as an editor would, without touching its stamp.
    pub fn edit_cache(&self, key: &str, value: impl Into<Value>) {
        let mut cache = self.read_cache();
        cache[key] = value.into();
        self.write_cache(format!("{cache:#}"));
    }

    /// Writes bytes to the path of the shared cache.
    pub fn write_cache(&self, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.cache_path().parent().unwrap()).unwrap();
        fs::write(self.cache_path(), bytes).unwrap();
    }

    /// Lists the names in the project's `.claude`.
    pub fn claude_names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.project.join(".claude"));
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Returns the records of the journal or the outbox.
    pub fn read_lines(&self, file: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.trueup_home().join(file)).unwrap_or_default();
        let json = |line: &str| serde_json::from_str(line.split_once(' ').unwrap().1).unwrap();
        text.lines().filter(|line| !line.is_empty()).map(json).collect()
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}
