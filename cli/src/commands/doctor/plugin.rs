//! Checks of the plugin: that the client has it, and that its files are as they were installed.

use std::path::{Path, PathBuf};

use serde_json::Value;
use trueup_core::fs::{read_bytes, sha256_hex};

use super::check_result::CheckResult;
use super::client_files::{find_config_dir, read_client_json, try_read_client_json};
use super::session_sample::{is_live_here, list_present_sessions};
use crate::command_context::CommandContext;

/// Binaries that the hooks run.
pub(super) const HOOK_BINARIES: [&str; 3] =
    ["session-start-sync", "checkpoint-push", "pre-handoff-validate"];

/// Content of the hooks file of this version.
const SHIPPED_HOOKS_FILE: &str = include_str!("../../../../hooks/hooks.json");

/// File with the digests of the installed files, relative to the plugin root.
const DIGESTS_FILE: &str = "hooks/SHA256SUMS";

/// Largest plugin file read, in bytes. A binary has a few million.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

const REINSTALL_HINT: &str = "run trueup install again, then restart Claude Code";

/// Tells whether a plugin id of the client is that of trueup.
pub(super) fn is_trueup_plugin(id: &str) -> bool {
    id == "trueup" || id.starts_with("trueup@")
}

/// Checks that the client has the plugin installed, by its own records.
pub(super) fn check_installed(context: &CommandContext, _: bool) -> CheckResult {
    let plugin_copies = list_plugin_copies(context);
    if plugin_copies.iter().any(|copy| copy.is_for_here) {
        return CheckResult::ok("installed in Claude Code");
    }
    let fix = describe_registration(context);
    if let Some(other) = plugin_copies.iter().find_map(|copy| copy.project.as_ref()) {
        return CheckResult::fail(
            format!("installed only for {}: its hooks do not run here", other.display()),
            fix,
        );
    }
    let missing = "not installed in Claude Code";
    if !has_client(context) {
        return CheckResult::warn("Claude Code was not found", fix);
    }
    if has_live_local_session(context) {
        return CheckResult::warn(format!("{missing}, but a running session uses its hooks"), fix);
    }
    CheckResult::fail(format!("{missing}: its hooks do not run"), fix)
}

/// Says how the plugin is registered, by what stands in the way of it.
fn describe_registration(context: &CommandContext) -> String {
    let settings = find_config_dir(context).map(|dir| dir.join("settings.json"));
    match settings.filter(|path| try_read_client_json(path).is_err()) {
        Some(path) => format!("correct {}, then run trueup install", path.display()),
        None if is_client_on_path(context) => {
            "run trueup install, which shows what `claude plugin` says".to_owned()
        }
        None => {
            "run trueup install with `claude` on PATH, or start claude with --plugin-dir".to_owned()
        }
    }
}

/// Tells whether the client is on PATH or has a configuration directory.
fn has_client(context: &CommandContext) -> bool {
    is_client_on_path(context) || find_config_dir(context).is_some_and(|dir| dir.is_dir())
}

/// Tells whether the client is on PATH, whether or not it runs.
pub(super) fn is_client_on_path(context: &CommandContext) -> bool {
    let path = context.environment.path("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join("claude").is_file())
}

/// Tells whether a session is live on this machine. Only hooks register sessions, so they run
/// whatever the records of the client say, as with `--plugin-dir`.
fn has_live_local_session(context: &CommandContext) -> bool {
    list_present_sessions(context).iter().any(|session| is_live_here(session, context))
}

/// An installed copy of the plugin in the records of the client.
struct PluginCopy {
    id: String,
    root: Option<PathBuf>,
    /// The only project that uses it, where it is limited to one.
    project: Option<PathBuf>,
    is_for_here: bool,
}

/// Lists the plugin ids under which it is installed for this project.
pub(super) fn list_installed_ids(context: &CommandContext) -> Vec<String> {
    let here = list_plugin_copies(context).into_iter().filter(|copy| copy.is_for_here);
    here.map(|copy| copy.id).collect()
}

/// Lists the directories from which the client runs the plugin in this project.
fn list_plugin_roots(context: &CommandContext) -> Vec<PathBuf> {
    let here = list_plugin_copies(context).into_iter().filter(|copy| copy.is_for_here);
    let mut roots: Vec<PathBuf> = here.filter_map(|copy| copy.root).collect();
    roots.dedup();
    roots
}

/// Reads the records of the client. A marketplace that is a directory is used in place; others are
/// copied.
fn list_plugin_copies(context: &CommandContext) -> Vec<PluginCopy> {
    let Some(plugins) = find_config_dir(context).map(|dir| dir.join("plugins")) else {
        return Vec::new();
    };
    let records = read_client_json(&plugins.join("installed_plugins.json"));
    let markets = read_client_json(&plugins.join("known_marketplaces.json"));
    let records = records.as_ref().and_then(|all| all.get("plugins")?.as_object());
    let trueup_records = records.into_iter().flatten().filter(|(id, _)| is_trueup_plugin(id));
    let mut plugin_copies = Vec::new();
    for (id, record) in trueup_records {
        let market = id.split_once('@').map_or("", |(_, market)| market);
        let source = markets.as_ref().and_then(|all| all.get(market)?.get("source"));
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
            plugin_copies.push(PluginCopy {
                id: id.clone(),
                root: root.map(PathBuf::from),
                is_for_here: project
                    .as_ref()
                    .is_none_or(|project| is_project_within(project, context)),
                project,
            });
        }
    }
    plugin_copies
}

/// Tells whether this project is inside of a directory.
fn is_project_within(project: &Path, context: &CommandContext) -> bool {
    let project = project.canonicalize();
    project.is_ok_and(|project| context.run.project.dir.starts_with(project))
}

/// Checks that the hooks file and the binaries of the installed plugin exist and are unchanged.
pub(super) fn check_plugin_files(context: &CommandContext, _: bool) -> CheckResult {
    let roots = list_plugin_roots(context);
    for root in &roots {
        if let Some(problem) = find_plugin_problem(root) {
            return CheckResult::fail(problem, REINSTALL_HINT);
        }
    }
    match roots.first() {
        Some(root) => CheckResult::ok(root.display().to_string()),
        None => CheckResult::skip("not checked"),
    }
}

fn find_plugin_problem(root: &Path) -> Option<String> {
    let hooks = root.join("hooks/hooks.json");
    let Some(installed_hooks) = read_client_json(&hooks) else {
        return Some(format!("{} is missing or not valid JSON", hooks.display()));
    };
    let missing = HOOK_BINARIES.iter().map(|name| root.join("bin").join(name));
    if let Some(path) = missing.into_iter().find(|path| !is_executable(path)) {
        return Some(format!("{} is missing or not executable", path.display()));
    }
    let manifest = root.join(".claude-plugin/plugin.json");
    let Some(manifest_json) = read_client_json(&manifest) else {
        return Some(format!("{} is missing or not valid JSON", manifest.display()));
    };
    let version = manifest_json.get("version");
    // Another version has another hooks file.
    if version.and_then(Value::as_str) == Some(env!("CARGO_PKG_VERSION"))
        && let Some(event) = find_changed_event(&installed_hooks)
    {
        return Some(format!("the hooks of {event} in {} are missing or differ", hooks.display()));
    }
    find_altered_file(root)
}

/// Finds an event whose hooks differ from those of this version. An installation may add events of
/// newer clients.
fn find_changed_event(installed_hooks: &Value) -> Option<String> {
    let shipped: Value = serde_json::from_str(SHIPPED_HOOKS_FILE).unwrap_or_default();
    let shipped = shipped.get("hooks").and_then(Value::as_object)?;
    shipped
        .iter()
        .find(|(event, hooks)| {
            installed_hooks.get("hooks").and_then(|all| all.get(*event)) != Some(hooks)
        })
        .map(|(event, _)| event.clone())
}

/// Describes a file whose digest differs from the recorded one, or that has none.
fn find_altered_file(root: &Path) -> Option<String> {
    let digests = root.join(DIGESTS_FILE);
    let Ok(digests_bytes) = read_bytes(&digests, MAX_FILE_BYTES, true) else {
        return Some(format!("{} is missing: the hooks cannot be verified", digests.display()));
    };
    let digests_text = String::from_utf8_lossy(&digests_bytes);
    let recorded_digests: Vec<(&str, &str)> =
        digests_text.lines().filter_map(|l| l.split_once("  ")).collect();
    let binaries = HOOK_BINARIES.iter().map(|name| format!("bin/{name}"));
    let mut needed = binaries.chain(["hooks/hooks.json".to_owned()]);
    if let Some(name) = needed.find(|name| !recorded_digests.iter().any(|(_, noted)| noted == name))
    {
        return Some(format!("{} does not list {name}", digests.display()));
    }
    let is_altered = |(digest, name): &&(&str, &str)| {
        read_bytes(&root.join(name), MAX_FILE_BYTES, true)
            .map_or(true, |b| sha256_hex(&b) != *digest)
    };
    let (_, name) = recorded_digests.iter().find(is_altered)?;
    Some(format!("{} has changed since installation", root.join(name).display()))
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
