//! A home, a repository and a plugin that exist for one test only.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::host_name::{self, rename_arguments};

use super::{ClientRun, HarnessResult, Turn, find_client, plugin};

/// A made-up API key: the scripted model accepts any.
const API_KEY: &str = "sk-ant-scripted-model-only";

/// Disables everything that the client would send to anyone but the scripted model. Other HTTPS
/// goes to a loopback port on which nothing listens.
const QUIET_ENVIRONMENT: [(&str, &str); 8] = [
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("DISABLE_AUTOUPDATER", "1"),
    ("DISABLE_TELEMETRY", "1"),
    ("DISABLE_ERROR_REPORTING", "1"),
    ("HTTPS_PROXY", "http://127.0.0.1:9"),
    ("NO_PROXY", "127.0.0.1,localhost"),
    ("LANG", "C.UTF-8"),
    ("TZ", "UTC"),
];

const GIT_IDENTITY: [(&str, &str); 4] = [
    ("GIT_AUTHOR_NAME", "scratch"),
    ("GIT_AUTHOR_EMAIL", "scratch@example.invalid"),
    ("GIT_COMMITTER_NAME", "scratch"),
    ("GIT_COMMITTER_EMAIL", "scratch@example.invalid"),
];

/// All directories of one test, removed when it ends.
#[derive(Debug)]
pub struct Scratch {
    root: TempDir,
    client: PathBuf,
    host: Option<String>,
}

impl Scratch {
    /// Makes a scratch with the product's plugin, or `None` when there is no client to run.
    pub fn with_product() -> HarnessResult<Option<Self>> {
        Self::create_with(plugin::stage_product)
    }

    /// Makes a scratch with a plugin of shell scripts, or `None` when there is no client to run.
    pub fn with_scripts(hooks: &Value, scripts: &[(&str, &str)]) -> HarnessResult<Option<Self>> {
        Self::create_with(|target| plugin::stage_scripts(target, hooks, scripts))
    }

    fn create_with(stage: impl FnOnce(&Path) -> HarnessResult<()>) -> HarnessResult<Option<Self>> {
        let Some(client) = find_client()? else {
            return Ok(None);
        };
        let root = tempfile::Builder::new().prefix("trueup-client-").tempdir()?;
        let scratch = Self { root, client: client.to_path_buf(), host: None };
        for dir in ["home/.claude", "repo", "plugin", "trueup"] {
            fs::create_dir_all(scratch.path(dir))?;
        }
        stage(&scratch.plugin())?;
        scratch.answer_first_run_questions()?;
        scratch.make_repository()?;
        Ok(Some(scratch))
    }

    /// Gives everything that runs here a host name of its own, as on another machine.
    #[must_use]
    pub fn on_host(self, name: &str) -> Self {
        Self { host: Some(name.to_owned()), ..self }
    }

    fn answer_first_run_questions(&self) -> HarnessResult<()> {
        let trusted =
            json!({"hasTrustDialogAccepted": true, "hasCompletedProjectOnboarding": true});
        let mut state = json!({"hasCompletedOnboarding": true, "projects": {}});
        state["projects"][self.repo().to_string_lossy().as_ref()] = trusted;
        fs::write(self.path("home/.claude/.claude.json"), state.to_string())?;
        Ok(())
    }

    fn make_repository(&self) -> HarnessResult<()> {
        fs::write(self.repo().join("README.md"), "A scratch repository.\n")?;
        self.run_git(&["init", "-q", "-b", "main"])?;
        self.run_git(&["add", "-A"])?;
        self.run_git(&["commit", "-q", "-m", "first"])
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    /// Returns the repository that sessions start in.
    pub fn repo(&self) -> PathBuf {
        self.path("repo")
    }

    /// Returns the staged plugin's directory.
    pub fn plugin(&self) -> PathBuf {
        self.path("plugin")
    }

    /// Returns trueup's only directory here: configuration, database, outbox, log.
    pub fn trueup_home(&self) -> PathBuf {
        self.path("trueup")
    }

    /// Returns the path of the local cache.
    pub fn cache_path(&self) -> PathBuf {
        self.repo().join(".claude/auto-proceed-state.json")
    }

    /// Reads the local cache.
    pub fn read_cache(&self) -> HarnessResult<Value> {
        let path = self.cache_path();
        let text = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// Prepares a program in the repository, its environment built from nothing.
    pub fn build_command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = match &self.host {
            None => Command::new(program),
            Some(name) => {
                let mut command = Command::new(host_name::PROGRAM);
                command.args(rename_arguments(name)).arg(program);
                command
            }
        };
        command
            .current_dir(self.repo())
            .stdin(Stdio::null())
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(QUIET_ENVIRONMENT)
            .envs(GIT_IDENTITY)
            .env("HOME", self.path("home"))
            .env("CLAUDE_CONFIG_DIR", self.path("home/.claude"))
            .env("ANTHROPIC_API_KEY", API_KEY)
            .env("SHELL", "/bin/bash")
            .env("TRUEUP_HOME", self.trueup_home());
        command
    }

    /// Prepares the client itself.
    pub fn client_command(&self) -> Command {
        self.build_command(&self.client)
    }

    /// Plans one run of the client, in which the model takes `turns`.
    pub fn plan_run(&self, turns: impl IntoIterator<Item = Turn>) -> ClientRun<'_> {
        ClientRun::new(self, turns.into_iter().collect())
    }

    /// Runs git in the repository.
    pub fn run_git(&self, arguments: &[&str]) -> HarnessResult<()> {
        require_success(self.build_command("git").args(arguments).output()?, "git", arguments)
            .map(drop)
    }

    /// Runs `trueup … --json` for a session and returns the whole answer.
    pub fn run_trueup(&self, session: &str, arguments: &[&str]) -> HarnessResult<Value> {
        let output = self
            .build_command(self.plugin().join("bin/trueup"))
            .args(arguments)
            .arg("--json")
            .env("TRUEUP_SESSION_ID", session)
            .output()?;
        Ok(serde_json::from_slice(&require_success(output, "trueup", arguments)?)?)
    }
}

fn require_success(output: Output, program: &str, arguments: &[&str]) -> HarnessResult<Vec<u8>> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let line = arguments.join(" ");
    Err(format!("`{program} {line}` ended with {}: {}", output.status, stderr.trim()).into())
}
