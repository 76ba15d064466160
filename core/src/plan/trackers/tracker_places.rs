//! Which items are those of which file, where a repository has several files of one tracker.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::import_context::ImportContext;
use super::item_source::ItemSource;
use super::record::{TrackerFormat, TrackerRecord};

/// Where trackers keep their files, below the folder whose work they track.
const HOMES: [&str; 5] = [
    ".beads/issues.jsonl",
    ".taskmaster/tasks/tasks.json",
    "tasks/tasks.json",
    "backlog",
    ".backlog",
];

/// Returns the folder whose work a file tracks, if it lies where its tracker keeps it.
fn find_tracked_folder(place: &str) -> Option<&Path> {
    let path = Path::new(place);
    let home = HOMES.iter().find(|home| path.ends_with(home))?;
    path.ancestors().nth(Path::new(home).components().count())
}

/// Tells whether two files are where a tracker keeps those of two folders: neither is a copy.
pub(super) fn are_of_two_folders(one: &str, other: &str) -> bool {
    match (find_tracked_folder(one), find_tracked_folder(other)) {
        (Some(one), Some(other)) => one != other,
        _ => false,
    }
}

/// Returns the name of the folder whose work a file tracks.
pub(super) fn name_tracked_folder(place: &str) -> Option<&str> {
    let folder = find_tracked_folder(place).or_else(|| Path::new(place).parent())?;
    folder.file_name()?.to_str()
}

/// The file that is imported, and the other names under which items know it.
#[derive(Debug)]
pub(super) struct ImportPlace<'a> {
    /// The name by which items know the file from then on. That of a copy is the file which it was
    /// copied from, as long as that is there.
    pub(super) own: Option<&'a str>,
    /// Whether the file is a copy of one that is there.
    pub(super) is_copy: bool,
    /// Names of the same file: from before it was moved, or from another copy.
    same: BTreeSet<&'a str>,
    is_stream: bool,
}

impl<'a> ImportPlace<'a> {
    /// Finds out which items are those of the file.
    pub(super) fn find(
        records: &[TrackerRecord],
        sources: &'a [ItemSource],
        context: &ImportContext<'a>,
    ) -> Self {
        let mut of_place: BTreeMap<&str, BTreeMap<&str, &ItemSource>> = BTreeMap::new();
        for source in sources {
            if let Some(file) = &source.file {
                of_place.entry(file).or_default().insert(&source.id, source);
            }
        }
        let is_known = context.file.is_some_and(|own| of_place.contains_key(own));
        let is_same = |place: &str, known: &BTreeMap<&str, &ItemSource>| match context.file {
            Some(own) if place == own => false,
            Some(own) if context.present.contains(place) && are_of_two_folders(own, place) => false,
            own => says_the_same(records, known, own.is_none()),
        };
        let same = of_place.iter().filter(|(place, known)| is_same(place, known));
        let same: BTreeSet<&str> = same.map(|(place, _)| *place).collect();
        let original = same.iter().find(|place| context.present.contains(**place)).copied();
        let original = original.filter(|_| !is_known && context.file.is_some());
        Self {
            own: original.or(context.file),
            is_copy: original.is_some(),
            same,
            is_stream: context.file.is_none(),
        }
    }

    /// Tells whether a record is one of another file, however its id is.
    pub(super) fn is_of_other(&self, source: &ItemSource) -> bool {
        let is_same = |file: &str| self.own == Some(file) || self.same.contains(file);
        source.file.as_deref().is_some_and(|file| !is_same(file))
    }

    /// Tells whether a record is known by an earlier name of the file.
    pub(super) fn is_of_earlier_name(&self, source: &ItemSource) -> bool {
        let is_same = |file: &str| self.own != Some(file) && self.same.contains(file);
        !self.is_stream && source.file.as_deref().is_some_and(is_same)
    }
}

/// Tells whether records are those that are known under the same ids: at least half of them, by
/// their title or as a whole.
fn says_the_same(
    records: &[TrackerRecord],
    known: &BTreeMap<&str, &ItemSource>,
    if_none_is_shared: bool,
) -> bool {
    let shared = records.iter().filter_map(|record| Some((record, known.get(record.id.as_str())?)));
    let (mut count, mut agree) = (0, 0);
    for (record, source) in shared {
        count += 1;
        let is_same = source.knows_record(record) || source.reread().title == record.title;
        agree += usize::from(is_same);
    }
    if count == 0 { if_none_is_shared } else { 2 * agree >= count }
}

/// Returns what items were in a tracker, removed ones as well.
pub(super) fn list_sources(format: TrackerFormat, context: &ImportContext<'_>) -> Vec<ItemSource> {
    let here = context.existing.values().filter(|item| item.repo.as_deref() == context.repo);
    let sources = here.filter_map(|item| ItemSource::in_tracker(item, format));
    sources.chain(context.removed.iter().map(|removed| removed.source.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_two_folders_are_told_from_copies() {
        for (one, other, are_two) in [
            ("a/.beads/issues.jsonl", "b/.beads/issues.jsonl", true),
            (".taskmaster/tasks/tasks.json", "b/.taskmaster/tasks/tasks.json", true),
            ("tasks/tasks.json", ".taskmaster/tasks/tasks.json", false),
            ("a/backlog", "b/.backlog", true),
            (".beads/issues.jsonl", "issues.jsonl", false),
            ("a/x.jsonl", "b/x.jsonl", false),
        ] {
            assert_eq!(are_of_two_folders(one, other), are_two, "{one} {other}");
        }
        assert_eq!(name_tracked_folder("x/web/.taskmaster/tasks/tasks.json"), Some("web"));
        assert_eq!(name_tracked_folder(".beads/issues.jsonl"), None);
    }
}
