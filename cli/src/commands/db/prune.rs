//! `trueup db prune`: removing old rows and files, or counting them.

use serde_json::json;
use trueup_core::deadline::Deadline;
use trueup_core::model::{DEFAULT_RETENTION_DAYS, MIN_RETENTION_SECONDS};
use trueup_core::retention::{self, PruneOptions};
use trueup_core::text::pluralize;

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
    let count = |number: u64, singular: &str, plural: &str| {
        pluralize(usize::try_from(number).unwrap_or(usize::MAX), singular, plural)
    };
    let text = vec![
        format!(
            "{verb} {} with {}, and {}, from before {}",
            count(rows.sessions, "session", "sessions"),
            count(rows.tasks, "task", "tasks"),
            count(rows.events, "event", "events"),
            pruned.before
        ),
        format!(
            "{verb} {}, {}, {}, and {} set aside",
            count(files.counters, "counter", "counters"),
            count(files.locks, "lock", "locks"),
            count(files.caches, "cache", "caches"),
            count(files.set_aside, "file", "files")
        ),
        format!(
            "kept {} still in use",
            count(pruned.kept_sessions, "old session that is", "old sessions that are")
        ),
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
