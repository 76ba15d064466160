//! The client, Claude Code: its settings and its version. Everything is read only, and what
//! cannot be understood in a file of the client's is passed over.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use trueup_core::files::read_bytes;

use super::Finding;
use super::plugin::{installed_ids, is_ours};
use crate::desk::Desk;

/// The oldest client that trueup is tested with.
const OLDEST_CLIENT: [u64; 3] = [2, 1, 328];

/// Largest file of the client's that is read, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Longest wait for a program to name its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most bytes of a program's answer.
const LONGEST_ANSWER: u64 = 4_096;

/// Where an administrator's settings are.
const MANAGED: [&str; 2] = [
    "/etc/claude-code/managed-settings.json",
    "/Library/Application Support/ClaudeCode/managed-settings.json",
];

/// Returns the client's configuration directory.
pub(super) fn config_dir(desk: &Desk) -> Option<PathBuf> {
    desk.environment.path("CLAUDE_CONFIG_DIR").or_else(|| {
        desk.environment
            .path("HOME")
            .map(|home: PathBuf| home.join(".claude"))
    })
}

/// Reads a JSON file of the client's; nothing when there is none or it makes no sense.
pub(super) fn read_json(path: &Path) -> Option<Value> {
    try_json(path).ok().flatten()
}

/// Reads a JSON file of the client's, or says why it cannot be; nothing when there is none.
fn try_json(path: &Path) -> Result<Option<Value>, String> {
    let bytes = match read_bytes(path, LARGEST, true) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error.to_string()),
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    // An empty file sets nothing.
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let is_object = value.is_object();
    is_object
        .then_some(Some(value))
        .ok_or_else(|| "not a JSON object".to_owned())
}

/// Lists the client's settings files, whose word counts most first.
fn settings(desk: &Desk) -> Vec<(PathBuf, Value)> {
    let read = |path: PathBuf| read_json(&path).map(|value| (path, value));
    settings_files(desk).filter_map(read).collect()
}

/// Names the client's settings files, whose word counts most first.
fn settings_files(desk: &Desk) -> impl Iterator<Item = PathBuf> {
    let project = desk.site.project.dir.join(".claude");
    MANAGED
        .into_iter()
        .map(PathBuf::from)
        .chain([
            project.join("settings.local.json"),
            project.join("settings.json"),
        ])
        .chain(config_dir(desk).map(|dir| dir.join("settings.json")))
}

/// Whether all settings files can be read: what stands in one that cannot, nobody can tell.
pub(super) fn settings_read(desk: &Desk, _: bool) -> Finding {
    let wrong = settings_files(desk).find_map(|path| Some((try_json(&path).err()?, path)));
    match wrong {
        Some((reason, path)) => Finding::fail(
            format!(
                "{} cannot be read, so it may disable the hooks: {reason}",
                path.display()
            ),
            format!("correct {}, or move it away", path.display()),
        ),
        None => Finding::ok("all settings files can be read"),
    }
}

/// Tells whether the value of `enabledPlugins` switches a plugin on: `true`, or what restricts it
/// to some versions. Text such as `"false"` does not.
fn switches_on(value: &Value) -> bool {
    matches!(
        value,
        Value::Bool(true) | Value::Array(_) | Value::Object(_)
    )
}

/// Whether the settings switch the plugin off: of each file that says something, the first. One
/// that is on and not installed runs nothing.
pub(super) fn plugin_enabled(desk: &Desk, _: bool) -> Finding {
    let mut switched: Vec<(String, PathBuf, bool)> = Vec::new();
    for (path, value) in settings(desk) {
        let plugins = value.get("enabledPlugins").and_then(Value::as_object);
        for (id, on) in plugins.into_iter().flatten().filter(|(id, _)| is_ours(id)) {
            if !switched.iter().any(|(known, _, _)| known == id) {
                switched.push((id.clone(), path.clone(), switches_on(on)));
            }
        }
    }
    let installed = installed_ids(desk);
    if !installed.is_empty() {
        let unsaid = |id: &&String| !switched.iter().any(|(known, _, _)| known == *id);
        if let Some(id) = installed.iter().find(unsaid) {
            return Finding::ok(format!("no settings file disables {id}"));
        }
        switched.retain(|(id, _, _)| installed.contains(id));
    }
    match switched.iter().find(|(_, _, on)| !on) {
        Some((id, path, _)) if !switched.iter().any(|(_, _, on)| *on) => Finding::fail(
            format!("{} disables {id}: its hooks do not run", path.display()),
            format!(
                "claude plugin enable {id}, or set it to true under enabledPlugins in {}",
                path.display()
            ),
        ),
        _ => Finding::ok("no settings file disables it"),
    }
}

/// Whether the settings switch hooks off, all or those of plugins.
pub(super) fn hooks_enabled(desk: &Desk, _: bool) -> Finding {
    let settings = settings(desk);
    for (key, meaning) in [
        ("disableAllHooks", "hooks do not run"),
        ("allowManagedHooksOnly", "plugin hooks do not run"),
    ] {
        let said = settings
            .iter()
            .find_map(|(path, value)| Some((path, value.get(key)?)));
        if let Some((path, Value::Bool(true))) = said {
            return Finding::fail(
                format!("{} sets {key}: {meaning}", path.display()),
                format!("remove {key} from {}", path.display()),
            );
        }
    }
    Finding::ok("no settings file disables them")
}

/// Whether the client on PATH is one that trueup is tested with. That there is none is for the
/// check of the plugin to say.
pub(super) fn version(_: &Desk, _: bool) -> Finding {
    let Some(line) = first_line_of("claude") else {
        return Finding::ok("claude is not on PATH");
    };
    match parse_version(&line) {
        Some(version) if version < OLDEST_CLIENT => {
            let [major, minor, patch] = OLDEST_CLIENT;
            Finding::fail(
                format!(
                    "{line} is older than {major}.{minor}.{patch}, the oldest version trueup is tested with"
                ),
                "claude update",
            )
        }
        Some(_) => Finding::ok(line),
        None => Finding::warn(
            format!("claude --version printed {line:?}, which is not a version"),
            "claude update",
        ),
    }
}

/// Reads the first three numbers of a line such as `2.1.328 (Claude Code)`.
fn parse_version(line: &str) -> Option<[u64; 3]> {
    let word = line
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut numbers = word
        .split(|c: char| !c.is_ascii_digit())
        .map(|number| number.parse().ok());
    Some([numbers.next()??, numbers.next()??, numbers.next()??])
}

/// Runs `PROGRAM --version` and returns its first line; nothing when it does not run, fails or
/// takes too long.
pub(super) fn first_line_of(program: &str) -> Option<String> {
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
        let mut answer = Vec::new();
        // Nobody may listen any more.
        let read = stdout.take(LONGEST_ANSWER).read_to_end(&mut answer);
        let _ = sender.send(read.map(|_| answer));
    });
    let answer = receiver.recv_timeout(PATIENCE);
    if answer.is_err() {
        // It ended just now, else it is made to.
        let _ = child.kill();
    }
    let status = child.wait().ok()?;
    let text = String::from_utf8_lossy(&answer.ok()?.ok()?).into_owned();
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
