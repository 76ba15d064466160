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
pub(crate) struct MetaCheckArgs {
    /// Workflow ids [default: all workflows of the project]
    pub(crate) ids: Vec<AdwId>,
    /// Phase whose required fields are checked too
    #[arg(long, value_name = "P")]
    pub(crate) phase: Option<PhaseName>,
    /// Treat warnings as findings
    #[arg(long)]
    pub(crate) strict: bool,
}
