//! Items as they are read.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::engine::{Arg, ToArg, Tx, args};
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
        Priority = "priority",
        Description = "description",
        Extra = "extra",
        DependsOn = "(SELECT group_concat(depends_on, ' ') FROM item_dependencies WHERE item = key)",
    }
}

pub(in super::super) const SELECT_ITEM: &str =
    joined!("SELECT ", ItemColumn::SQL, " FROM work_items WHERE ");

/// The items of some repositories: of all, of one and of none, or of one alone.
const IS_IN_SCOPE: &str = "(?4 = 'all' OR repo = ?5 OR ?4 = 'here' AND repo IS NULL)";
const IS_OF_STATUS_AND_KIND: &str =
    "status IN (?6, ?7, ?8, ?9, ?10, ?11, ?12) AND (?2 IS NULL OR kind = ?2)";
const IS_LISTED: &str = joined!(IS_OF_STATUS_AND_KIND, " AND ", IS_IN_SCOPE);
const IN_ORDER: &str = " ORDER BY parent NULLS FIRST, position IS NULL, position, key LIMIT ?13";

/// Where all items are read in the order of a list, and where those that are held are.
const ALL: &str = "?1 IS NULL AND ?3 = 0 AND ";
const HELD: &str = "?1 IS NULL AND ?3 <> 0 AND holder IS NOT NULL AND ";
const CHILDREN: &str = "parent = ?1 AND (?3 = 0 OR holder IS NOT NULL) AND ";
const COUNT_START: &str = "SELECT count(*) FROM (SELECT 1 FROM work_items WHERE ";
const COUNT_END: &str = " LIMIT ?13) AS counted";

statements! {
    /// A change reads its item before and after.
    LOAD_ITEM(text) = @repeated SELECT_ITEM, "key = ?1";
    LOAD_ITEMS(text) = SELECT_ITEM, "key IN (SELECT value FROM json_each(?1))";
    LOAD_ITEM_TITLE(text) = "SELECT title FROM work_items WHERE key = ?1";

    /// Walks along the index of lists, and no further than it is wanted.
    LIST_ITEMS(text, text, int, text, text, text, text, text, text, text, text, text, int) =
        SELECT_ITEM, ALL, IS_LISTED, IN_ORDER;
    LIST_HELD_ITEMS(text, text, int, text, text, text, text, text, text, text, text, text, int) =
        SELECT_ITEM, HELD, IS_LISTED, IN_ORDER;
    LIST_CHILDREN(text, text, int, text, text, text, text, text, text, text, text, text, int) =
        SELECT_ITEM, CHILDREN, IS_LISTED, IN_ORDER;
    COUNT_ITEMS(text, text, int, text, text, text, text, text, text, text, text, text, int) =
        COUNT_START, ALL, IS_LISTED, COUNT_END;
    COUNT_HELD_ITEMS(text, text, int, text, text, text, text, text, text, text, text, text, int) =
        COUNT_START, HELD, IS_LISTED, COUNT_END;
    COUNT_LISTED_CHILDREN(
        text, text, int, text, text, text, text, text, text, text, text, text, int
    ) = COUNT_START, CHILDREN, IS_LISTED, COUNT_END;
    LIST_ITEM_KINDS() = "SELECT DISTINCT kind FROM work_items ORDER BY kind";
    FIND_REPO_OF_ITEMS(text) =
        "SELECT repo FROM work_items WHERE repo = ?1 COLLATE NOCASE LIMIT 1"
        => postgres "SELECT repo FROM work_items WHERE nocase(repo) = nocase(?1) LIMIT 1";
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
        priority: row.get(ItemColumn::Priority)?,
        description: row.get(ItemColumn::Description)?,
        extra: extra_from_row(row)?,
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

/// Almost every item has an empty one, which is not parsed.
fn extra_from_row(row: &dyn Row) -> Result<Map<String, Value>> {
    match row.required_text(ItemColumn::Extra)? {
        "{}" => Ok(Map::new()),
        _ => row.json(ItemColumn::Extra),
    }
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
    let statement = match (&filter.page, &filter.parent, filter.held) {
        (Some(_), _, _) => &LIST_ITEMS_BY_KEY,
        (None, Some(_), _) => &LIST_CHILDREN,
        (None, None, true) => &LIST_HELD_ITEMS,
        (None, None, false) => &LIST_ITEMS,
    };
    with_filter_args(filter, filter.limit, |args| tx.rows(statement, args, item_from_row))
}

pub(in super::super) fn count_items(
    tx: &mut impl Tx,
    filter: &ItemFilter,
    limit: u32,
) -> Result<u64> {
    let statement = match (&filter.parent, filter.held) {
        (Some(_), _) => &COUNT_LISTED_CHILDREN,
        (None, true) => &COUNT_HELD_ITEMS,
        (None, false) => &COUNT_ITEMS,
    };
    let filter = ItemFilter { page: None, ..filter.clone() };
    with_filter_args(&filter, limit, |args| tx.one_row(statement, args, |row| row.get(0)))
}

pub(in super::super) fn list_item_kinds(tx: &mut impl Tx) -> Result<Vec<String>> {
    tx.rows(&LIST_ITEM_KINDS, args![], |row| row.get(0))
}

pub(in super::super) fn find_repo_of_items(tx: &mut impl Tx, name: &str) -> Result<Option<String>> {
    tx.row(&FIND_REPO_OF_ITEMS, args![name], |row| row.get(0))
}

/// The word for a scope in statements.
pub(in super::super) const fn scope_word(scope: &RepoScope) -> &'static str {
    match scope {
        RepoScope::All => "all",
        RepoScope::Here(_) => "here",
        RepoScope::Only(_) => "only",
    }
}

/// Gives the values of a filter to a statement that lists or counts.
fn with_filter_args<T>(
    filter: &ItemFilter,
    limit: u32,
    run: impl FnOnce(&[Arg<'_>]) -> Result<T>,
) -> Result<T> {
    let wanted = match filter.statuses.as_slice() {
        [] => &ItemStatus::ALL,
        some => some,
    };
    // The statement has as many places as there are statuses; a repeated one changes nothing.
    let status = |place: usize| wanted.get(place).unwrap_or(&wanted[0]).as_str();
    let limit = if limit == 0 { i64::MAX } else { i64::from(limit) };
    // A page begins behind a key, which stands before its limit.
    let (after, page_limit) = match &filter.page {
        Some(page) => (page.after.to_arg(), i64::from(page.limit)),
        None => (limit.to_arg(), limit),
    };
    let statuses: [&str; 7] = std::array::from_fn(status);
    let (scope, repo) = (scope_word(&filter.scope), filter.scope.repo_name());
    let mut values = args![filter.parent, filter.kind, filter.held, scope, repo].to_vec();
    values.extend(statuses.iter().map(|status| status.to_arg()));
    values.extend([after, page_limit.to_arg()]);
    run(&values)
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
