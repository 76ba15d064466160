//! Which files of the user an installation touches, and how they get their bytes back.
//!
//! Registering rewrites Claude Code's settings in the client's own formatting, and unregistering
//! leaves empty objects behind. So the bytes before are recorded, with a digest of the bytes after:
//! whatever still has that digest is ours to put back, whatever has not belongs to the user.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dirs;
use crate::error::{Named, Result};
use crate::files;
use crate::manifest::{Before, Manifest, UserFile, digest, replace};
use crate::parts;
use crate::places::Places;

/// Permission bits and content of a file, or that there is none.
type Content = Option<(u32, Vec<u8>)>;

/// Claude Code's files at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    files: BTreeMap<PathBuf, Before>,
    dirs: BTreeSet<PathBuf>,
}

impl Snapshot {
    /// Looks at the files that the client's plugin commands may write.
    pub(crate) fn take(places: &Places) -> Result<Self> {
        let plugins = places.config.join("plugins");
        let mut paths: BTreeSet<PathBuf> = [
            places.client_state.clone(),
            places.config.join("settings.json"),
            plugins.join("installed_plugins.json"),
            plugins.join("known_marketplaces.json"),
        ]
        .into();
        let backups = places.config.join("backups");
        for dir in [&plugins, &backups] {
            paths.extend(files_in(dir));
        }
        let files = paths
            .into_iter()
            .map(|path| content(&path).map(|content| (path, Before::of(content.as_ref()))))
            .collect::<Result<_>>()?;
        let below = [
            "cache",
            "cache/trueup",
            "marketplaces",
            "data",
            "data/trueup-trueup",
        ];
        let dirs = places
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

/// Writes down what changed since the pending snapshot.
pub(crate) fn record(manifest: &mut Manifest, after: &Snapshot) {
    note(manifest, after, false);
}

/// Does the same for a registration that was killed half way. Who wrote what since then cannot be
/// told, so no digest is recorded: such a file is restored only when its value is the old one.
pub(crate) fn recover(manifest: &mut Manifest, now: &Snapshot) {
    note(manifest, now, true);
}

fn note(manifest: &mut Manifest, after: &Snapshot, interrupted: bool) {
    let Some(before) = manifest.pending.take() else {
        return;
    };
    for (path, now) in &after.files {
        let was = before.files.get(path).and_then(Before::content);
        let Some((_, bytes)) = now.content().filter(|now| was.as_ref() != Some(now)) else {
            continue;
        };
        let after = if interrupted {
            String::new()
        } else {
            digest(&bytes)
        };
        match manifest
            .user_files
            .iter_mut()
            .find(|file| file.path == *path)
        {
            None => {
                let before = earliest(was.as_ref());
                manifest.user_files.push(UserFile {
                    path: path.clone(),
                    before,
                    after,
                });
            }
            Some(known) if interrupted || known.after.is_empty() => known.after.clear(),
            Some(known) => {
                // Edited since the last run: its state of then is no longer what to return to.
                if was.as_ref().map(|(_, bytes)| digest(bytes)).as_ref() != Some(&known.after) {
                    known.before = earliest(was.as_ref());
                }
                known.after = after;
            }
        }
    }
    manifest.created(after.dirs.difference(&before.dirs).cloned().collect());
}

/// A first sight of a file counts as its earliest state unless trueup is in it already.
fn earliest(was: Option<&(u32, Vec<u8>)>) -> Before {
    if was.is_some_and(|(_, bytes)| names_plugin(bytes)) {
        Before::Unknown
    } else {
        Before::of(was)
    }
}

/// What became of the user's files.
#[derive(Debug, Default)]
pub(crate) struct Restored {
    /// Put back byte for byte.
    pub(crate) back: Vec<PathBuf>,
    /// Removed again, as there was no such file before.
    pub(crate) removed: Vec<PathBuf>,
    /// Changed by somebody since, and therefore left as they are.
    pub(crate) left: Vec<PathBuf>,
    /// Left, and still naming the plugin.
    pub(crate) entangled: Vec<PathBuf>,
}

/// Which recorded files are still exactly what the installation left.
pub(crate) fn untouched(manifest: &Manifest) -> Result<BTreeSet<PathBuf>> {
    let mut paths = BTreeSet::new();
    for file in &manifest.user_files {
        let now = content(&file.path)?;
        if now.is_some_and(|(_, bytes)| digest(&bytes) == file.after) {
            paths.insert(file.path.clone());
        }
    }
    Ok(paths)
}

/// Puts the recorded bytes back: of every file in `untouched`, and of every other one whose value
/// is again what it was, however it is formatted.
pub(crate) fn restore(manifest: &Manifest, untouched: &BTreeSet<PathBuf>) -> Result<Restored> {
    let mut restored = Restored::default();
    for file in &manifest.user_files {
        let now = content(&file.path)?;
        let before = file.before.content();
        let known = file.before != Before::Unknown;
        let bytes = |content: &Content| content.as_ref().map(|(_, bytes)| essence(bytes));
        let same_value = match (bytes(&now), bytes(&before)) {
            (Some(Some(now)), before) => now == before.flatten().unwrap_or(Value::Null),
            _ => false,
        };
        if known && now != before && (untouched.contains(&file.path) || same_value) {
            if let Some((mode, bytes)) = &before {
                replace(&file.path, *mode, bytes)?;
                restored.back.push(file.path.clone());
            } else {
                dirs::remove_all(&file.path)?;
                restored.removed.push(file.path.clone());
            }
        } else if now != before {
            let named = now.is_some_and(|(_, bytes)| names_plugin(&bytes));
            let list = if named {
                &mut restored.entangled
            } else {
                &mut restored.left
            };
            list.push(file.path.clone());
        }
    }
    Ok(restored)
}

/// Removes what the client keeps of the plugin after an uninstallation, if it was not there before.
pub(crate) fn sweep(manifest: &Manifest, places: &Places) -> Result<()> {
    for name in ["plugins/cache/trueup", "plugins/data/trueup-trueup"] {
        let dir = places.config.join(name);
        if manifest.registered && (manifest.created_dirs.contains(&dir) || is_orphan(&dir)) {
            dirs::remove_all(&dir)?;
        }
    }
    Ok(())
}

/// Whether every version in a cache directory is one that the client has given up.
fn is_orphan(cache: &Path) -> bool {
    let Ok(versions) = fs::read_dir(cache.join("trueup")) else {
        return false;
    };
    versions
        .flatten()
        .all(|version| version.path().join(".orphaned_at").exists())
}

/// Whether a file of the client has the plugin among its own.
fn names_plugin(bytes: &[u8]) -> bool {
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    ["enabledPlugins", "plugins"].iter().any(|key| {
        value
            .get(key)
            .is_some_and(|plugins| plugins.get(parts::PLUGIN_ID).is_some())
    })
}

/// The value of a file without what an uninstallation leaves behind; `None` when it is not JSON.
fn essence(bytes: &[u8]) -> Option<Value> {
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    if let Some(object) = value.as_object_mut() {
        for key in ["enabledPlugins", "extraKnownMarketplaces", "plugins"] {
            if object
                .get(key)
                .and_then(Value::as_object)
                .is_some_and(serde_json::Map::is_empty)
            {
                object.remove(key);
            }
        }
        if object.keys().all(|key| key == "version") {
            return Some(Value::Null);
        }
    }
    Some(value)
}

fn files_in(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect()
}

fn content(path: &Path) -> Result<Content> {
    match files::read(path) {
        Ok(bytes) => {
            let mode = fs::metadata(path).named("read", path)?.permissions().mode() & 0o7777;
            Ok(Some((mode, bytes)))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).named("read", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_leaves_behind_counts_as_nothing() {
        let value = |text: &str| essence(text.as_bytes()).unwrap();
        assert_eq!(value("{}"), Value::Null);
        assert_eq!(value(r#"{"version":2,"plugins":{}}"#), Value::Null);
        assert_eq!(
            value(r#"{"b":1, "enabledPlugins":{}, "a":[2], "extraKnownMarketplaces":{}}"#),
            value(r#"{"a":[2],"b":1}"#)
        );
        assert_ne!(value(r#"{"enabledPlugins":{"x@y":true}}"#), Value::Null);
        assert_eq!(essence(b"not json"), None);
    }
}
