//! Checks of the database: that it can be opened, is not damaged, and has no rows that break a
//! rule.

use std::path::Path;

use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{HookStore as _, StoreError};
use trueup_remote::RemoteDatabase;

use super::check_result::CheckResult;
use super::files::find_write_problem;
use crate::command_context::CommandContext;
use crate::command_error::CommandError;
use crate::commands::db::violation_text::{render_violation, summarize_violations};
use crate::store_location::StoreLocation;

/// Most damages named: a damaged page affects many rows.
const MAX_DAMAGES_NAMED: usize = 3;

pub(super) fn check_database(context: &CommandContext, fix: bool) -> CheckResult {
    match context.store_location() {
        Ok(StoreLocation::SqliteFile(path)) => check_file(context, path, fix),
        Ok(StoreLocation::Remote(database)) => check_remote(context, &database),
        Err(error) => build_failed_result(error),
    }
}

/// Checks that a shared database answers. One that is not there yet is created by its owner alone.
fn check_remote(context: &CommandContext, database: &RemoteDatabase) -> CheckResult {
    let lineage = context
        .open_for_reading()
        .and_then(|mut store| store.load_lineage().map_err(CommandError::from));
    match lineage {
        Ok(lineage) => CheckResult::ok(format!("{}, lineage {}", database.url, lineage.short())),
        Err(error) => build_failed_result(error),
    }
}

fn check_file(context: &CommandContext, path: &Path, fix: bool) -> CheckResult {
    let opened = if fix {
        SqliteStore::open_or_create(path, context.deadline())
    } else {
        SqliteStore::open(path, context.deadline())
    };
    let mut store = match opened {
        Ok(store) => store,
        Err(error @ StoreError::Missing(_)) => {
            return CheckResult::warn(error.to_string(), "trueup db migrate");
        }
        Err(error) => return build_failed_result(error.into()),
    };
    let checked = store.load_lineage().and_then(|lineage| Ok((lineage, store.check_integrity()?)));
    match checked {
        Err(error) => build_failed_result(error.into()),
        Ok((lineage, wrong)) if wrong.is_empty() => {
            if let Some(problem) = find_write_problem(path) {
                return problem;
            }
            CheckResult::ok(format!("{}, lineage {}", path.display(), lineage.short()))
        }
        Ok(_) if fix && store.rebuild_indexes().is_ok() => {
            CheckResult::ok(format!("{}: its indexes were rebuilt", path.display()))
        }
        Ok((_, wrong)) => CheckResult::fail(
            format!("{}: {}", path.display(), render_damages(&wrong)),
            if fix {
                "restore a backup: trueup db restore FILE".to_owned()
            } else {
                "rebuild broken indexes with trueup doctor --fix, or restore a backup: \
                 trueup db restore FILE"
                    .to_owned()
            },
        ),
    }
}

fn render_damages(damages: &[String]) -> String {
    let named = damages.get(..MAX_DAMAGES_NAMED).unwrap_or(damages).join("; ");
    match damages.len().saturating_sub(MAX_DAMAGES_NAMED) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

fn build_failed_result(error: CommandError) -> CheckResult {
    let hint = error.render_hint("");
    CheckResult::fail(error.message, hint)
}

/// Checks that no rows break a rule. A database that cannot be opened is reported by the check of
/// the database.
pub(super) fn check_rows(context: &CommandContext, _: bool) -> CheckResult {
    let violations = context
        .open_for_reading()
        .and_then(|mut store| store.find_violations().map_err(CommandError::from));
    match violations.as_deref() {
        Ok(flaws @ [first, ..]) => CheckResult::fail(
            format!("{}, such as {}", summarize_violations(flaws), render_violation(first)),
            "trueup db status lists them; correct them with sqlite3, or restore a backup: \
             trueup db restore FILE",
        ),
        Ok([]) => CheckResult::ok(summarize_violations(&[])),
        Err(_) => CheckResult::skip("not checked"),
    }
}
