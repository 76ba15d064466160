//! Checks of the client, Claude Code: its settings and its version. Nothing is written, and entries
//! that cannot be understood are ignored.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::check_result::CheckResult;
use super::client_files::{find_config_dir, read_client_json, try_read_client_json};
use super::plugin::{is_client_on_path, is_trueup_plugin, list_installed_ids};
use crate::command_context::CommandContext;

/// The oldest version of the client that trueup is tested with.
const OLDEST_CLIENT: [u64; 3] = [2, 1, 328];

/// Longest wait for `PROGRAM --version`.
const VERSION_PATIENCE: Duration = Duration::from_secs(10);

/// Most bytes of version output read.
const MAX_VERSION_BYTES: u64 = 4_096;

/// Settings files of administrators.
const MANAGED_SETTINGS: [&str; 2] = [
    "/etc/claude-code/managed-settings.json",
    "/Library/Application Support/ClaudeCode/managed-settings.json",
];

/// Reads the settings files of the client, in order of precedence.
fn read_settings(context: &CommandContext) -> Vec<(PathBuf, Value)> {
    let read = |path: PathBuf| read_client_json(&path).map(|value| (path, value));
    list_settings_files(context).filter_map(read).collect()
}

/// Lists the settings files of the client, in order of precedence.
fn list_settings_files(context: &CommandContext) -> impl Iterator<Item = PathBuf> {
    let project = context.run.project.dir.join(".claude");
    MANAGED_SETTINGS
        .into_iter()
        .map(PathBuf::from)
        .chain([project.join("settings.local.json"), project.join("settings.json")])
        .chain(find_config_dir(context).map(|dir| dir.join("settings.json")))
}

/// Checks that all settings files can be read; an unreadable one might disable the hooks.
pub(super) fn check_settings_readable(context: &CommandContext, _: bool) -> CheckResult {
    let unreadable = list_settings_files(context)
        .find_map(|path| Some((try_read_client_json(&path).err()?, path)));
    match unreadable {
        Some((reason, path)) => CheckResult::fail(
            format!("{} cannot be read, so it may disable the hooks: {reason}", path.display()),
            format!("correct {}, or move it away", path.display()),
        ),
        None => CheckResult::ok("all settings files can be read"),
    }
}

/// Tells whether a value in `enabledPlugins` enables a plugin: `true`, or a restriction to some
/// versions. Text such as `"false"` does not.
fn is_enabling_value(value: &Value) -> bool {
    matches!(value, Value::Bool(true) | Value::Array(_) | Value::Object(_))
}

/// Checks that the settings do not disable the plugin. The first file that mentions a plugin id
/// decides. Enabling an id that is not installed has no effect.
pub(super) fn check_plugin_enabled(context: &CommandContext, _: bool) -> CheckResult {
    let mut plugin_switches: Vec<(String, PathBuf, bool)> = Vec::new();
    for (path, value) in read_settings(context) {
        let plugins = value.get("enabledPlugins").and_then(Value::as_object);
        for (id, on) in plugins.into_iter().flatten().filter(|(id, _)| is_trueup_plugin(id)) {
            if !plugin_switches.iter().any(|(known, _, _)| known == id) {
                plugin_switches.push((id.clone(), path.clone(), is_enabling_value(on)));
            }
        }
    }
    let installed = list_installed_ids(context);
    if !installed.is_empty() {
        let is_unmentioned =
            |id: &&String| !plugin_switches.iter().any(|(known, _, _)| known == *id);
        if let Some(id) = installed.iter().find(is_unmentioned) {
            return CheckResult::ok(format!("no settings file disables {id}"));
        }
        plugin_switches.retain(|(id, _, _)| installed.contains(id));
    }
    match plugin_switches.iter().find(|(_, _, on)| !on) {
        Some((id, path, _)) if !plugin_switches.iter().any(|(_, _, on)| *on) => CheckResult::fail(
            format!("{} disables {id}: its hooks do not run", path.display()),
            format!(
                "claude plugin enable {id}, or set it to true under enabledPlugins in {}",
                path.display()
            ),
        ),
        _ => CheckResult::ok("no settings file disables it"),
    }
}

/// Checks that the settings do not disable all hooks or those of plugins.
pub(super) fn check_hooks_enabled(context: &CommandContext, _: bool) -> CheckResult {
    let settings = read_settings(context);
    for (key, meaning) in [
        ("disableAllHooks", "hooks do not run"),
        ("allowManagedHooksOnly", "plugin hooks do not run"),
    ] {
        let setting = settings.iter().find_map(|(path, value)| Some((path, value.get(key)?)));
        if let Some((path, Value::Bool(true))) = setting {
            return CheckResult::fail(
                format!("{} sets {key}: {meaning}", path.display()),
                format!("remove {key} from {}", path.display()),
            );
        }
    }
    CheckResult::ok("no settings file disables them")
}

/// Checks the version of the client on PATH. A missing client is reported by the check of the
/// plugin.
pub(super) fn check_client_version(context: &CommandContext, _: bool) -> CheckResult {
    let Some(line) = run_version_command("claude") else {
        if is_client_on_path(context) {
            let fix = "run claude --version to see why, or install Claude Code again";
            return CheckResult::fail("claude is on PATH and does not run", fix);
        }
        return CheckResult::skip("claude is not on PATH");
    };
    match parse_version(&line) {
        Some(version) if version < OLDEST_CLIENT => {
            let [major, minor, patch] = OLDEST_CLIENT;
            CheckResult::fail(
                format!(
                    "{line} is older than {major}.{minor}.{patch}, the oldest version trueup is tested with"
                ),
                "claude update",
            )
        }
        Some(_) => CheckResult::ok(line),
        None => CheckResult::warn(
            format!("claude --version printed {line:?}, which is not a version"),
            "claude update",
        ),
    }
}

/// Parses the first three numbers of a line such as `2.1.328 (Claude Code)`.
fn parse_version(line: &str) -> Option<[u64; 3]> {
    let word =
        line.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut numbers = word.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().ok());
    Some([numbers.next()??, numbers.next()??, numbers.next()??])
}

/// Runs `PROGRAM --version` and returns its first line; absent when it does not run, fails or takes
/// too long.
pub(super) fn run_version_command(program: &str) -> Option<String> {
    let mut child = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut stdout_bytes = Vec::new();
        // The receiver may have timed out.
        let read = stdout.take(MAX_VERSION_BYTES).read_to_end(&mut stdout_bytes);
        let _ = sender.send(read.map(|_| stdout_bytes));
    });
    let stdout = receiver.recv_timeout(VERSION_PATIENCE);
    if stdout.is_err() {
        // An error means that it has just ended.
        let _ = child.kill();
    }
    let status = child.wait().ok()?;
    let text = String::from_utf8_lossy(&stdout.ok()?.ok()?).into_owned();
    let line = text.lines().next()?.trim().to_owned();
    (status.success() && !line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_three_numbers_wherever_they_stand() {
        for (line, version) in [
            ("2.1.328 (Claude Code)", Some([2, 1, 328])),
            ("claude 2.0.9-beta.1", Some([2, 0, 9])),
            ("2.1", None),
            ("unknown", None),
            ("", None),
        ] {
            assert_eq!(parse_version(line), version, "{line}");
        }
        assert!(parse_version("2.1.99") < Some(OLDEST_CLIENT));
        assert!(parse_version("10.0.0") > Some(OLDEST_CLIENT));
    }
}
