//! Finds the folders of workplans in a checkout: at the root, and in the packages of a monorepo.
//!
//! The folders are searched without git, down to where packages are: a listing by git reads its whole
//! index, or all files. Git is asked only about folders of packages that were found, because what
//! it ignores is nobody's workplan.

use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::fs::is_symlink;
use crate::git::Repository;
use crate::text::path_to_text;
use crate::workplan::{MAX_PACKAGE_DEPTH, is_package_folder, is_workplan_path};

/// The folder of workplans at the root, and the name of such a folder in a package.
const WORKPLANS: &str = "workplans";

/// The folder of archived workplans.
const ARCHIVED: &str = "archived";

/// Lists the workplans of a checkout, by path from its root; `None` without a folder of them.
pub(super) fn list_workplan_paths(root: &Path) -> io::Result<Option<Vec<String>>> {
    let mut packages = Vec::new();
    search_packages(root, "", 0, &mut packages);
    let mut in_packages = Vec::new();
    for folder in &packages {
        list_folder(root, folder, &mut in_packages)?;
    }
    keep_known_to_git(root, &packages, &mut in_packages);
    let has_root_folder = match fs::symlink_metadata(root.join(WORKPLANS)) {
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => return Err(name_error(&root.join(WORKPLANS), &error)),
    };
    if !has_root_folder && in_packages.is_empty() {
        return Ok(None);
    }
    let mut paths = in_packages;
    if has_root_folder {
        list_folder(root, WORKPLANS, &mut paths)?;
    }
    paths.sort();
    Ok(Some(paths))
}

/// Lists the workplans in a folder of them, archived ones too.
fn list_folder(root: &Path, folder: &str, paths: &mut Vec<String>) -> io::Result<()> {
    for (number, folder) in [folder.to_owned(), format!("{folder}/{ARCHIVED}")].iter().enumerate() {
        let directory = root.join(folder);
        // A symlink would lead writes out of the repository.
        if is_symlink(&directory) {
            let error = io::Error::other("a symlink, which is not followed");
            return Err(name_error(&directory, &error));
        }
        let entries = match fs::read_dir(&directory) {
            Err(error) if error.kind() == ErrorKind::NotFound && number > 0 => continue,
            other => other.map_err(|error| name_error(&directory, &error))?,
        };
        for entry in entries {
            let entry = entry.map_err(|error| name_error(&directory, &error))?;
            let path = path_to_text(&Path::new(folder).join(entry.file_name()));
            // The name of a directory may end in `.md`, too.
            let is_dir = || entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_workplan_path(&path) && !is_dir() {
                paths.push(path);
            }
        }
    }
    Ok(())
}

fn name_error(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Collects the folders of workplans in packages below a folder, which is `depth` folders below the
/// root. What cannot be read holds no package.
fn search_packages(root: &Path, folder: &str, depth: usize, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(root.join(folder)) else {
        return;
    };
    let (mut children, mut has_workplans) = (Vec::new(), false);
    for entry in entries.flatten() {
        let name = entry.file_name();
        if depth > 0 && name == ".git" {
            // Another repository inside this one, such as a submodule.
            return;
        }
        // Symlinks are no directories here: git has the link only.
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        // A name that is not UTF-8 is no name that git and the database take.
        let Some(name) = name.to_str() else {
            continue;
        };
        if name == WORKPLANS {
            has_workplans = true;
        } else if is_package_folder(name) {
            children.push(join(folder, name));
        }
    }
    if has_workplans && depth > 0 {
        found.push(join(folder, WORKPLANS));
    }
    for child in children {
        if depth + 1 < MAX_PACKAGE_DEPTH {
            search_packages(root, &child, depth + 1, found);
        } else {
            // The last ones are not listed: most folders of a repository are that deep.
            find_deepest(root, &child, found);
        }
    }
}

/// Looks for a folder of workplans in a folder that is not searched.
fn find_deepest(root: &Path, package: &str, found: &mut Vec<String>) {
    let folder = join(package, WORKPLANS);
    let kind = fs::symlink_metadata(root.join(&folder));
    if kind.is_ok_and(|kind| kind.is_dir()) && !root.join(package).join(".git").exists() {
        found.push(folder);
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Removes what git ignores. Where git cannot say, nothing is.
fn keep_known_to_git(root: &Path, folders: &[String], paths: &mut Vec<String>) {
    if paths.is_empty() {
        return;
    }
    let repository = Repository::discover(root).filter(|found| found.root() == root);
    let known = repository.and_then(|repository| repository.list_files(folders).ok());
    if let Some(known) = known {
        let known: HashSet<String> = known.into_iter().collect();
        paths.retain(|path| known.contains(path));
    }
}
