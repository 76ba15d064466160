//! The check of Codex: that the hooks in its `hooks.json` are trueup's, complete and decided on.

use std::path::{Path, PathBuf};

use serde_json::Value;
use trueup_core::fs::read_bytes;

use super::check_result::CheckResult;
use super::client_files::try_read_client_json;
use crate::command_context::CommandContext;

/// The hooks that the installer registers, with `${BIN}` for the directory of the binaries.
const REGISTERED_HOOKS: &str = include_str!("../../../../install/codex/hooks.json");

/// Largest configuration of Codex read, in bytes.
const MAX_CONFIG_BYTES: u64 = 4 * 1024 * 1024;

const REGISTER_HINT: &str = "trueup install --codex";

/// Checks the hooks that are registered with Codex.
pub(super) fn check_hooks(context: &CommandContext, _: bool) -> CheckResult {
    let Some(home) = find_codex_home(context) else {
        return CheckResult::skip("Codex was not found");
    };
    let path = home.join("hooks.json");
    let file = match try_read_client_json(&path) {
        Ok(file) => file.unwrap_or_default(),
        Err(why) => {
            let fix = format!("correct {}, then {REGISTER_HINT}", path.display());
            return CheckResult::fail(format!("{} cannot be read: {why}", path.display()), fix);
        }
    };
    let handlers = list_handlers(&file);
    let own: Vec<&Handler<'_>> = handlers.iter().filter(|it| it.binary.is_some()).collect();
    if own.is_empty() {
        return CheckResult::warn("Codex is here, and runs no hooks of trueup", REGISTER_HINT);
    }
    if let Some(problem) = find_problem(&own, &path) {
        return CheckResult::fail(problem, REGISTER_HINT);
    }
    let config = read_bytes(&home.join("config.toml"), MAX_CONFIG_BYTES, true).unwrap_or_default();
    let config = String::from_utf8_lossy(&config);
    let undecided = own.iter().filter(|it| !config.contains(&it.trust_key(&path))).count();
    if undecided > 0 {
        return CheckResult::warn(
            format!("{undecided} of {} hooks wait for you to trust them in Codex", own.len()),
            "start codex and choose \"Trust all and continue\", or trust them in /hooks",
        );
    }
    CheckResult::ok(format!("hooks registered in {}", path.display()))
}

/// Finds Codex's directory, if Codex is on PATH or has one.
fn find_codex_home(context: &CommandContext) -> Option<PathBuf> {
    let environment = &context.environment;
    let home = || environment.path("HOME").map(|home| home.join(".codex"));
    let dir = environment.path("CODEX_HOME").or_else(home)?;
    let search_path = environment.path("PATH").unwrap_or_default();
    let is_on_path = || std::env::split_paths(&search_path).any(|dir| dir.join("codex").is_file());
    (dir.is_dir() || is_on_path()).then_some(dir)
}

/// A handler, with its place in the file.
struct Handler<'f> {
    event: &'f str,
    group: usize,
    at: usize,
    matcher: Option<&'f str>,
    /// The binary of trueup that it runs, with its name.
    binary: Option<(PathBuf, &'static str)>,
}

impl Handler<'_> {
    /// What it is beside its place in the list and the directory of the binary.
    fn identity(&self) -> (&str, Option<&str>, Option<&str>) {
        (self.event, self.matcher, self.binary.as_ref().map(|(_, name)| *name))
    }

    /// Returns the key under which Codex keeps what the user has decided about it.
    fn trust_key(&self, file: &Path) -> String {
        let mut event = String::new();
        for (at, c) in self.event.char_indices() {
            if c.is_ascii_uppercase() && at > 0 {
                event.push('_');
            }
            event.push(c.to_ascii_lowercase());
        }
        format!("{}:{event}:{}:{}", file.display(), self.group, self.at)
    }
}

fn list_handlers(file: &Value) -> Vec<Handler<'_>> {
    let mut handlers = Vec::new();
    let events = file.get("hooks").and_then(Value::as_object).into_iter().flatten();
    for (event, groups) in events {
        for (group, value) in groups.as_array().into_iter().flatten().enumerate() {
            let matcher = value.get("matcher").and_then(Value::as_str);
            let list = value.get("hooks").and_then(Value::as_array).into_iter().flatten();
            handlers.extend(list.enumerate().map(|(at, handler)| {
                let command = handler.get("command").and_then(Value::as_str);
                Handler { event, group, at, matcher, binary: command.and_then(find_binary) }
            }));
        }
    }
    handlers
}

/// Returns the binary of trueup that a command runs.
fn find_binary(command: &str) -> Option<(PathBuf, &'static str)> {
    let path = match command.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(quoted) => quoted.replace(r"'\''", "'"),
        None => command.to_owned(),
    };
    let path = PathBuf::from(path.trim_start_matches("${BIN}/"));
    let name = path.file_name().and_then(|name| name.to_str())?;
    let name = super::plugin::HOOK_BINARIES.into_iter().find(|known| *known == name)?;
    Some((path, name))
}

/// Describes what is missing or differs.
fn find_problem(own: &[&Handler<'_>], file: &Path) -> Option<String> {
    let gone = own.iter().filter_map(|it| it.binary.as_ref()).find(|(path, _)| !path.is_file());
    if let Some((path, _)) = gone {
        return Some(format!(
            "{} is missing, which the hooks in {} run",
            path.display(),
            file.display()
        ));
    }
    let registered: Value = serde_json::from_str(REGISTERED_HOOKS).unwrap_or_default();
    let registered = list_handlers(&registered);
    let is_there = |it: &&Handler<'_>| own.iter().any(|own| own.identity() == it.identity());
    let missing = registered.iter().find(|it| !is_there(it));
    missing
        .map(|it| format!("the hooks of {} in {} are missing or differ", it.event, file.display()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn commands_of_trueup_are_known_by_the_binary_they_run() {
        for (command, name) in [
            ("/p/bin/checkpoint-push", Some("checkpoint-push")),
            ("'/a place/it'\\''s/session-start-sync'", Some("session-start-sync")),
            ("/p/bin/other", None),
            ("echo checkpoint-push", None),
            ("", None),
        ] {
            assert_eq!(find_binary(command).map(|(_, name)| name), name, "{command}");
        }
    }

    #[test]
    fn what_codex_remembers_of_a_hook_is_found_by_its_place() {
        let file = json!({"hooks": {"PreToolUse": [{}, {"hooks": [{}, {"command": "x"}]}]}});
        let keys: Vec<String> =
            list_handlers(&file).iter().map(|it| it.trust_key(Path::new("/h"))).collect();
        assert_eq!(keys, ["/h:pre_tool_use:1:0", "/h:pre_tool_use:1:1"]);
    }
}
