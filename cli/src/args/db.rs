//! `trueup db`

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
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
}

impl DbCommand {
    /// Returns the name for reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Status => "db status",
            Self::Migrate => "db migrate",
            Self::Backup { .. } => "db backup",
        }
    }
}
