//! What an installation that was killed left behind: stages, links and files that it was writing. The
//! installation lock says that no other one is writing them now.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::artifacts::{DRAFT_PREFIX, LINK_PREFIX, PREFIX_MANIFEST_FILE, STAGE_PREFIX};
use crate::dirs;
use crate::error::Result;
use crate::layout::Layout;
use crate::report::{Report, RowState};

/// How many characters make a name unique.
const RANDOM_CHARS: usize = 6;

/// Lists what is left in the directories in which an installation writes.
pub(crate) fn list_dead(layout: &Layout, stage: &Path) -> Vec<PathBuf> {
    let places = [stage.parent(), Some(stage), Some(layout.codex.as_path())].into_iter().flatten();
    let mut dirs: BTreeSet<PathBuf> = places.map(Path::to_owned).collect();
    dirs.extend(layout.link_dir.clone());
    dirs.extend([layout.data.clone(), layout.config.clone(), layout.config.join("plugins")]);
    let entries = dirs.iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten().flatten();
    let dead = entries.filter(|entry| is_draft_name(&entry.file_name().to_string_lossy()));
    let record = stage.join(PREFIX_MANIFEST_FILE);
    // One that has the only record was killed while it exchanged the directories.
    let is_needed = |path: &PathBuf| path.join(PREFIX_MANIFEST_FILE).exists() && !record.exists();
    dead.map(|entry| entry.path()).filter(|path| !is_needed(path)).collect()
}

/// Removes them.
pub(crate) fn remove_dead(layout: &Layout, stage: &Path, report: &mut Report) -> Result<()> {
    let dead = list_dead(layout, stage);
    for path in &dead {
        dirs::remove_all(path)?;
        let detail = format!("{} removed: its installation was killed", layout.shorten(path));
        report.add_row("unfinished", RowState::Done, detail);
    }
    Ok(())
}

fn is_draft_name(name: &str) -> bool {
    let prefixes = [STAGE_PREFIX, LINK_PREFIX, DRAFT_PREFIX];
    prefixes.iter().filter_map(|prefix| name.strip_prefix(prefix)).any(|rest| {
        let rest = rest.strip_suffix(".old").unwrap_or(rest);
        rest.len() == RANDOM_CHARS && rest.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_drafts_are_drafts() {
        for name in [".trueup-stage-OxMvbS", ".trueup-link-a1B2c3", ".trueup-OxMvbS"] {
            assert!(is_draft_name(name), "{name}");
        }
        for name in ["trueup", ".trueup", ".trueup-stage-mine", ".trueup-notes.txt", ".trueup-"] {
            assert!(!is_draft_name(name), "{name}");
        }
    }
}
