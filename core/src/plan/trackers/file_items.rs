//! Which items an export writes into a file, where a repository has several files of one tracker.

use std::collections::{BTreeMap, BTreeSet};

use super::item_source::ItemSource;
use super::record::TrackerFormat;
use super::tracker_places::are_of_two_folders;
use crate::model::{Item, ItemKey};

/// The items of a file.
#[derive(Debug, PartialEq)]
pub struct FileItems {
    /// What is written.
    pub items: Vec<Item>,
    /// Items that were added here, of which nothing says to which of the files they belong.
    pub left_out: Vec<ItemKey>,
}

/// Two files have the same id for different items, and an export would write both.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{first} and {second} both have a task {id}, and the export would mix them")]
pub struct MixedFiles {
    /// A file.
    pub first: String,
    /// Another one.
    pub second: String,
    /// The id that both have.
    pub id: String,
}

/// Returns the names of the files of a tracker that items know.
pub fn list_files<'a>(
    items: impl IntoIterator<Item = &'a Item>,
    format: TrackerFormat,
) -> BTreeSet<String> {
    let sources = items.into_iter().filter_map(|item| ItemSource::in_tracker(item, format));
    sources.filter_map(|source| source.file).collect()
}

/// Chooses the items of the file `place`. A file that no item knows is a copy, and has all of them.
/// `present` are the files of the tracker that are there.
///
/// # Errors
///
/// When a copy would have two tasks of the same id.
pub fn choose_items_of_file(
    items: Vec<Item>,
    format: TrackerFormat,
    place: Option<&str>,
    present: &BTreeSet<String>,
) -> Result<FileItems, MixedFiles> {
    let files = list_files(&items, format);
    let is_other = |file: &str| match place {
        Some(place) if file != place => present.contains(file) || are_of_two_folders(file, place),
        _ => false,
    };
    let is_known = place.is_some_and(|place| files.contains(place));
    if !is_known || !files.iter().any(|file| is_other(file)) {
        refuse_mixed(&items, format)?;
        return Ok(FileItems { items, left_out: Vec::new() });
    }
    let by_key: BTreeMap<&ItemKey, &Item> = items.iter().map(|item| (&item.key, item)).collect();
    // What was added here belongs to the file of its parent.
    let file_of = |item: &Item| {
        let mut next = Some(item);
        for _ in 0..=by_key.len() {
            let item = next?;
            if let Some(file) = ItemSource::in_tracker(item, format).and_then(|it| it.file) {
                return Some(file);
            }
            next = item.parent.as_ref().and_then(|parent| by_key.get(parent)).copied();
        }
        None
    };
    let is_of_file: Vec<Option<bool>> =
        items.iter().map(|item| file_of(item).map(|file| !is_other(&file))).collect();
    let mut chosen = FileItems { items: Vec::new(), left_out: Vec::new() };
    for (item, is_of_file) in items.into_iter().zip(is_of_file) {
        match is_of_file {
            Some(true) => chosen.items.push(item),
            Some(false) => {}
            None => {
                let origin = ItemSource::of_item(&item).map(|source| source.format);
                let has_own_file = origin
                    .is_some_and(|other| ![format, TrackerFormat::JsonLines].contains(&other));
                chosen.left_out.extend((!has_own_file).then_some(item.key));
            }
        }
    }
    Ok(chosen)
}

/// Refuses where two files have the same id.
fn refuse_mixed(items: &[Item], format: TrackerFormat) -> Result<(), MixedFiles> {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for item in items {
        let Some(source) = ItemSource::in_tracker(item, format) else { continue };
        let Some(file) = source.file else { continue };
        let file = item.repo.as_ref().map_or(file.clone(), |repo| format!("{file} of {repo}"));
        match known.get(&source.id) {
            Some(first) if *first != file => {
                return Err(MixedFiles { first: first.clone(), second: file, id: source.id });
            }
            _ => known.insert(source.id, file),
        };
    }
    Ok(())
}
