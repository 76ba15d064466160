//! Work items.

mod edit;
mod insert;
mod load;

pub(super) use edit::{edit_item, find_item_use, remove_item};
pub(super) use insert::{add_item, insert_below_parent, insert_item};
pub(super) use load::{
    SELECT_ITEM, changed_hands_error, find_item_keys, item_from_row, list_items,
    load_existing_item, load_item, load_item_title, load_items, prefetch_item, prefetch_item_keys,
};

pub(super) use edit::STATEMENTS as EDIT_STATEMENTS;
pub(super) use insert::STATEMENTS as INSERT_STATEMENTS;
pub(super) use load::STATEMENTS as LOAD_STATEMENTS;
