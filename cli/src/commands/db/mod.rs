//! `trueup db`

mod restore;

use std::path::{Path, PathBuf};

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, REFUSED, UNABLE, UsageCase};
use crate::human_duration::HumanDuration;
use crate::output::Output;
use crate::views;
use clap::Subcommand;
use serde_json::json;
use trueup_core::deadline::Deadline;
use trueup_core::model::{DEFAULT_RETENTION_DAYS, MIN_RETENTION_SECONDS};
use trueup_core::retention::{self, PruneOptions};
use trueup_core::store::sqlite::{SCHEMA_VERSION, SqliteStore};
use trueup_core::store::{CommandStore as _, HookStore as _, StoreError, Violation};
use trueup_core::text::path_to_text;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum DbCommand {
    /// Show the database's location, schema and health
    ///
    /// Example: trueup db status
    #[command(verbatim_doc_comment)]
    Status,
    /// Create the database, or upgrade its schema
    ///
    /// Example: trueup db migrate
    #[command(verbatim_doc_comment)]
    Migrate,
    /// Copy the database into a new file; others can keep using it
    ///
    /// Example: trueup db backup before-upgrade.db
    #[command(verbatim_doc_comment)]
    Backup {
        /// New file; an existing one is never replaced
        file: PathBuf,
    },
    /// Replace the database with a backup; the old one is kept next to it
    ///
    /// The backup is fully checked first. Nothing is replaced while another process
    /// has the database open. The next hook trues up caches that are newer than the
    /// backup and keeps their contents in the journal.
    ///
    /// Example: trueup db restore before-upgrade.db
    #[command(verbatim_doc_comment)]
    Restore {
        /// Backup file; it is not changed
        file: PathBuf,
    },
    /// Remove old ended sessions, old events and unused local files
    ///
    /// Sessions that hold an item, have interrupted work, or appear in the journal or
    /// outbox are kept. This also runs automatically once a day; `retention_days = 0`
    /// in config.toml turns that off.
    ///
    /// Example: trueup db prune --keep 30d --dry-run
    #[command(verbatim_doc_comment)]
    Prune {
        /// Age to keep, at least 1d [default: 90d, or retention_days in config.toml]
        #[arg(long, value_name = "90d")]
        keep: Option<HumanDuration>,
        /// Only count what would be removed
        #[arg(long)]
        dry_run: bool,
    },
}

pub(super) fn cmd_db(context: &CommandContext, command: &DbCommand) -> CommandResult {
    match command {
        DbCommand::Status => cmd_status(context),
        DbCommand::Migrate => cmd_migrate(context),
        DbCommand::Prune { keep, dry_run } => {
            cmd_prune(context, keep.map(|HumanDuration(seconds)| seconds), *dry_run)
        }
        DbCommand::Restore { file } => restore::cmd_restore(context, file),
        DbCommand::Backup { file } => cmd_backup(context, file),
    }
}

fn cmd_backup(context: &CommandContext, file: &Path) -> CommandResult {
    let path = context.sqlite_file()?;
    context.open_sqlite_for_reading()?.back_up(file)?;
    let size = std::fs::metadata(file)?.len();
    let text = vec![format!("copied {} to {} ({size} bytes)", path.display(), file.display())];
    Ok(Output::new(text, json!({"file": path_to_text(file), "size_bytes": size})))
}

/// Prunes old ended sessions, events and files. The deadline starts anew for each batch, so that
/// waiting for other writers does not use up the time of the next one.
fn cmd_prune(context: &CommandContext, keep: Option<u64>, dry_run: bool) -> CommandResult {
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

/// Most violations shown: where one row breaks a rule, thousands may.
const MAX_VIOLATIONS_SHOWN: usize = 100;

/// Describes how many rows break a rule.
pub(super) fn summarize_violations(violations: &[Violation]) -> String {
    match violations.len() {
        0 => "rows are valid".to_owned(),
        count => format!("{count} rows are invalid"),
    }
}

/// Renders a row that breaks a rule.
pub(super) fn render_violation(violation: &Violation) -> String {
    let Violation { table, row, field, problem } = violation;
    format!("{table} {row}: {field} {problem}")
}

fn cmd_status(context: &CommandContext) -> CommandResult {
    let path = context.sqlite_file()?;
    let schema = SqliteStore::read_schema_status(path, context.deadline())?;
    let mut store = context.open_sqlite_for_reading()?;
    let damage = store.check_integrity()?;
    let lineage = store.load_lineage()?;
    // Rows of a damaged file are not checked.
    let violations = if damage.is_empty() { store.find_violations()? } else { Vec::new() };
    let migrations: Vec<_> = schema
        .applied
        .iter()
        .map(|a| {
            json!({
                "version": a.version, "name": a.name, "applied_at": a.applied_at,
                "unchanged": a.is_unchanged,
            })
        })
        .collect();
    let mut warnings = damage.clone();
    warnings.extend(
        schema
            .applied
            .iter()
            .filter(|a| !a.is_unchanged)
            .map(|a| format!("migration {} differs from the one in this trueup", a.version)),
    );
    warnings.extend(violations.iter().take(MAX_VIOLATIONS_SHOWN).map(render_violation));
    let size = std::fs::metadata(path)?.len();
    let text = vec![
        format!("database {}", context.run.settings.database),
        format!("lineage  {lineage}"),
        format!("schema   {} (this trueup supports up to {})", schema.version, schema.newest_known),
        format!("size     {size} bytes"),
        format!("health   {}", if damage.is_empty() { "ok" } else { "damaged" }),
        format!("rows     {}", summarize_violations(&violations)),
    ];
    let data = json!({
        "url": context.run.settings.database.to_string(),
        "path": path_to_text(path),
        "lineage": lineage,
        "schema": {"version": schema.version, "known": schema.newest_known, "applied": migrations},
        "size_bytes": size,
        "healthy": damage.is_empty(),
        "compliance": violations.iter().take(MAX_VIOLATIONS_SHOWN).map(views::violation_view).collect::<Vec<_>>(),
    });
    let exit_code = match (damage.is_empty(), violations.is_empty()) {
        (false, _) => UNABLE,
        (true, false) => REFUSED,
        (true, true) => 0,
    };
    Ok(Output { warnings, exit_code, ..Output::new(text, data) })
}

fn cmd_migrate(context: &CommandContext) -> CommandResult {
    let path = context.sqlite_file()?;
    let before = match SqliteStore::read_schema_status(path, context.deadline()) {
        Ok(schema) => Some(schema.version),
        Err(StoreError::Missing(_)) => None,
        Err(error) => return Err(error.into()),
    };
    open_and_check(context, path)?;
    let after = SqliteStore::read_schema_status(path, context.deadline())?.version;
    let text = match before {
        None => format!("created {} with schema {after}", path.display()),
        Some(before) if before == after => {
            format!("{} already has schema {after}", path.display())
        }
        Some(before) => format!("migrated {} from schema {before} to {after}", path.display()),
    };
    let data = json!({
        "path": path_to_text(path), "created": before.is_none(), "from": before, "to": after,
        "known": SCHEMA_VERSION,
    });
    Ok(Output::new(vec![text], data))
}

/// Opens or creates the database, and fails if it is damaged.
fn open_and_check(context: &CommandContext, path: &Path) -> CommandResult<()> {
    let damage = SqliteStore::open_or_create(path, context.deadline())?.check_integrity()?;
    if damage.is_empty() {
        return Ok(());
    }
    let damage = format!("{}: {}", path.display(), damage.join("; "));
    Err(StoreError::corrupt(damage).into())
}
