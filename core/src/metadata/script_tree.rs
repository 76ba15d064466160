//! Finds the scripts below a directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::script_search::Language;
use crate::fs::read_bytes;

/// The largest script that is read, in bytes. Larger ones are generated.
const MAX_SCRIPT_BYTES: u64 = 1024 * 1024;

/// Directories of generated or third-party files.
const SKIPPED_DIRECTORIES: [&str; 12] = [
    ".git",
    ".hg",
    ".svn",
    ".mypy_cache",
    ".pytest_cache",
    ".tox",
    ".venv",
    "__pycache__",
    "node_modules",
    "site-packages",
    "target",
    "venv",
];

/// A script with its language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptFile {
    /// The language, by the file's name or first line.
    pub language: Language,
    /// The content; bytes that are not UTF-8 are replaced.
    pub text: String,
}

/// The files below a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileTree {
    /// The files, sorted by path.
    pub files: Vec<PathBuf>,
    /// Directories that could not be read, one line for each with the error.
    pub unreadable: Vec<String>,
}

/// Lists every file below a directory, or the one file that `root` is. Symlinks are not followed,
/// and other repositories and worktrees below the directory are skipped.
///
/// # Errors
///
/// When `root` itself cannot be read.
pub fn list_files_below(root: &Path) -> io::Result<FileTree> {
    let mut tree = FileTree::default();
    if fs::metadata(root)?.is_file() {
        tree.files.push(root.to_owned());
        return Ok(tree);
    }
    fs::read_dir(root)?;
    let mut pending = vec![root.to_owned()];
    while let Some(dir) = pending.pop() {
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) => {
                tree.unreadable.push(format!("{}: {error}", dir.display()));
                continue;
            }
        };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !is_skipped(&entry.path()) => {
                    pending.push(entry.path());
                }
                Ok(kind) if kind.is_file() => tree.files.push(entry.path()),
                _ => {}
            }
        }
    }
    tree.files.sort();
    tree.unreadable.sort();
    Ok(tree)
}

fn is_skipped(dir: &Path) -> bool {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    SKIPPED_DIRECTORIES.contains(&&*name) || dir.join(".git").exists()
}

impl ScriptFile {
    /// Reads a file if it is a script, by its name or its first line.
    ///
    /// # Errors
    ///
    /// When it is a script by its name and cannot be read.
    pub fn read_script(path: &Path) -> io::Result<Option<Self>> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let by_name = Language::detect(&name, "");
        // A first line counts only for names without an extension.
        if name.contains('.') && by_name.is_none() {
            return Ok(None);
        }
        let bytes = match read_bytes(path, MAX_SCRIPT_BYTES, false) {
            Err(_) if by_name.is_none() => return Ok(None),
            other => other?,
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let language = Language::detect(&name, text.lines().next().unwrap_or_default());
        Ok(language.map(|language| Self { language, text }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_found_and_what_others_made_is_passed_by() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for (path, text) in [
            ("b.py", "x"),
            ("a/run", "#!/bin/sh\n"),
            ("a/notes.md", "x"),
            ("a/README", "x"),
            ("node_modules/m/i.js", "x"),
            ("a/__pycache__/c.py", "x"),
            ("target/t.rs", "x"),
            (".git/hooks/pre-commit.py", "x"),
            ("trees/77c90e61/.git", "gitdir: x"),
            ("trees/77c90e61/b.py", "x"),
        ] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), text).unwrap();
        }
        let large = fs::File::create(root.join("large.py")).unwrap();
        large.set_len(MAX_SCRIPT_BYTES + 1).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("/", root.join("link")).unwrap();
        let tree = list_files_below(root).unwrap();
        let shown = |path: &PathBuf| match ScriptFile::read_script(path) {
            Ok(script) => script.map(|_| path.strip_prefix(root).unwrap().display().to_string()),
            Err(error) => Some(error.to_string()),
        };
        let scripts: Vec<String> = tree.files.iter().filter_map(shown).collect();
        assert_eq!(scripts, ["a/run", "b.py", "larger than 1048576 bytes"]);
        assert_eq!(list_files_below(&root.join("b.py")).unwrap().files.len(), 1);
        assert!(list_files_below(&root.join("none")).is_err());
    }
}
