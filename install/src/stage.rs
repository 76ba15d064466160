//! The plugin directory: collected in memory, written beside its place, and put there by rename.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::Value;

use crate::artifacts;
use crate::client_events::{ClientVersion, build_hooks_json};
use crate::dirs;
use crate::error::{Error, IoResultExt, Result};
use crate::files;
use crate::manifest;
use crate::plugin_files::STAGED_FILES;

/// The files of a plugin directory by relative path, each with permission bits and content.
pub(crate) type FileTree = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// Permission bits of a staged directory.
const DIRECTORY_MODE: u32 = 0o755;

/// Collects the files to stage: the plugin's own, the binaries, and this program, by which the
/// installation is removed and upgraded later.
pub(crate) fn collect_files(
    binaries: &BTreeMap<String, PathBuf>,
    client: Option<ClientVersion>,
) -> Result<FileTree> {
    let mut tree = FileTree::new();
    for (path, bytes) in STAGED_FILES {
        tree.insert(path.into(), (0o644, bytes.to_vec()));
    }
    tree.insert("hooks/hooks.json".into(), (0o644, build_hooks_json(client)?));
    for name in artifacts::list_binaries() {
        let path = binaries.get(name).ok_or_else(|| Error::Refused {
            path: PathBuf::from(name),
            why: "was not built".to_owned(),
            hint: "cargo did not build it: run cargo build --release".to_owned(),
        })?;
        let bytes = files::read_file(path).with_action("read", path)?;
        tree.insert(Path::new("bin").join(name), (0o755, bytes));
    }
    let installer = env::current_exe().with_action("find", Path::new(artifacts::INSTALLER))?;
    let bytes = files::read_file(&installer).with_action("read", &installer)?;
    tree.insert(Path::new("bin").join(artifacts::INSTALLER), (0o755, bytes));
    tree.insert(DIGESTS_FILE.into(), (0o644, render_digests(&tree)));
    Ok(tree)
}

/// File with the digests of binaries and hooks, by which `trueup doctor` detects altered files.
const DIGESTS_FILE: &str = "hooks/SHA256SUMS";

/// Renders the digests of binaries and hooks in the format of `sha256sum`.
fn render_digests(tree: &FileTree) -> Vec<u8> {
    tree.iter()
        .filter(|(name, _)| name.starts_with("bin") || name.starts_with("hooks"))
        .fold(String::new(), |text, (name, (_, bytes))| {
            text + &format!("{}  {}\n", manifest::sha256_hex(bytes), name.display())
        })
        .into_bytes()
}

/// Returns the version that the tree's plugin manifest declares.
pub(crate) fn plugin_version(tree: &FileTree) -> String {
    tree.get(Path::new(".claude-plugin/plugin.json"))
        .and_then(|(_, bytes)| serde_json::from_slice::<Value>(bytes).ok())
        .and_then(|value| value.get("version")?.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Reads every file below a directory.
fn read_tree(dir: &Path) -> Result<FileTree> {
    let mut tree = FileTree::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(sub) = pending.pop() {
        let here = dir.join(&sub);
        for entry in fs::read_dir(&here).with_action("read", &here)? {
            let entry = entry.with_action("read", &here)?;
            let path = entry.path();
            let meta = fs::symlink_metadata(&path).with_action("read", &path)?;
            let name = sub.join(entry.file_name());
            if meta.is_dir() {
                pending.push(name);
            } else {
                let bytes = files::read_file(&path).with_action("read", &path)?;
                tree.insert(name, (meta.permissions().mode() & 0o777, bytes));
            }
        }
    }
    Ok(tree)
}

/// Returns whether a directory contains exactly this tree, apart from an installation's record.
pub(crate) fn tree_matches(at: &Path, tree: &FileTree) -> bool {
    artifacts::STAGED_ENTRIES.iter().all(|part| {
        let wanted = tree.iter().filter(|(path, _)| path.starts_with(part));
        read_tree(&at.join(part)).is_ok_and(|found| {
            found
                .iter()
                .map(|(path, file)| (Path::new(part).join(path), file))
                .eq(wanted.map(|(path, file)| (path.clone(), file)))
        })
    })
}

/// Returns whether a directory is a staged plugin of trueup.
pub(crate) fn is_trueup_plugin(at: &Path) -> bool {
    files::read_file(&at.join(".claude-plugin/plugin.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
        .is_some_and(|value| {
            value.get("name").and_then(Value::as_str) == Some(artifacts::PLUGIN_NAME)
        })
}

/// Puts a tree in place and returns the new directories. A running session sees the old plugin or
/// the new one, never a mixture, and never one that failed the check.
pub(crate) fn install_tree(
    at: &Path,
    tree: &FileTree,
    check: impl Fn(&Path) -> Result<()>,
) -> Result<Vec<PathBuf>> {
    match inspect_target(at)? {
        StageTarget::Free => {
            let parent = at.parent().unwrap_or(Path::new("/"));
            let mut new_dirs = dirs::create_dirs(parent)?;
            let temporary = write_and_check(parent, tree, check)?;
            fs::rename(temporary.path(), at).with_action("place the plugin at", at)?;
            // The directory was renamed, so its guard has nothing to remove.
            drop(temporary.keep());
            new_dirs.push(at.to_owned());
            Ok(new_dirs)
        }
        StageTarget::OwnPlugin => {
            let parent = at.parent().unwrap_or(Path::new("/"));
            let temporary = write_and_check(parent, tree, check)?;
            let record = at.join(artifacts::PREFIX_MANIFEST_FILE);
            if record.exists() {
                // Copied before the exchange: only the record can restore the user's files, so it
                // must never be missing.
                let copy = temporary.path().join(artifacts::PREFIX_MANIFEST_FILE);
                let text = files::read_file(&record).with_action("copy", &record)?;
                files::write_new(&copy, 0o600, &text).with_action("copy", &record)?;
            }
            exchange_dirs(temporary.path(), at)?;
            Ok(Vec::new())
        }
        StageTarget::Shared => {
            let temporary = write_and_check(at, tree, check)?;
            for part in artifacts::STAGED_ENTRIES {
                let (new, old) = (temporary.path().join(part), at.join(part));
                if old.exists() {
                    exchange_dirs(&new, &old)?;
                } else {
                    fs::rename(&new, &old).with_action("place the plugin at", &old)?;
                }
            }
            Ok(Vec::new())
        }
    }
}

/// Removes a staged plugin; other files in the directory stay.
pub(crate) fn remove_plugin(at: &Path) -> Result<bool> {
    if !is_trueup_plugin(at) {
        return Ok(false);
    }
    // The plugin manifest goes last, so that the directory is recognized after an interruption.
    for part in artifacts::STAGED_ENTRIES.iter().rev() {
        dirs::remove_all(&at.join(part))?;
    }
    Ok(true)
}

/// What is at the path where the plugin goes.
enum StageTarget {
    /// Nothing is there.
    Free,
    /// A plugin of trueup and nothing else.
    OwnPlugin,
    /// An empty directory, or one with other files.
    Shared,
}

fn inspect_target(at: &Path) -> Result<StageTarget> {
    let entries = match fs::read_dir(at) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(StageTarget::Free),
        Err(error) => return Err(error).with_action("use", at),
    };
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    let is_staged_entry =
        |name: &std::ffi::OsString| artifacts::STAGED_ENTRIES.iter().any(|part| name == *part);
    if !is_trueup_plugin(at) && names.iter().any(is_staged_entry) {
        return Err(Error::Refused {
            path: at.to_owned(),
            why: "contains a bin, hooks, skills, .claude-plugin or .codex-plugin directory that is not \
                  trueup's"
                .to_owned(),
            hint: "choose an empty or a new directory with --prefix".to_owned(),
        });
    }
    let is_link = fs::symlink_metadata(at).is_ok_and(|meta| meta.is_symlink());
    let is_only_plugin =
        names.iter().all(|name| is_staged_entry(name) || name == artifacts::PREFIX_MANIFEST_FILE);
    Ok(if is_only_plugin && !names.is_empty() && !is_link {
        StageTarget::OwnPlugin
    } else {
        StageTarget::Shared
    })
}

/// Writes a tree to a new temporary directory, reads it back and runs the check.
fn write_and_check(
    parent: &Path,
    tree: &FileTree,
    check: impl Fn(&Path) -> Result<()>,
) -> Result<tempfile::TempDir> {
    let temporary = tempfile::Builder::new()
        .prefix(artifacts::STAGE_PREFIX)
        .tempdir_in(parent)
        .with_action("create a directory in", parent)?;
    fs::set_permissions(temporary.path(), fs::Permissions::from_mode(DIRECTORY_MODE))
        .with_action("set the permissions of", temporary.path())?;
    for (name, (mode, bytes)) in tree {
        let path = temporary.path().join(name);
        if let Some(dir) = path.parent() {
            files::create_dirs_with_mode(dir, DIRECTORY_MODE)
                .with_action("create the directory", dir)?;
        }
        files::write_new(&path, *mode, bytes).with_action("write", &path)?;
    }
    if !tree_matches(temporary.path(), tree) {
        return Err(Error::Refused {
            path: temporary.path().to_owned(),
            why: "differs from what was written".to_owned(),
            hint: "check the disk and its free space".to_owned(),
        });
    }
    check(temporary.path())?;
    Ok(temporary)
}

/// Exchanges two directories atomically, or by three renames where the file system cannot do that.
fn exchange_dirs(new: &Path, old: &Path) -> Result<()> {
    if renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE).is_ok() {
        return Ok(());
    }
    let mut aside = new.as_os_str().to_owned();
    aside.push(".old");
    let aside = PathBuf::from(aside);
    fs::rename(old, &aside).with_action("move aside", old)?;
    if let Err(error) = fs::rename(new, old) {
        fs::rename(&aside, old).with_action("put back", old)?;
        return Err(error).with_action("replace", old);
    }
    fs::rename(&aside, new).with_action("move aside", &aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(version: &str) -> FileTree {
        let manifest = format!(r#"{{"name":"trueup","version":"{version}"}}"#);
        FileTree::from([
            (".claude-plugin/plugin.json".into(), (0o644, manifest.into_bytes())),
            (".codex-plugin/plugin.json".into(), (0o644, b"{}".to_vec())),
            ("bin/trueup".into(), (0o755, b"#!/bin/sh\n".to_vec())),
            ("hooks/hooks.json".into(), (0o644, b"{}".to_vec())),
            ("skills/a/SKILL.md".into(), (0o644, b"a".to_vec())),
        ])
    }

    #[test]
    fn a_newer_tree_replaces_the_older_whole() {
        let scratch = tempfile::tempdir().unwrap();
        let at = scratch.path().join("deep/plugin");
        assert_eq!(install_tree(&at, &tree("1"), |_| Ok(())).unwrap().len(), 2);
        let mut second = tree("2");
        second.remove(Path::new("skills/a/SKILL.md"));
        second.insert("skills/b/SKILL.md".into(), (0o644, b"b".to_vec()));
        assert!(install_tree(&at, &second, |_| Ok(())).unwrap().is_empty());
        assert!(tree_matches(&at, &second) && !tree_matches(&at, &tree("1")));
        assert_eq!(fs::read_dir(at.parent().unwrap()).unwrap().count(), 1, "no leftovers");
        assert_eq!(plugin_version(&second), "2");
    }

    #[test]
    fn a_running_session_never_misses_a_binary() {
        let scratch = tempfile::tempdir().unwrap();
        let at = scratch.path().join("plugin");
        install_tree(&at, &tree("0"), |_| Ok(())).unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let looks = scope.spawn(|| {
                let mut looks = 0;
                while !done.load(std::sync::atomic::Ordering::Relaxed) || looks < 1_000 {
                    fs::read(at.join("bin/trueup")).unwrap();
                    looks += 1;
                }
                looks
            });
            for version in 1..30 {
                install_tree(&at, &tree(&version.to_string()), |_| Ok(())).unwrap();
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(looks.join().unwrap() >= 1_000);
        });
    }

    #[test]
    fn what_else_lies_there_stays() {
        let scratch = tempfile::tempdir().unwrap();
        fs::write(scratch.path().join("mine.txt"), "mine").unwrap();
        install_tree(scratch.path(), &tree("1"), |_| Ok(())).unwrap();
        install_tree(scratch.path(), &tree("2"), |_| Ok(())).unwrap();
        assert!(tree_matches(scratch.path(), &tree("2")));
        assert!(remove_plugin(scratch.path()).unwrap());
        assert_eq!(fs::read_to_string(scratch.path().join("mine.txt")).unwrap(), "mine");
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_foreign_bin_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        fs::create_dir(scratch.path().join("bin")).unwrap();
        let error = install_tree(scratch.path(), &tree("1"), |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains(&scratch.path().display().to_string()));
        assert!(!remove_plugin(scratch.path()).unwrap());
    }
}
