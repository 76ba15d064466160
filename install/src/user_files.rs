//! Records the user's files that an installation changes, and restores them byte for byte.
//!
//! Registering rewrites Claude Code's settings in the client's own formatting, and unregistering
//! leaves empty objects behind. So the bytes before are recorded with a digest of the bytes after:
//! a file that still has that digest is restored, and one that has not was edited by the user.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::artifacts;
use crate::dirs;
use crate::error::{IoResultExt, Result};
use crate::files;
use crate::layout::Layout;
use crate::manifest::{Manifest, PriorContent, UserFile, replace_file, sha256_hex};

/// Permission bits and content of a file; `None` when there is none.
type FileContent = Option<(u32, Vec<u8>)>;

/// Claude Code's files at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClientSnapshot {
    files: BTreeMap<PathBuf, PriorContent>,
    dirs: BTreeSet<PathBuf>,
}

impl ClientSnapshot {
    /// Reads the files that the client's plugin commands may write.
    pub(crate) fn capture(layout: &Layout) -> Result<Self> {
        let plugins = layout.config.join("plugins");
        let mut paths: BTreeSet<PathBuf> = [
            layout.client_state.clone(),
            layout.config.join("settings.json"),
            plugins.join("installed_plugins.json"),
            plugins.join("known_marketplaces.json"),
        ]
        .into();
        let backups = layout.config.join("backups");
        for dir in [&plugins, &backups] {
            paths.extend(list_files(dir));
        }
        let files = paths
            .into_iter()
            .map(|path| {
                read_content(&path)
                    .map(|content| (path, PriorContent::from_content(content.as_ref())))
            })
            .collect::<Result<_>>()?;
        let below = ["cache", "cache/trueup", "marketplaces", "data", "data/trueup-trueup"];
        let dirs = layout
            .config
            .ancestors()
            .map(Path::to_owned)
            .chain([backups, plugins.clone()])
            .chain(below.map(|name| plugins.join(name)))
            .filter(|dir| dir.is_dir())
            .collect();
        Ok(Self { files, dirs })
    }
}

/// Records what changed since the pending snapshot.
pub(crate) fn record_changes(manifest: &mut Manifest, after: &ClientSnapshot) {
    record_difference(manifest, after, false);
}

/// Does the same for a registration that was killed half way. The user may have written since, so
/// no digest is recorded: such a file is restored only if its value is the old one.
pub(crate) fn record_interrupted(manifest: &mut Manifest, now: &ClientSnapshot) {
    record_difference(manifest, now, true);
}

fn record_difference(manifest: &mut Manifest, after: &ClientSnapshot, interrupted: bool) {
    let Some(before) = manifest.pending.take() else {
        return;
    };
    for (path, now) in &after.files {
        let earlier = before.files.get(path).and_then(PriorContent::to_content);
        let Some((_, bytes)) = now.to_content().filter(|now| earlier.as_ref() != Some(now)) else {
            continue;
        };
        let after = if interrupted { String::new() } else { sha256_hex(&bytes) };
        match manifest.user_files.iter_mut().find(|file| file.path == *path) {
            None => {
                let before = prior_content(earlier.as_ref());
                manifest.user_files.push(UserFile { path: path.clone(), before, after });
            }
            Some(known) if interrupted || known.after.is_empty() => known.after.clear(),
            Some(known) => {
                // Edited since the last run, so the state recorded then is not the one to restore.
                if earlier.as_ref().map(|(_, bytes)| sha256_hex(bytes)).as_ref()
                    != Some(&known.after)
                {
                    known.before = prior_content(earlier.as_ref());
                }
                known.after = after;
            }
        }
    }
    manifest.add_created_dirs(after.dirs.difference(&before.dirs).cloned().collect());
}

/// Returns the state to restore for a file recorded for the first time: its content, unless that
/// already names the plugin.
fn prior_content(earlier: Option<&(u32, Vec<u8>)>) -> PriorContent {
    if earlier.is_some_and(|(_, bytes)| names_plugin(bytes)) {
        PriorContent::Unknown
    } else {
        PriorContent::from_content(earlier)
    }
}

/// What became of the user's files.
#[derive(Debug, Default)]
pub(crate) struct RestoreReport {
    /// Restored byte for byte.
    pub(crate) restored: Vec<PathBuf>,
    /// Removed, as there was no such file before.
    pub(crate) removed: Vec<PathBuf>,
    /// Edited since, and therefore left as they are.
    pub(crate) kept: Vec<PathBuf>,
    /// Edited since, and still naming the plugin.
    pub(crate) entangled: Vec<PathBuf>,
}

/// Lists the recorded files that are still exactly as the installation left them.
pub(crate) fn list_untouched(manifest: &Manifest) -> Result<BTreeSet<PathBuf>> {
    let mut paths = BTreeSet::new();
    for file in &manifest.user_files {
        let now = read_content(&file.path)?;
        if now.is_some_and(|(_, bytes)| sha256_hex(&bytes) == file.after) {
            paths.insert(file.path.clone());
        }
    }
    Ok(paths)
}

/// Restores every file in `untouched`, and every other one whose JSON value is the old one, however
/// it is formatted.
pub(crate) fn restore_files(
    manifest: &Manifest,
    untouched: &BTreeSet<PathBuf>,
) -> Result<RestoreReport> {
    let mut report = RestoreReport::default();
    for file in &manifest.user_files {
        let now = read_content(&file.path)?;
        let before = file.before.to_content();
        let is_known = file.before != PriorContent::Unknown;
        let bytes =
            |content: &FileContent| content.as_ref().map(|(_, bytes)| normalized_value(bytes));
        let same_value = match (bytes(&now), bytes(&before)) {
            (Some(Some(now)), before) => now == before.flatten().unwrap_or(Value::Null),
            _ => false,
        };
        if is_known && now != before && (untouched.contains(&file.path) || same_value) {
            if let Some((mode, bytes)) = &before {
                replace_file(&file.path, *mode, bytes)?;
                report.restored.push(file.path.clone());
            } else {
                dirs::remove_all(&file.path)?;
                report.removed.push(file.path.clone());
            }
        } else if now != before {
            let names_it = now.is_some_and(|(_, bytes)| names_plugin(&bytes));
            let list = if names_it { &mut report.entangled } else { &mut report.kept };
            list.push(file.path.clone());
        }
    }
    Ok(report)
}

/// Removes the client's cache and data of the plugin, if the installation caused them.
pub(crate) fn remove_leftovers(manifest: &Manifest, layout: &Layout) -> Result<()> {
    for name in ["plugins/cache/trueup", "plugins/data/trueup-trueup"] {
        let dir = layout.config.join(name);
        if manifest.registered && (manifest.created_dirs.contains(&dir) || is_orphaned_cache(&dir))
        {
            dirs::remove_all(&dir)?;
        }
    }
    Ok(())
}

/// Returns whether the client has marked every version in a cache directory as orphaned.
fn is_orphaned_cache(cache: &Path) -> bool {
    let Ok(versions) = fs::read_dir(cache.join("trueup")) else {
        return false;
    };
    versions.flatten().all(|version| version.path().join(".orphaned_at").exists())
}

/// Lists the files of the client that name the plugin, or its marketplace if that is the staged plugin
/// or does not say where it is.
pub(crate) fn list_naming(layout: &Layout) -> Vec<PathBuf> {
    let plugins = layout.config.join("plugins");
    [
        layout.config.join("settings.json"),
        plugins.join("installed_plugins.json"),
        plugins.join("known_marketplaces.json"),
    ]
    .into_iter()
    .filter(|path| {
        let bytes = files::read_file(path).unwrap_or_default();
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let marketplaces = value.get("extraKnownMarketplaces").unwrap_or(&value);
        let marketplace = marketplaces.get(artifacts::PLUGIN_NAME).filter(|it| it.is_object());
        match marketplace.map(|it| it.pointer("/source/path").and_then(Value::as_str)) {
            Some(Some(dir)) => Path::new(dir) == layout.stage,
            Some(None) => true,
            None => names_plugin(&bytes),
        }
    })
    .collect()
}

/// Returns whether a file of the client lists the plugin.
fn names_plugin(bytes: &[u8]) -> bool {
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    ["enabledPlugins", "plugins"].iter().any(|key| {
        value.get(key).is_some_and(|plugins| plugins.get(artifacts::PLUGIN_ID).is_some())
    })
}

/// Returns a file's JSON value without the empty objects that an uninstallation leaves behind;
/// `None` when it is not JSON.
fn normalized_value(bytes: &[u8]) -> Option<Value> {
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    if let Some(object) = value.as_object_mut() {
        for key in ["enabledPlugins", "extraKnownMarketplaces", "plugins"] {
            if object.get(key).and_then(Value::as_object).is_some_and(serde_json::Map::is_empty) {
                object.remove(key);
            }
        }
        if object.keys().all(|key| key == "version") {
            return Some(Value::Null);
        }
    }
    Some(value)
}

fn list_files(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect()
}

fn read_content(path: &Path) -> Result<FileContent> {
    match files::read_file(path) {
        Ok(bytes) => {
            let mode = fs::metadata(path).with_action("read", path)?.permissions().mode() & 0o7777;
            Ok(Some((mode, bytes)))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_action("read", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_leaves_behind_counts_as_nothing() {
        let value = |text: &str| normalized_value(text.as_bytes()).unwrap();
        assert_eq!(value("{}"), Value::Null);
        assert_eq!(value(r#"{"version":2,"plugins":{}}"#), Value::Null);
        assert_eq!(
            value(r#"{"b":1, "enabledPlugins":{}, "a":[2], "extraKnownMarketplaces":{}}"#),
            value(r#"{"a":[2],"b":1}"#)
        );
        assert_ne!(value(r#"{"enabledPlugins":{"x@y":true}}"#), Value::Null);
        assert_eq!(normalized_value(b"not json"), None);
    }
}
