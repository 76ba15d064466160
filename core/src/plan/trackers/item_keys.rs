//! Which key the item of a record has.

use std::collections::{BTreeMap, BTreeSet};

use super::import_context::{ImportContext, RemovedItem};
use super::item_source::{ItemSource, SOURCE_FIELD};
use super::record::{TrackerFormat, TrackerRecord};
use super::tracker_places::{ImportPlace, name_tracked_folder};
use super::written_record::key_of_written_item;
use crate::model::{Item, ItemKey};

/// The longest part of an id that becomes a key: there has to be room for a repository's name.
const MAX_PART_CHARS: usize = 90;

/// The keys of records by their ids.
pub(super) struct KeyTable<'a> {
    existing: &'a BTreeMap<ItemKey, Item>,
    /// Keys of items that were imported before.
    earlier: BTreeMap<String, ItemKey>,
    given: BTreeMap<String, ItemKey>,
    taken: BTreeSet<ItemKey>,
    repo: Option<&'a str>,
    format: TrackerFormat,
    place: &'a ImportPlace<'a>,
}

impl<'a> KeyTable<'a> {
    /// Finds the items that earlier imports of this file brought into this repository. Those
    /// of an export are known by their key.
    pub(super) fn new(
        format: TrackerFormat,
        context: &ImportContext<'a>,
        place: &'a ImportPlace<'a>,
    ) -> Self {
        let (existing, repo) = (context.existing, context.repo);
        let here = existing.values().filter(|item| item.repo.as_deref() == repo);
        let earlier = here.filter_map(|item| {
            let mut is_earlier_name = false;
            let id = if format == TrackerFormat::JsonLines {
                item.key.to_string()
            } else {
                let source = ItemSource::in_tracker(item, format)?;
                if place.is_of_other(&source) {
                    return None;
                }
                is_earlier_name = place.is_of_earlier_name(&source) || source.file.is_none();
                source.id
            };
            Some((is_earlier_name, id, item.key.clone()))
        });
        // Those that were removed, and are added again by hand, are known as they were.
        let is_back = |removed: &&RemovedItem| {
            removed.is_back(format, context) && !place.is_of_other(&removed.source)
        };
        let back = context.removed.iter().filter(is_back);
        let back = back.map(|removed| (true, removed.source.id.clone(), removed.key.clone()));
        let mut earlier: Vec<(bool, String, ItemKey)> = back.chain(earlier).collect();
        // What the file itself brought goes before what it is known by besides.
        earlier.sort_by_key(|(is_earlier_name, _, _)| !is_earlier_name);
        Self {
            existing,
            earlier: earlier.into_iter().map(|(_, id, key)| (id, key)).collect(),
            given: BTreeMap::new(),
            taken: BTreeSet::new(),
            repo,
            format,
            place,
        }
    }

    /// Gives a record its key: that of an earlier import, that of the item which an export wrote
    /// there, else its id. Where another item has that key, the name of the folder that the file tracks goes
    /// before it, or that of the repository.
    pub(super) fn give_key(&mut self, record: &TrackerRecord) -> ItemKey {
        let id = record.id.as_str();
        let known = self.earlier.get(id).cloned().or_else(|| self.find_written_item(record));
        let key = known.unwrap_or_else(|| self.make_key(id));
        self.taken.insert(key.clone());
        self.given.insert(id.to_owned(), key.clone());
        key
    }

    /// Returns the key of a record, of this import or an earlier one.
    pub(super) fn find(&self, id: &str) -> Option<&ItemKey> {
        self.given.get(id).or_else(|| self.earlier.get(id))
    }

    /// Finds the item that an export wrote as this record. One that came from another tracker is
    /// known by its title as well: its id may be that of something else here.
    fn find_written_item(&self, record: &TrackerRecord) -> Option<ItemKey> {
        let key = key_of_written_item(self.format, record)?;
        let item = self.existing.get(&key).filter(|_| !self.taken.contains(&key))?;
        let is_known_elsewhere = item.extra.contains_key(SOURCE_FIELD);
        let is_named = self.format == TrackerFormat::TaskMaster
            || item.title.as_deref().unwrap_or(item.key.as_str()) == record.title;
        // A copy may have another number for a task that moved.
        let is_linked = ItemSource::in_tracker(item, self.format).is_some_and(|source| {
            !source.has_seen(&record.original) || self.place.is_of_other(&source)
        });
        let is_here = item.repo.as_deref() == self.repo;
        (is_here && !is_linked && (!is_known_elsewhere || is_named)).then_some(key)
    }

    fn make_key(&self, id: &str) -> ItemKey {
        let own = id.parse().ok();
        let own = own.unwrap_or_else(|| key_from_text(id));
        let folder = self.place.own.and_then(name_tracked_folder);
        let with_folder = folder.map(|folder| key_from_text(&format!("{folder}-{own}")));
        let is_of_repo = |key: &ItemKey| {
            let item = self.existing.get(key);
            item.is_some_and(|item| item.repo.as_deref() == self.repo)
        };
        let with_folder = with_folder.filter(|_| is_of_repo(&own));
        let with_repo = key_from_text(&format!("{}-{own}", self.repo.unwrap_or("import")));
        let numbered = (2_u64..).map(|number| key_from_text(&format!("{with_repo}-{number}")));
        let mut candidates =
            [own].into_iter().chain(with_folder).chain([with_repo.clone()]).chain(numbered);
        let is_free = |key: &ItemKey| !self.existing.contains_key(key) && !self.taken.contains(key);
        candidates.find(is_free).unwrap_or(with_repo)
    }
}

/// Makes a key of any text. What a key cannot have becomes a dash.
fn key_from_text(text: &str) -> ItemKey {
    let kept = |c: char| if c.is_ascii_alphanumeric() || "._-:#".contains(c) { c } else { '-' };
    let mut key = String::new();
    for c in text.trim().chars().map(kept) {
        let doubles = (c == '.' || c == '-') && key.ends_with(c);
        if !doubles && (!key.is_empty() || c.is_ascii_alphanumeric()) {
            key.push(c);
        }
    }
    // The end is what tells long texts apart: a number, or a digest.
    if key.len() > 2 * MAX_PART_CHARS {
        let end = key.split_off(key.len() - MAX_PART_CHARS);
        key.truncate(MAX_PART_CHARS);
        key.push('-');
        key += end.trim_start_matches(['.', '-']);
    }
    let key = key.trim_end_matches(['-', '.']);
    key.parse().unwrap_or_else(|_| ItemKey::unnamed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_makes_a_key() {
        for (text, key) in [
            ("bd-a1.2", "bd-a1.2"),
            ("feature x:1", "feature-x:1"),
            ("../etc", "etc"),
            ("a..b", "a.b"),
            ("日本", "unnamed"),
            ("-flag", "flag"),
        ] {
            assert_eq!(key_from_text(text).as_str(), key, "{text}");
        }
        assert!(key_from_text(&"x".repeat(5_000)).as_str().len() <= 200);
    }
}
