//! `trueup state`

use clap::Subcommand;
use trueup_core::model::RepoSlug;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum StateCommand {
    /// Share a repository's STATE.md with the others
    ///
    /// Writes it to the database and to .aibrain/global-state-cache.md of every other
    /// registered repository on this machine. Secrets are redacted. Hooks do this
    /// automatically when STATE.md changes.
    ///
    /// Example: trueup state sync
    #[command(verbatim_doc_comment)]
    Sync {
        /// Repository name [default: the current repository]
        slug: Option<RepoSlug>,
        /// Refuse a STATE.md with secrets instead of redacting them
        #[arg(long)]
        deny_secrets: bool,
    },
    /// Update the current repository's state cache from the database
    ///
    /// Example: trueup state pull
    #[command(verbatim_doc_comment)]
    Pull {
        /// Only the state of this repository
        slug: Option<RepoSlug>,
    },
    /// Print a repository's state exactly as it was shared
    ///
    /// Example: trueup state show karematch
    #[command(verbatim_doc_comment)]
    Show {
        /// Repository name [default: the current repository]
        slug: Option<RepoSlug>,
    },
}

impl StateCommand {
    /// Returns the name for reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Sync { .. } => "state sync",
            Self::Pull { .. } => "state pull",
            Self::Show { .. } => "state show",
        }
    }
}
