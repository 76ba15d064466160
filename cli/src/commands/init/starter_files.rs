//! The files that a repository begins with.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use trueup_core::fs::{create_shared_dir, create_shared_file};
use trueup_core::settings::render_repository_config;
use trueup_core::workplan::is_workplan_path;

use super::starter_workplan::{choose_workplan_id, render_workplan};
use crate::command_error::{CommandError, CommandResult, FileCase};

/// The folder of workplans.
const FOLDER: &str = "workplans";

/// The settings of a repository.
const SETTINGS: &str = ".trueup.toml";

/// A file that a repository begins with.
#[derive(Debug)]
pub(super) struct StarterFile {
    /// Its path from the root.
    pub(super) path: String,
    /// What it is for.
    pub(super) about: &'static str,
    pub(super) is_workplan: bool,
    /// Whether it, or what it would begin, is there.
    pub(super) is_there: bool,
    content: String,
}

impl StarterFile {
    /// Writes the file, with its folder. One that came meanwhile stays.
    pub(super) fn write(&self, root: &Path) -> CommandResult<()> {
        let path = root.join(&self.path);
        let folder = path.parent().unwrap_or(root);
        let written = create_shared_dir(folder)
            .and_then(|()| create_shared_file(&path, self.content.as_bytes()));
        written.map_err(|error| build_file_error(&self.path, &error))
    }
}

/// Lists the files, and whether each is there. A repository with workplans needs none to begin with.
///
/// # Errors
///
/// When a place cannot be looked at.
pub(super) fn list_starter_files(
    root: &Path,
    name: Option<&str>,
) -> CommandResult<Vec<StarterFile>> {
    let id = choose_workplan_id(root, name);
    let existing = find_workplan(root).map_err(|error| build_file_error(FOLDER, &error))?;
    let workplan = StarterFile {
        is_there: existing.is_some(),
        path: existing.unwrap_or_else(|| format!("{FOLDER}/{id}.md")),
        about: "a workplan to begin with",
        is_workplan: true,
        content: render_workplan(&id),
    };
    let settings = StarterFile {
        path: SETTINGS.to_owned(),
        about: "every setting of the repository, as comments",
        is_workplan: false,
        is_there: root.join(SETTINGS).symlink_metadata().is_ok(),
        content: render_repository_config(),
    };
    Ok(vec![workplan, settings])
}

/// Finds the first workplan of the repository, by name.
fn find_workplan(root: &Path) -> io::Result<Option<String>> {
    let entries = match fs::read_dir(root.join(FOLDER)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(format!("{FOLDER}/{}", entry?.file_name().to_string_lossy()));
    }
    paths.retain(|path| is_workplan_path(path));
    paths.sort();
    Ok(paths.into_iter().next())
}

fn build_file_error(path: &str, error: &io::Error) -> CommandError {
    CommandError::new(FileCase::File, format!("{path}: {error}"))
}
