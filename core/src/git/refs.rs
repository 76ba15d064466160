//! The names of local branches.

use std::fs;
use std::path::Path;

use super::Worktree;

/// Largest list of packed references read, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Most branches listed; the list serves a hint alone.
const MOST: usize = 2_000;

/// Lists local branches by name.
pub fn branches(worktree: &Worktree) -> Vec<String> {
    let mut names = Vec::new();
    loose(&worktree.common_dir.join("refs/heads"), "", &mut names);
    let packed = crate::files::read_text(&worktree.common_dir.join("packed-refs"), LARGEST, true)
        .unwrap_or_default();
    names.extend(
        packed
            .lines()
            .filter_map(|line| line.split_once(" refs/heads/"))
            .map(|(_, name)| name.to_owned())
            .take(MOST),
    );
    names.sort();
    names.dedup();
    names
}

fn loose(folder: &Path, prefix: &str, names: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if names.len() >= MOST {
            return;
        }
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => loose(&entry.path(), &format!("{name}/"), names),
            Ok(kind) if kind.is_file() => names.push(name),
            _ => {}
        }
    }
}
