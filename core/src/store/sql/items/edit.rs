//! Editing and removing items.

use super::super::dependencies::{list_waiting_items, prefetch_waiting_items};
use super::super::engine::{Tx, args};
use super::super::events::record_event;
use super::super::next::{count_children, prefetch_children_count};
use super::super::statement::statements;
use super::super::stored_text::{stored_object, stored_optional_text};
use super::load::{load_existing_item, load_item, prefetch_item};
use crate::model::{Item, ItemKey, ItemStatus};
use crate::store::event_draft::EventDraft;
use crate::store::{ItemEditRequest, ItemUse, OptionalItemField, Provenance, Result, StoreError};

/// The text behind the values names the columns that are emptied, each between spaces.
const EDITED: &str = "UPDATE work_items SET
    title = CASE WHEN ?9 LIKE '% title %' THEN NULL ELSE coalesce(?2, title) END,
    kind = coalesce(?3, kind),
    parent = CASE WHEN ?9 LIKE '% parent %' THEN NULL ELSE coalesce(?4, parent) END,
    position = CASE WHEN ?9 LIKE '% position %' THEN NULL ELSE coalesce(?5, position) END,
    priority = CASE WHEN ?9 LIKE '% priority %' THEN NULL ELSE coalesce(?6, priority) END,
    description = CASE WHEN ?9 LIKE '% description %' THEN NULL
                       ELSE coalesce(?7, description) END,
    extra = coalesce(?8, extra),
    last_actor = ?10, last_reason = ?11, last_op = ?12";

statements! {
    EDIT_ITEM(text, text, text, text, int, int, text, text, text, text, text, text) =
        EDITED, " WHERE key = ?1";

    /// Triggers take a second statement of an operation on the same item for one that nobody
    /// signed, so a status that comes with an edit is written with it. An item that is held
    /// follows its holder.
    EDIT_ITEM_WITH_STATUS(text, text, text, text, int, int, text, text, text, text, text, text,
                          text, text) =
        EDITED, ", status = CASE WHEN holder IS NULL AND status = ?13 THEN ?14 ELSE status END
         WHERE key = ?1";

    FIND_DEPENDENT(text) =
        "SELECT item FROM item_dependencies WHERE depends_on = ?1 ORDER BY item LIMIT 1";
    HAS_PHASES(text) = "SELECT EXISTS (SELECT 1 FROM phase_queue WHERE item = ?1)";
    HAS_WORKPLAN(text) = "SELECT EXISTS (SELECT 1 FROM workplan_links WHERE item = ?1)";
    LOAD_ITEM_FACTS(text) = "SELECT facts FROM work_items WHERE key = ?1";

    /// Tells the triggers that the removal of this item is recorded here.
    ANNOUNCE_ITEM_REMOVAL(text) =
        "INSERT INTO trueup_meta (key, value) VALUES ('removing_item', ?1)";
    DELETE_ITEM_DEPENDENCIES(text) = "DELETE FROM item_dependencies WHERE item = ?1";
    DELETE_ITEM(text) = "DELETE FROM work_items WHERE key = ?1";
    CONCLUDE_ITEM_REMOVAL(text) =
        "DELETE FROM trueup_meta WHERE key = 'removing_item' AND value = ?1";
}

fn unknown_item_error(key: &ItemKey) -> StoreError {
    StoreError::denied(format!("item {key} does not exist"))
}

/// Names columns, each between spaces.
fn name_unset_columns(fields: &[OptionalItemField]) -> String {
    let names = fields.iter().map(|field| field.as_str());
    names.fold(" ".to_owned(), |named, name| named + name + " ")
}

pub(in super::super) fn edit_item(tx: &mut impl Tx, request: &ItemEditRequest) -> Result<Item> {
    let (key, provenance) = (&request.item, &request.provenance);
    if let Some(parent) = &request.parent {
        prefetch_item(tx, parent);
        prefetch_waiting_items(tx, parent);
    }
    let before = load_item(tx, key)?.ok_or_else(|| unknown_item_error(key))?;
    if tx.is_replay(provenance)? {
        return Ok(before);
    }
    if let Some(parent) = &request.parent {
        load_item(tx, parent)?.ok_or_else(|| unknown_item_error(parent))?;
        // The parent would wait for the item, so the item must not wait for the parent.
        let waiting = list_waiting_items(tx, parent)?;
        if parent == key || waiting.iter().any(|edge| edge.item == *key) {
            let text = format!(
                "circular dependency: {key} waits for {parent}, which would wait for its child {key}"
            );
            return Err(StoreError::denied(text));
        }
    }
    write_edit(tx, request, None)?;
    tx.finish();
    load_existing_item(tx, key)
}

/// A change of a status that comes with an edit.
pub(super) struct StatusEdit {
    pub(super) from: ItemStatus,
    pub(super) to: ItemStatus,
}

/// Writes new properties of an item that is there, without a look at its parent.
pub(super) fn write_edit(
    tx: &mut impl Tx,
    request: &ItemEditRequest,
    status: Option<&StatusEdit>,
) -> Result<()> {
    let provenance = &request.provenance;
    let [title, description] =
        [&request.title, &request.description].map(|text| stored_optional_text(text.as_ref()));
    let extra = request.extra.as_ref().map(stored_object);
    let unset = name_unset_columns(&request.unset);
    let edited = args![
        request.item,
        title,
        request.kind,
        request.parent,
        request.position,
        request.priority,
        description,
        extra,
        unset,
        provenance.actor,
        provenance.reason,
        provenance.op_id,
    ];
    match status {
        None => tx.execute(&EDIT_ITEM, edited)?,
        Some(StatusEdit { from, to }) => {
            let (from, to) = (from.as_str(), to.as_str());
            let moved = args![from, to];
            tx.execute(&EDIT_ITEM_WITH_STATUS, &[edited.as_slice(), moved].concat())?;
        }
    }
    Ok(())
}

pub(in super::super) fn find_item_use(tx: &mut impl Tx, key: &ItemKey) -> Result<Option<ItemUse>> {
    prefetch_children_count(tx, key);
    for statement in [&FIND_DEPENDENT, &HAS_PHASES, &HAS_WORKPLAN] {
        tx.prefetch(statement, args![key]);
    }
    let item = load_item(tx, key)?.ok_or_else(|| unknown_item_error(key))?;
    if let Some(holder) = item.holder {
        return Ok(Some(ItemUse::Held(holder)));
    }
    let children = count_children(tx, key)?.total;
    if children > 0 {
        return Ok(Some(ItemUse::Children(children)));
    }
    if let Some(dependent) = tx.row(&FIND_DEPENDENT, args![key], |row| row.get(0))? {
        return Ok(Some(ItemUse::DependedOn(dependent)));
    }
    for (statement, item_use) in
        [(&HAS_PHASES, ItemUse::Phases), (&HAS_WORKPLAN, ItemUse::Workplan)]
    {
        if tx.one_row(statement, args![key], |row| row.get(0))? {
            return Ok(Some(item_use));
        }
    }
    Ok(None)
}

pub(in super::super) fn remove_item(
    tx: &mut impl Tx,
    key: &ItemKey,
    provenance: &Provenance,
) -> Result<()> {
    if tx.is_replay(provenance)? {
        return Ok(());
    }
    tx.prefetch(&LOAD_ITEM_FACTS, args![key]);
    if let Some(item_use) = find_item_use(tx, key)? {
        return Err(StoreError::denied(format!("item {key} cannot be removed: {item_use}")));
    }
    let facts: String = tx.one_row(&LOAD_ITEM_FACTS, args![key], |row| row.get(0))?;
    for step in
        [&ANNOUNCE_ITEM_REMOVAL, &DELETE_ITEM_DEPENDENCIES, &DELETE_ITEM, &CONCLUDE_ITEM_REMOVAL]
    {
        tx.execute(step, args![key])?;
    }
    let facts = serde_json::from_str(&facts).unwrap_or_default();
    record_event(tx, provenance, &EventDraft::of_removed_item(key, facts))
}
