//! What is offered when a turn ends: truing up workplan files that changed since.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use trueup_core::bounds::WORKPLANS;
use trueup_core::files::write_own;
use trueup_core::model::Timestamp;
use trueup_core::text::one_line;
use trueup_core::workplan::is_workplan_path;

use crate::Call;

/// Where workplans are.
const FOLDERS: [&str; 2] = ["workplans", "workplans/archived"];

/// Longest path named, in characters.
const LONGEST: usize = 200;

/// What was found among the workplans.
#[derive(Default)]
pub(crate) struct Offer {
    /// The offer, for the user.
    pub(crate) line: Option<String>,
    /// What was not looked at; a line each.
    pub(crate) notes: Vec<String>,
}

/// Offers to true workplans up that changed in this session and since the last check that
/// mended, once for each change.
pub(crate) fn workplans(call: &Call, registered_at: Timestamp) -> Offer {
    let dir = &call.site.project.dir;
    let mut offer = Offer::default();
    if !dir.join("workplans").is_dir() {
        return offer;
    }
    let paths = &call.site.settings.paths;
    let offered = paths
        .counters()
        .join(format!("{}.offered", call.payload.session));
    let began = u64::try_from(registered_at.as_millis()).unwrap_or_default();
    let since = [paths.checked(dir), offered.clone()]
        .iter()
        .filter_map(|stamp| modified(stamp))
        .fold(UNIX_EPOCH + Duration::from_millis(began), SystemTime::max);
    let mut changed = Vec::new();
    for folder in FOLDERS {
        let found = changed_in(dir, folder, since);
        changed.extend(found.changed);
        if found.is_cut {
            offer.notes.push(format!(
                "trueup: {folder}/ has more than {} files; the rest were not checked",
                WORKPLANS.most
            ));
        }
    }
    changed.sort();
    let Some(first) = changed.first() else {
        return offer;
    };
    // Where it cannot be noted it is offered again, which harms nobody.
    let _ = write_own(&offered, b"");
    let others = match changed.len() - 1 {
        0 => String::new(),
        others => format!(" and {others} other workplans"),
    };
    offer.line = Some(format!(
        "{}{others} changed in this session; `trueup check --fix` trues up the database, the files \
         and git",
        one_line(&first.display().to_string(), LONGEST)
    ));
    offer
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::symlink_metadata(path).ok()?.modified().ok()
}

/// The workplans of a folder that were saved after a time, by path from the root.
struct Found {
    changed: Vec<PathBuf>,
    /// Whether there are more files than were looked at.
    is_cut: bool,
}

fn changed_in(root: &Path, folder: &str, since: SystemTime) -> Found {
    let entries = fs::read_dir(root.join(folder));
    let mut entries = entries.into_iter().flatten().flatten();
    let changed = entries
        .by_ref()
        .take(WORKPLANS.len())
        .map(|entry| (Path::new(folder).join(entry.file_name()), entry))
        .filter(|(path, _)| is_workplan_path(&path.to_string_lossy()))
        .filter(|(_, entry)| modified(&entry.path()).is_some_and(|at| at > since))
        .map(|(path, _)| path)
        .collect();
    Found {
        changed,
        is_cut: entries.next().is_some(),
    }
}
