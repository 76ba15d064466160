//! `trueup leftovers`: what trueup left in repositories and in the settings of Claude Code.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use trueup_core::leftovers::{
    Leftover, LeftoverKind, Removal, RemovalContext, find_in_projects, find_in_settings,
};
use trueup_core::model::Session;
use trueup_core::reconcile::{CacheReading, RejectedEdit, RejectionReason};
use trueup_core::repos::{list_checkouts, read_machine_name};
use trueup_core::store::{CommandStore, SessionFilter};
use trueup_core::sync::now;
use trueup_core::text::{path_from_text, path_to_text};

use super::doctor::find_config_dir;
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::output::Output;
use crate::printer::print_status;

/// Longest wait for a hook that writes the same file.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(crate) struct LeftoversArgs {
    /// Remove them
    #[arg(long)]
    remove: bool,
}

pub(super) fn cmd_leftovers(context: &CommandContext, arguments: &LeftoversArgs) -> CommandResult {
    let mut warnings = Vec::new();
    let mut store = match context.open_for_reading() {
        Ok(store) => Some(store),
        // Without a database there is still the project here.
        Err(error) => {
            warnings.push(format!("only this project was searched: {}", error.message));
            None
        }
    };
    let mut roots = vec![context.run.project.dir.clone()];
    let mut gone = Vec::new();
    if let Some(store) = &mut store {
        gone = add_known_roots(context, &mut **store, &mut roots)?;
    }
    let mut found = find_in_projects(&roots);
    found.extend(find_user_status_line(context).filter(|it| !found.contains(it)));
    let mut rows = Vec::new();
    for leftover in &found {
        let removal = arguments.remove.then(|| remove(context, leftover, store.as_deref_mut()));
        rows.push((leftover, removal));
    }
    let text = rows.iter().map(|(leftover, removal)| render_row(leftover, removal.as_ref()));
    let data = json!({
        "leftovers": rows.iter().map(|(it, removal)| build_leftover_view(it, removal.as_ref())).collect::<Vec<_>>(),
    });
    let mut text: Vec<String> = text.collect();
    let gone = gone.iter().map(|path| path_to_text(path));
    if context.json {
        warnings.extend(gone.map(|path| format!("{path} is no longer there; it was not searched")));
    } else {
        // Rows, since the uninstaller takes a warning for a database that cannot be asked.
        text.extend(gone.map(|path| format!("gone     no longer there, not searched: {path}")));
    }
    if text.is_empty() && !context.json {
        // The uninstaller shows what is on stdout, if anything.
        // What cannot be looked at is not empty.
        let place = if store.is_some() { "repositories" } else { "this project" };
        print_status(&format!("nothing is left in {place}"));
    }
    Ok(Output::new(text, data).with_warnings(warnings))
}

/// Adds the checkouts of registered repositories and the project directories of sessions. Returns those
/// that are no longer there, which may have been moved.
fn add_known_roots(
    context: &CommandContext,
    store: &mut dyn CommandStore,
    roots: &mut Vec<PathBuf>,
) -> CommandResult<Vec<PathBuf>> {
    let machine = read_machine_name(&context.run.settings.paths)?.unwrap_or_default();
    let repos = store.list_repos()?;
    let checkouts = repos.iter().flat_map(|repo| list_checkouts(repo, &machine));
    let sessions = store.list_sessions(&SessionFilter::default())?;
    let here = sessions.iter().filter(|session| context.is_within_reach(session));
    let projects = here.filter_map(|session| session.worktree.as_deref().map(path_from_text));
    let mut gone = Vec::new();
    for root in checkouts.chain(projects) {
        let list = if root.is_dir() { &mut *roots } else { &mut gone };
        if !list.contains(&root) {
            list.push(root);
        }
    }
    Ok(gone)
}

fn find_user_status_line(context: &CommandContext) -> Option<Leftover> {
    find_in_settings(&find_config_dir(context)?.join("settings.json"))
}

fn remove(
    context: &CommandContext,
    leftover: &Leftover,
    mut store: Option<&mut (dyn CommandStore + '_)>,
) -> Removal {
    let mut save_edit = |reading: &CacheReading| match &mut store {
        Some(store) => save_edit(context, reading, &mut **store),
        None if reading.edited.is_empty() => Ok(()),
        None => Err("it was edited, and the database cannot be asked".to_owned()),
    };
    let mut removal_context = RemovalContext {
        paths: &context.run.settings.paths,
        patience: LOCK_PATIENCE,
        save_edit: &mut save_edit,
    };
    leftover.remove(&mut removal_context).unwrap_or_else(|error| Removal::Kept(error.to_string()))
}

/// Puts the edits of a cache that the database does not have into the journal.
fn save_edit(
    context: &CommandContext,
    reading: &CacheReading,
    store: &mut dyn CommandStore,
) -> Result<(), String> {
    if reading.edited.is_empty() {
        return Ok(());
    }
    let unknown = || "it was edited, and the database does not know its session".to_owned();
    let id = reading.session.as_ref().ok_or_else(unknown)?;
    let session = store.load_session(id).map_err(|error| error.to_string())?;
    let session = session.ok_or_else(unknown)?;
    let lost = find_lost_edit(reading, &session);
    if lost.fields.is_empty() {
        return Ok(());
    }
    context.run.journal().record(&lost, now()).map(drop).map_err(|error| error.to_string())
}

fn find_lost_edit(reading: &CacheReading, session: &Session) -> RejectedEdit {
    let work = session.execution_state().work;
    let edited = reading
        .fields
        .iter()
        .filter(|(field, value)| reading.edited.contains(field) && work.get(**field) != **value);
    RejectedEdit {
        session: session.id.clone(),
        reason: RejectionReason::DatabaseMovedOn,
        base: reading.revision,
        database: session.revision,
        fields: edited.map(|(field, value)| (*field, value.clone())).collect(),
    }
}

fn describe_kind(kind: LeftoverKind) -> &'static str {
    match kind {
        LeftoverKind::Cache => "cache of a session",
        LeftoverKind::ExcludeLines => "lines that keep caches out of git",
        LeftoverKind::StateCopies => "copies of other repositories' states",
        LeftoverKind::StatusLine => "status line that runs trueup",
    }
}

fn render_row(leftover: &Leftover, removal: Option<&Removal>) -> String {
    let (state, reason) = match removal {
        None => ("left", String::new()),
        Some(Removal::Removed) => ("removed", String::new()),
        Some(Removal::Kept(reason)) => ("kept", format!(" ({reason})")),
    };
    let path = path_to_text(&leftover.path);
    format!("{state:<7}  {}: {path}{reason}", describe_kind(leftover.kind))
}

fn build_leftover_view(leftover: &Leftover, removal: Option<&Removal>) -> Value {
    let (state, reason) = match removal {
        None => ("left", None),
        Some(Removal::Removed) => ("removed", None),
        Some(Removal::Kept(reason)) => ("kept", Some(reason)),
    };
    json!({
        "kind": leftover.kind.as_str(),
        "path": path_to_text(&leftover.path),
        "state": state,
        "reason": reason,
    })
}
