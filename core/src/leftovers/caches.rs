//! Caches of sessions in a project.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Removal, remove_file};
use crate::cache::{CacheDocument, CacheFile, shared_cache_path};
use crate::fs::{ChangeError, is_symlink};
use crate::reconcile::{CacheReading, Reading};

/// Lists the caches in a project that trueup wrote, by their name and their stamp.
pub(super) fn list_caches(project: &Path) -> Vec<PathBuf> {
    let shared = shared_cache_path(project);
    let Some(dir) = shared.parent().filter(|dir| !is_symlink(dir)) else {
        return Vec::new();
    };
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let named = entries.filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("auto-proceed-state") && name.ends_with(".json")
    });
    let mut caches: Vec<PathBuf> = named.map(|entry| entry.path()).collect();
    caches.retain(|path| read_stamped(path).is_some());
    caches.sort();
    caches
}

fn read_stamped(path: &Path) -> Option<CacheDocument> {
    match CacheFile::read(path).document {
        Reading::Fresh(document) if document.has_stamp() => Some(document),
        _ => None,
    }
}

pub(super) fn remove_cache(
    path: &Path,
    save_edit: &mut dyn FnMut(&CacheReading) -> Result<(), String>,
) -> Result<Option<Removal>, ChangeError> {
    let Some(document) = read_stamped(path) else {
        return Ok(Some(Removal::Kept("it was replaced meanwhile".to_owned())));
    };
    let foreign = document.list_foreign_keys();
    if !foreign.is_empty() {
        let keys = foreign.join(", ");
        return Ok(Some(Removal::Kept(format!("another program keeps {keys} in it"))));
    }
    if let Err(problem) = save_edit(&document.to_reading()) {
        return Ok(Some(Removal::Kept(problem)));
    }
    remove_file(path)
}
