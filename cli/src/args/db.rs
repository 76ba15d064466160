//! `trueup db`

use std::path::PathBuf;

use clap::Subcommand;

use crate::span::Span;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum DbCommand {
    /// Show where it is, its schema and its health
    ///
    /// Example: trueup db status
    #[command(verbatim_doc_comment)]
    Status,
    /// Create it, or bring its schema up to date
    ///
    /// Example: trueup db migrate
    #[command(verbatim_doc_comment)]
    Migrate,
    /// Copy it into a new file while others go on
    ///
    /// Example: trueup db backup before-upgrade.db
    #[command(verbatim_doc_comment)]
    Backup {
        /// The new file; never replaced
        file: PathBuf,
    },
    /// Put a copy in its place; what was there is kept beside it
    ///
    /// The copy is checked whole before anything is touched. While another process has the
    /// database open nothing is replaced. Caches that are ahead of the copy are trued up by the
    /// next hook; what they held goes to the journal.
    ///
    /// Example: trueup db restore before-upgrade.db
    #[command(verbatim_doc_comment)]
    Restore {
        /// The copy; it stays as it is
        file: PathBuf,
    },
    /// Remove ended sessions and events that are old, and local files that belong to nobody
    ///
    /// What is held, parked with its work undone, or waiting in journal or outbox stays. It
    /// happens by itself once a day; `retention_days = 0` in config.toml stops that.
    ///
    /// Example: trueup db prune --keep 30d --dry-run
    #[command(verbatim_doc_comment)]
    Prune {
        /// Keep what is younger, at least 1d [default: 90d, or retention_days of config.toml]
        #[arg(long, value_name = "90d")]
        keep: Option<Span>,
        /// Only count what would go
        #[arg(long)]
        dry_run: bool,
    },
}

impl DbCommand {
    /// Returns the name for reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Status => "db status",
            Self::Migrate => "db migrate",
            Self::Backup { .. } => "db backup",
            Self::Restore { .. } => "db restore",
            Self::Prune { .. } => "db prune",
        }
    }
}
