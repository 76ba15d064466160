//! `trueup meta fix`: removing fields that the database owns, and recording their values.

use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::commands::findings::{exit_code_for, render_divergences};
use crate::commands::value_text::render_json_value;
use crate::output::Output;
use serde_json::{Map, Value as Json, json};
use trueup_core::diagnostic::Divergence;
use trueup_core::metadata::{DATABASE_FIELDS, JsonDocument, JsonLiteral, MetadataFile};
use trueup_core::model::AdwId;
use trueup_core::store::{MetadataAction, MetadataChange, Provenance, Store};
use trueup_core::text::one_line;

use super::check::select_workflows;
use super::workflow_file::{
    change_locked, describe_writer, display_path, list_findings, metadata_file, not_found_error,
    unusable_file_finding,
};

/// Longest old value in a warning, in characters.
const MAX_VALUE_CHARS: usize = 80;

/// The fix of one file.
struct FixedFile {
    before: Map<String, Json>,
    after: Map<String, Json>,
    writer: Option<String>,
}

pub(super) fn cmd_fix(context: &CommandContext, ids: Vec<AdwId>) -> CommandResult {
    let (ids, mut warnings) = select_workflows(context, ids)?;
    let (mut fixed, mut text) = (Vec::new(), Vec::new());
    let mut remaining: Vec<Divergence> = Vec::new();
    let mut fix_log = FixLog { context, store: None };
    for id in &ids {
        let file = metadata_file(context, id);
        match file.read() {
            Ok(None) => return Err(not_found_error(id)),
            // An unreadable file may hold unique data, so a person must fix it. The other files are
            // fixed.
            Err(error) => {
                remaining.push(unusable_file_finding(id, &error));
                continue;
            }
            Ok(Some(_)) => {}
        }
        let fix_result = change_locked(context, &file, |old| {
            let old = old.ok_or_else(|| not_found_error(id))?;
            let (new, fixed_file) = fix_document(&file, &old);
            if fixed_file.before.is_empty() && fixed_file.after.is_empty() {
                return Ok((None, (old, None)));
            }
            // Recorded first, so that the old values are in the log before they are removed.
            fix_log.record(&file, &fixed_file)?;
            Ok((Some(new.clone()), (new, Some(fixed_file))))
        });
        let (document, fixed_file) = match fix_result {
            Ok(changed) => changed,
            // Fixes of other files before the error are still reported.
            Err(mut error) if !fixed.is_empty() => {
                error.divergences.append(&mut remaining);
                text.splice(0..0, error.details.into_vec());
                error.details = text.into();
                return Err(error.with_data(json!({"fixed": fixed})));
            }
            Err(error) => return Err(error),
        };
        remaining.extend(list_findings(&file, &document));
        if let Some(fixed_file) = fixed_file {
            let removed: Vec<&String> =
                fixed_file.before.keys().filter(|k| *k != "adw_id").collect();
            text.extend(render_fix(id, &fixed_file));
            warnings.extend(warn_of_writer(id, &fixed_file));
            fixed.push(json!({"id": id, "removed": removed}));
        }
    }
    if text.is_empty() {
        let is_clean = remaining.is_empty();
        text.push(if is_clean { "nothing to fix" } else { "nothing could be fixed" }.to_owned());
    }
    context.set_fix_directories(&mut remaining);
    text.extend(render_divergences(&remaining));
    Ok(Output {
        exit_code: exit_code_for(&remaining, false),
        divergences: remaining,
        warnings,
        ..Output::new(text, json!({"fixed": fixed}))
    })
}

/// Removes fields that the database owns, and adds a missing id.
fn fix_document(file: &MetadataFile, before_document: &JsonDocument) -> (JsonDocument, FixedFile) {
    let mut document = before_document.clone();
    let (mut before, mut after) = (Map::new(), Map::new());
    for field in DATABASE_FIELDS {
        if let Some(value) = before_document.get(field.name) {
            document.remove_field(field.name);
            before.insert(field.name.to_owned(), value);
        }
    }
    if before_document.get("adw_id").is_none_or(|value| value.is_null()) {
        document.set_field("adw_id", &JsonLiteral::from_plain_text(file.id().as_str()));
        after.insert("adw_id".to_owned(), json!(file.id()));
    }
    let writer = describe_writer(file, before_document);
    let fixed_file = FixedFile { before, after, writer };
    (document, fixed_file)
}

fn render_fix(id: &AdwId, fixed_file: &FixedFile) -> Vec<String> {
    let render_value = |value: &Json| one_line(&render_json_value(value), MAX_VALUE_CHARS);
    let removed = fixed_file.before.iter();
    let removed =
        removed.map(|(key, value)| format!("{id}: {key}: {} -> none", render_value(value)));
    let added = fixed_file.after.iter();
    let added = added.map(|(key, value)| format!("{id}: {key}: none -> {}", render_value(value)));
    removed.chain(added).collect()
}

/// Warns of the writer of removed fields, so that its script can be fixed as well.
fn warn_of_writer(id: &AdwId, fixed_file: &FixedFile) -> Option<String> {
    if fixed_file.before.is_empty() {
        return None;
    }
    let fields: Vec<&str> = fixed_file.before.keys().map(String::as_str).collect();
    let writer = fixed_file.writer.as_deref().unwrap_or("an unknown user");
    Some(format!(
        "{}: removed {}, owned by the database; written by {}: fix the script that wrote it (find \
         it with `trueup check --sources PATH`)",
        display_path(id),
        fields.join(", "),
        one_line(writer, MAX_VALUE_CHARS)
    ))
}

/// Records fixes in the event log. The database is opened with the first fix.
struct FixLog<'a> {
    context: &'a CommandContext,
    store: Option<Box<dyn Store>>,
}

impl FixLog<'_> {
    fn record(&mut self, file: &MetadataFile, fixed_file: &FixedFile) -> CommandResult<()> {
        let store = match &mut self.store {
            Some(store) => &mut **store,
            none => &mut **none.insert(self.context.open_for_change()?),
        };
        let actor = self.context.resolve_actor(store)?;
        let change = MetadataChange {
            action: MetadataAction::Fixed,
            id: file.id().clone(),
            path: display_path(file.id()),
            project: self.context.run.project.name(),
            before: fixed_file.before.clone(),
            after: fixed_file.after.clone(),
            writer: fixed_file.writer.clone(),
        };
        let reason = "the database owns these fields";
        store.record_metadata_change(&change, &Provenance::new(&actor, reason))?;
        Ok(())
    }
}
