//! The operations of the database, over any engine that speaks SQL.
//!
//! An operation is a function over [`Tx`], in one file with its statements: the model decides,
//! the operation reads what the decision needs and writes its result. [`SqlStore`] runs each
//! operation as one transaction of its [`Engine`]. The operation is compiled for each engine, so
//! that SQLite pays nothing for the others.

mod attention;
mod claims;
mod command_engine;
mod delivery_rows;
mod dependencies;
mod engine;
mod events;
mod handoffs;
mod hook_store;
mod item_moves;
mod items;
mod metadata;
mod next;
mod orchestrators;
mod outbox_delivery;
mod overview;
mod phases;
mod plan_tasks;
mod plans;
mod port_reservations;
mod postgres_schema;
mod ready;
mod registration;
mod releases;
mod repos;
mod retention;
mod row;
mod row_checks;
mod search;
mod session_tasks;
mod sessions;
mod statement;
mod stored_text;
mod tokens;
mod transactions;
pub mod transfer;
mod workplans;

pub use command_engine::{
    CommandEngine, find_row_violations, load_postgres_schema_status, read_newest_event_mark,
    read_server_version,
};
pub use engine::{Arg, Engine, ToArg, Tx};
pub use postgres_schema::{PostgresFlavor, postgres_schema};
pub use row::{ColumnValue, FromColumn, Row};
pub use statement::{Column, Kind, Statement};

/// The database's clock, as every statement writes it.
pub(super) const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

/// A database that carries out the operations over an engine.
#[derive(Debug)]
pub struct SqlStore<E> {
    pub(super) engine: E,
}

impl<E> SqlStore<E> {
    /// A store over an engine.
    pub const fn new(engine: E) -> Self {
        Self { engine }
    }
}

/// All statements of the operations.
pub fn statements() -> impl Iterator<Item = &'static Statement> {
    [
        attention::STATEMENTS,
        claims::STATEMENTS,
        command_engine::STATEMENTS,
        dependencies::STATEMENTS,
        engine::STATEMENTS,
        events::STATEMENTS,
        handoffs::CREATE_STATEMENTS,
        handoffs::DECISION_STATEMENTS,
        handoffs::LOAD_STATEMENTS,
        handoffs::NOTICE_STATEMENTS,
        handoffs::WITHDRAWAL_STATEMENTS,
        hook_store::STATEMENTS,
        item_moves::STATEMENTS,
        items::EDIT_STATEMENTS,
        items::IMPORT_STATEMENTS,
        items::INSERT_STATEMENTS,
        items::LOAD_STATEMENTS,
        next::STATEMENTS,
        orchestrators::STATEMENTS,
        overview::STATEMENTS,
        delivery_rows::STATEMENTS,
        phases::STATEMENTS,
        phases::REMOVAL_STATEMENTS,
        phases::STEP_STATEMENTS,
        phases::STUCK_STATEMENTS,
        plan_tasks::STATEMENTS,
        plans::STATEMENTS,
        port_reservations::STATEMENTS,
        ready::STATEMENTS,
        repos::STATEMENTS,
        retention::STATEMENTS,
        row_checks::STATEMENTS,
        search::STATEMENTS,
        session_tasks::STATEMENTS,
        sessions::LIFECYCLE_STATEMENTS,
        sessions::LOAD_STATEMENTS,
        sessions::STATE_STATEMENTS,
        tokens::STATEMENTS,
        transactions::STATEMENTS,
        workplans::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .copied()
    .chain(transfer::page_statements())
}
