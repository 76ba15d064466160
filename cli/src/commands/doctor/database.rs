//! The database: whether it can be opened, is whole, and holds to its rules.

use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{Store as _, StoreError};

use super::super::db::{flaw_line, rows_line};
use super::Finding;
use crate::desk::Desk;
use crate::failure::Failure;

/// Most damages named: a damaged page breaks many rows.
const MOST_DAMAGES: usize = 3;

pub(super) fn database(desk: &Desk, fix: bool) -> Finding {
    let path = match desk.database() {
        Ok(path) => path,
        Err(failure) => return failed(failure),
    };
    let opened = if fix {
        SqliteStore::open_or_create(path, desk.deadline())
    } else {
        SqliteStore::open(path, desk.deadline())
    };
    let mut store = match opened {
        Ok(store) => store,
        Err(error @ StoreError::Missing(_)) => {
            return Finding::warn(error.to_string(), "trueup db migrate");
        }
        Err(error) => return failed(error.into()),
    };
    let looked = store
        .lineage()
        .and_then(|lineage| Ok((lineage, store.check()?)));
    match looked {
        Err(error) => failed(error.into()),
        Ok((lineage, wrong)) if wrong.is_empty() => {
            Finding::ok(format!("{}, lineage {}", path.display(), lineage.short()))
        }
        Ok(_) if fix && store.rebuild_indexes().is_ok() => {
            Finding::ok(format!("{}: its indexes were rebuilt", path.display()))
        }
        Ok((_, wrong)) => Finding::fail(
            format!("{}: {}", path.display(), damages(&wrong)),
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

fn damages(wrong: &[String]) -> String {
    let named = wrong.get(..MOST_DAMAGES).unwrap_or(wrong).join("; ");
    match wrong.len().saturating_sub(MOST_DAMAGES) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

fn failed(failure: Failure) -> Finding {
    let hint = failure.hint("");
    Finding::fail(failure.message, hint)
}

/// Rows that break a rule, whoever wrote them. Of a database that cannot be opened the check
/// before this one has said all.
pub(super) fn rows(desk: &Desk, _: bool) -> Finding {
    let flaws = desk
        .open()
        .and_then(|store| store.compliance().map_err(Failure::from));
    match flaws.as_deref() {
        Ok(flaws @ [first, ..]) => Finding::fail(
            format!("{}, such as {}", rows_line(flaws), flaw_line(first)),
            "trueup db status lists them; correct them with sqlite3, or restore a backup: \
             trueup db restore FILE",
        ),
        Ok([]) => Finding::ok(rows_line(&[])),
        Err(_) => Finding::ok("not checked"),
    }
}
