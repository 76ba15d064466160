//! The name by which an item knows the file of its tracker.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use trueup_core::git::Worktree;
use trueup_core::plan::trackers::TrackerFormat;
use trueup_core::text::path_to_text;

/// The folders of Backlog.md below its own.
const BACKLOG_FOLDERS: [&str; 4] = ["tasks", "drafts", "completed", "archive"];

/// Names the file of a tracker, or the folder of Backlog.md. All worktrees and clones of a
/// repository have the same names for the files in it.
pub(crate) fn name_tracker_place(path: &Path, format: TrackerFormat) -> String {
    let path = match format {
        TrackerFormat::Backlog => backlog_root(path),
        _ => path.to_owned(),
    };
    let path = resolve_symlinks(&path);
    let folder = path.parent().unwrap_or(&path);
    let root = Worktree::discover(folder).map(|worktree| worktree.root);
    let below = root.as_deref().and_then(|root| path.strip_prefix(root).ok());
    path_to_text(below.unwrap_or(&path))
}

/// Lists the files of a tracker that are there, of those that items know, seen from one of them.
pub(crate) fn list_present_places(path: &Path, places: BTreeSet<String>) -> BTreeSet<String> {
    let path = resolve_symlinks(path);
    let root = Worktree::discover(path.parent().unwrap_or(&path)).map(|worktree| worktree.root);
    let is_present = |place: &String| match &root {
        Some(root) => root.join(place).exists(),
        None => Path::new(place).exists(),
    };
    places.into_iter().filter(is_present).collect()
}

/// Resolves symlinks, also for a file that is not there yet.
fn resolve_symlinks(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => resolve_symlinks(folder).join(name),
        _ => path.to_owned(),
    })
}

/// Returns the folder of Backlog.md that has a file or folder of tasks.
fn backlog_root(path: &Path) -> PathBuf {
    let is_folder_of_tasks = |path: &&Path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| BACKLOG_FOLDERS.contains(&name))
    };
    let outermost = path.ancestors().take(3).filter(is_folder_of_tasks).last();
    outermost.and_then(Path::parent).unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_backlog_is_known_by_each_of_its_files() {
        for path in ["tasks", "tasks/a.md", "completed/b.md", "archive/tasks/c.md", "drafts", ""] {
            let root = backlog_root(&Path::new("/x/backlog").join(path));
            assert_eq!(root.components().collect::<PathBuf>(), Path::new("/x/backlog"), "{path}");
        }
    }
}
