//! What workplan files say of items.

use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde_json::{Value as Json, json};

use super::errors::from_sqlite;
use super::events::record_event;
use super::stored_text::stored_optional_text;
use super::{SqliteStore, is_replay, items, rows};
use crate::model::{
    ItemKey, NewWorkplanRow, WORKPLAN_KIND, WorkplanChange, WorkplanFileFacts, WorkplanLink,
    WorkplanRow, WorkplanRows,
};
use crate::store::event_draft::EventDraft;
use crate::store::{Provenance, Result, StoreError, WorkplanStore};

impl WorkplanStore for SqliteStore {
    fn load_workplan_rows(&mut self, repo: &str) -> Result<WorkplanRows> {
        // One moment for items and what they depend on.
        let snapshot = self.connection.transaction().map_err(from_sqlite)?;
        load_workplan_rows(&snapshot, repo)
    }

    fn find_workplan_rows(
        &mut self,
        keys: &[ItemKey],
        links: &[WorkplanLink],
    ) -> Result<Vec<WorkplanRow>> {
        let snapshot = self.connection.transaction().map_err(from_sqlite)?;
        find_workplan_rows(&snapshot, keys, links)
    }

    fn link_workplans(
        &mut self,
        rows: &[NewWorkplanRow],
        provenance: &Provenance,
    ) -> Result<Vec<WorkplanLink>> {
        self.run_write(|tx| {
            rows.iter()
                .map(|row| link_item(tx, row, provenance))
                .collect()
        })
    }

    fn update_workplan_facts(
        &mut self,
        changes: &[WorkplanChange],
        provenance: &Provenance,
    ) -> Result<()> {
        self.run_write(|tx| {
            if is_replay(tx, provenance)? {
                return Ok(());
            }
            let mut changes = changes.iter();
            changes.try_for_each(|change| update_workplan_facts(tx, change, provenance))
        })
    }
}

/// The columns [`row`] reads, of `work_items w` joined to `workplan_links l`.
const WORKPLAN_ROW_COLUMNS: &str = "w.key, l.link, w.kind, w.parent, w.position, w.title, w.repo, w.status, \
     w.holder, l.digest, l.planning, w.reopened > 0";

fn workplan_row_from_row(row: &Row<'_>) -> rusqlite::Result<WorkplanRow> {
    let digest: Option<String> = row.get(9)?;
    let facts = match digest {
        Some(digest) => Some(WorkplanFileFacts {
            digest,
            planning: row.get(10)?,
        }),
        None => None,
    };
    Ok(WorkplanRow {
        key: rows::parse_column(row, 0)?,
        link: rows::parse_optional_column(row, 1)?,
        kind: row.get(2)?,
        parent: rows::parse_optional_column(row, 3)?,
        position: row.get(4)?,
        title: row.get(5)?,
        repo: row.get(6)?,
        status: rows::parse_column(row, 7)?,
        is_reopened: row.get(11)?,
        holder: rows::parse_optional_column(row, 8)?,
        facts,
        depends_on: Vec::new(),
    })
}

/// Reads items and ties side by side, both in the order of their keys: each page of either is
/// read once, where a look for the ghosts alone would read all ties again.
pub(super) fn workplan_rows_sql() -> String {
    format!(
        "SELECT {WORKPLAN_ROW_COLUMNS} FROM work_items w INDEXED BY sqlite_autoindex_work_items_1
         LEFT JOIN workplan_links l ON l.item = w.key
         WHERE (w.repo = ?1 COLLATE NOCASE OR w.kind = '{WORKPLAN_KIND}')
           AND iif(l.item IS NULL,
                   w.kind = '{WORKPLAN_KIND}' AND w.status NOT IN ('completed', 'failed', 'cancelled'),
                   w.repo = ?1 COLLATE NOCASE)
         ORDER BY w.key"
    )
}

fn load_workplan_rows(snapshot: &Transaction<'_>, repo: &str) -> Result<WorkplanRows> {
    let mut statement = snapshot
        .prepare(&workplan_rows_sql())
        .map_err(from_sqlite)?;
    let mut rows = WorkplanRows {
        linked: Vec::with_capacity(count_links(snapshot)?),
        unlinked: Vec::new(),
    };
    for row in statement
        .query_map([repo], workplan_row_from_row)
        .map_err(from_sqlite)?
    {
        let row = row.map_err(from_sqlite)?;
        if row.link.is_some() {
            rows.linked.push(row);
        } else {
            rows.unlinked.push(row);
        }
    }
    let sql = "SELECT item, depends_on FROM item_dependencies ORDER BY item";
    let mut statement = snapshot.prepare(sql).map_err(from_sqlite)?;
    let mut pairs = statement.query([]).map_err(from_sqlite)?;
    while let Some(pair) = pairs.next().map_err(from_sqlite)? {
        let item = pair.get_ref(0).map_err(from_sqlite)?;
        let item = item.as_str().map_err(|error| from_sqlite(error.into()))?;
        let place = rows
            .linked
            .binary_search_by(|row| row.key.as_str().cmp(item));
        if let Some(row) = place.ok().and_then(|place| rows.linked.get_mut(place)) {
            row.depends_on
                .push(rows::parse_column(pair, 1).map_err(from_sqlite)?);
        }
    }
    Ok(rows)
}

/// Returns how many ties there are, so that a hundred thousand rows are not moved each time
/// their place grows.
fn count_links(snapshot: &Transaction<'_>) -> Result<usize> {
    let sql = "SELECT count(*) FROM workplan_links";
    let count = snapshot.query_row(sql, [], |row| rows::parse_count(row, 0));
    let count = count.map_err(from_sqlite)?;
    Ok(usize::try_from(count).unwrap_or_default())
}

fn find_workplan_rows(
    snapshot: &Transaction<'_>,
    keys: &[ItemKey],
    links: &[WorkplanLink],
) -> Result<Vec<WorkplanRow>> {
    let texts = |texts: Vec<&str>| json!(texts).to_string();
    let sql = format!(
        "SELECT {WORKPLAN_ROW_COLUMNS} FROM work_items w LEFT JOIN workplan_links l ON l.item = w.key
         WHERE w.key IN (SELECT value FROM json_each(?1)
                         UNION SELECT item FROM workplan_links
                               WHERE link IN (SELECT value FROM json_each(?2)))
         ORDER BY w.key"
    );
    let mut statement = snapshot.prepare(&sql).map_err(from_sqlite)?;
    let (keys, links) = (
        texts(keys.iter().map(ItemKey::as_str).collect()),
        texts(links.iter().map(WorkplanLink::as_str).collect()),
    );
    let mut rows: Vec<WorkplanRow> = statement
        .query_map([keys, links], workplan_row_from_row)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)?;
    for row in &mut rows {
        let item = items::load_existing_item(snapshot, &row.key)?;
        row.depends_on = item.depends_on;
    }
    Ok(rows)
}

/// Reads the tie of an item: the id carried, and what the file said.
fn find_link(
    tx: &Transaction<'_>,
    key: &ItemKey,
) -> Result<Option<(WorkplanLink, WorkplanFileFacts)>> {
    let mut statement = tx
        .prepare_cached("SELECT link, digest, planning FROM workplan_links WHERE item = ?1")
        .map_err(from_sqlite)?;
    let tie = statement.query_row([key.as_str()], |row| {
        let (digest, planning) = (row.get(1)?, row.get(2)?);
        Ok((
            rows::parse_column(row, 0)?,
            WorkplanFileFacts { digest, planning },
        ))
    });
    tie.optional().map_err(from_sqlite)
}

fn link_item(
    tx: &Transaction<'_>,
    new_row: &NewWorkplanRow,
    provenance: &Provenance,
) -> Result<WorkplanLink> {
    let key = &new_row.item.key;
    if let Some((link, _)) = find_link(tx, key)? {
        return Ok(link);
    }
    match items::load_item(tx, key)? {
        None => {
            items::add_item(tx, &new_row.item, provenance)?;
        }
        Some(_) => adopt_item(tx, new_row, provenance)?,
    }
    let mut statement = tx
        .prepare_cached(
            "INSERT INTO workplan_links (item, link, digest, planning, description)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .map_err(from_sqlite)?;
    statement
        .execute([
            key.as_str(),
            new_row.link.as_str(),
            &new_row.facts.digest,
            &new_row.facts.planning,
            &new_row.description,
        ])
        .map_err(from_sqlite)?;
    let mut after = new_row.facts.event_facts();
    if let Some(after) = after.as_object_mut() {
        after.insert("link".to_owned(), json!(new_row.link.as_str()));
    }
    let draft = EventDraft::of_workplan(key.as_str(), "linked", Json::Null, after);
    record_event(tx, provenance, &draft)?;
    Ok(new_row.link.clone())
}

/// Takes an item that somebody added by hand for the one of the file.
fn adopt_item(
    tx: &Transaction<'_>,
    new_row: &NewWorkplanRow,
    provenance: &Provenance,
) -> Result<()> {
    let item = &new_row.item;
    tx.execute(
        "UPDATE work_items SET repo = coalesce(repo, ?2), title = coalesce(title, ?3),
             last_actor = ?4, last_reason = ?5, last_op = ?6
         WHERE key = ?1 AND (repo IS NULL OR title IS NULL)",
        params![
            item.key.as_str(),
            item.repo,
            stored_optional_text(item.title.as_ref()),
            provenance.actor,
            provenance.reason,
            provenance.op_id,
        ],
    )
    .map_err(from_sqlite)?;
    Ok(())
}

fn update_workplan_facts(
    tx: &Transaction<'_>,
    change: &WorkplanChange,
    provenance: &Provenance,
) -> Result<()> {
    let key = &change.key;
    let Some((_, before)) = find_link(tx, key)? else {
        return Err(StoreError::Conflict(format!("item {key} has no file")));
    };
    let mut statement = tx
        .prepare_cached(
            "UPDATE work_items SET title = coalesce(?2, title), position = coalesce(?3, position),
                 repo = coalesce(?4, repo), last_actor = ?5, last_reason = ?6, last_op = ?7
             WHERE key = ?1 AND (title, position, repo) IS NOT
                   (coalesce(?2, title), coalesce(?3, position), coalesce(?4, repo))",
        )
        .map_err(from_sqlite)?;
    statement
        .execute(params![
            key.as_str(),
            stored_optional_text(change.title.as_ref()),
            change.position,
            change.repo,
            provenance.actor,
            provenance.reason,
            provenance.op_id,
        ])
        .map_err(from_sqlite)?;
    let Some((facts, description)) = change.facts.as_ref().filter(|(facts, _)| *facts != before)
    else {
        return Ok(());
    };
    tx.execute(
        "UPDATE workplan_links SET digest = ?2, planning = ?3, description = ?4 WHERE item = ?1",
        [key.as_str(), &facts.digest, &facts.planning, description],
    )
    .map_err(from_sqlite)?;
    let draft = EventDraft::of_workplan(
        key.as_str(),
        "described",
        before.event_facts(),
        facts.event_facts(),
    );
    record_event(tx, provenance, &draft)
}
