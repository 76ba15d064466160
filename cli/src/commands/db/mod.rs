//! `trueup db`: the subcommands on the database as a whole.

mod backup;
mod export;
mod import;
mod migrate;
mod progress_bar;
mod prune;
mod restore;
mod schema;
pub(super) mod server_text;
mod status;
pub(super) mod violation_text;

use std::path::PathBuf;

use clap::Subcommand;

use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::human_duration::HumanDuration;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum DbCommand {
    /// Show the database's location, schema and health
    ///
    /// Example: trueup db status
    #[command(verbatim_doc_comment)]
    Status,
    /// Create the database, or upgrade its schema
    ///
    /// A postgres:// database needs the URL of a user who may create roles and schemas;
    /// everybody else uses one that belongs to trueup_client.
    ///
    /// Example: trueup db migrate
    #[command(verbatim_doc_comment)]
    Migrate,
    /// Print the schema of a shared database, for psql or an SQL editor
    ///
    /// It creates the database or upgrades it, as `trueup db migrate` does, and may be
    /// run again.
    ///
    /// Example: trueup db schema --supabase
    #[command(verbatim_doc_comment)]
    Schema(schema::SchemaArgs),
    /// Copy the database into a new file; others can keep using it
    ///
    /// Example: trueup db backup before-upgrade.db
    #[command(verbatim_doc_comment)]
    Backup {
        /// New file; an existing one is never replaced
        file: PathBuf,
    },
    /// Replace the database with a backup; the old one is kept next to it
    ///
    /// The backup is fully checked first. Nothing is replaced while another process
    /// has the database open. The next hook trues up caches that are newer than the
    /// backup and keeps their contents in the journal.
    ///
    /// Example: trueup db restore before-upgrade.db
    #[command(verbatim_doc_comment)]
    Restore {
        /// Backup file; it is not changed
        file: PathBuf,
    },
    /// Write all rows as JSON Lines, to move them to another kind of database
    ///
    /// The export is that of one moment; others can keep using the database. The file
    /// is complete or absent.
    ///
    /// Example: trueup db export trueup.jsonl
    #[command(verbatim_doc_comment)]
    Export {
        /// New file; an existing one is never replaced [default: stdout]
        file: Option<PathBuf>,
    },
    /// Fill a new database with an export; every row is read back before it counts
    ///
    /// Sessions, items, events and everything else arrive as they were, under the same
    /// lineage. A database that has work of its own is left alone. An interrupted
    /// import leaves nothing behind and may be run again. A shared database needs the
    /// postgres:// URL of its owner.
    ///
    /// Example: trueup db import trueup.jsonl
    #[command(verbatim_doc_comment)]
    Import {
        /// File written by trueup db export, or - for stdin
        file: PathBuf,
    },
    /// Remove old ended sessions, old events and unused local files
    ///
    /// Sessions that hold an item, have interrupted work, or appear in the journal or
    /// outbox are kept. This also runs automatically once a day; `retention_days = 0`
    /// in config.toml turns that off.
    ///
    /// Example: trueup db prune --keep 30d --dry-run
    #[command(verbatim_doc_comment)]
    Prune {
        /// Age to keep, at least 1d [default: 90d, or retention_days in config.toml]
        #[arg(long, value_name = "90d", allow_hyphen_values = true)]
        keep: Option<HumanDuration>,
        /// Only count what would be removed
        #[arg(long)]
        dry_run: bool,
    },
}

pub(super) fn cmd_db(context: &CommandContext, command: &DbCommand) -> CommandResult {
    match command {
        DbCommand::Status => status::cmd_status(context),
        DbCommand::Migrate => migrate::cmd_migrate(context),
        DbCommand::Schema(arguments) => Ok(schema::cmd_schema(context, *arguments)),
        DbCommand::Prune { keep, dry_run } => {
            prune::cmd_prune(context, keep.map(|HumanDuration(seconds)| seconds), *dry_run)
        }
        DbCommand::Restore { file } => restore::cmd_restore(context, file),
        DbCommand::Export { file } => export::cmd_export(context, file.as_deref()),
        DbCommand::Import { file } => import::cmd_import(context, file),
        DbCommand::Backup { file } => backup::cmd_backup(context, file),
    }
}
