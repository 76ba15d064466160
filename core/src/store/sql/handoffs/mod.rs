//! Hand-offs of items from one session to another.

mod create;
mod decisions;
mod load;
mod notices;
mod withdrawal;

pub(super) use create::create_handoff;
pub(super) use decisions::{accept_handoff, reject_handoff};
pub(super) use load::{IS_OPEN, IS_UNTOLD};
pub(super) use load::{
    list_handoffs, load_handoff, mark_handoff_shown, prefetch_open_handoff, prefetch_open_handoffs,
};
pub(super) use notices::{list_handoff_notices, prefetch_notices};
pub(super) use withdrawal::{
    find_handoff_of, find_handoff_of_holder, prefetch_handoff_of_holder, withdraw_given_up,
    withdraw_of_moved_item,
};

pub(super) use create::STATEMENTS as CREATE_STATEMENTS;
pub(super) use decisions::STATEMENTS as DECISION_STATEMENTS;
pub(super) use load::STATEMENTS as LOAD_STATEMENTS;
pub(super) use notices::STATEMENTS as NOTICE_STATEMENTS;
pub(super) use withdrawal::STATEMENTS as WITHDRAWAL_STATEMENTS;
