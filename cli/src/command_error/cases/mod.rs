//! The error tables, one for each kind of error.

mod caller;
mod database;
mod files;
mod handoffs;
mod imports;
mod installation;
mod items;
mod log;
mod metadata;
mod orchestrators;
mod phases;
mod plans;
mod ports;
mod repos;
mod transfers;
mod usage;

use super::table::ErrorRow;

pub(crate) use caller::CallerCase;
pub(crate) use database::DatabaseCase;
pub(crate) use files::FileCase;
pub(crate) use handoffs::HandoffCase;
pub(crate) use imports::ImportCase;
pub(crate) use installation::InstallationCase;
pub(crate) use items::ItemCase;
pub(crate) use log::LogCase;
pub(crate) use metadata::MetadataCase;
pub(crate) use orchestrators::OrchestratorCase;
pub(crate) use phases::PhaseCase;
pub(crate) use plans::PlanCase;
pub(crate) use ports::PortCase;
pub(crate) use repos::RepoCase;
pub(crate) use transfers::TransferCase;
pub(crate) use usage::UsageCase;

/// Iterates over the rows of all error tables.
pub fn error_rows() -> impl Iterator<Item = &'static ErrorRow> {
    [
        usage::ROWS,
        caller::ROWS,
        database::ROWS,
        files::ROWS,
        items::ROWS,
        handoffs::ROWS,
        phases::ROWS,
        metadata::ROWS,
        plans::ROWS,
        orchestrators::ROWS,
        ports::ROWS,
        repos::ROWS,
        log::ROWS,
        transfers::ROWS,
        imports::ROWS,
        installation::ROWS,
    ]
    .into_iter()
    .flatten()
}
