//! `trueup top`: what needs a person, who works on what and what is stuck, as it changes.
//!
//! A picture is computed: [`state`] takes keys and readings, [`draw`] makes a frame of it. Around
//! that, [`follow`] reads the database on a thread of its own, [`terminal`] has the terminal, and
//! [`run`] lets them meet.

mod age;
mod draw;
mod follow;
mod messages;
mod plain_table;
mod run;
mod state;
mod terminal;
#[cfg(test)]
mod tests;

use clap::Args;
use trueup_core::overview::{OverviewSite, build_overview, read_overview};

use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    /// Print one table and exit
    #[arg(long)]
    pub(crate) once: bool,
}

pub(super) fn cmd_top(context: &CommandContext, arguments: &TopArgs) -> CommandResult {
    let site = OverviewSite {
        host: context.run.host.clone(),
        ceiling_seconds: context.run.settings.ceiling_seconds,
    };
    let mut store = context.open_for_reading()?;
    let overview = build_overview(&read_overview(&mut *store, &site)?);
    if context.json {
        return Ok(Output::from_serializable(&overview)?);
    }
    if arguments.once || !terminal::is_usable() {
        return Ok(plain_table::render(&overview, context.times));
    }
    drop(store);
    run::run(context, site, overview)
}
