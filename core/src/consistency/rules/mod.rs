//! The rules, a file for each kind of question.

pub(super) mod differences;
pub(super) mod duplicates;
pub(super) mod matching;
pub(super) mod missing;
mod nodes;
pub(super) mod plan_checkboxes;
pub(super) mod rollup;
mod row_index;
pub(super) mod unreadable;

pub(super) use nodes::{Node, Nodes};
pub(super) use row_index::RowIndex;
