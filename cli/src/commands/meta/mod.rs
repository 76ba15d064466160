//! `trueup meta`: `agents/<id>/adw_state.json`.

pub(super) mod check;
mod fix;
mod phase_contract;
mod schema;

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, DatabaseCase, MetadataCase};
use crate::commands::meta::check::MetaCheckArgs;
use crate::output::Output;
use clap::Subcommand;
use serde_json::{Map, Value as Json, json};
use trueup_core::diagnostic::Divergence;
use trueup_core::metadata::{
    JsonDocument, JsonLiteral, LockedChange, MetadataError, MetadataFile, check_metadata,
    find_database_field, find_last_writer, metadata_path, unparsable_finding,
};
use trueup_core::model::AdwId;
use trueup_core::store::{MetadataAction, MetadataChange};
use trueup_core::text::{one_line, path_to_text};

use super::set::render_changes;

pub(super) use phase_contract::check_phase_can_start;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum MetaCommand {
    /// Show a workflow's metadata file, or one field of it
    ///
    /// Example: trueup meta get 77c90e61 worktree_path
    #[command(verbatim_doc_comment)]
    Get {
        /// Workflow id
        id: AdwId,
        /// Single field to print, without decoration
        field: Option<String>,
    },
    /// Set fields; a missing file is created
    ///
    /// Plain words become strings and JSON values keep their type. The rest of the
    /// file stays byte for byte. Fields that the database owns are refused.
    ///
    /// Example: trueup meta set 77c90e61 branch_name=feature/x backend_port=9107
    #[command(verbatim_doc_comment)]
    Set {
        /// Workflow id
        id: AdwId,
        /// Fields to set
        #[arg(required = true, value_name = "FIELD=VALUE")]
        pairs: Vec<String>,
    },
    /// Check files against the rules and the schema; nothing is changed
    ///
    /// Exit codes: 0 no findings, 1 findings, 3 a file could not be read.
    ///
    /// Example: trueup meta check 77c90e61 --phase build
    #[command(verbatim_doc_comment)]
    Check(MetaCheckArgs),
    /// Remove fields that the database owns, and add a missing adw_id
    ///
    /// Old values are kept in the log: see trueup log
    ///
    /// Example: trueup meta fix 77c90e61
    #[command(verbatim_doc_comment)]
    Fix {
        /// Workflow ids [default: all workflows of the project]
        ids: Vec<AdwId>,
    },
}

/// Longest name of a field, in bytes.
const MAX_NAME_BYTES: usize = 200;

pub(super) fn cmd_meta(context: &CommandContext, command: MetaCommand) -> CommandResult {
    match command {
        MetaCommand::Get { id, field } => cmd_get(context, &id, field.as_deref()),
        MetaCommand::Set { id, pairs } => cmd_set(context, &id, &pairs),
        MetaCommand::Check(arguments) => check::cmd_check(context, arguments),
        MetaCommand::Fix { ids } => fix::cmd_fix(context, ids),
    }
}

/// Returns the metadata file of a workflow of the project.
fn metadata_file(context: &CommandContext, id: &AdwId) -> MetadataFile {
    MetadataFile::new(&context.run.project.dir, id)
}

fn display_path(id: &AdwId) -> String {
    metadata_path(id).to_string_lossy().into_owned()
}

/// Builds the finding of a file that cannot be read, so that the other files are still checked.
fn unusable_file_finding(id: &AdwId, error: &MetadataError) -> Divergence {
    let place = display_path(id);
    match error {
        MetadataError::Unparsable { error, .. } => unparsable_finding(id, &place, error),
        other => trueup_core::metadata::unreadable_finding(id, &place, &other.reason()),
    }
}

/// Builds the error of a file that cannot be read. A file that cannot be parsed is also a finding.
fn to_command_error(id: &AdwId, error: &MetadataError) -> CommandError {
    let mut command_error = CommandError::from(error);
    if let MetadataError::Unparsable { error, .. } = error {
        command_error.divergences = vec![unparsable_finding(id, &display_path(id), error)];
    }
    command_error
}

fn not_found_error(id: &AdwId) -> CommandError {
    let message = format!("{} does not exist", display_path(id));
    CommandError::new(MetadataCase::MetadataNotFound { id: id.into() }, message)
}

/// Describes the writer of a file: the one it names, or else its owner.
fn describe_writer(file: &MetadataFile, document: &JsonDocument) -> Option<String> {
    let owner = || file.owner_uid().map(|uid| format!("the user with uid {uid}"));
    find_last_writer(document).or_else(owner)
}

/// Lists the findings on a file that was read.
fn list_findings(file: &MetadataFile, document: &JsonDocument) -> Vec<Divergence> {
    let writer = describe_writer(file, document);
    check_metadata(file.id(), &display_path(file.id()), document, writer.as_deref())
}

fn check_not_owned(field: &str) -> CommandResult<()> {
    let Some(owned) = find_database_field(field) else {
        return Ok(());
    };
    let message = format!("{field} is owned by the database; change it with `{}`", owned.command);
    Err(CommandError::new(MetadataCase::FieldOfDatabase, message))
}

fn cmd_get(context: &CommandContext, id: &AdwId, field: Option<&str>) -> CommandResult {
    let file = metadata_file(context, id);
    let read = file.read().map_err(|error| to_command_error(id, &error))?;
    let document = read.ok_or_else(|| not_found_error(id))?;
    let mut divergences = list_findings(&file, &document);
    context.set_fix_directories(&mut divergences);
    let mut state = document.to_map();
    let text = match field {
        None => vec![String::from_utf8_lossy(&document.render()).trim().to_owned()],
        Some(field) => {
            state.retain(|key, _| key == field);
            let Some(value) = state.get(field) else {
                // A field of the database must not be set in the file, so no hint suggests it.
                if find_database_field(field).is_some() {
                    let message = format!("{field} is owned by the database");
                    return Err(CommandError::new(MetadataCase::FieldOfDatabase, message));
                }
                let message = format!("{} has no field {}", display_path(id), one_line(field, 80));
                let case = MetadataCase::FieldNotFound { id: id.into() };
                return Err(CommandError::new(case, message));
            };
            vec![value.as_str().map_or_else(
                || document.raw_value(field).unwrap_or_default().to_owned(),
                str::to_owned,
            )]
        }
    };
    let data = json!({"id": id, "path": path_to_text(file.path()), "state": state});
    Ok(Output { warnings: render_messages(&divergences), divergences, ..Output::new(text, data) })
}

/// Renders findings as warnings.
fn render_messages(divergences: &[Divergence]) -> Vec<String> {
    divergences.iter().map(|d| d.message.clone()).collect()
}

fn cmd_set(context: &CommandContext, id: &AdwId, pairs: &[String]) -> CommandResult {
    let assignments =
        pairs.iter().map(|pair| parse_assignment(id, pair)).collect::<Result<Vec<_>, _>>()?;
    let file = metadata_file(context, id);
    let (document, changed) = change_locked(context, &file, |old| {
        let created = old.is_none();
        let before = old.unwrap_or_else(|| JsonDocument::new(id));
        let mut after = before.clone();
        for (key, literal) in &assignments {
            after.set_field(key, literal);
        }
        let mut changed = diff_assignments(&before, &after, &assignments);
        if created && let Some(value) = after.get("adw_id") {
            changed.insert("adw_id".to_owned(), json!({"from": null, "to": value}));
        }
        Ok((Some(after.clone()), (after, changed)))
    })?;
    let log_warning = record_set(context, id, &changed);
    let mut divergences = list_findings(&file, &document);
    divergences.extend(schema::find_violations(id, &display_path(id), &document));
    context.set_fix_directories(&mut divergences);
    let data = json!({
        "id": id, "path": path_to_text(file.path()), "state": document.to_map(), "changed": changed,
    });
    let mut warnings = render_messages(&divergences);
    warnings.extend(log_warning);
    Ok(Output { divergences, warnings, ..Output::new(render_changes(&changed), data) })
}

/// Records a change in the event log. The file is authoritative and needs no database, so a failure
/// is only returned as a warning, unless there is no database.
fn record_set(context: &CommandContext, id: &AdwId, changed: &Map<String, Json>) -> Option<String> {
    if changed.is_empty() {
        return None;
    }
    let values_of = |side: &str| {
        let sides = changed.iter();
        sides.map(|(key, change)| (key.clone(), change[side].clone())).collect()
    };
    let change = MetadataChange {
        action: MetadataAction::Set,
        id: id.clone(),
        path: display_path(id),
        project: context.run.project.name(),
        before: values_of("from"),
        after: values_of("to"),
        writer: None,
    };
    let recorded = context.open_for_change().and_then(|mut store| {
        let provenance = context.provenance(&context.resolve_actor(&mut *store)?, "meta set");
        store.record_metadata_change(&change, &provenance)?;
        Ok(())
    });
    match recorded {
        Err(error) if !error.is(&DatabaseCase::DatabaseMissing) => {
            Some(format!("not recorded in the log: {}", error.message))
        }
        _ => None,
    }
}

/// Changes a file under its lock.
fn change_locked<T>(
    context: &CommandContext,
    file: &MetadataFile,
    mut decide: impl FnMut(Option<JsonDocument>) -> CommandResult<(Option<JsonDocument>, T)>,
) -> CommandResult<T> {
    /// An error of the decision, or of the file.
    enum Stop {
        Failure(CommandError),
        File(MetadataError),
    }
    impl From<MetadataError> for Stop {
        fn from(error: MetadataError) -> Self {
            Self::File(error)
        }
    }
    let lock = context.run.settings.paths.lock_of(file.path());
    let change = LockedChange { lock: &lock, patience: context.deadline().remaining() };
    file.update(change, |old| decide(old).map_err(Stop::Failure)).map_err(|stop| match stop {
        Stop::Failure(error) => error,
        Stop::File(error) => to_command_error(file.id(), &error),
    })
}

/// Parses `FIELD=VALUE`.
fn parse_assignment(id: &AdwId, pair: &str) -> CommandResult<(String, JsonLiteral)> {
    let Some((key, value)) = pair.split_once('=').filter(|(key, _)| is_field_name(key)) else {
        let message = format!("{:?} is not FIELD=VALUE", one_line(pair, 80));
        return Err(CommandError::usage("trueup meta set --help", message));
    };
    check_not_owned(key)?;
    let literal = match key {
        "issue_number" | "adw_id" => JsonLiteral::from_string_or_text(value),
        _ => JsonLiteral::from_json_or_text(value),
    };
    if key == "adw_id" && literal != JsonLiteral::from_plain_text(id.as_str()) {
        let message = format!("adw_id of {} must be {id}, like its directory", display_path(id));
        return Err(CommandError::new(MetadataCase::IdMismatch, message));
    }
    Ok((key.to_owned(), literal))
}

fn is_field_name(key: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&key.len()) && !key.chars().any(char::is_control)
}

/// Returns the assigned fields that changed, with old and new values.
fn diff_assignments(
    before: &JsonDocument,
    after: &JsonDocument,
    assignments: &[(String, JsonLiteral)],
) -> Map<String, Json> {
    let differs =
        assignments.iter().filter(|(key, _)| before.raw_value(key) != after.raw_value(key));
    differs
        .map(|(key, _)| {
            let change = json!({"from": before.get(key), "to": after.get(key)});
            (key.clone(), change)
        })
        .collect()
}
