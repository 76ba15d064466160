//! One `codex exec` in a throw-away home.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{CodexTurn, ScriptedResponses, find_codex};
use crate::client::{HarnessResult, find_binary, repository_root};
use crate::home::Home;

/// A home with Codex's configuration, whose project is a git repository.
#[derive(Debug)]
pub struct CodexScratch {
    client: &'static Path,
    /// The user's home, trueup's and the project.
    pub home: Home,
    /// Variables that the client inherits beside its own.
    pub inherited: Vec<(&'static str, &'static str)>,
}

/// A run that ended.
#[derive(Debug)]
pub struct CodexRun {
    /// The session's id.
    pub session: String,
    /// Bodies of the requests to the model, oldest first.
    pub requests: Vec<Value>,
    /// What the client printed to stderr.
    pub stderr: String,
}

impl CodexScratch {
    /// Makes a scratch with the product's hooks registered; `None` where there is no Codex.
    pub fn with_product() -> HarnessResult<Option<Self>> {
        let Some(scratch) = Self::without_hooks()? else { return Ok(None) };
        let hooks = fs::read_to_string(repository_root().join("install/codex/hooks.json"))?;
        let binaries = find_binaries()?;
        fs::write(scratch.codex_file("hooks.json"), hooks.replace("${BIN}", &binaries))?;
        Ok(Some(scratch))
    }

    /// Makes a scratch without hooks; `None` where there is no Codex.
    pub fn without_hooks() -> HarnessResult<Option<Self>> {
        let Some(client) = find_codex()? else { return Ok(None) };
        let scratch = Self { client, home: Home::new(), inherited: Vec::new() };
        fs::create_dir(scratch.home.user_home().join(".codex"))?;
        Ok(Some(scratch))
    }

    /// Runs the client with other arguments than those of a prompt.
    pub fn run_command(&self, arguments: &[&str]) -> HarnessResult<String> {
        let output = self.command()?.args(arguments).output()?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            Ok(printed)
        } else {
            Err(format!("codex {arguments:?} failed: {stderr}").into())
        }
    }

    /// Runs one prompt to its end; the model takes `turns` in order.
    pub fn run_prompt(&self, turns: Vec<CodexTurn>, more: &[&str]) -> HarnessResult<CodexRun> {
        let model = ScriptedResponses::start(turns)?;
        let url = model.url();
        let set = |key: &str, value: &str| format!("model_providers.scripted.{key}=\"{value}\"");
        let provider = [
            set("name", "scripted"),
            set("base_url", &url),
            set("wire_api", "responses"),
            set("env_key", "SCRIPTED_KEY"),
            "model_provider=\"scripted\"".to_owned(),
            "analytics.enabled=false".to_owned(),
        ];
        let mut command = self.command()?;
        command.arg("exec").args(more);
        for line in &provider {
            command.args(["-c", line]);
        }
        let output = command
            .args(["--json", "--model", "gpt-5.5", "--dangerously-bypass-hook-trust"])
            .args(["--dangerously-bypass-approvals-and-sandbox", "--", "go on"])
            .output()?;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            return Err(format!("codex failed ({}): {stderr}", output.status).into());
        }
        let events = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut events = events.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let started = events.find(|event| event["type"] == "thread.started");
        let session = started.and_then(|event| event["thread_id"].as_str().map(str::to_owned));
        let session = session.ok_or("the client named no session")?;
        Ok(CodexRun { session, requests: model.requests(), stderr })
    }

    /// Returns a file of Codex's directory.
    fn codex_file(&self, name: &str) -> std::path::PathBuf {
        self.home.user_home().join(".codex").join(name)
    }

    fn command(&self) -> HarnessResult<Command> {
        let mut command = Command::new(self.client);
        command.env_clear().current_dir(self.home.project_dir());
        self.home.set_variables(&mut command);
        command
            .env("PATH", format!("{}:/usr/bin:/bin", find_binaries()?))
            .envs(self.inherited.iter().copied())
            .env("TERM", "dumb")
            .env("SCRIPTED_KEY", "none")
            // Whatever is not for the model goes nowhere.
            .env("HTTPS_PROXY", "http://127.0.0.1:1")
            .stdin(Stdio::null());
        Ok(command)
    }
}

impl CodexRun {
    /// Returns what the model read before it answered for the `nth` time, as text.
    pub fn told(&self, nth: usize) -> String {
        let input = self.requests.get(nth).map(|request| &request["input"]);
        let items = input.and_then(Value::as_array).into_iter().flatten();
        let texts = items.flat_map(|item| {
            let contents = item["content"].as_array().into_iter().flatten();
            let texts = contents.filter_map(|content| content["text"].as_str());
            texts.chain(item["output"].as_str()).collect::<Vec<_>>()
        });
        texts.collect::<Vec<_>>().join("\n")
    }
}

/// Returns the directory of the product's binaries.
fn find_binaries() -> HarnessResult<String> {
    let trueup = find_binary("trueup")?;
    let dir = trueup.parent().ok_or("the binaries lie in no directory")?;
    Ok(dir.to_string_lossy().into_owned())
}
