//! `trueup meta fix`

use serde_json::{Map, Value as Json, json};
use trueup_core::metadata::{Document, Literal, MetadataFile, OWNED};
use trueup_core::model::AdwId;
use trueup_core::reconcile::Divergence;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{MetadataChange, MetadataDeed, MetadataStore as _, Provenance};
use trueup_core::text::one_line;

use super::check::{chosen, exit, lines};
use super::{change, file, findings, flaw, not_found, shown_place, writer_of};
use crate::desk::Desk;
use crate::failure::Failure;
use crate::report::Answer;

/// Longest old value in a warning, in characters.
const LONGEST: usize = 80;

/// What was done to one file.
struct Mended {
    before: Map<String, Json>,
    after: Map<String, Json>,
    writer: Option<String>,
}

pub(super) fn run(desk: &Desk, ids: Vec<AdwId>) -> Result<Answer, Failure> {
    let (ids, mut warnings) = chosen(desk, ids)?;
    let (mut fixed, mut text) = (Vec::new(), Vec::new());
    let mut remaining: Vec<Divergence> = Vec::new();
    let mut record = Record { desk, store: None };
    for id in &ids {
        let file = file(desk, id);
        match file.read() {
            Ok(None) => return Err(not_found(id)),
            // It may hold what nobody has elsewhere: it is for a person. The others are mended.
            Err(error) => {
                remaining.push(flaw(id, &error));
                continue;
            }
            Ok(Some(_)) => {}
        }
        let changed = change(desk, &file, |old| {
            let old = old.ok_or_else(|| not_found(id))?;
            let (new, mended) = mend(&file, &old);
            if mended.before.is_empty() && mended.after.is_empty() {
                return Ok((None, (old, None)));
            }
            // First recorded, then done: the old values are in the log before they go.
            record.keep(&file, &mended)?;
            Ok((Some(new.clone()), (new, Some(mended))))
        });
        let (document, mended) = match changed {
            Ok(changed) => changed,
            // What was done to the others before it is said all the same.
            Err(mut failure) if !fixed.is_empty() => {
                failure.divergences.append(&mut remaining);
                text.splice(0..0, failure.details.into_vec());
                failure.details = text.into();
                return Err(failure.data(json!({"fixed": fixed})));
            }
            Err(failure) => return Err(failure),
        };
        remaining.extend(findings(&file, &document));
        if let Some(mended) = mended {
            let removed: Vec<&String> = mended.before.keys().filter(|k| *k != "adw_id").collect();
            text.extend(said(id, &mended));
            warnings.extend(warned(id, &mended));
            fixed.push(json!({"id": id, "removed": removed}));
        }
    }
    if text.is_empty() {
        text.push("nothing to fix".to_owned());
    }
    desk.advise(&mut remaining);
    text.extend(lines(&remaining));
    Ok(Answer {
        exit: exit(&remaining, false),
        divergences: remaining,
        warnings,
        ..Answer::new(text, json!({"fixed": fixed}))
    })
}

/// Returns the file without what the database owns, and with its id when it had none.
fn mend(file: &MetadataFile, old: &Document) -> (Document, Mended) {
    let mut new = old.clone();
    let (mut before, mut after) = (Map::new(), Map::new());
    for field in OWNED {
        if let Some(value) = old.get(field.name) {
            new.remove(field.name);
            before.insert(field.name.to_owned(), value);
        }
    }
    if old.get("adw_id").is_none_or(|value| value.is_null()) {
        new.set("adw_id", &Literal::text(file.id().as_str()));
        after.insert("adw_id".to_owned(), json!(file.id()));
    }
    let writer = writer_of(file, old);
    let mended = Mended {
        before,
        after,
        writer,
    };
    (new, mended)
}

fn said(id: &AdwId, mended: &Mended) -> Vec<String> {
    let shown = |value: &Json| one_line(&super::super::plain(value), LONGEST);
    let removed = mended.before.iter();
    let removed = removed.map(|(key, value)| format!("{id}: {key}: {} -> none", shown(value)));
    let added = mended.after.iter();
    let added = added.map(|(key, value)| format!("{id}: {key}: none -> {}", shown(value)));
    removed.chain(added).collect()
}

/// Says who wrote what the database owns, so that the script is mended too.
fn warned(id: &AdwId, mended: &Mended) -> Option<String> {
    if mended.before.is_empty() {
        return None;
    }
    let fields: Vec<&str> = mended.before.keys().map(String::as_str).collect();
    let writer = mended.writer.as_deref().unwrap_or("an unknown user");
    Some(format!(
        "{}: removed {}, owned by the database; written by {}: fix the script that wrote it (find \
         it with `trueup check --sources PATH`)",
        shown_place(id),
        fields.join(", "),
        one_line(writer, LONGEST)
    ))
}

/// The log in the database, opened when the first file is mended.
struct Record<'a> {
    desk: &'a Desk,
    store: Option<SqliteStore>,
}

impl Record<'_> {
    fn keep(&mut self, file: &MetadataFile, mended: &Mended) -> Result<(), Failure> {
        let store = match &mut self.store {
            Some(store) => store,
            none => none.insert(self.desk.open_for_change()?),
        };
        let actor = self.desk.actor(store)?;
        let change = MetadataChange {
            deed: MetadataDeed::Fixed,
            id: file.id().clone(),
            path: shown_place(file.id()),
            project: self.desk.site.project.name(),
            before: mended.before.clone(),
            after: mended.after.clone(),
            writer: mended.writer.clone(),
        };
        let reason = "the database owns these fields";
        store.record_metadata_change(&change, &Provenance::new(&actor, reason))?;
        Ok(())
    }
}
