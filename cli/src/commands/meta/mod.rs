//! `trueup meta`: `agents/<id>/adw_state.json`.

mod check;
mod fix;
mod get;
mod phase_contract;
mod schema;
mod set;
mod workflow_file;

use clap::Subcommand;
use trueup_core::model::AdwId;

use self::check::MetaCheckArgs;
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;

pub(super) use phase_contract::check_phase_can_start;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum MetaCommand {
    /// Show a workflow's metadata file, or one field of it
    ///
    /// Example: trueup meta get 77c90e61 worktree_path
    #[command(verbatim_doc_comment)]
    Get {
        /// Workflow id
        id: AdwId,
        /// Single field to print, without decoration
        field: Option<String>,
    },
    /// Set fields; a missing file is created
    ///
    /// Plain words become strings and JSON values keep their type. The rest of the
    /// file stays byte for byte. Fields that the database owns are refused.
    ///
    /// Example: trueup meta set 77c90e61 branch_name=feature/x backend_port=9107
    #[command(verbatim_doc_comment)]
    Set {
        /// Workflow id
        id: AdwId,
        /// Fields to set
        #[arg(required = true, value_name = "FIELD=VALUE")]
        pairs: Vec<String>,
    },
    /// Check files against the rules and the schema; nothing is changed
    ///
    /// Exit codes: 0 no findings, 1 findings, 3 a file could not be read.
    ///
    /// Example: trueup meta check 77c90e61 --phase build
    #[command(verbatim_doc_comment)]
    Check(MetaCheckArgs),
    /// Remove fields that the database owns, and add a missing adw_id
    ///
    /// Old values are kept in the log: see trueup log
    ///
    /// Example: trueup meta fix 77c90e61
    #[command(verbatim_doc_comment)]
    Fix {
        /// Workflow ids [default: all workflows of the project]
        ids: Vec<AdwId>,
    },
}

pub(super) fn cmd_meta(context: &CommandContext, command: MetaCommand) -> CommandResult {
    match command {
        MetaCommand::Get { id, field } => get::cmd_get(context, &id, field.as_deref()),
        MetaCommand::Set { id, pairs } => set::cmd_set(context, &id, &pairs),
        MetaCommand::Check(arguments) => check::cmd_check(context, arguments),
        MetaCommand::Fix { ids } => fix::cmd_fix(context, ids),
    }
}
