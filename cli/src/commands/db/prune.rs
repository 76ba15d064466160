//! `trueup db prune`

use serde_json::json;
use trueup_core::deadline::Deadline;
use trueup_core::model::{DEFAULT_RETENTION_DAYS, MIN_RETENTION_SECONDS};
use trueup_core::retention::{self, PruneOptions};

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, UsageCase};
use crate::output::Output;

/// Prunes old ended sessions, events and files. The deadline starts anew for each batch, so that
/// waiting for other writers does not use up the time of the next one.
pub(super) fn cmd_prune(
    context: &CommandContext,
    keep: Option<u64>,
    dry_run: bool,
) -> CommandResult {
    let configured = match context.run.settings.retention_days {
        0 => DEFAULT_RETENTION_DAYS,
        days => days,
    };
    let options = PruneOptions {
        keep_seconds: keep.unwrap_or_else(|| configured.saturating_mul(MIN_RETENTION_SECONDS)),
        dry_run,
        actor: String::new(),
    };
    if options.keep_seconds < MIN_RETENTION_SECONDS {
        let message = "--keep must be at least 1d";
        return Err(CommandError::new(UsageCase::KeepTooShort, message));
    }
    let store =
        &mut *if dry_run { context.open_for_reading()? } else { context.open_for_change()? };
    let options = PruneOptions { actor: context.resolve_actor(store)?, ..options };
    let pruned = retention::prune_old_rows(store, &options, &context.run, |store| {
        store.set_deadline(Deadline::after(context.patience()));
        true
    })?;
    let (rows, files) = (pruned.rows, pruned.files);
    let verb = if dry_run { "would remove" } else { "removed" };
    let text = vec![
        format!(
            "{verb} {} sessions with {} tasks, and {} events, from before {}",
            rows.sessions, rows.tasks, rows.events, pruned.before
        ),
        format!(
            "{verb} {} counters, {} locks, {} caches, and {} files set aside",
            files.counters, files.locks, files.caches, files.set_aside
        ),
        format!("kept {} old sessions that are still in use", pruned.kept_sessions),
    ];
    let data = json!({
        "before": pruned.before,
        "dry_run": dry_run,
        "sessions": rows.sessions,
        "tasks": rows.tasks,
        "events": rows.events,
        "kept_sessions": pruned.kept_sessions,
        "files": {
            "counters": files.counters,
            "locks": files.locks,
            "caches": files.caches,
            "set_aside": files.set_aside,
        },
    });
    Ok(Output::new(text, data))
}
