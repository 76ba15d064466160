//! `trueup state`

use clap::Subcommand;
use trueup_core::model::RepoSlug;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum StateCommand {
    /// Give a repository's STATE.md to the others
    ///
    /// Goes into the database, and into .aibrain/global-state-cache.md of every other registered
    /// repository here. Secrets are replaced on the way out. Hooks do this by themselves when
    /// STATE.md changed.
    ///
    /// Example: trueup state sync
    #[command(verbatim_doc_comment)]
    Sync {
        /// Which repository [default: the one here]
        slug: Option<RepoSlug>,
        /// Refuse a STATE.md that holds secrets, instead of replacing them
        #[arg(long)]
        deny_secrets: bool,
    },
    /// Fetch the others' states from the database into the cache of the repository here
    ///
    /// Example: trueup state pull
    #[command(verbatim_doc_comment)]
    Pull {
        /// Only this repository's state
        slug: Option<RepoSlug>,
    },
    /// Print a repository's state, exactly as it was given
    ///
    /// Example: trueup state show karematch
    #[command(verbatim_doc_comment)]
    Show {
        /// Which repository [default: the one here]
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
