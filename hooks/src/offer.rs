//! What is offered when a turn ends: truing up workplan files that changed since.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use trueup_core::files::write_own;
use trueup_core::model::Timestamp;
use trueup_core::text::one_line;
use trueup_core::workplan::is_workplan_path;

use crate::Call;

/// Where workplans are.
const FOLDERS: [&str; 2] = ["workplans", "workplans/archived"];

/// Longest path named, in characters.
const LONGEST: usize = 200;

/// Offers to true workplans up that changed in this session and since the last check that
/// mended, once for each change.
pub(crate) fn workplans(call: &Call, registered_at: Timestamp) -> Option<String> {
    let dir = &call.site.project.dir;
    if !dir.join("workplans").is_dir() {
        return None;
    }
    let paths = &call.site.settings.paths;
    let offered = paths
        .counters()
        .join(format!("{}.offered", call.payload.session));
    let began = u64::try_from(registered_at.as_millis()).unwrap_or_default();
    let since = [paths.checked(dir), offered.clone()]
        .iter()
        .filter_map(|stamp| modified(stamp))
        .chain([UNIX_EPOCH + Duration::from_millis(began)])
        .max()?;
    let mut changed: Vec<PathBuf> = FOLDERS
        .iter()
        .flat_map(|folder| changed_in(dir, folder, since))
        .collect();
    changed.sort();
    let first = one_line(&changed.first()?.display().to_string(), LONGEST);
    // Where it cannot be noted it is offered again, which harms nobody.
    let _ = write_own(&offered, b"");
    let others = changed.len() - 1;
    let what = if others > 0 {
        format!("{first} and {others} other workplans")
    } else {
        first
    };
    Some(format!(
        "{what} changed in this session: `trueup check --fix` trues up the database, the files and git"
    ))
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::symlink_metadata(path).ok()?.modified().ok()
}

/// Lists the workplans of a folder that were saved after a time, by path from the root.
fn changed_in(root: &Path, folder: &str, since: SystemTime) -> Vec<PathBuf> {
    let entries = fs::read_dir(root.join(folder));
    entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| (Path::new(folder).join(entry.file_name()), entry))
        .filter(|(path, _)| is_workplan_path(&path.to_string_lossy()))
        .filter(|(_, entry)| modified(&entry.path()).is_some_and(|at| at > since))
        .map(|(path, _)| path)
        .collect()
}
