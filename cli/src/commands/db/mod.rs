//! `trueup db`

mod restore;

use std::path::Path;

use serde_json::json;
use trueup_core::deadline::Deadline;
use trueup_core::files::path_to_text;
use trueup_core::model::{Flaw, RETENTION_DAYS, SHORTEST_RETENTION};
use trueup_core::retention::{self, Order};
use trueup_core::store::sqlite::{SCHEMA_VERSION, SqliteStore};
use trueup_core::store::{Store as _, StoreError};

use crate::args::DbCommand;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure, REFUSED, UNABLE};
use crate::json;
use crate::report::Answer;
use crate::span::Span;

pub(super) fn run(desk: &Desk, command: &DbCommand) -> Result<Answer, Failure> {
    let path = desk.database()?;
    match command {
        DbCommand::Status => status(desk, path),
        DbCommand::Migrate => migrate(desk, path),
        DbCommand::Prune { keep, dry_run } => {
            prune(desk, keep.map(|Span(seconds)| seconds), *dry_run)
        }
        DbCommand::Restore { file } => restore::restore(desk, path, file),
        DbCommand::Backup { file } => {
            desk.open()?.backup(file)?;
            let size = std::fs::metadata(file)?.len();
            let text = vec![format!(
                "copied {} to {} ({size} bytes)",
                path.display(),
                file.display()
            )];
            Ok(Answer::new(
                text,
                json!({"file": path_to_text(file), "size_bytes": size}),
            ))
        }
    }
}

/// Removes what is old and done. Each batch has the whole patience of a command, so that one
/// that waits behind others is not counted against the next.
fn prune(desk: &Desk, keep: Option<u64>, dry_run: bool) -> Result<Answer, Failure> {
    let configured = match desk.site.settings.retention_days {
        0 => RETENTION_DAYS,
        days => days,
    };
    let order = Order {
        keep_seconds: keep.unwrap_or_else(|| configured.saturating_mul(SHORTEST_RETENTION)),
        dry_run,
        actor: String::new(),
    };
    if order.keep_seconds < SHORTEST_RETENTION {
        let message = "--keep must be at least 1d";
        return Err(Failure::new(ErrorCase::KeepTooShort, message));
    }
    let mut store = if dry_run {
        desk.open()?
    } else {
        desk.open_for_change()?
    };
    let order = Order {
        actor: desk.actor(&mut store)?,
        ..order
    };
    let pruned = retention::prune(&mut store, &order, &desk.site, |store| {
        store.set_deadline(Deadline::after(desk.patience()));
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
        format!(
            "kept {} old sessions that are still in use",
            pruned.kept_sessions
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
    Ok(Answer::new(text, data))
}

/// Most rows shown that break a rule: where one does, thousands may.
const MOST_FLAWS: usize = 100;

/// Says for a person how many rows break a rule.
pub(super) fn rows_line(flaws: &[Flaw]) -> String {
    match flaws.len() {
        0 => "rows are valid".to_owned(),
        count => format!("{count} rows are invalid"),
    }
}

/// Names a row that breaks a rule.
pub(super) fn flaw_line(flaw: &Flaw) -> String {
    let Flaw {
        table,
        row,
        field,
        problem,
    } = flaw;
    format!("{table} {row}: {field} {problem}")
}

fn status(desk: &Desk, path: &Path) -> Result<Answer, Failure> {
    let schema = SqliteStore::schema(path, desk.deadline())?;
    let mut store = desk.open()?;
    let wrong = store.check()?;
    let lineage = store.lineage()?;
    // Of a damaged file nothing more is asked.
    let flaws = if wrong.is_empty() {
        store.compliance()?
    } else {
        Vec::new()
    };
    let applied: Vec<_> = schema
        .applied
        .iter()
        .map(|a| {
            json!({
                "version": a.version, "name": a.name, "applied_at": a.applied_at,
                "unchanged": a.unchanged,
            })
        })
        .collect();
    let mut warnings = wrong.clone();
    warnings.extend(schema.applied.iter().filter(|a| !a.unchanged).map(|a| {
        format!(
            "migration {} differs from the one in this trueup",
            a.version
        )
    }));
    warnings.extend(flaws.iter().take(MOST_FLAWS).map(flaw_line));
    let size = std::fs::metadata(path)?.len();
    let text = vec![
        format!("database {}", desk.site.settings.database),
        format!("lineage  {lineage}"),
        format!(
            "schema   {} (this trueup supports up to {})",
            schema.version, schema.known
        ),
        format!("size     {size} bytes"),
        format!(
            "health   {}",
            if wrong.is_empty() { "ok" } else { "damaged" }
        ),
        format!("rows     {}", rows_line(&flaws)),
    ];
    let data = json!({
        "url": desk.site.settings.database.to_string(),
        "path": path_to_text(path),
        "lineage": lineage,
        "schema": {"version": schema.version, "known": schema.known, "applied": applied},
        "size_bytes": size,
        "healthy": wrong.is_empty(),
        "compliance": flaws.iter().take(MOST_FLAWS).map(json::flaw).collect::<Vec<_>>(),
    });
    let exit = match (wrong.is_empty(), flaws.is_empty()) {
        (false, _) => UNABLE,
        (true, false) => REFUSED,
        (true, true) => 0,
    };
    Ok(Answer {
        warnings,
        exit,
        ..Answer::new(text, data)
    })
}

fn migrate(desk: &Desk, path: &Path) -> Result<Answer, Failure> {
    let before = match SqliteStore::schema(path, desk.deadline()) {
        Ok(schema) => Some(schema.version),
        Err(StoreError::Missing(_)) => None,
        Err(error) => return Err(error.into()),
    };
    open_whole(desk, path)?;
    let after = SqliteStore::schema(path, desk.deadline())?.version;
    let text = match before {
        None => format!("created {} with schema {after}", path.display()),
        Some(before) if before == after => {
            format!("{} already has schema {after}", path.display())
        }
        Some(before) => format!(
            "migrated {} from schema {before} to {after}",
            path.display()
        ),
    };
    let data = json!({
        "path": path_to_text(path), "created": before.is_none(), "from": before, "to": after,
        "known": SCHEMA_VERSION,
    });
    Ok(Answer::new(vec![text], data))
}

/// Opens or makes the database, and refuses a damaged one.
fn open_whole(desk: &Desk, path: &Path) -> Result<(), Failure> {
    let wrong = SqliteStore::open_or_create(path, desk.deadline())?.check()?;
    if wrong.is_empty() {
        return Ok(());
    }
    let damage = format!("{}: {}", path.display(), wrong.join("; "));
    Err(StoreError::Corrupt(damage).into())
}
