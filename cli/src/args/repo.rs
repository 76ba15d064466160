//! `trueup repo`

use std::path::PathBuf;

use clap::Subcommand;
use trueup_core::model::RepoSlug;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum RepoCommand {
    /// Register a repository on this machine
    ///
    /// `trueup check --all` checks registered repositories, and they share their
    /// STATE.md. Repeating the command updates the options given.
    ///
    /// Example: trueup repo add ~/src/karematch --slug karematch
    #[command(verbatim_doc_comment)]
    Add {
        /// Repository directory
        path: PathBuf,
        /// Repository name [default: the directory's name]
        #[arg(long, value_name = "S")]
        slug: Option<RepoSlug>,
        /// Do not share state with other repositories
        #[arg(long)]
        passive: bool,
        /// Share state again
        #[arg(long, conflicts_with = "passive")]
        active: bool,
    },
    /// List repositories and their directories on this machine
    ///
    /// Example: trueup repo list
    #[command(verbatim_doc_comment)]
    List,
    /// Unregister a repository from this machine; its files are kept
    ///
    /// Example: trueup repo remove karematch
    #[command(verbatim_doc_comment)]
    Remove {
        /// Repository name
        slug: RepoSlug,
    },
}

impl RepoCommand {
    /// Returns the name for reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Add { .. } => "repo add",
            Self::List => "repo list",
            Self::Remove { .. } => "repo remove",
        }
    }
}
