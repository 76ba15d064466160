//! The rules of a check, one module for each kind of question.

pub(super) mod differences;
pub(super) mod duplicates;
pub(super) mod foreign_rows;
pub(super) mod matching;
pub(super) mod missing;
mod nodes;
pub(super) mod plan_checkboxes;
pub(super) mod rollup;
mod row_index;
pub(super) mod unlinked_duplicates;
pub(super) mod unreadable;

pub(super) use nodes::{Node, Nodes, RowMatch};
