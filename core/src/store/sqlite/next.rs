//! What comes next: single rows out of indexes.

use rusqlite::{Connection, OptionalExtension, ToSql, Transaction, params, params_from_iter};

use super::errors::from_sqlite;
use super::{claims, dependencies, items, registered, rows, sessions, was_done};
use crate::model::{
    Board, Item, ItemKey, ItemStatus, Next, OfferReason, Place, RepoScope, Seeker, Session,
    SessionId, Siblings, next,
};
use crate::store::{Children, LastHolder, NextRequest, NextTaken, NextWish, Result, StoreError};

/// Those that somebody may begin or go on with; as the index spells it.
const FREE: &str = "holder IS NULL AND open_dependencies = 0 \
     AND status IN ('queued', 'ready', 'running')";

/// Those that are not finished.
pub(super) const UNFINISHED: &str = "status IN ('queued', 'ready', 'running', 'blocked')";

/// The item a session held last. Of its events only the latest are looked through: the wanted
/// one is among the last few.
pub(super) const LAST_HELD: &str = "SELECT key FROM (
         SELECT * FROM events WHERE actor = ?1 ORDER BY seq DESC LIMIT 4096)
     WHERE entity = 'item' AND (after ->> 'holder' = ?1 OR before ->> 'holder' = ?1)
     ORDER BY seq DESC LIMIT 1";

/// Who held an item last, and until when; of its events as above.
pub(super) const LAST_HOLDER: &str = "SELECT before ->> 'holder', at FROM (
         SELECT seq, at, before, after FROM events
         WHERE entity = 'item' AND key = ?1 ORDER BY seq DESC LIMIT 4096)
     WHERE before ->> 'holder' IS NOT NULL AND after ->> 'holder' IS NOT before ->> 'holder'
     ORDER BY seq DESC LIMIT 1";

impl Board for &Connection {
    type Error = StoreError;

    fn item(&mut self, key: &ItemKey) -> Result<Option<Item>> {
        items::load(self, key)
    }

    fn last_held(&mut self, session: &SessionId) -> Result<Option<ItemKey>> {
        let key: Option<String> = self
            .query_row(LAST_HELD, [session.as_str()], |row| row.get(0))
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

    fn first_free(&mut self, siblings: &Siblings<'_>) -> Result<Option<Item>> {
        let mut found = Vec::new();
        for repo in lookups(siblings.scope) {
            found.extend(first_free_of(self, siblings, repo)?);
        }
        Ok(found.into_iter().min_by_key(Item::place))
    }

    fn unfinished(
        &mut self,
        parent: Option<&ItemKey>,
        scope: &RepoScope,
        limit: u32,
    ) -> Result<Vec<Item>> {
        let mut found: Vec<Item> = Vec::new();
        for repo in lookups(scope) {
            let mut statement = self.prepare(&unfinished(repo)).map_err(from_sqlite)?;
            let values = params![parent.map(ItemKey::as_str), limit, repo.name()];
            let rows = statement
                .query_map(values, rows::item)
                .map_err(from_sqlite)?;
            for row in rows {
                found.push(row.map_err(from_sqlite)?);
            }
        }
        found.sort_by_key(Item::place);
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    fn has_unheld(&mut self, parent: Option<&ItemKey>, scope: &RepoScope) -> Result<bool> {
        for repo in lookups(scope) {
            let values = params![parent.map(ItemKey::as_str), repo.name()];
            let found: bool = self
                .query_row(&has_unheld(repo), values, |row| row.get(0))
                .map_err(from_sqlite)?;
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn waits_for(&mut self, key: &ItemKey, limit: u32) -> Result<Vec<(ItemKey, ItemStatus)>> {
        dependencies::open(self, key, limit)
    }
}

/// A range of the index, and the order that is left to say within it.
pub(super) struct Part {
    range: &'static str,
    order: &'static str,
}

/// Returns the ranges of the index that lie behind a place, in order: those with a position
/// come first, those without last.
pub(super) fn parts(after: Option<&Place>) -> &'static [Part] {
    match after {
        None => &[Part {
            range: "",
            order: "position IS NULL, position, key",
        }],
        Some(place) if place.position().is_some() => &[
            Part {
                range: "AND (position IS NULL) = 0 AND (position, key) > (?2, ?3)",
                order: "position, key",
            },
            Part {
                range: "AND (position IS NULL) = 1",
                order: "position, key",
            },
        ],
        Some(_) => &[Part {
            range: "AND (position IS NULL) = 1 AND position IS NULL AND key > ?3",
            order: "key",
        }],
    }
}

/// The items that one statement looks among: a scope of two repositories is looked up twice,
/// since no index has two in one order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lookup<'a> {
    /// All items.
    All,
    /// Those whose column `repo` is this.
    Repo(Option<&'a str>),
}

impl<'a> Lookup<'a> {
    const fn name(self) -> Option<&'a str> {
        match self {
            Self::All => None,
            Self::Repo(name) => name,
        }
    }

    /// Writes which items are meant; the name is the parameter of this number, which every
    /// statement has.
    fn condition(self, parameter: u8) -> String {
        match self {
            Self::All => format!("AND (1 OR ?{parameter} IS NULL)"),
            Self::Repo(_) => format!("AND repo IS ?{parameter}"),
        }
    }
}

fn lookups(scope: &RepoScope) -> Vec<Lookup<'_>> {
    match scope.columns() {
        None => vec![Lookup::All],
        Some(columns) => columns.into_iter().map(Lookup::Repo).collect(),
    }
}

fn first_free_of(
    connection: &Connection,
    siblings: &Siblings<'_>,
    lookup: Lookup<'_>,
) -> Result<Option<Item>> {
    let after = siblings.after;
    let values: [&dyn ToSql; 4] = [
        &siblings.parent.map(ItemKey::as_str),
        &after.and_then(Place::position),
        &after.map(|place| place.key().as_str()),
        &lookup.name(),
    ];
    for part in parts(after) {
        let mut statement = connection
            .prepare(&first_free(part, siblings.orchestrators, lookup))
            .map_err(from_sqlite)?;
        // Not every part asks for all of them.
        let used = values.iter().take(statement.parameter_count());
        let found = statement
            .query_row(params_from_iter(used), rows::item)
            .optional()
            .map_err(from_sqlite)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

pub(super) fn first_free(part: &Part, orchestrators: bool, lookup: Lookup<'_>) -> String {
    let kind = if orchestrators {
        "AND (kind = 'orchestrator'
              OR EXISTS (SELECT 1 FROM work_items c WHERE c.parent = work_items.key))"
    } else {
        ""
    };
    let Part { range, order } = part;
    format!(
        "SELECT {} FROM work_items WHERE parent IS ?1 AND {FREE} {range} {kind} {} \
         ORDER BY {order} LIMIT 1",
        rows::ITEM,
        lookup.condition(4)
    )
}

pub(super) fn unfinished(lookup: Lookup<'_>) -> String {
    format!(
        "SELECT {} FROM work_items WHERE parent IS ?1 AND {UNFINISHED} {} LIMIT ?2",
        rows::ITEM,
        lookup.condition(3)
    )
}

pub(super) fn has_unheld(lookup: Lookup<'_>) -> String {
    format!(
        "SELECT EXISTS (SELECT 1 FROM work_items
             WHERE parent IS ?1 AND {UNFINISHED} AND holder IS NULL {})",
        lookup.condition(2)
    )
}

pub(super) fn next_item(connection: &Connection, wish: &NextWish) -> Result<Next> {
    let session = match &wish.session {
        Some(id) => sessions::load(connection, id)?,
        None => None,
    };
    let seeker = Seeker {
        session: session.as_ref(),
        parent: wish.parent.as_ref(),
        scope: &wish.scope,
    };
    next(&mut &*connection, &seeker)
}

pub(super) fn claim_next(tx: &Transaction<'_>, request: &NextRequest) -> Result<NextTaken> {
    let session = registered(sessions::load(tx, &request.session)?, &request.session)?;
    if was_done(tx, &request.provenance)?
        && let Some(answer) = first_answer(tx, &session, request)?
    {
        return Ok(answer);
    }
    let seeker = Seeker {
        session: Some(&session),
        parent: request.parent.as_ref(),
        scope: &request.scope,
    };
    let mut found = next(&mut &**tx, &seeker)?;
    if let Some(held) = session.item.as_ref().filter(|_| !request.give_up) {
        found = found.keeping(items::load(tx, held)?);
    }
    let Some((item, outcome, reason)) = found.to_claim() else {
        return Ok(NextTaken {
            next: found,
            released: None,
        });
    };
    let claim = request.claim_of(item, outcome, reason);
    let taken = claims::claim(tx, &claim)?;
    *item = taken.item;
    Ok(NextTaken {
        next: found,
        released: match &taken.released {
            Some(key) => Some(items::existing(tx, key)?),
            None => None,
        },
    })
}

/// Returns what an operation that was carried out before claimed.
fn first_answer(
    tx: &Transaction<'_>,
    session: &Session,
    request: &NextRequest,
) -> Result<Option<NextTaken>> {
    let by = &request.provenance;
    let claimed: Option<(String, Option<String>)> = tx
        .query_row(
            "SELECT key, reason FROM events
             WHERE op_id = ?1 AND entity = 'item' AND kind = 'claimed'",
            [&by.op_id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
        .map_err(from_sqlite)?;
    let Some((key, reason)) = claimed else {
        // Nothing was claimed: what it found was the session's already.
        let item = session.item.as_ref().map(|key| items::existing(tx, key));
        return Ok(item.transpose()?.map(|item| NextTaken {
            next: Next::Held { item, reason: None },
            released: None,
        }));
    };
    let key: ItemKey = key
        .parse()
        .map_err(|error| StoreError::Corrupt(format!("an event: {error}")))?;
    let item = items::existing(tx, &key)?;
    if item.holder.as_ref() != Some(&session.id) {
        return Err(claims::moved_on(&key));
    }
    Ok(Some(NextTaken {
        next: Next::Offer {
            item,
            reason: reason.as_deref().and_then(OfferReason::from_word),
        },
        released: match claims::given_up_by(tx, by)? {
            Some(key) => Some(items::existing(tx, &key)?),
            None => None,
        },
    }))
}

pub(super) fn children(connection: &Connection, key: &ItemKey) -> Result<Children> {
    let sql = format!(
        "SELECT count(*), count(*) FILTER (WHERE {UNFINISHED}) FROM work_items WHERE parent = ?1"
    );
    connection
        .query_row(&sql, [key.as_str()], |row| {
            Ok(Children {
                all: rows::count(row, 0)?,
                unfinished: rows::count(row, 1)?,
            })
        })
        .map_err(from_sqlite)
}

pub(super) fn last_holder(connection: &Connection, key: &ItemKey) -> Result<Option<LastHolder>> {
    connection
        .query_row(LAST_HOLDER, [key.as_str()], rows::last_holder)
        .optional()
        .map_err(from_sqlite)
}
