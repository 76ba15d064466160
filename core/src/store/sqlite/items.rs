//! Work items.

mod edit;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::errors::from_sqlite;
use super::stored_text::stored_optional_text;
use super::{NOW, SqliteStore, dependencies, execute_cached, is_replay, item_moves, next, rows};
use crate::model::{DependencyEdge, Item, ItemKey, ItemStatus, NewItem, NextItem, RepoScope};
use crate::store::{
    ChildCounts, ClaimNextRequest, ClaimedNext, DependencyChange, GrantedMove, ItemEditRequest,
    ItemFilter, ItemStore, ItemUse, LastHolder, MovedItem, NextItemQuery, Provenance, Result,
    StoreError,
};

pub(super) fn load_item(connection: &Connection, key: &ItemKey) -> Result<Option<Item>> {
    let sql = format!(
        "SELECT {} FROM work_items WHERE key = ?1",
        rows::ITEM_COLUMNS
    );
    // A change reads its item before and after.
    connection
        .prepare_cached(&sql)
        .and_then(|mut statement| {
            statement
                .query_row([key.as_str()], rows::item_from_row)
                .optional()
        })
        .map_err(from_sqlite)
}

pub(super) fn load_item_title(connection: &Connection, key: &ItemKey) -> Result<Option<String>> {
    let title = connection
        .prepare("SELECT title FROM work_items WHERE key = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([key.as_str()], |row| row.get(0))
                .optional()
        });
    title.map(Option::flatten).map_err(from_sqlite)
}

pub(super) fn list_items(connection: &Connection, filter: &ItemFilter) -> Result<Vec<Item>> {
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
        rows::ITEM_COLUMNS,
        scope_condition(&filter.scope, 3)
    );
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map(
            params![
                filter.parent.as_ref().map(ItemKey::as_str),
                filter.kind,
                filter.scope.repo_name()
            ],
            rows::item_from_row,
        )
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

/// Writes which repositories' items a list has; the name is the parameter of this number, which
/// the statement has in any case.
fn scope_condition(scope: &RepoScope, parameter: u8) -> String {
    match scope {
        RepoScope::All => format!("AND (1 OR ?{parameter} IS NULL)"),
        RepoScope::Here(_) => format!("AND (repo IS NULL OR repo = ?{parameter})"),
        RepoScope::Only(_) => format!("AND repo = ?{parameter}"),
    }
}

pub(super) fn find_item_keys(connection: &Connection, keys: &[&str]) -> Result<Vec<String>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let placeholders = vec!["?"; keys.len()].join(", ");
    // Answered from the index work_items_key_of_any_case.
    let sql = format!(
        "SELECT key FROM work_items WHERE key COLLATE NOCASE IN ({placeholders}) ORDER BY key"
    );
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map(rusqlite::params_from_iter(keys), |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

pub(super) fn add_item(
    tx: &Transaction<'_>,
    item: &NewItem,
    provenance: &Provenance,
) -> Result<Item> {
    if let Some(present) = load_item(tx, &item.key)? {
        if is_replay(tx, provenance)? {
            return Ok(present);
        }
        return Err(StoreError::Denied(format!(
            "item {} already exists",
            item.key
        )));
    }
    if let Some(parent) = &item.parent
        && load_item(tx, parent)?.is_none()
    {
        return Err(StoreError::Denied(format!(
            "parent {parent} does not exist"
        )));
    }
    let mut waits = Vec::new();
    // What waits for nothing closes no circle, whoever waits for it.
    if let Some(parent) = item.parent.as_ref().filter(|_| !item.depends_on.is_empty()) {
        waits = dependencies::list_waiting_items(tx, parent)?;
        waits.push(DependencyEdge {
            item: parent.clone(),
            on: item.key.clone(),
        });
    }
    let is_ready = dependencies::check_new_dependencies(tx, &item.key, &item.depends_on, &waits)?;
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
            stored_optional_text(item.title.as_ref()),
            item.kind,
            item.parent.as_ref().map(ItemKey::as_str),
            item.position,
            item.repo,
            is_ready,
            item.requires_evidence,
            provenance.actor,
            provenance.reason,
            provenance.op_id,
            item.status.map(ItemStatus::as_str),
            item.status.is_some_and(ItemStatus::is_finished),
        ],
    )?;
    dependencies::insert_dependencies(tx, &item.key, &item.depends_on)?;
    load_existing_item(tx, &item.key)
}

/// Reads an item that was there a moment ago.
pub(super) fn load_existing_item(connection: &Connection, key: &ItemKey) -> Result<Item> {
    load_item(connection, key)?
        .ok_or_else(|| StoreError::Conflict(format!("item {key} no longer exists")))
}

impl ItemStore for SqliteStore {
    fn move_item(&mut self, request: &GrantedMove) -> Result<MovedItem> {
        self.run_write(|tx| item_moves::move_item(tx, request))
    }

    fn change_dependencies(&mut self, request: &DependencyChange) -> Result<Item> {
        self.run_write(|tx| dependencies::change_dependencies(tx, request))
    }

    fn edit_item(&mut self, edit: &ItemEditRequest) -> Result<Item> {
        self.run_write(|tx| edit::edit_item(tx, edit))
    }

    fn find_item_use(&mut self, key: &ItemKey) -> Result<Option<ItemUse>> {
        edit::find_item_use(&self.connection, key)
    }

    fn remove_item(&mut self, key: &ItemKey, provenance: &Provenance) -> Result<()> {
        self.run_write(|tx| edit::remove_item(tx, key, provenance))
    }

    fn change_dependencies_of_each(
        &mut self,
        requests: &[DependencyChange],
    ) -> Result<Vec<Result<Item>>> {
        self.run_write(|tx| {
            let each = requests.iter().map(|request| {
                tx.execute_batch("SAVEPOINT one").map_err(from_sqlite)?;
                let answer = dependencies::change_dependencies(tx, request);
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

    fn list_waiting_items(&mut self, key: &ItemKey) -> Result<Vec<DependencyEdge>> {
        dependencies::list_waiting_items(&self.connection, key)
    }

    fn list_open_dependencies(&mut self, key: &ItemKey) -> Result<Vec<(ItemKey, ItemStatus)>> {
        dependencies::list_open_dependencies(&self.connection, key, 0)
    }

    fn count_children(&mut self, key: &ItemKey) -> Result<ChildCounts> {
        next::count_children(&self.connection, key)
    }

    fn find_next_item(&mut self, wish: &NextItemQuery) -> Result<NextItem> {
        // One moment for all questions.
        let snapshot = self.connection.transaction().map_err(from_sqlite)?;
        next::query_next_item(&snapshot, wish)
    }

    fn claim_next_item(&mut self, request: &ClaimNextRequest) -> Result<ClaimedNext> {
        self.run_write(|tx| next::claim_next_item(tx, request))
    }

    fn find_last_holder(&mut self, key: &ItemKey) -> Result<Option<LastHolder>> {
        next::find_last_holder(&self.connection, key)
    }
}
