//! What workplan files say of items.

use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde_json::{Value as Json, json};

use super::errors::from_sqlite;
use super::events::record;
use super::free::free_option;
use super::{SqliteStore, items, rows, was_done};
use crate::model::{
    FileFacts, ItemKey, NewWorkplanRow, WORKPLAN, WorkplanChange, WorkplanLink, WorkplanRow,
    WorkplanRows,
};
use crate::store::news::News;
use crate::store::{Provenance, Result, StoreError, WorkplanStore};

impl WorkplanStore for SqliteStore {
    fn workplan_rows(&mut self, repo: &str) -> Result<WorkplanRows> {
        // One moment for items and what they depend on.
        let moment = self.connection.transaction().map_err(from_sqlite)?;
        of_repo(&moment, repo)
    }

    fn find_workplan_rows(
        &mut self,
        keys: &[ItemKey],
        links: &[WorkplanLink],
    ) -> Result<Vec<WorkplanRow>> {
        let moment = self.connection.transaction().map_err(from_sqlite)?;
        found(&moment, keys, links)
    }

    fn link_workplans(
        &mut self,
        rows: &[NewWorkplanRow],
        provenance: &Provenance,
    ) -> Result<Vec<WorkplanLink>> {
        self.write(|tx| rows.iter().map(|row| link(tx, row, provenance)).collect())
    }

    fn describe_workplans(
        &mut self,
        changes: &[WorkplanChange],
        provenance: &Provenance,
    ) -> Result<()> {
        self.write(|tx| {
            if was_done(tx, provenance)? {
                return Ok(());
            }
            let mut changes = changes.iter();
            changes.try_for_each(|change| describe(tx, change, provenance))
        })
    }
}

/// The columns [`row`] reads, of `work_items w` joined to `workplan_links l`.
const ROW: &str = "w.key, l.link, w.kind, w.parent, w.position, w.title, w.repo, w.status, \
     w.holder, l.digest, l.planning, w.reopened > 0";

fn row(row: &Row<'_>) -> rusqlite::Result<WorkplanRow> {
    let digest: Option<String> = row.get(9)?;
    let facts = match digest {
        Some(digest) => Some(FileFacts {
            digest,
            planning: row.get(10)?,
        }),
        None => None,
    };
    Ok(WorkplanRow {
        key: rows::parsed(row, 0)?,
        link: rows::optional(row, 1)?,
        kind: row.get(2)?,
        parent: rows::optional(row, 3)?,
        position: row.get(4)?,
        title: row.get(5)?,
        repo: row.get(6)?,
        status: rows::parsed(row, 7)?,
        is_reopened: row.get(11)?,
        holder: rows::optional(row, 8)?,
        facts,
        depends_on: Vec::new(),
    })
}

/// Reads items and ties side by side, both in the order of their keys: each page of either is
/// read once, where a look for the ghosts alone would read all ties again.
pub(super) fn of_repo_sql() -> String {
    format!(
        "SELECT {ROW} FROM work_items w INDEXED BY sqlite_autoindex_work_items_1
         LEFT JOIN workplan_links l ON l.item = w.key
         WHERE (w.repo = ?1 COLLATE NOCASE OR w.kind = '{WORKPLAN}')
           AND iif(l.item IS NULL,
                   w.kind = '{WORKPLAN}' AND w.status NOT IN ('completed', 'failed', 'cancelled'),
                   w.repo = ?1 COLLATE NOCASE)
         ORDER BY w.key"
    )
}

fn of_repo(moment: &Transaction<'_>, repo: &str) -> Result<WorkplanRows> {
    let mut statement = moment.prepare(&of_repo_sql()).map_err(from_sqlite)?;
    let mut found = WorkplanRows {
        tied: Vec::with_capacity(ties(moment)?),
        ghosts: Vec::new(),
    };
    for row in statement.query_map([repo], row).map_err(from_sqlite)? {
        let row = row.map_err(from_sqlite)?;
        if row.link.is_some() {
            found.tied.push(row);
        } else {
            found.ghosts.push(row);
        }
    }
    let sql = "SELECT item, depends_on FROM item_dependencies ORDER BY item";
    let mut statement = moment.prepare(sql).map_err(from_sqlite)?;
    let mut pairs = statement.query([]).map_err(from_sqlite)?;
    while let Some(pair) = pairs.next().map_err(from_sqlite)? {
        let item = pair.get_ref(0).map_err(from_sqlite)?;
        let item = item.as_str().map_err(|error| from_sqlite(error.into()))?;
        let place = found
            .tied
            .binary_search_by(|row| row.key.as_str().cmp(item));
        if let Some(row) = place.ok().and_then(|place| found.tied.get_mut(place)) {
            row.depends_on
                .push(rows::parsed(pair, 1).map_err(from_sqlite)?);
        }
    }
    Ok(found)
}

/// Returns how many ties there are, so that a hundred thousand rows are not moved each time
/// their place grows.
fn ties(moment: &Transaction<'_>) -> Result<usize> {
    let sql = "SELECT count(*) FROM workplan_links";
    let count = moment.query_row(sql, [], |row| rows::count(row, 0));
    let count = count.map_err(from_sqlite)?;
    Ok(usize::try_from(count).unwrap_or_default())
}

fn found(
    moment: &Transaction<'_>,
    keys: &[ItemKey],
    links: &[WorkplanLink],
) -> Result<Vec<WorkplanRow>> {
    let texts = |texts: Vec<&str>| json!(texts).to_string();
    let sql = format!(
        "SELECT {ROW} FROM work_items w LEFT JOIN workplan_links l ON l.item = w.key
         WHERE w.key IN (SELECT value FROM json_each(?1)
                         UNION SELECT item FROM workplan_links
                               WHERE link IN (SELECT value FROM json_each(?2)))
         ORDER BY w.key"
    );
    let mut statement = moment.prepare(&sql).map_err(from_sqlite)?;
    let (keys, links) = (
        texts(keys.iter().map(ItemKey::as_str).collect()),
        texts(links.iter().map(WorkplanLink::as_str).collect()),
    );
    let mut all: Vec<WorkplanRow> = statement
        .query_map([keys, links], row)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)?;
    for row in &mut all {
        let item = items::existing(moment, &row.key)?;
        row.depends_on = item.depends_on;
    }
    Ok(all)
}

/// Reads the tie of an item: the id carried, and what the file said.
fn tie(tx: &Transaction<'_>, key: &ItemKey) -> Result<Option<(WorkplanLink, FileFacts)>> {
    let mut statement = tx
        .prepare_cached("SELECT link, digest, planning FROM workplan_links WHERE item = ?1")
        .map_err(from_sqlite)?;
    let tie = statement.query_row([key.as_str()], |row| {
        let (digest, planning) = (row.get(1)?, row.get(2)?);
        Ok((rows::parsed(row, 0)?, FileFacts { digest, planning }))
    });
    tie.optional().map_err(from_sqlite)
}

fn link(tx: &Transaction<'_>, new: &NewWorkplanRow, by: &Provenance) -> Result<WorkplanLink> {
    let key = &new.item.key;
    if let Some((link, _)) = tie(tx, key)? {
        return Ok(link);
    }
    match items::load(tx, key)? {
        None => {
            items::add(tx, &new.item, by)?;
        }
        Some(_) => adopt(tx, new, by)?,
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
            new.link.as_str(),
            &new.facts.digest,
            &new.facts.planning,
            &new.description,
        ])
        .map_err(from_sqlite)?;
    let mut after = new.facts.shown();
    if let Some(after) = after.as_object_mut() {
        after.insert("link".to_owned(), json!(new.link.as_str()));
    }
    let news = News::of_workplan(key.as_str(), "linked", Json::Null, after);
    record(tx, by, &news)?;
    Ok(new.link.clone())
}

/// Takes an item that somebody added by hand for the one of the file.
fn adopt(tx: &Transaction<'_>, new: &NewWorkplanRow, by: &Provenance) -> Result<()> {
    let item = &new.item;
    tx.execute(
        "UPDATE work_items SET repo = coalesce(repo, ?2), title = coalesce(title, ?3),
             last_actor = ?4, last_reason = ?5, last_op = ?6
         WHERE key = ?1 AND (repo IS NULL OR title IS NULL)",
        params![
            item.key.as_str(),
            item.repo,
            free_option(item.title.as_ref()),
            by.actor,
            by.reason,
            by.op_id,
        ],
    )
    .map_err(from_sqlite)?;
    Ok(())
}

fn describe(tx: &Transaction<'_>, change: &WorkplanChange, by: &Provenance) -> Result<()> {
    let key = &change.key;
    let Some((_, before)) = tie(tx, key)? else {
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
            free_option(change.title.as_ref()),
            change.position,
            change.repo,
            by.actor,
            by.reason,
            by.op_id,
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
    let news = News::of_workplan(key.as_str(), "described", before.shown(), facts.shown());
    record(tx, by, &news)
}
