//! What trueup leaves in repositories and in the settings of the client: finding and removing it.
//!
//! Invariants: nothing is removed that trueup did not write; a file with anything else in it is
//! kept or keeps every other byte; an edit that only a removed file had is in the journal first.

mod caches;
mod exclude_lines;
mod state_copies;
mod status_line;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::fs::{ChangeError, LockedChange, retry_under_lock};
use crate::git::Worktree;
use crate::reconcile::CacheReading;
use crate::repos;
use crate::settings::Paths;

/// What kind of thing was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftoverKind {
    /// A cache of a session.
    Cache,
    /// Lines in the `info/exclude` of a git directory.
    ExcludeLines,
    /// The copies of other repositories' status files.
    StateCopies,
    /// The status line in a settings file of the client.
    StatusLine,
}

impl LeftoverKind {
    /// Returns the word for scripts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::ExcludeLines => "exclude_lines",
            Self::StateCopies => "state_copies",
            Self::StatusLine => "status_line",
        }
    }
}

/// Something that trueup left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The kind.
    pub kind: LeftoverKind,
    /// The file.
    pub path: PathBuf,
}

/// What came of removing a leftover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Removed,
    /// It was kept, for this reason.
    Kept(String),
}

/// What a removal needs besides the file.
pub struct RemovalContext<'a> {
    /// trueup's own files, for the locks.
    pub paths: &'a Paths,
    /// Longest wait for a lock.
    pub patience: Duration,
    /// Saves an edit that may be nowhere else, or says why it cannot.
    pub save_edit: &'a mut dyn FnMut(&CacheReading) -> Result<(), String>,
}

/// Finds what was left in checkouts of repositories and project directories.
pub fn find_in_projects(roots: &[PathBuf]) -> Vec<Leftover> {
    let mut found = Vec::new();
    let mut add = |kind, path: PathBuf| {
        let leftover = Leftover { kind, path };
        // Worktrees of one repository have one exclude file.
        if !found.contains(&leftover) {
            found.push(leftover);
        }
    };
    for root in roots {
        for path in caches::list_caches(root) {
            add(LeftoverKind::Cache, path);
        }
        let copies = repos::cache_path(root);
        if state_copies::is_left(&copies) {
            add(LeftoverKind::StateCopies, copies);
        }
        for name in ["settings.json", "settings.local.json"] {
            let settings = root.join(".claude").join(name);
            if status_line::is_left(&settings) {
                add(LeftoverKind::StatusLine, settings);
            }
        }
        if let Some(git) = Worktree::discover(root) {
            let exclude = git.common_dir.join("info").join("exclude");
            if exclude_lines::is_left(&exclude) {
                add(LeftoverKind::ExcludeLines, exclude);
            }
        }
    }
    found
}

/// Finds a status line of trueup in the user's own settings file of the client.
pub fn find_in_settings(file: &Path) -> Option<Leftover> {
    let leftover = Leftover { kind: LeftoverKind::StatusLine, path: file.to_owned() };
    status_line::is_left(file).then_some(leftover)
}

impl Leftover {
    /// Removes it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written; it stays as it was then.
    pub fn remove(&self, context: &mut RemovalContext<'_>) -> Result<Removal, ChangeError> {
        let lock = context.paths.lock_of(&self.path);
        let change = LockedChange { lock: &lock, patience: context.patience };
        let removal = retry_under_lock(
            &self.path,
            change,
            |error| error,
            || match self.kind {
                LeftoverKind::Cache => caches::remove_cache(&self.path, context.save_edit),
                LeftoverKind::ExcludeLines => exclude_lines::remove_lines(&self.path),
                LeftoverKind::StateCopies => state_copies::remove_copies(&self.path),
                LeftoverKind::StatusLine => status_line::remove_status_line(&self.path),
            },
        )?;
        if removal == Removal::Removed
            && matches!(self.kind, LeftoverKind::Cache | LeftoverKind::StateCopies)
            && let Some(dir) = self.path.parent()
        {
            // Only an empty directory is removed; git knows none.
            let _ = fs::remove_dir(dir);
        }
        Ok(removal)
    }
}

/// Removes a file that trueup wrote alone.
fn remove_file(path: &Path) -> Result<Option<Removal>, ChangeError> {
    fs::remove_file(path)
        .map(|()| Some(Removal::Removed))
        .map_err(|source| ChangeError::Io { path: path.to_owned(), source })
}
