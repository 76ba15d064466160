//! `trueup repo`

use std::path::PathBuf;

use clap::Subcommand;
use trueup_core::model::RepoSlug;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum RepoCommand {
    /// Register a repository of this machine
    ///
    /// Registered ones are swept by `trueup check --all` and know each other's STATE.md. Asking
    /// again changes what is said anew.
    ///
    /// Example: trueup repo add ~/src/karematch --slug karematch
    #[command(verbatim_doc_comment)]
    Add {
        /// Its directory
        path: PathBuf,
        /// Its name [default: that of its directory]
        #[arg(long, value_name = "S")]
        slug: Option<RepoSlug>,
        /// Let it neither give its state nor take that of others
        #[arg(long)]
        passive: bool,
        /// Let it give and take again
        #[arg(long, conflicts_with = "passive")]
        active: bool,
    },
    /// List repositories, and where they lie on this machine
    ///
    /// Example: trueup repo list
    #[command(verbatim_doc_comment)]
    List,
    /// Take a repository from this machine; its files stay as they are
    ///
    /// Example: trueup repo remove karematch
    #[command(verbatim_doc_comment)]
    Remove {
        /// Which
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
