//! What comes next: single rows out of indexes.

use rusqlite::{Connection, OptionalExtension, ToSql, Transaction, params, params_from_iter};

use super::errors::from_sqlite;
use super::{claims, dependencies, is_replay, items, require_registered, rows, sessions};
use crate::model::{
    Item, ItemKey, ItemSource, ItemStatus, NextItem, PickReason, RepoScope, Requester, Session,
    SessionId, SiblingPosition, Siblings, find_next_item,
};
use crate::store::{
    ChildCounts, ClaimNextRequest, ClaimedNext, LastHolder, NextItemQuery, Result, StoreError,
};

/// Those that somebody may begin or go on with; as the index spells it.
const IS_FREE: &str = "holder IS NULL AND open_dependencies = 0 \
     AND status IN ('queued', 'ready', 'running')";

/// Those that are not finished.
pub(super) const IS_UNFINISHED: &str = "status IN ('queued', 'ready', 'running', 'blocked')";

/// The item a session held last. Of its events only the latest are looked through: the wanted
/// one is among the last few.
pub(super) const LAST_HELD_ITEM: &str = "SELECT key FROM (
         SELECT * FROM events WHERE actor = ?1 ORDER BY seq DESC LIMIT 4096)
     WHERE entity = 'item' AND (after ->> 'holder' = ?1 OR before ->> 'holder' = ?1)
     ORDER BY seq DESC LIMIT 1";

/// Who held an item last, and until when; of its events as above.
pub(super) const LAST_HOLDER: &str = "SELECT before ->> 'holder', at FROM (
         SELECT seq, at, before, after FROM events
         WHERE entity = 'item' AND key = ?1 ORDER BY seq DESC LIMIT 4096)
     WHERE before ->> 'holder' IS NOT NULL AND after ->> 'holder' IS NOT before ->> 'holder'
     ORDER BY seq DESC LIMIT 1";

impl ItemSource for &Connection {
    type Error = StoreError;

    fn load_item(&mut self, key: &ItemKey) -> Result<Option<Item>> {
        items::load_item(self, key)
    }

    fn load_last_held(&mut self, session: &SessionId) -> Result<Option<ItemKey>> {
        let key: Option<String> = self
            .query_row(LAST_HELD_ITEM, [session.as_str()], |row| row.get(0))
            .optional()
            .map_err(from_sqlite)?;
        Ok(key.and_then(|key| key.parse().ok()))
    }

    fn has_children(&mut self, key: &ItemKey) -> Result<bool> {
        self.query_row(
            "SELECT EXISTS (SELECT 1 FROM work_items WHERE parent = ?1)",
            [key.as_str()],
            |row| row.get(0),
        )
        .map_err(from_sqlite)
    }

    fn find_first_free(&mut self, siblings: &Siblings<'_>) -> Result<Option<Item>> {
        let mut found = Vec::new();
        for repo in repo_lookups(siblings.scope) {
            found.extend(find_first_free(self, siblings, repo)?);
        }
        Ok(found.into_iter().min_by_key(Item::sibling_position))
    }

    fn list_unfinished(
        &mut self,
        parent: Option<&ItemKey>,
        scope: &RepoScope,
        limit: u32,
    ) -> Result<Vec<Item>> {
        let mut found: Vec<Item> = Vec::new();
        for repo in repo_lookups(scope) {
            let mut statement = self.prepare(&unfinished_sql(repo)).map_err(from_sqlite)?;
            let values = params![parent.map(ItemKey::as_str), limit, repo.repo_name()];
            let rows = statement
                .query_map(values, rows::item_from_row)
                .map_err(from_sqlite)?;
            for row in rows {
                found.push(row.map_err(from_sqlite)?);
            }
        }
        found.sort_by_key(Item::sibling_position);
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    fn has_unheld(&mut self, parent: Option<&ItemKey>, scope: &RepoScope) -> Result<bool> {
        for repo in repo_lookups(scope) {
            let values = params![parent.map(ItemKey::as_str), repo.repo_name()];
            let found: bool = self
                .query_row(&has_unheld_sql(repo), values, |row| row.get(0))
                .map_err(from_sqlite)?;
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn list_open_dependencies(
        &mut self,
        key: &ItemKey,
        limit: u32,
    ) -> Result<Vec<(ItemKey, ItemStatus)>> {
        dependencies::list_open_dependencies(self, key, limit)
    }
}

/// A range of the index, and the order that is left to say within it.
pub(super) struct IndexRange {
    range: &'static str,
    order: &'static str,
}

/// Returns the ranges of the index that lie behind a place, in order: those with a position
/// come first, those without last.
pub(super) fn index_ranges(after: Option<&SiblingPosition>) -> &'static [IndexRange] {
    match after {
        None => &[IndexRange {
            range: "",
            order: "position IS NULL, position, key",
        }],
        Some(place) if place.position().is_some() => &[
            IndexRange {
                range: "AND (position IS NULL) = 0 AND (position, key) > (?2, ?3)",
                order: "position, key",
            },
            IndexRange {
                range: "AND (position IS NULL) = 1",
                order: "position, key",
            },
        ],
        Some(_) => &[IndexRange {
            range: "AND (position IS NULL) = 1 AND position IS NULL AND key > ?3",
            order: "key",
        }],
    }
}

/// The items that one statement looks among: a scope of two repositories is looked up twice,
/// since no index has two in one order.
#[derive(Debug, Clone, Copy)]
pub(super) enum RepoLookup<'a> {
    /// All items.
    All,
    /// Those whose column `repo` is this.
    Repo(Option<&'a str>),
}

impl<'a> RepoLookup<'a> {
    const fn repo_name(self) -> Option<&'a str> {
        match self {
            Self::All => None,
            Self::Repo(name) => name,
        }
    }

    /// Writes which items are meant; the name is the parameter of this number, which every
    /// statement has.
    fn sql_condition(self, parameter: u8) -> String {
        match self {
            Self::All => format!("AND (1 OR ?{parameter} IS NULL)"),
            Self::Repo(_) => format!("AND repo IS ?{parameter}"),
        }
    }
}

fn repo_lookups(scope: &RepoScope) -> Vec<RepoLookup<'_>> {
    match scope.repo_column_values() {
        None => vec![RepoLookup::All],
        Some(columns) => columns.into_iter().map(RepoLookup::Repo).collect(),
    }
}

fn find_first_free(
    connection: &Connection,
    siblings: &Siblings<'_>,
    lookup: RepoLookup<'_>,
) -> Result<Option<Item>> {
    let after = siblings.after;
    let values: [&dyn ToSql; 4] = [
        &siblings.parent.map(ItemKey::as_str),
        &after.and_then(SiblingPosition::position),
        &after.map(|place| place.key().as_str()),
        &lookup.repo_name(),
    ];
    for part in index_ranges(after) {
        let mut statement = connection
            .prepare(&first_free_sql(part, siblings.only_orchestrators, lookup))
            .map_err(from_sqlite)?;
        // Not every part asks for all of them.
        let used = values.iter().take(statement.parameter_count());
        let found = statement
            .query_row(params_from_iter(used), rows::item_from_row)
            .optional()
            .map_err(from_sqlite)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

pub(super) fn first_free_sql(
    index_range: &IndexRange,
    orchestrators: bool,
    lookup: RepoLookup<'_>,
) -> String {
    let kind = if orchestrators {
        "AND (kind = 'orchestrator'
              OR EXISTS (SELECT 1 FROM work_items c WHERE c.parent = work_items.key))"
    } else {
        ""
    };
    let IndexRange { range, order } = index_range;
    format!(
        "SELECT {} FROM work_items WHERE parent IS ?1 AND {IS_FREE} {range} {kind} {} \
         ORDER BY {order} LIMIT 1",
        rows::ITEM_COLUMNS,
        lookup.sql_condition(4)
    )
}

pub(super) fn unfinished_sql(lookup: RepoLookup<'_>) -> String {
    format!(
        "SELECT {} FROM work_items WHERE parent IS ?1 AND {IS_UNFINISHED} {} LIMIT ?2",
        rows::ITEM_COLUMNS,
        lookup.sql_condition(3)
    )
}

pub(super) fn has_unheld_sql(lookup: RepoLookup<'_>) -> String {
    format!(
        "SELECT EXISTS (SELECT 1 FROM work_items
             WHERE parent IS ?1 AND {IS_UNFINISHED} AND holder IS NULL {})",
        lookup.sql_condition(2)
    )
}

pub(super) fn query_next_item(connection: &Connection, query: &NextItemQuery) -> Result<NextItem> {
    let session = match &query.session {
        Some(id) => sessions::load_session(connection, id)?,
        None => None,
    };
    let requester = Requester {
        session: session.as_ref(),
        parent: query.parent.as_ref(),
        scope: &query.scope,
    };
    find_next_item(&mut &*connection, &requester)
}

pub(super) fn claim_next_item(
    tx: &Transaction<'_>,
    request: &ClaimNextRequest,
) -> Result<ClaimedNext> {
    let session = require_registered(
        sessions::load_session(tx, &request.session)?,
        &request.session,
    )?;
    if is_replay(tx, &request.provenance)?
        && let Some(first_answer) = replay_claim_next(tx, &session, request)?
    {
        return Ok(first_answer);
    }
    let requester = Requester {
        session: Some(&session),
        parent: request.parent.as_ref(),
        scope: &request.scope,
    };
    let mut next_item = find_next_item(&mut &**tx, &requester)?;
    if let Some(held) = session
        .item
        .as_ref()
        .filter(|_| !request.may_release_unfinished)
    {
        next_item = next_item.keep_held(items::load_item(tx, held)?);
    }
    let Some((item, outcome, reason)) = next_item.claim_candidate() else {
        return Ok(ClaimedNext {
            next: next_item,
            released: None,
        });
    };
    let claim = request.granted_claim_of(item, outcome, reason);
    let claimed = claims::claim_item(tx, &claim)?;
    *item = claimed.item;
    Ok(ClaimedNext {
        next: next_item,
        released: match &claimed.released {
            Some(key) => Some(items::load_existing_item(tx, key)?),
            None => None,
        },
    })
}

/// Returns what an operation that was carried out before claimed.
fn replay_claim_next(
    tx: &Transaction<'_>,
    session: &Session,
    request: &ClaimNextRequest,
) -> Result<Option<ClaimedNext>> {
    let provenance = &request.provenance;
    let claimed: Option<(String, Option<String>)> = tx
        .query_row(
            "SELECT key, reason FROM events
             WHERE op_id = ?1 AND entity = 'item' AND kind = 'claimed'",
            [&provenance.op_id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
        .map_err(from_sqlite)?;
    let Some((key, reason)) = claimed else {
        // Nothing was claimed: what it found was the session's already.
        let item = session
            .item
            .as_ref()
            .map(|key| items::load_existing_item(tx, key));
        return Ok(item.transpose()?.map(|item| ClaimedNext {
            next: NextItem::Held { item, reason: None },
            released: None,
        }));
    };
    let key: ItemKey = key
        .parse()
        .map_err(|error| StoreError::Corrupt(format!("an event: {error}")))?;
    let item = items::load_existing_item(tx, &key)?;
    if item.holder.as_ref() != Some(&session.id) {
        return Err(claims::changed_hands_error(&key));
    }
    Ok(Some(ClaimedNext {
        next: NextItem::Offer {
            item,
            reason: reason.as_deref().and_then(PickReason::from_word),
        },
        released: match claims::find_item_released_by(tx, provenance)? {
            Some(key) => Some(items::load_existing_item(tx, &key)?),
            None => None,
        },
    }))
}

pub(super) fn count_children(connection: &Connection, key: &ItemKey) -> Result<ChildCounts> {
    let sql = format!(
        "SELECT count(*), count(*) FILTER (WHERE {IS_UNFINISHED}) FROM work_items WHERE parent = ?1"
    );
    connection
        .query_row(&sql, [key.as_str()], |row| {
            Ok(ChildCounts {
                total: rows::parse_count(row, 0)?,
                unfinished: rows::parse_count(row, 1)?,
            })
        })
        .map_err(from_sqlite)
}

pub(super) fn find_last_holder(
    connection: &Connection,
    key: &ItemKey,
) -> Result<Option<LastHolder>> {
    connection
        .query_row(LAST_HOLDER, [key.as_str()], rows::last_holder_from_row)
        .optional()
        .map_err(from_sqlite)
}
