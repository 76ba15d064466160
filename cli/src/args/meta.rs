//! `trueup meta`

#![expect(
    clippy::doc_markdown,
    reason = "these comments are shown by --help as they stand"
)]

use clap::{Args, Subcommand};
use trueup_core::model::AdwId;
use trueup_core::model::phase::PhaseName;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum MetaCommand {
    /// Show what a workflow's file says, or one field of it
    ///
    /// Example: trueup meta get 77c90e61 worktree_path
    #[command(verbatim_doc_comment)]
    Get {
        /// The workflow
        id: AdwId,
        /// Only this field, bare
        field: Option<String>,
    },
    /// Set fields; a missing file is made
    ///
    /// Plain words are strings, JSON values are what they are; every other byte of the file
    /// stays. A field the database owns is refused.
    ///
    /// Example: trueup meta set 77c90e61 branch_name=feature/x backend_port=9107
    #[command(verbatim_doc_comment)]
    Set {
        /// The workflow
        id: AdwId,
        /// What to set
        #[arg(required = true, value_name = "FIELD=VALUE")]
        pairs: Vec<String>,
    },
    /// Check files against the rules and the schema; changes nothing
    ///
    /// Exit code 0 when all is well, 1 with findings, 3 when a file could not be read.
    ///
    /// Example: trueup meta check 77c90e61 --phase build
    #[command(verbatim_doc_comment)]
    Check(MetaCheck),
    /// Remove what the database owns, and write a missing adw_id
    ///
    /// Old values are kept in the log: trueup log
    ///
    /// Example: trueup meta fix 77c90e61
    #[command(verbatim_doc_comment)]
    Fix {
        /// The workflows [default: all of the project]
        ids: Vec<AdwId>,
    },
}

impl MetaCommand {
    /// Returns the name for reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Get { .. } => "meta get",
            Self::Set { .. } => "meta set",
            Self::Check(_) => "meta check",
            Self::Fix { .. } => "meta fix",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct MetaCheck {
    /// The workflows [default: all of the project]
    pub(crate) ids: Vec<AdwId>,
    /// Also name everything that this phase needs and has not got
    #[arg(long, value_name = "P")]
    pub(crate) phase: Option<PhaseName>,
    /// Let warnings count as findings
    #[arg(long)]
    pub(crate) strict: bool,
}
