//! What is offered when a turn ends: truing up workplan files that changed since.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use trueup_core::bounds::WORKPLANS;
use trueup_core::fs::write_private;
use trueup_core::model::Timestamp;
use trueup_core::text::one_line;
use trueup_core::workplan::is_workplan_path;

use crate::HookContext;

/// Where workplans are.
const WORKPLAN_FOLDERS: [&str; 2] = ["workplans", "workplans/archived"];

/// Longest path named, in characters.
const MAX_PATH_CHARS: usize = 200;

/// What was found among the workplans.
#[derive(Default)]
pub(crate) struct CheckSuggestion {
    /// The offer, for the user.
    pub(crate) line: Option<String>,
    /// What was not looked at; a line each.
    pub(crate) notes: Vec<String>,
}

/// Offers to true workplans up that changed in this session and since the last check that
/// mended, once for each change.
pub(crate) fn suggest_for_workplans(
    context: &HookContext,
    registered_at: Timestamp,
) -> CheckSuggestion {
    let dir = &context.run.project.dir;
    let mut suggestion = CheckSuggestion::default();
    if !dir.join("workplans").is_dir() {
        return suggestion;
    }
    let paths = &context.run.settings.paths;
    let stamp_path = paths
        .counters()
        .join(format!("{}.offered", context.payload.session));
    let started_ms = u64::try_from(registered_at.as_millis()).unwrap_or_default();
    let since = [paths.check_marker(dir), stamp_path.clone()]
        .iter()
        .filter_map(|stamp| modified_at(stamp))
        .fold(
            UNIX_EPOCH + Duration::from_millis(started_ms),
            SystemTime::max,
        );
    let mut changed = Vec::new();
    for folder in WORKPLAN_FOLDERS {
        let folder_changes = list_changed_in(dir, folder, since);
        changed.extend(folder_changes.changed);
        if folder_changes.is_truncated {
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
    // Where it cannot be noted it is offered again, which harms nobody.
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

fn modified_at(path: &Path) -> Option<SystemTime> {
    fs::symlink_metadata(path).ok()?.modified().ok()
}

/// The workplans of a folder that were saved after a time, by path from the root.
struct ChangedWorkplans {
    changed: Vec<PathBuf>,
    /// Whether there are more files than were looked at.
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
    ChangedWorkplans {
        changed,
        is_truncated: entries.next().is_some(),
    }
}
