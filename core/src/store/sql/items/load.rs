//! Items as they are read.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::engine::{Arg, Tx, args};
use super::super::row::Row;
use super::super::statement::{Statement, columns, joined, statements};
use crate::model::{Item, ItemKey, ItemStatus, RepoScope};
use crate::store::{ItemFilter, Result, StoreError};

columns! {
    /// The columns of an item, of `work_items`.
    pub(in super::super) enum ItemColumn {
        Key = "key",
        Title = "title",
        Kind = "kind",
        Parent = "parent",
        Position = "position",
        Repo = "repo",
        Status = "status",
        Phase = "phase",
        Holder = "holder",
        Epoch = "claim_epoch",
        ClaimedAt = "claimed_at",
        ErrorMessage = "error_message",
        Evidence = "evidence",
        Revision = "revision",
        CreatedAt = "created_at",
        UpdatedAt = "updated_at",
        CompletedAt = "completed_at",
        RequiresEvidence = "requires_evidence",
        OpenDependencies = "open_dependencies",
        DependsOn = "(SELECT group_concat(depends_on, ' ') FROM item_dependencies WHERE item = key)",
    }
}

pub(in super::super) const SELECT_ITEM: &str =
    joined!("SELECT ", ItemColumn::SQL, " FROM work_items WHERE ");

/// The items of some repositories: of all, of one and of none, or of one alone.
const IS_IN_SCOPE: &str = "(?4 = 'all' OR repo = ?5 OR ?4 = 'here' AND repo IS NULL)";
const IS_OF_STATUS_AND_KIND: &str =
    "status IN (?6, ?7, ?8, ?9, ?10, ?11, ?12) AND (?2 IS NULL OR kind = ?2)";
const IS_LISTED: &str = joined!(
    IS_OF_STATUS_AND_KIND,
    " AND ",
    IS_IN_SCOPE,
    " ORDER BY parent NULLS FIRST, position IS NULL, position, key"
);

statements! {
    /// A change reads its item before and after.
    LOAD_ITEM(text) = @repeated SELECT_ITEM, "key = ?1";
    LOAD_ITEMS(text) = SELECT_ITEM, "key IN (SELECT value FROM json_each(?1))";
    LOAD_ITEM_TITLE(text) = "SELECT title FROM work_items WHERE key = ?1";

    LIST_ITEMS(text, text, int, text, text, text, text, text, text, text, text, text) =
        SELECT_ITEM, "?1 IS NULL AND ?3 = 0 AND ", IS_LISTED;
    LIST_HELD_ITEMS(text, text, int, text, text, text, text, text, text, text, text, text) =
        SELECT_ITEM, "?1 IS NULL AND ?3 <> 0 AND holder IS NOT NULL AND ", IS_LISTED;
    LIST_CHILDREN(text, text, int, text, text, text, text, text, text, text, text, text) =
        SELECT_ITEM, "parent = ?1 AND (?3 = 0 OR holder IS NOT NULL) AND ", IS_LISTED;
    /// Walks along the keys, and no further than the page.
    LIST_ITEMS_BY_KEY(
        text, text, int, text, text, text, text, text, text, text, text, text, text, int
    ) = SELECT_ITEM, "key > ?13 AND (?1 IS NULL OR parent = ?1)
        AND (?3 = 0 OR holder IS NOT NULL) AND ", IS_OF_STATUS_AND_KIND, " AND ", IS_IN_SCOPE,
        " ORDER BY key LIMIT ?14";

    /// Keys among four texts, whatever their case; answered from the index
    /// `work_items_key_of_any_case`.
    FIND_4_ITEM_KEYS(text, text, text, text) =
        "SELECT key FROM work_items WHERE key COLLATE NOCASE IN (?1, ?2, ?3, ?4) ORDER BY key"
        => postgres "SELECT key FROM work_items
             WHERE nocase(key) IN (nocase(?1), nocase(?2), nocase(?3), nocase(?4)) ORDER BY key";
    FIND_ITEM_KEYS(text) =
        "SELECT key FROM work_items
         WHERE key COLLATE NOCASE IN (SELECT value FROM json_each(?1)) ORDER BY key"
        => postgres "SELECT key FROM work_items
             WHERE nocase(key) IN (SELECT nocase(value) FROM json_each(?1)) ORDER BY key";

}

pub(in super::super) fn item_from_row(row: &dyn Row) -> Result<Item> {
    Ok(Item {
        key: row.get(ItemColumn::Key)?,
        title: row.get(ItemColumn::Title)?,
        kind: row.get(ItemColumn::Kind)?,
        parent: row.get(ItemColumn::Parent)?,
        position: row.get(ItemColumn::Position)?,
        repo: row.get(ItemColumn::Repo)?,
        status: row.get(ItemColumn::Status)?,
        phase: row.get(ItemColumn::Phase)?,
        holder: row.get(ItemColumn::Holder)?,
        epoch: row.get(ItemColumn::Epoch)?,
        claimed_at: row.lenient_time(ItemColumn::ClaimedAt),
        error_message: row.get(ItemColumn::ErrorMessage)?,
        evidence: row.get(ItemColumn::Evidence)?,
        requires_evidence: row.get(ItemColumn::RequiresEvidence)?,
        depends_on: parse_keys(row)?,
        open_dependencies: row.get(ItemColumn::OpenDependencies)?,
        revision: row.get(ItemColumn::Revision)?,
        created_at: row.get(ItemColumn::CreatedAt)?,
        updated_at: row.get(ItemColumn::UpdatedAt)?,
        completed_at: row.lenient_time(ItemColumn::CompletedAt),
    })
}

/// Reads keys joined by spaces, which none contains, in order.
fn parse_keys(row: &dyn Row) -> Result<Vec<ItemKey>> {
    let joined: Option<String> = row.get(ItemColumn::DependsOn)?;
    let keys = joined.as_deref().unwrap_or_default();
    let keys: std::result::Result<Vec<ItemKey>, _> =
        keys.split_ascii_whitespace().map(str::parse).collect();
    let mut keys = keys.map_err(|error| StoreError::unreadable(&error))?;
    keys.sort();
    Ok(keys)
}

pub(in super::super) fn load_item(tx: &mut impl Tx, key: &ItemKey) -> Result<Option<Item>> {
    tx.row(&LOAD_ITEM, args![key], item_from_row)
}

/// Says that an item will be read.
pub(in super::super) fn prefetch_item(tx: &mut impl Tx, key: &ItemKey) {
    tx.prefetch(&LOAD_ITEM, args![key]);
}

/// Reads an item that was there a moment ago.
pub(in super::super) fn load_existing_item(tx: &mut impl Tx, key: &ItemKey) -> Result<Item> {
    load_item(tx, key)?.ok_or_else(|| StoreError::Conflict(format!("item {key} no longer exists")))
}

/// Reads several items at once.
pub(in super::super) fn load_items<'k>(
    tx: &mut impl Tx,
    keys: impl IntoIterator<Item = &'k ItemKey>,
) -> Result<BTreeMap<ItemKey, Item>> {
    let keys: Vec<&str> = keys.into_iter().map(ItemKey::as_str).collect();
    let (statement, keys): (&'static Statement, String) = match keys.as_slice() {
        [] => return Ok(BTreeMap::new()),
        [key] => (&LOAD_ITEM, (*key).to_owned()),
        several => (&LOAD_ITEMS, json!(several).to_string()),
    };
    let items = tx.rows(statement, args![keys], item_from_row)?;
    Ok(items.into_iter().map(|item| (item.key.clone(), item)).collect())
}

pub(in super::super) fn load_item_title(tx: &mut impl Tx, key: &ItemKey) -> Result<Option<String>> {
    let title = tx.row(&LOAD_ITEM_TITLE, args![key], |row| row.get(0))?;
    Ok(title.flatten())
}

pub(in super::super) fn list_items(tx: &mut impl Tx, filter: &ItemFilter) -> Result<Vec<Item>> {
    let wanted = match filter.statuses.as_slice() {
        [] => &ItemStatus::ALL,
        some => some,
    };
    // The statement has as many places as there are statuses; a repeated one changes nothing.
    let status = |place: usize| wanted.get(place).unwrap_or(&wanted[0]).as_str();
    let scope = match &filter.scope {
        RepoScope::All => "all",
        RepoScope::Here(_) => "here",
        RepoScope::Only(_) => "only",
    };
    let statement = match (&filter.page, &filter.parent, filter.held) {
        (Some(_), _, _) => &LIST_ITEMS_BY_KEY,
        (None, Some(_), _) => &LIST_CHILDREN,
        (None, None, true) => &LIST_HELD_ITEMS,
        (None, None, false) => &LIST_ITEMS,
    };
    let (after, limit) = match &filter.page {
        Some(page) => (page.after.as_str(), page.limit),
        None => ("", 0),
    };
    // Only a page has a place for its bounds.
    let places = statement.params().len();
    tx.rows(
        statement,
        &args![
            filter.parent,
            filter.kind,
            filter.held,
            scope,
            filter.scope.repo_name(),
            status(0),
            status(1),
            status(2),
            status(3),
            status(4),
            status(5),
            status(6),
            after,
            limit,
        ][..places],
        item_from_row,
    )
}

pub(in super::super) fn find_item_keys(tx: &mut impl Tx, texts: &[&str]) -> Result<Vec<String>> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    ask_for_keys(texts, |statement, args| tx.rows(statement, args, |row| row.get(0)))
}

/// Says that texts will be looked up.
pub(in super::super) fn prefetch_item_keys(tx: &mut impl Tx, texts: &[&str]) {
    if !texts.is_empty() {
        ask_for_keys(texts, |statement, args| tx.prefetch(statement, args));
    }
}

fn ask_for_keys<T>(texts: &[&str], ask: impl FnOnce(&'static Statement, &[Arg<'_>]) -> T) -> T {
    match *texts {
        [first, ref others @ ..] if others.len() < 4 => {
            let text = |place: usize| others.get(place).unwrap_or(&first);
            ask(&FIND_4_ITEM_KEYS, args![first, text(0), text(1), text(2)])
        }
        _ => ask(&FIND_ITEM_KEYS, args![json!(texts).to_string()]),
    }
}

/// The error of a write that was decided on another holder.
pub(in super::super) fn changed_hands_error(item: &ItemKey) -> StoreError {
    StoreError::Conflict(format!("the holder of item {item} has changed"))
}
