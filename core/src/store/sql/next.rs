//! The next item: single rows out of indexes.

use super::engine::{Tx, args};
use super::items::{
    SELECT_ITEM, changed_hands_error, item_from_row, load_existing_item, load_item,
};
use super::sessions::{load_registered, load_session};
use super::statement::{Statement, joined, statements};
use super::{claims, dependencies, handoffs, ready};
use crate::model::{
    Item, ItemKey, ItemPriority, ItemSource, ItemStatus, NextItem, PickReason, RepoScope,
    Requester, Session, SessionId, SiblingPosition, Siblings, find_next_item,
};
use crate::store::{
    ChildCounts, ClaimNextRequest, ClaimedNext, LastHolder, NextItemQuery, Result, StoreError,
};

/// The start of a search for an item that somebody may begin or go on with. The condition is
/// spelled as the index spells it.
const FIRST_FREE: &str = joined!(
    SELECT_ITEM,
    "parent IS NOT DISTINCT FROM ?1 AND holder IS NULL AND open_dependencies = 0 \
     AND status IN ('queued', 'ready', 'running') "
);
const IN_REPO: &str = "AND repo IS NOT DISTINCT FROM ?5 ";
const OF_PRIORITY: &str = "AND coalesce(priority, 2) = ?4 ";
const BEHIND: &str =
    joined!(OF_PRIORITY, "AND (position IS NULL) = 0 AND (position, key) > (?2, ?3) ");
const UNPLACED: &str = joined!(OF_PRIORITY, "AND (position IS NULL) = 1 ");
const BEHIND_UNPLACED: &str =
    joined!(OF_PRIORITY, "AND (position IS NULL) = 1 AND position IS NULL AND key > ?3 ");
const URGENT_FIRST: &str =
    "ORDER BY coalesce(priority, 2), position IS NULL, position, key LIMIT 1";
const PG_URGENT_FIRST: &str = "ORDER BY coalesce(priority, 2), position, key LIMIT 1";
const BY_POSITION: &str = "ORDER BY position, key LIMIT 1";
const BY_KEY: &str = "ORDER BY key LIMIT 1";

/// The same for PostgreSQL, whose indexes hold the empty text for an absent parent or repository,
/// and where an absent position comes last by itself. Ordered by the key alone, it might walk the
/// index of all keys.
const PG_FIRST_FREE: &str = joined!(
    SELECT_ITEM,
    "coalesce(parent, '') = coalesce(?1, '') AND holder IS NULL AND open_dependencies = 0 \
     AND status IN ('queued', 'ready', 'running') "
);
const PG_IS_CHILD: &str = "coalesce(parent, '') = coalesce(?1, '') AND ";
const PG_IN_REPO: &str =
    "AND coalesce(repo, '') = coalesce(?5, '') AND repo IS NOT DISTINCT FROM ?5 ";
const PG_BEHIND: &str = joined!(OF_PRIORITY, "AND (position, key) > (?2, ?3) ");
const PG_UNPLACED: &str = joined!(OF_PRIORITY, "AND position IS NULL ");
const PG_BEHIND_UNPLACED: &str = joined!(OF_PRIORITY, "AND position IS NULL AND key > ?3 ");

const IS_ORCHESTRATOR: &str = "AND (kind = 'orchestrator' \
     OR EXISTS (SELECT 1 FROM work_items c WHERE c.parent = work_items.key)) ";
const IS_UNFINISHED: &str = "status IN ('queued', 'ready', 'running', 'blocked') ";

statements! {
    FIRST_ALL(text) = FIRST_FREE, URGENT_FIRST
        => postgres PG_FIRST_FREE, PG_URGENT_FIRST;
    FIRST_ALL_IN_REPO(text, int, text, int, text) = FIRST_FREE, IN_REPO, URGENT_FIRST
        => postgres PG_FIRST_FREE, PG_IN_REPO, PG_URGENT_FIRST;
    FIRST_ALL_ORCHESTRATOR(text) = FIRST_FREE, IS_ORCHESTRATOR, URGENT_FIRST
        => postgres PG_FIRST_FREE, IS_ORCHESTRATOR, PG_URGENT_FIRST;
    FIRST_ALL_ORCHESTRATOR_IN_REPO(text, int, text, int, text) =
        FIRST_FREE, IS_ORCHESTRATOR, IN_REPO, URGENT_FIRST
        => postgres PG_FIRST_FREE, IS_ORCHESTRATOR, PG_IN_REPO, PG_URGENT_FIRST;
    FIRST_BEHIND_POSITION(text, int, text, int) = FIRST_FREE, BEHIND, BY_POSITION
        => postgres PG_FIRST_FREE, PG_BEHIND, BY_POSITION;
    FIRST_BEHIND_POSITION_IN_REPO(text, int, text, int, text) = FIRST_FREE, BEHIND, IN_REPO, BY_POSITION
        => postgres PG_FIRST_FREE, PG_BEHIND, PG_IN_REPO, BY_POSITION;
    FIRST_BEHIND_POSITION_ORCHESTRATOR(text, int, text, int) =
        FIRST_FREE, BEHIND, IS_ORCHESTRATOR, BY_POSITION
        => postgres PG_FIRST_FREE, PG_BEHIND, IS_ORCHESTRATOR, BY_POSITION;
    FIRST_BEHIND_POSITION_ORCHESTRATOR_IN_REPO(text, int, text, int, text) =
        FIRST_FREE, BEHIND, IS_ORCHESTRATOR, IN_REPO, BY_POSITION
        => postgres PG_FIRST_FREE, PG_BEHIND, IS_ORCHESTRATOR, PG_IN_REPO, BY_POSITION;
    FIRST_UNPLACED(text, int, text, int) = FIRST_FREE, UNPLACED, BY_POSITION
        => postgres PG_FIRST_FREE, PG_UNPLACED, BY_POSITION;
    FIRST_UNPLACED_IN_REPO(text, int, text, int, text) = FIRST_FREE, UNPLACED, IN_REPO, BY_POSITION
        => postgres PG_FIRST_FREE, PG_UNPLACED, PG_IN_REPO, BY_POSITION;
    FIRST_UNPLACED_ORCHESTRATOR(text, int, text, int) = FIRST_FREE, UNPLACED, IS_ORCHESTRATOR, BY_POSITION
        => postgres PG_FIRST_FREE, PG_UNPLACED, IS_ORCHESTRATOR, BY_POSITION;
    FIRST_UNPLACED_ORCHESTRATOR_IN_REPO(text, int, text, int, text) =
        FIRST_FREE, UNPLACED, IS_ORCHESTRATOR, IN_REPO, BY_POSITION
        => postgres PG_FIRST_FREE, PG_UNPLACED, IS_ORCHESTRATOR, PG_IN_REPO, BY_POSITION;
    FIRST_BEHIND_UNPLACED(text, int, text, int) = FIRST_FREE, BEHIND_UNPLACED, BY_KEY
        => postgres PG_FIRST_FREE, PG_BEHIND_UNPLACED, BY_POSITION;
    FIRST_BEHIND_UNPLACED_IN_REPO(text, int, text, int, text) =
        FIRST_FREE, BEHIND_UNPLACED, IN_REPO, BY_KEY
        => postgres PG_FIRST_FREE, PG_BEHIND_UNPLACED, PG_IN_REPO, BY_POSITION;
    FIRST_BEHIND_UNPLACED_ORCHESTRATOR(text, int, text, int) =
        FIRST_FREE, BEHIND_UNPLACED, IS_ORCHESTRATOR, BY_KEY
        => postgres PG_FIRST_FREE, PG_BEHIND_UNPLACED, IS_ORCHESTRATOR, BY_POSITION;
    FIRST_BEHIND_UNPLACED_ORCHESTRATOR_IN_REPO(text, int, text, int, text) =
        FIRST_FREE, BEHIND_UNPLACED, IS_ORCHESTRATOR, IN_REPO, BY_KEY
        => postgres PG_FIRST_FREE, PG_BEHIND_UNPLACED, IS_ORCHESTRATOR, PG_IN_REPO, BY_POSITION;

    LIST_UNFINISHED(text, int) =
        SELECT_ITEM, "parent IS NOT DISTINCT FROM ?1 AND ", IS_UNFINISHED, "LIMIT ?2"
        => postgres SELECT_ITEM, PG_IS_CHILD, IS_UNFINISHED, "LIMIT ?2";
    LIST_UNFINISHED_IN_REPO(text, int, text) =
        SELECT_ITEM, "parent IS NOT DISTINCT FROM ?1 AND ", IS_UNFINISHED,
        "AND repo IS NOT DISTINCT FROM ?3 LIMIT ?2"
        => postgres SELECT_ITEM, PG_IS_CHILD, IS_UNFINISHED,
        "AND coalesce(repo, '') = coalesce(?3, '') AND repo IS NOT DISTINCT FROM ?3 LIMIT ?2";
    HAS_UNHELD(text) =
        "SELECT EXISTS (SELECT 1 FROM work_items WHERE parent IS NOT DISTINCT FROM ?1 AND ",
        IS_UNFINISHED, "AND holder IS NULL)"
        => postgres "SELECT EXISTS (SELECT 1 FROM work_items WHERE ", PG_IS_CHILD,
        IS_UNFINISHED, "AND holder IS NULL)";
    HAS_UNHELD_IN_REPO(text, text) =
        "SELECT EXISTS (SELECT 1 FROM work_items WHERE parent IS NOT DISTINCT FROM ?1 AND ",
        IS_UNFINISHED, "AND holder IS NULL AND repo IS NOT DISTINCT FROM ?2)"
        => postgres "SELECT EXISTS (SELECT 1 FROM work_items WHERE ", PG_IS_CHILD, IS_UNFINISHED,
        "AND holder IS NULL AND coalesce(repo, '') = coalesce(?2, '')
         AND repo IS NOT DISTINCT FROM ?2)";

    HAS_CHILDREN(text) = "SELECT EXISTS (SELECT 1 FROM work_items WHERE parent = ?1)";
    COUNT_CHILDREN(text) =
        "SELECT count(*), count(*) FILTER (WHERE ", IS_UNFINISHED, ") FROM work_items
         WHERE parent = ?1";

    /// The item that a session held last. Only the latest of its events are read: the wanted one
    /// is among the last few.
    LAST_HELD_ITEM(text) =
        "SELECT key FROM (SELECT * FROM events WHERE actor = ?1 ORDER BY seq DESC LIMIT 4096) AS latest
         WHERE entity = 'item' AND (after ->> 'holder' = ?1 OR before ->> 'holder' = ?1)
         ORDER BY seq DESC LIMIT 1";

    /// Who held an item last, and until when; only the latest of its events are read.
    LAST_HOLDER(text) =
        "SELECT before ->> 'holder', at FROM (
             SELECT seq, at, before, after FROM events
             WHERE entity = 'item' AND key = ?1 ORDER BY seq DESC LIMIT 4096) AS latest
         WHERE before ->> 'holder' IS NOT NULL
           AND after ->> 'holder' IS DISTINCT FROM before ->> 'holder'
         ORDER BY seq DESC LIMIT 1";

    FIND_CLAIM(text) = "SELECT key, reason FROM events
         WHERE op_id = ?1 AND entity = 'item' AND kind = 'claimed'";
}

/// The searches by range of the index, by whether only orchestrators are wanted, and by whether
/// one repository is searched.
#[rustfmt::skip]
static FIRST_FREE_ITEMS: [[[&Statement; 2]; 2]; 4] = [
    [[&FIRST_ALL, &FIRST_ALL_IN_REPO], [&FIRST_ALL_ORCHESTRATOR, &FIRST_ALL_ORCHESTRATOR_IN_REPO]],
    [[&FIRST_BEHIND_POSITION, &FIRST_BEHIND_POSITION_IN_REPO], [&FIRST_BEHIND_POSITION_ORCHESTRATOR, &FIRST_BEHIND_POSITION_ORCHESTRATOR_IN_REPO]],
    [[&FIRST_UNPLACED, &FIRST_UNPLACED_IN_REPO], [&FIRST_UNPLACED_ORCHESTRATOR, &FIRST_UNPLACED_ORCHESTRATOR_IN_REPO]],
    [[&FIRST_BEHIND_UNPLACED, &FIRST_BEHIND_UNPLACED_IN_REPO], [&FIRST_BEHIND_UNPLACED_ORCHESTRATOR, &FIRST_BEHIND_UNPLACED_ORCHESTRATOR_IN_REPO]],
];

/// The ranges of [`FIRST_FREE_ITEMS`] that lie behind a position, in their order: items with a
/// position come first, those without one last.
pub(in crate::store) fn ranges_behind(after: Option<&SiblingPosition>) -> &'static [usize] {
    match after {
        None => &[0],
        Some(position) if position.position().is_some() => &[1, 2],
        Some(_) => &[3],
    }
}

/// The items that one statement searches. A scope of two repositories is searched twice, since no
/// index has two in one order.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum RepoLookup<'a> {
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

    /// Chooses the statement for all items or that for one repository.
    const fn choose(self, all: &'static Statement, repo: &'static Statement) -> &'static Statement {
        match self {
            Self::All => all,
            Self::Repo(_) => repo,
        }
    }
}

fn repo_lookups(scope: &RepoScope) -> Vec<RepoLookup<'_>> {
    match scope.repo_column_values() {
        None => vec![RepoLookup::All],
        Some(columns) => columns.into_iter().map(RepoLookup::Repo).collect(),
    }
}

/// Chooses the search of one range of the index.
pub(in crate::store) fn first_free_statement(
    range: usize,
    only_orchestrators: bool,
    lookup: RepoLookup<'_>,
) -> &'static Statement {
    let [all, repo] = FIRST_FREE_ITEMS[range][usize::from(only_orchestrators)];
    lookup.choose(all, repo)
}

pub(in crate::store) const fn unfinished_statement(lookup: RepoLookup<'_>) -> &'static Statement {
    lookup.choose(&LIST_UNFINISHED, &LIST_UNFINISHED_IN_REPO)
}

pub(in crate::store) const fn has_unheld_statement(lookup: RepoLookup<'_>) -> &'static Statement {
    lookup.choose(&HAS_UNHELD, &HAS_UNHELD_IN_REPO)
}

/// The items of the database, as the search for the next one reads them.
struct StoredItems<'t, T>(&'t mut T);

impl<T: Tx> ItemSource for StoredItems<'_, T> {
    type Error = StoreError;

    fn load_item(&mut self, key: &ItemKey) -> Result<Option<Item>> {
        load_item(self.0, key)
    }

    fn load_last_held(&mut self, session: &SessionId) -> Result<Option<ItemKey>> {
        self.0.row(&LAST_HELD_ITEM, args![session], |row| row.get(0))
    }

    fn has_children(&mut self, key: &ItemKey) -> Result<bool> {
        self.0.one_row(&HAS_CHILDREN, args![key], |row| row.get(0))
    }

    fn find_first_ready(&mut self, scope: &RepoScope) -> Result<Option<Item>> {
        ready::find_first_ready(self.0, scope)
    }

    fn find_first_free(&mut self, siblings: &Siblings<'_>) -> Result<Option<Item>> {
        let mut found = Vec::new();
        for lookup in repo_lookups(siblings.scope) {
            found.extend(find_first_free_in(self.0, siblings, lookup)?);
        }
        Ok(found.into_iter().min_by_key(Item::offer_order))
    }

    fn list_unfinished(
        &mut self,
        parent: Option<&ItemKey>,
        scope: &RepoScope,
        limit: u32,
    ) -> Result<Vec<Item>> {
        let mut found: Vec<Item> = Vec::new();
        for lookup in repo_lookups(scope) {
            let statement = unfinished_statement(lookup);
            found.extend(self.0.rows(
                statement,
                args![parent, limit, lookup.repo_name()],
                item_from_row,
            )?);
        }
        found.sort_by_key(Item::sibling_position);
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    fn has_unheld(&mut self, parent: Option<&ItemKey>, scope: &RepoScope) -> Result<bool> {
        for lookup in repo_lookups(scope) {
            let statement = has_unheld_statement(lookup);
            let has_unheld =
                self.0.one_row(statement, args![parent, lookup.repo_name()], |row| row.get(0))?;
            if has_unheld {
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
        dependencies::list_open_dependencies(self.0, key, limit)
    }
}

fn find_first_free_in(
    tx: &mut impl Tx,
    siblings: &Siblings<'_>,
    lookup: RepoLookup<'_>,
) -> Result<Option<Item>> {
    let after = siblings.after;
    let (position, key) =
        (after.and_then(SiblingPosition::position), after.map(SiblingPosition::key));
    let repo = lookup.repo_name();
    let args = args![siblings.parent, position, key, siblings.priority, repo];
    for range in ranges_behind(after) {
        let statement = first_free_statement(*range, siblings.only_orchestrators, lookup);
        let found = tx.row(statement, args, item_from_row)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Says what a session that holds nothing, and was nowhere before, will search.
fn prefetch_first_search(
    tx: &mut impl Tx,
    session: &SessionId,
    parent: Option<&ItemKey>,
    scope: &RepoScope,
) {
    tx.prefetch(&LAST_HELD_ITEM, args![session]);
    if parent.is_none() {
        ready::prefetch_first_ready(tx, scope);
        return;
    }
    let no_position: Option<i64> = None;
    let no_key: Option<&ItemKey> = None;
    let no_priority: Option<ItemPriority> = None;
    for lookup in repo_lookups(scope) {
        let statement = first_free_statement(0, false, lookup);
        tx.prefetch(statement, args![parent, no_position, no_key, no_priority, lookup.repo_name()]);
    }
}

pub(super) fn query_next_item(tx: &mut impl Tx, query: &NextItemQuery) -> Result<NextItem> {
    let session = match &query.session {
        Some(id) => {
            prefetch_first_search(tx, id, query.parent.as_ref(), &query.scope);
            load_session(tx, id)?
        }
        None => None,
    };
    let requester =
        Requester { session: session.as_ref(), parent: query.parent.as_ref(), scope: &query.scope };
    find_next_item(&mut StoredItems(tx), &requester)
}

pub(super) fn claim_next_item(tx: &mut impl Tx, request: &ClaimNextRequest) -> Result<ClaimedNext> {
    prefetch_first_search(tx, &request.session, request.parent.as_ref(), &request.scope);
    handoffs::prefetch_handoff_of_holder(tx, &request.session);
    let session = load_registered(tx, &request.session)?;
    if tx.is_replay(&request.provenance)?
        && let Some(answer) = replay_claim_next(tx, &session, request)?
    {
        return Ok(answer);
    }
    let requester = Requester {
        session: Some(&session),
        parent: request.parent.as_ref(),
        scope: &request.scope,
    };
    // The claim is conditional on the item that was found. That there is none has no such
    // condition, so it must be read at one moment.
    let mut next = tx.search(|tx| find_next_item(&mut StoredItems(tx), &requester))?;
    if next.claim_candidate().is_none() {
        next = find_next_item(&mut StoredItems(tx), &requester)?;
    }
    if let Some(held) = session.item.as_ref().filter(|_| !request.may_release_unfinished) {
        next = next.keep_held(load_item(tx, held)?);
    }
    let Some((item, outcome, reason)) = next.claim_candidate() else {
        return Ok(ClaimedNext { next, released: None });
    };
    let claim = request.granted_claim_of(item, outcome, reason);
    let claimed = claims::claim_item(tx, &claim)?;
    *item = claimed.item;
    Ok(ClaimedNext {
        next,
        released: match &claimed.released {
            Some(key) => Some(load_existing_item(tx, key)?),
            None => None,
        },
    })
}

/// Returns what an operation that was carried out before claimed.
fn replay_claim_next(
    tx: &mut impl Tx,
    session: &Session,
    request: &ClaimNextRequest,
) -> Result<Option<ClaimedNext>> {
    let provenance = &request.provenance;
    let claimed: Option<(ItemKey, Option<String>)> =
        tx.row(&FIND_CLAIM, args![provenance.op_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some((key, reason)) = claimed else {
        // Nothing was claimed: what it found was the session's already.
        let item = session.item.as_ref().map(|key| load_existing_item(tx, key));
        return Ok(item.transpose()?.map(|item| ClaimedNext {
            next: NextItem::Held { item, reason: None },
            released: None,
        }));
    };
    let item = load_existing_item(tx, &key)?;
    if item.holder.as_ref() != Some(&session.id) {
        return Err(changed_hands_error(&key));
    }
    Ok(Some(ClaimedNext {
        next: NextItem::Offer { item, reason: reason.as_deref().and_then(PickReason::from_word) },
        released: match claims::find_item_released_by(tx, provenance)? {
            Some(key) => Some(load_existing_item(tx, &key)?),
            None => None,
        },
    }))
}

/// Says that [`count_children`] will be asked.
pub(super) fn prefetch_children_count(tx: &mut impl Tx, key: &ItemKey) {
    tx.prefetch(&COUNT_CHILDREN, args![key]);
}

pub(super) fn count_children(tx: &mut impl Tx, key: &ItemKey) -> Result<ChildCounts> {
    tx.one_row(&COUNT_CHILDREN, args![key], |row| {
        Ok(ChildCounts { total: row.get(0)?, unfinished: row.get(1)? })
    })
}

/// Says that [`find_last_holder`] will be asked.
pub(super) fn prefetch_last_holder(tx: &mut impl Tx, key: &ItemKey) {
    tx.prefetch(&LAST_HOLDER, args![key]);
}

pub(super) fn find_last_holder(tx: &mut impl Tx, key: &ItemKey) -> Result<Option<LastHolder>> {
    tx.row(&LAST_HOLDER, args![key], |row| {
        Ok(LastHolder { session: row.get(0)?, until: row.get(1)? })
    })
}
