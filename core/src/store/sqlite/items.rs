//! Work items.

mod change;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::errors::from_sqlite;
use super::free::free_option;
use super::{NOW, SqliteStore, dependencies, execute_cached, moves, next, rows, was_done};
use crate::model::{Item, ItemKey, ItemStatus, NewItem, Next, RepoScope, Waits};
use crate::store::{
    Children, Depend, InUse, ItemEdit, ItemFilter, ItemMove, ItemMoved, ItemStore, LastHolder,
    NextRequest, NextTaken, NextWish, Provenance, Result, StoreError,
};

pub(super) fn load(connection: &Connection, key: &ItemKey) -> Result<Option<Item>> {
    let sql = format!("SELECT {} FROM work_items WHERE key = ?1", rows::ITEM);
    // A change reads its item before and after.
    connection
        .prepare_cached(&sql)
        .and_then(|mut statement| statement.query_row([key.as_str()], rows::item).optional())
        .map_err(from_sqlite)
}

pub(super) fn title(connection: &Connection, key: &ItemKey) -> Result<Option<String>> {
    let title = connection
        .prepare("SELECT title FROM work_items WHERE key = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([key.as_str()], |row| row.get(0))
                .optional()
        });
    title.map(Option::flatten).map_err(from_sqlite)
}

pub(super) fn list(connection: &Connection, filter: &ItemFilter) -> Result<Vec<Item>> {
    let held = if filter.held {
        "AND holder IS NOT NULL"
    } else {
        ""
    };
    let parent = if filter.parent.is_some() {
        "AND parent = ?1"
    } else {
        "AND ?1 IS NULL"
    };
    let statuses: Vec<String> = filter.statuses.iter().map(|s| format!("'{s}'")).collect();
    let status = if statuses.is_empty() {
        String::new()
    } else {
        format!("AND status IN ({})", statuses.join(", "))
    };
    let kind = if filter.kind.is_some() {
        "AND kind = ?2"
    } else {
        "AND ?2 IS NULL"
    };
    let sql = format!(
        "SELECT {} FROM work_items WHERE 1 {held} {parent} {status} {kind} {} \
         ORDER BY parent, position IS NULL, position, key",
        rows::ITEM,
        in_scope(&filter.scope, 3)
    );
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map(
            params![
                filter.parent.as_ref().map(ItemKey::as_str),
                filter.kind,
                filter.scope.name()
            ],
            rows::item,
        )
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

/// Writes which repositories' items a list has; the name is the parameter of this number, which
/// the statement has in any case.
fn in_scope(scope: &RepoScope, parameter: u8) -> String {
    match scope {
        RepoScope::All => format!("AND (1 OR ?{parameter} IS NULL)"),
        RepoScope::Here(_) => format!("AND (repo IS NULL OR repo = ?{parameter})"),
        RepoScope::Only(_) => format!("AND repo = ?{parameter}"),
    }
}

pub(super) fn known(connection: &Connection, keys: &[&str]) -> Result<Vec<String>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let marks = vec!["?"; keys.len()].join(", ");
    // Answered from the index work_items_key_of_any_case.
    let sql =
        format!("SELECT key FROM work_items WHERE key COLLATE NOCASE IN ({marks}) ORDER BY key");
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map(rusqlite::params_from_iter(keys), |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

pub(super) fn add(tx: &Transaction<'_>, item: &NewItem, provenance: &Provenance) -> Result<Item> {
    if let Some(present) = load(tx, &item.key)? {
        if was_done(tx, provenance)? {
            return Ok(present);
        }
        return Err(StoreError::Denied(format!(
            "item {} already exists",
            item.key
        )));
    }
    if let Some(parent) = &item.parent
        && load(tx, parent)?.is_none()
    {
        return Err(StoreError::Denied(format!(
            "parent {parent} does not exist"
        )));
    }
    let mut waits = Vec::new();
    // What waits for nothing closes no circle, whoever waits for it.
    if let Some(parent) = item.parent.as_ref().filter(|_| !item.depends_on.is_empty()) {
        waits = dependencies::waiting_for(tx, parent)?;
        waits.push(Waits {
            item: parent.clone(),
            on: item.key.clone(),
        });
    }
    let ready = dependencies::admit(tx, &item.key, &item.depends_on, &waits)?;
    execute_cached(
        tx,
        &format!(
            "INSERT INTO work_items (key, title, kind, parent, position, repo, status,
             requires_evidence, last_actor, last_reason, last_op, completed_at)
         VALUES (?1, ?2, coalesce(?3, 'task'), ?4,
             CASE WHEN ?5 IS NOT NULL OR ?4 IS NULL THEN ?5 ELSE
                 (SELECT coalesce(max(position), 0) + 1 FROM work_items WHERE parent = ?4) END,
             ?6, coalesce(?12, iif(?7, 'ready', 'queued')), ?8, ?9, ?10, ?11, iif(?13, {NOW}, NULL))"
        ),
        params![
            item.key.as_str(),
            free_option(item.title.as_ref()),
            item.kind,
            item.parent.as_ref().map(ItemKey::as_str),
            item.position,
            item.repo,
            ready,
            item.requires_evidence,
            provenance.actor,
            provenance.reason,
            provenance.op_id,
            item.status.map(ItemStatus::as_str),
            item.status.is_some_and(ItemStatus::is_finished),
        ],
    )?;
    dependencies::insert(tx, &item.key, &item.depends_on)?;
    existing(tx, &item.key)
}

/// Reads an item that was there a moment ago.
pub(super) fn existing(connection: &Connection, key: &ItemKey) -> Result<Item> {
    load(connection, key)?.ok_or_else(|| StoreError::Conflict(format!("item {key} vanished")))
}

impl ItemStore for SqliteStore {
    fn move_item(&mut self, request: &ItemMove) -> Result<ItemMoved> {
        self.write(|tx| moves::move_item(tx, request))
    }

    fn depend(&mut self, request: &Depend) -> Result<Item> {
        self.write(|tx| dependencies::depend(tx, request))
    }

    fn edit_item(&mut self, edit: &ItemEdit) -> Result<Item> {
        self.write(|tx| change::edit(tx, edit))
    }

    fn use_of_item(&mut self, key: &ItemKey) -> Result<Option<InUse>> {
        change::use_of(&self.connection, key)
    }

    fn remove_item(&mut self, key: &ItemKey, provenance: &Provenance) -> Result<()> {
        self.write(|tx| change::remove(tx, key, provenance))
    }

    fn depend_each(&mut self, requests: &[Depend]) -> Result<Vec<Result<Item>>> {
        self.write(|tx| {
            let each = requests.iter().map(|request| {
                tx.execute_batch("SAVEPOINT one").map_err(from_sqlite)?;
                let answer = dependencies::depend(tx, request);
                let end = match &answer {
                    Ok(_) => "RELEASE one",
                    Err(StoreError::Denied(_)) => "ROLLBACK TO one; RELEASE one",
                    Err(_) => return answer.map(Ok),
                };
                tx.execute_batch(end).map_err(from_sqlite)?;
                Ok(answer)
            });
            each.collect()
        })
    }

    fn waiting_for(&mut self, key: &ItemKey) -> Result<Vec<Waits>> {
        dependencies::waiting_for(&self.connection, key)
    }

    fn open_dependencies(&mut self, key: &ItemKey) -> Result<Vec<(ItemKey, ItemStatus)>> {
        dependencies::open(&self.connection, key, 0)
    }

    fn children(&mut self, key: &ItemKey) -> Result<Children> {
        next::children(&self.connection, key)
    }

    fn next_item(&mut self, wish: &NextWish) -> Result<Next> {
        // One moment for all questions.
        let moment = self.connection.transaction().map_err(from_sqlite)?;
        next::next_item(&moment, wish)
    }

    fn claim_next(&mut self, request: &NextRequest) -> Result<NextTaken> {
        self.write(|tx| next::claim_next(tx, request))
    }

    fn last_holder(&mut self, key: &ItemKey) -> Result<Option<LastHolder>> {
        next::last_holder(&self.connection, key)
    }
}
