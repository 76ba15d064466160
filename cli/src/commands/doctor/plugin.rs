//! The plugin: whether the client has it, and whether its files are as they were installed.

use std::path::{Path, PathBuf};

use serde_json::Value;
use trueup_core::files::{read_bytes, sha256};
use trueup_core::model::SessionStatus;
use trueup_core::store::{SessionFilter, Store as _};

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

/// Sessions looked at, the latest sign of life first.
const RECENT: u32 = 100;

const REINSTALL: &str = "run install/install.sh again, then restart Claude Code";

/// Tells whether the client's id of a plugin is one of trueup's.
pub(super) fn is_ours(id: &str) -> bool {
    id == "trueup" || id.starts_with("trueup@")
}

/// Looks for the plugin in the client's own records.
pub(super) fn installed(desk: &Desk, _: bool) -> Finding {
    let copies = copies(desk);
    if copies.iter().any(|copy| copy.is_for_here) {
        return Finding::ok("installed in Claude Code");
    }
    let fix = "run install/install.sh with `claude` on PATH, or start claude with --plugin-dir";
    if let Some(other) = copies.iter().find_map(|copy| copy.project.as_ref()) {
        return Finding::fail(
            format!(
                "installed only for {}: its hooks do not run here",
                other.display()
            ),
            fix,
        );
    }
    let missing = "not installed in Claude Code";
    if !has_client(desk) {
        return Finding::warn("Claude Code was not found", fix);
    }
    if hears_a_session(desk) {
        return Finding::warn(
            format!("{missing}, but a running session uses its hooks"),
            fix,
        );
    }
    Finding::fail(format!("{missing}: its hooks do not run"), fix)
}

/// Tells whether the client is on PATH, or was here: its directory is.
fn has_client(desk: &Desk) -> bool {
    let path = desk.environment.path("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join("claude").is_file())
        || config_dir(desk).is_some_and(|dir| dir.is_dir())
}

/// Tells whether a session is at work on this machine: hooks alone register one, so that they run
/// whatever the client's records say, as with `--plugin-dir`.
fn hears_a_session(desk: &Desk) -> bool {
    let filter = SessionFilter {
        statuses: SessionStatus::PRESENT,
        limit: RECENT,
        ..SessionFilter::default()
    };
    // Other checks tell of a database that cannot be asked.
    let sessions = desk
        .open()
        .ok()
        .and_then(|mut store| store.sessions(&filter).ok());
    sessions
        .unwrap_or_default()
        .iter()
        .any(|session| !session.lease_expired() && session.host.as_ref() == Some(&desk.site.host))
}

/// A copy of the plugin that the client's records name.
struct Copy {
    id: String,
    root: Option<PathBuf>,
    /// The project that alone uses it, if it is for one.
    project: Option<PathBuf>,
    is_for_here: bool,
}

/// Lists the ids under which the client has the plugin installed for this project.
pub(super) fn installed_ids(desk: &Desk) -> Vec<String> {
    let here = copies(desk).into_iter().filter(|copy| copy.is_for_here);
    here.map(|copy| copy.id).collect()
}

/// Lists the directories that the client runs the plugin from here.
fn roots(desk: &Desk) -> Vec<PathBuf> {
    let here = copies(desk).into_iter().filter(|copy| copy.is_for_here);
    let mut roots: Vec<PathBuf> = here.filter_map(|copy| copy.root).collect();
    roots.dedup();
    roots
}

/// Reads the client's records. A marketplace that is a directory is used in place, any other is
/// copied.
fn copies(desk: &Desk) -> Vec<Copy> {
    let Some(plugins) = config_dir(desk).map(|dir| dir.join("plugins")) else {
        return Vec::new();
    };
    let records = read_json(&plugins.join("installed_plugins.json"));
    let markets = read_json(&plugins.join("known_marketplaces.json"));
    let records = records
        .as_ref()
        .and_then(|all| all.get("plugins")?.as_object());
    let ours = records.into_iter().flatten().filter(|(id, _)| is_ours(id));
    let mut copies = Vec::new();
    for (id, record) in ours {
        let market = id.split_once('@').map_or("", |(_, market)| market);
        let source = markets
            .as_ref()
            .and_then(|all| all.get(market)?.get("source"));
        let directory = source.and_then(|source| source.get("path")?.as_str());
        let records: Vec<&Value> = match record {
            Value::Array(list) => list.iter().collect(),
            other => vec![other],
        };
        for record in records {
            let text = |key: &str| record.get(key).and_then(Value::as_str);
            let project = text("projectPath")
                .filter(|_| matches!(text("scope"), Some("project" | "local")))
                .map(PathBuf::from);
            let root = directory.or_else(|| text("installPath"));
            copies.push(Copy {
                id: id.clone(),
                root: root.map(PathBuf::from),
                is_for_here: project.as_ref().is_none_or(|project| holds(project, desk)),
                project,
            });
        }
    }
    copies
}

/// Tells whether this project lies in a directory.
fn holds(project: &Path, desk: &Desk) -> bool {
    let project = project.canonicalize();
    project.is_ok_and(|project| desk.site.project.dir.starts_with(project))
}

/// Whether the hooks file and the binaries of the installed plugin are there and unaltered.
pub(super) fn staged(desk: &Desk, _: bool) -> Finding {
    let roots = roots(desk);
    for root in &roots {
        if let Some(problem) = problem_of(root) {
            return Finding::fail(problem, REINSTALL);
        }
    }
    match roots.first() {
        Some(root) => Finding::ok(root.display().to_string()),
        None => Finding::ok("not checked"),
    }
}

fn problem_of(root: &Path) -> Option<String> {
    let hooks = root.join("hooks/hooks.json");
    let Some(found) = read_json(&hooks) else {
        return Some(format!("{} is missing or not valid JSON", hooks.display()));
    };
    let missing = HOOKS.iter().map(|name| root.join("bin").join(name));
    if let Some(path) = missing.into_iter().find(|path| !is_executable(path)) {
        return Some(format!("{} is missing or not executable", path.display()));
    }
    let manifest = root.join(".claude-plugin/plugin.json");
    let Some(declared) = read_json(&manifest) else {
        return Some(format!(
            "{} is missing or not valid JSON",
            manifest.display()
        ));
    };
    let version = declared.get("version");
    // The hooks file of another version may differ.
    if version.and_then(Value::as_str) == Some(env!("CARGO_PKG_VERSION"))
        && let Some(event) = missing_event(&found)
    {
        return Some(format!(
            "the hooks of {event} in {} are missing or differ",
            hooks.display()
        ));
    }
    altered_by_digest(root)
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

/// Names a file whose digest is not the one noted when it was installed. What nothing is noted of
/// may be anything.
fn altered_by_digest(root: &Path) -> Option<String> {
    let digests = root.join(DIGESTS);
    let Ok(noted) = read_bytes(&digests, LARGEST, true) else {
        return Some(format!(
            "{} is missing: the hooks cannot be verified",
            digests.display()
        ));
    };
    let noted = String::from_utf8_lossy(&noted);
    let noted: Vec<(&str, &str)> = noted.lines().filter_map(|l| l.split_once("  ")).collect();
    let binaries = HOOKS.iter().map(|name| format!("bin/{name}"));
    let mut needed = binaries.chain(["hooks/hooks.json".to_owned()]);
    if let Some(name) = needed.find(|name| !noted.iter().any(|(_, noted)| noted == name)) {
        return Some(format!("{} does not list {name}", digests.display()));
    }
    let is_altered = |(digest, name): &&(&str, &str)| {
        read_bytes(&root.join(name), LARGEST, true).map_or(true, |b| sha256(&b) != *digest)
    };
    let (_, name) = noted.iter().find(is_altered)?;
    Some(format!(
        "{} has changed since installation",
        root.join(name).display()
    ))
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
