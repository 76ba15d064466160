//! The plugin: whether the client has it, and whether its files are as they were installed.

use std::path::{Path, PathBuf};

use serde_json::Value;
use trueup_core::files::{read_bytes, sha256};

use super::Finding;
use super::client::{config_dir, read_json};
use crate::desk::Desk;

/// The binaries that the hooks run.
const HOOKS: [&str; 3] = [
    "session-start-sync",
    "checkpoint-push",
    "pre-handoff-validate",
];

/// What the hooks file of this version holds.
const HOOKS_FILE: &str = include_str!("../../../../hooks/hooks.json");

/// Where an installation says what its files are, from its root.
const DIGESTS: &str = "hooks/SHA256SUMS";

/// Largest file of a plugin, in bytes; a binary has a few million.
const LARGEST: u64 = 256 * 1024 * 1024;

const REINSTALL: &str = "run install/install.sh again, and then restart Claude Code";

/// Tells whether the client's id of a plugin is one of trueup's.
pub(super) fn is_ours(id: &str) -> bool {
    id == "trueup" || id.starts_with("trueup@")
}

/// Looks for the plugin in the client's own records.
pub(super) fn installed(desk: &Desk, _: bool) -> Finding {
    if roots(desk).is_some() {
        Finding::ok("Claude Code has it installed")
    } else {
        Finding::warn(
            "Claude Code does not have it installed",
            "run install/install.sh with `claude` on PATH, or start claude with --plugin-dir",
        )
    }
}

/// Lists the directories that the client runs the plugin from; nothing when it has none. A
/// marketplace that is a directory is used in place, any other is copied.
fn roots(desk: &Desk) -> Option<Vec<PathBuf>> {
    let plugins = config_dir(desk)?.join("plugins");
    let records = read_json(&plugins.join("installed_plugins.json"))?;
    let markets = read_json(&plugins.join("known_marketplaces.json"));
    let ours = records.get("plugins")?.as_object()?;
    let ours: Vec<(&String, &Value)> = ours.iter().filter(|(id, _)| is_ours(id)).collect();
    if ours.is_empty() {
        return None;
    }
    let mut roots = Vec::new();
    for (id, record) in ours {
        let market = id.split_once('@').map_or("", |(_, market)| market);
        let source = markets
            .as_ref()
            .and_then(|all| all.get(market)?.get("source"));
        let directory = source.and_then(|source| source.get("path")?.as_str());
        let copies = match record {
            Value::Array(list) => list.iter().collect(),
            other => vec![other],
        };
        let copies = copies
            .into_iter()
            .filter_map(|copy| copy.get("installPath")?.as_str());
        match directory {
            Some(directory) => roots.push(PathBuf::from(directory)),
            None => roots.extend(copies.map(PathBuf::from)),
        }
    }
    roots.dedup();
    Some(roots)
}

/// Whether the hooks file and the binaries of the installed plugin are there and unaltered.
pub(super) fn staged(desk: &Desk, _: bool) -> Finding {
    let roots = roots(desk).unwrap_or_default();
    for root in &roots {
        if let Some(problem) = problem_of(root) {
            return Finding::fail(problem, REINSTALL);
        }
    }
    match roots.first() {
        Some(root) => Finding::ok(root.display().to_string()),
        None => Finding::ok("not looked at"),
    }
}

fn problem_of(root: &Path) -> Option<String> {
    let hooks = root.join("hooks/hooks.json");
    let Some(found) = read_json(&hooks) else {
        return Some(format!("{} is missing or no JSON", hooks.display()));
    };
    let missing = HOOKS.iter().map(|name| root.join("bin").join(name));
    if let Some(path) = missing.into_iter().find(|path| !is_executable(path)) {
        return Some(format!("{} is missing or cannot be run", path.display()));
    }
    if let Some(path) = altered_by_digest(root) {
        return Some(format!(
            "{} is not what was installed",
            root.join(path).display()
        ));
    }
    let manifest = read_json(&root.join(".claude-plugin/plugin.json"));
    let version = manifest.as_ref().and_then(|json| json.get("version"));
    // The hooks file of another version may differ.
    if version.and_then(Value::as_str) == Some(env!("CARGO_PKG_VERSION"))
        && let Some(event) = missing_event(&found)
    {
        return Some(format!(
            "{} lacks hooks of {event}, or has others",
            hooks.display()
        ));
    }
    None
}

/// Names an event whose hooks are not those of this version; an installation may add events
/// that newer clients know.
fn missing_event(found: &Value) -> Option<String> {
    let shipped: Value = serde_json::from_str(HOOKS_FILE).unwrap_or_default();
    let shipped = shipped.get("hooks").and_then(Value::as_object)?;
    shipped
        .iter()
        .find(|(event, hooks)| found.get("hooks").and_then(|all| all.get(*event)) != Some(hooks))
        .map(|(event, _)| event.clone())
}

/// Names a file whose digest is not the one noted when it was installed.
fn altered_by_digest(root: &Path) -> Option<String> {
    let noted = read_bytes(&root.join(DIGESTS), LARGEST, true).ok()?;
    let noted = String::from_utf8_lossy(&noted);
    noted
        .lines()
        .filter_map(|line| line.split_once("  "))
        .find(|(digest, name)| {
            read_bytes(&root.join(name), LARGEST, true).map_or(true, |b| sha256(&b) != *digest)
        })
        .map(|(_, name)| name.to_owned())
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|data| {
        data.is_file() && data.len() > 0 && data.permissions().mode() & 0o111 != 0
    })
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}
