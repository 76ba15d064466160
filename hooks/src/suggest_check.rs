//! Suggests `trueup check --fix` at the end of a turn in which workplan files changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use trueup_core::bounds::{CHECK_MARKER, WORKPLANS};
use trueup_core::fs::{read_bytes, write_private};
use trueup_core::model::Timestamp;
use trueup_core::text::one_line;
use trueup_core::workplan::{is_workplan_folder, is_workplan_path};

use crate::HookContext;

/// The folder of workplans at the root of a project.
const ROOT_FOLDER: &str = "workplans";

/// Most folders of packages that are watched. A turn ends after each of them was listed.
const MAX_PACKAGE_FOLDERS: usize = 64;

/// Longest path shown, in characters.
const MAX_PATH_CHARS: usize = 200;

/// The suggestion, if there is one.
#[derive(Default)]
pub(crate) struct CheckSuggestion {
    /// The line for the user.
    pub(crate) line: Option<String>,
    /// Directories that were not searched whole, one line each.
    pub(crate) notes: Vec<String>,
}

/// Suggests a check when workplans changed in this session and since the last `check --fix`. Each
/// change is suggested once.
pub(crate) fn suggest_for_workplans(
    context: &HookContext,
    registered_at: Timestamp,
) -> CheckSuggestion {
    let dir = &context.run.project.dir;
    let mut suggestion = CheckSuggestion::default();
    let paths = &context.run.settings.paths;
    let marker = paths.check_marker(dir);
    let folders = list_folders(dir, &marker);
    if folders.is_empty() {
        return suggestion;
    }
    let stamp_path = paths.counters().join(format!("{}.offered", context.payload.session));
    let started_ms = u64::try_from(registered_at.as_millis()).unwrap_or_default();
    let since = [marker, stamp_path.clone()]
        .iter()
        .filter_map(|stamp| modified_at(stamp))
        .fold(UNIX_EPOCH + Duration::from_millis(started_ms), SystemTime::max);
    let mut changed = Vec::new();
    for folder in folders.iter().flat_map(|folder| [folder.clone(), format!("{folder}/archived")]) {
        let dir_changes = list_changed_in(dir, &folder, since);
        changed.extend(dir_changes.changed);
        if dir_changes.is_truncated {
            suggestion.notes.push(format!(
                "trueup: {folder}/ has more than {} files; the rest were not checked",
                WORKPLANS.most
            ));
        }
    }
    changed.sort();
    let Some(first) = changed.first() else {
        return suggestion;
    };
    // Without the stamp, the same suggestion is made again at the next turn.
    let _ = write_private(&stamp_path, b"");
    let others = match changed.len() - 1 {
        0 => String::new(),
        others => format!(" and {others} other workplans"),
    };
    suggestion.line = Some(format!(
        "{}{others} changed in this session; `trueup check --fix` trues up the database, the files \
         and git",
        one_line(&first.display().to_string(), MAX_PATH_CHARS)
    ));
    suggestion
}

/// Lists the folders of workplans: the one at the root, and those in packages that the last check
/// found. To search for others would take longer than a hook may.
fn list_folders(project: &Path, marker: &Path) -> Vec<String> {
    let noted = read_bytes(marker, CHECK_MARKER.most, false).unwrap_or_default();
    let noted = String::from_utf8(noted).unwrap_or_default();
    let noted = noted.lines().filter(|line| is_workplan_folder(line));
    let noted = noted.take(MAX_PACKAGE_FOLDERS);
    let folders = std::iter::once(ROOT_FOLDER).chain(noted);
    folders.filter(|folder| project.join(folder).is_dir()).map(str::to_owned).collect()
}

fn modified_at(path: &Path) -> Option<SystemTime> {
    fs::symlink_metadata(path).ok()?.modified().ok()
}

/// The workplans of a directory that changed after a time, as paths from the project's root.
struct ChangedWorkplans {
    changed: Vec<PathBuf>,
    /// Whether the directory holds more files than were searched.
    is_truncated: bool,
}

fn list_changed_in(root: &Path, folder: &str, since: SystemTime) -> ChangedWorkplans {
    let entries = fs::read_dir(root.join(folder));
    let mut entries = entries.into_iter().flatten().flatten();
    let changed = entries
        .by_ref()
        .take(WORKPLANS.len())
        .map(|entry| (Path::new(folder).join(entry.file_name()), entry))
        .filter(|(path, _)| is_workplan_path(&path.to_string_lossy()))
        .filter(|(_, entry)| modified_at(&entry.path()).is_some_and(|at| at > since))
        .map(|(path, _)| path)
        .collect();
    ChangedWorkplans { changed, is_truncated: entries.next().is_some() }
}
