//! What workplan files say of items.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::dependencies::LIST_DEPENDENCIES;
use super::engine::{Tx, args};
use super::events::record_event;
use super::items;
use super::row::Row;
use super::statement::{columns, joined, statements};
use super::stored_text::stored_optional_text;
use crate::model::EventKind;
use crate::model::{
    ItemKey, NewWorkplanRow, WORKPLAN_KIND, WorkplanChange, WorkplanFileFacts, WorkplanLink,
    WorkplanRow, WorkplanRows,
};
use crate::store::event_draft::EventDraft;
use crate::store::{Provenance, Result, StoreError};

columns! {
    /// The columns of an item with its file, of `work_items w` joined to `workplan_links l`.
    enum WorkplanColumn {
        Key = "w.key",
        Link = "l.link",
        Kind = "w.kind",
        Parent = "w.parent",
        Position = "w.position",
        Title = "w.title",
        Repo = "w.repo",
        Status = "w.status",
        Holder = "w.holder",
        Digest = "l.digest",
        Planning = "l.planning",
        IsReopened = "w.reopened > 0",
    }
}

const SELECT_ROW: &str = joined!("SELECT ", WorkplanColumn::SQL, " FROM work_items w ");

statements! {
    /// Reads items and links side by side, both in the order of their keys: each page of either is
    /// read once, where a search for the unlinked items alone would read all links again.
    LIST_WORKPLAN_ROWS(text) =
        SELECT_ROW, "INDEXED BY sqlite_autoindex_work_items_1
         LEFT JOIN workplan_links l ON l.item = w.key
         WHERE (w.repo = ?1 COLLATE NOCASE OR w.kind = '", WORKPLAN_KIND, "')
           AND iif(l.item IS NULL,
                   w.kind = '", WORKPLAN_KIND, "' AND w.status NOT IN ('completed', 'failed', 'cancelled'),
                   w.repo = ?1 COLLATE NOCASE)
         ORDER BY w.key"
        => postgres SELECT_ROW, "LEFT JOIN workplan_links l ON l.item = w.key
         WHERE (nocase(w.repo) = nocase(?1) OR w.kind = '", WORKPLAN_KIND, "')
           AND CASE WHEN l.item IS NULL
                    THEN w.kind = '", WORKPLAN_KIND, "' AND w.status NOT IN ('completed', 'failed', 'cancelled')
                    ELSE nocase(w.repo) = nocase(?1) END
         ORDER BY w.key";
    COUNT_LINKS() = "SELECT count(*) FROM workplan_links";

    FIND_WORKPLAN_ROWS(text, text) =
        SELECT_ROW, "LEFT JOIN workplan_links l ON l.item = w.key
         WHERE w.key IN (SELECT value FROM json_each(?1)
                         UNION SELECT item FROM workplan_links
                               WHERE link IN (SELECT value FROM json_each(?2)))
         ORDER BY w.key";
    LIST_DEPENDENCIES_OF(text) =
        "SELECT item, depends_on FROM item_dependencies
         WHERE item IN (SELECT value FROM json_each(?1)) ORDER BY item, depends_on";

    FIND_LINK(text) = @repeated "SELECT link, digest, planning FROM workplan_links WHERE item = ?1";
    FIND_ITEM_OF_LINK(text) = @repeated "SELECT item FROM workplan_links WHERE link = ?1";
    INSERT_LINK(text, text, text, text, text) = @repeated
        "INSERT INTO workplan_links (item, link, digest, planning, description)
         VALUES (?1, ?2, ?3, ?4, ?5)";
    UPDATE_LINK(text, text, text, text) = @repeated
        "UPDATE workplan_links SET digest = ?2, planning = ?3, description = ?4 WHERE item = ?1";

    ADOPT_ITEM(text, text, text, text, text, text, int) =
        "UPDATE work_items SET repo = coalesce(repo, ?2), title = coalesce(title, ?3),
             priority = coalesce(priority, ?7), last_actor = ?4, last_reason = ?5, last_op = ?6
         WHERE key = ?1 AND (repo, title, priority) IS DISTINCT FROM
               (coalesce(repo, ?2), coalesce(title, ?3), coalesce(priority, ?7))";
    DESCRIBE_ITEM(text, text, int, text, text, text, text, int) = @repeated
        "UPDATE work_items SET title = coalesce(?2, title), position = coalesce(?3, position),
             repo = coalesce(?4, repo), priority = coalesce(?8, priority),
             last_actor = ?5, last_reason = ?6, last_op = ?7
         WHERE key = ?1 AND (title, position, repo, priority) IS DISTINCT FROM
               (coalesce(?2, title), coalesce(?3, position), coalesce(?4, repo),
                coalesce(?8, priority))";
}

fn workplan_row_from_row(row: &dyn Row) -> Result<WorkplanRow> {
    let facts = match row.get(WorkplanColumn::Digest)? {
        Some(digest) => {
            Some(WorkplanFileFacts { digest, planning: row.get(WorkplanColumn::Planning)? })
        }
        None => None,
    };
    Ok(WorkplanRow {
        key: row.get(WorkplanColumn::Key)?,
        link: row.get(WorkplanColumn::Link)?,
        kind: row.get(WorkplanColumn::Kind)?,
        parent: row.get(WorkplanColumn::Parent)?,
        position: row.get(WorkplanColumn::Position)?,
        title: row.get(WorkplanColumn::Title)?,
        repo: row.get(WorkplanColumn::Repo)?,
        status: row.get(WorkplanColumn::Status)?,
        is_reopened: row.get(WorkplanColumn::IsReopened)?,
        holder: row.get(WorkplanColumn::Holder)?,
        facts,
        depends_on: Vec::new(),
    })
}

pub(super) fn load_workplan_rows(tx: &mut impl Tx, repo: &str) -> Result<WorkplanRows> {
    tx.prefetch(&LIST_WORKPLAN_ROWS, args![repo]);
    tx.prefetch(&LIST_DEPENDENCIES, args![]);
    // A hundred thousand rows are not moved each time their vector grows.
    let links: u64 = tx.one_row(&COUNT_LINKS, args![], |row| row.get(0))?;
    let mut rows = WorkplanRows {
        linked: Vec::with_capacity(usize::try_from(links).unwrap_or_default()),
        unlinked: Vec::new(),
    };
    tx.for_each_row(&LIST_WORKPLAN_ROWS, args![repo], |row| {
        let row = workplan_row_from_row(row)?;
        if row.link.is_some() {
            rows.linked.push(row);
        } else {
            rows.unlinked.push(row);
        }
        Ok(())
    })?;
    tx.for_each_row(&LIST_DEPENDENCIES, args![], |row| add_dependency(&mut rows.linked, row))?;
    Ok(rows)
}

/// Adds a dependency to its item, among rows in the order of their keys.
fn add_dependency(rows: &mut [WorkplanRow], dependency: &dyn Row) -> Result<()> {
    let item = dependency.required_text(0)?;
    let place = rows.binary_search_by(|row| row.key.as_str().cmp(item));
    if let Some(row) = place.ok().and_then(|place| rows.get_mut(place)) {
        row.depends_on.push(dependency.get(1)?);
    }
    Ok(())
}

pub(super) fn find_workplan_rows(
    tx: &mut impl Tx,
    keys: &[ItemKey],
    links: &[WorkplanLink],
) -> Result<Vec<WorkplanRow>> {
    let list = |texts: Vec<&str>| json!(texts).to_string();
    let keys = list(keys.iter().map(ItemKey::as_str).collect());
    let links = list(links.iter().map(WorkplanLink::as_str).collect());
    let mut rows = tx.rows(&FIND_WORKPLAN_ROWS, args![keys, links], workplan_row_from_row)?;
    if !rows.is_empty() {
        let found = list(rows.iter().map(|row| row.key.as_str()).collect());
        tx.for_each_row(&LIST_DEPENDENCIES_OF, args![found], |row| add_dependency(&mut rows, row))?;
    }
    Ok(rows)
}

/// Reads the link of an item: the id that its file carries, and what the file said.
fn find_link(tx: &mut impl Tx, key: &ItemKey) -> Result<Option<(WorkplanLink, WorkplanFileFacts)>> {
    tx.row(&FIND_LINK, args![key], |row| {
        let (digest, planning) = (row.get(1)?, row.get(2)?);
        Ok((row.get(0)?, WorkplanFileFacts { digest, planning }))
    })
}

pub(super) fn link_workplans(
    tx: &mut impl Tx,
    rows: &[NewWorkplanRow],
    provenance: &Provenance,
) -> Result<Vec<WorkplanLink>> {
    // All are read before the first is written.
    for row in rows {
        tx.prefetch(&FIND_LINK, args![row.item.key]);
        tx.prefetch(&FIND_ITEM_OF_LINK, args![row.link]);
        for key in [Some(&row.item.key), row.item.parent.as_ref()].into_iter().flatten() {
            items::prefetch_item(tx, key);
        }
    }
    let (mut linked, mut existing) = (BTreeMap::new(), BTreeSet::new());
    let mut items_of_links = BTreeMap::new();
    for row in rows {
        if let Some((link, _)) = find_link(tx, &row.item.key)? {
            linked.insert(&row.item.key, link);
            continue;
        }
        if let Some(item) = tx.row(&FIND_ITEM_OF_LINK, args![row.link], |found| found.get(0))? {
            items_of_links.insert(&row.link, item);
        }
        for key in [Some(&row.item.key), row.item.parent.as_ref()].into_iter().flatten() {
            if !existing.contains(key) && items::load_item(tx, key)?.is_some() {
                existing.insert(key);
            }
        }
    }
    for row in rows {
        let key = &row.item.key;
        if !linked.contains_key(key) {
            if let Some(other) = items_of_links.insert(&row.link, key.clone()) {
                return Err(taken_link_error(&row.link, &other));
            }
            linked.insert(key, link_item(tx, row, &existing, provenance)?);
            existing.insert(key);
        }
    }
    Ok(rows.iter().filter_map(|row| linked.get(&row.item.key).cloned()).collect())
}

fn taken_link_error(link: &WorkplanLink, item: &ItemKey) -> StoreError {
    StoreError::denied(format!("the workplan id {link} belongs to item {item}"))
}

/// Links an item, which is added unless it is one of those that are known to exist.
fn link_item(
    tx: &mut impl Tx,
    new_row: &NewWorkplanRow,
    existing: &BTreeSet<&ItemKey>,
    provenance: &Provenance,
) -> Result<WorkplanLink> {
    let key = &new_row.item.key;
    let parent = new_row.item.parent.as_ref();
    if existing.contains(key) {
        adopt_item(tx, new_row, provenance)?;
    } else if parent.is_none_or(|parent| existing.contains(parent)) {
        items::insert_below_parent(tx, &new_row.item, provenance)?;
    } else {
        items::insert_item(tx, &new_row.item, provenance)?;
    }
    tx.execute(
        &INSERT_LINK,
        args![
            key,
            new_row.link,
            new_row.facts.digest,
            new_row.facts.planning,
            new_row.description,
        ],
    )?;
    let mut after = new_row.facts.event_facts();
    if let Some(after) = after.as_object_mut() {
        after.insert("link".to_owned(), json!(new_row.link.as_str()));
    }
    let draft = EventDraft::of_workplan(key.as_str(), EventKind::Linked, Json::Null, after);
    record_event(tx, provenance, &draft)?;
    Ok(new_row.link.clone())
}

/// Takes an item that somebody added by hand for the one of the file.
fn adopt_item(tx: &mut impl Tx, new_row: &NewWorkplanRow, provenance: &Provenance) -> Result<()> {
    let item = &new_row.item;
    tx.execute(
        &ADOPT_ITEM,
        args![
            item.key,
            item.repo,
            stored_optional_text(item.title.as_ref()),
            provenance.actor,
            provenance.reason,
            provenance.op_id,
            item.priority,
        ],
    )?;
    Ok(())
}

pub(super) fn update_workplan_facts(
    tx: &mut impl Tx,
    changes: &[WorkplanChange],
    provenance: &Provenance,
) -> Result<()> {
    if tx.is_replay(provenance)? {
        return Ok(());
    }
    // All are read before the first is written.
    for change in changes {
        tx.prefetch(&FIND_LINK, args![change.key]);
    }
    let links: Vec<_> =
        changes.iter().map(|change| find_link(tx, &change.key)).collect::<Result<_>>()?;
    for (change, link) in changes.iter().zip(links) {
        update_facts_of_item(tx, change, link, provenance)?;
    }
    Ok(())
}

fn update_facts_of_item(
    tx: &mut impl Tx,
    change: &WorkplanChange,
    link: Option<(WorkplanLink, WorkplanFileFacts)>,
    provenance: &Provenance,
) -> Result<()> {
    let key = &change.key;
    let Some((_, before)) = link else {
        return Err(StoreError::Conflict(format!("item {key} has no file")));
    };
    // Who ordered the item in another way keeps that until the file names another priority.
    let replans = change.facts.as_ref().is_some_and(|(facts, _)| facts.planning != before.planning);
    tx.execute(
        &DESCRIBE_ITEM,
        args![
            key,
            stored_optional_text(change.title.as_ref()),
            change.position,
            change.repo,
            provenance.actor,
            provenance.reason,
            provenance.op_id,
            change.priority.filter(|_| replans),
        ],
    )?;
    let Some((facts, description)) = change.facts.as_ref().filter(|(facts, _)| *facts != before)
    else {
        return Ok(());
    };
    tx.execute(&UPDATE_LINK, args![key, facts.digest, facts.planning, description])?;
    let draft = EventDraft::of_workplan(
        key.as_str(),
        EventKind::Described,
        before.event_facts(),
        facts.event_facts(),
    );
    record_event(tx, provenance, &draft)
}
