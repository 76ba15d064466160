//! Work items.

mod edit;
mod import;
mod insert;
mod load;

pub(super) use edit::{edit_item, find_item_use, remove_item};
pub(super) use import::import_items;
pub(super) use insert::{add_item, insert_below_parent, insert_item};
pub(super) use load::{
    ItemColumn, SELECT_ITEM, changed_hands_error, count_items, find_item_keys, find_repo_of_items,
    item_from_row, list_item_kinds, list_items, load_existing_item, load_item, load_item_title,
    load_items, prefetch_item, prefetch_item_keys, scope_word,
};

pub(super) use edit::STATEMENTS as EDIT_STATEMENTS;
pub(super) use import::STATEMENTS as IMPORT_STATEMENTS;
pub(super) use insert::STATEMENTS as INSERT_STATEMENTS;
pub(super) use load::STATEMENTS as LOAD_STATEMENTS;
