//! `trueup handoff`

use clap::{Args, Subcommand};
use trueup_core::model::{HandoffId, HandoffType, SessionId};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum HandoffCommand {
    /// Hand off the claimed item, with notes for the receiver
    ///
    /// Item, phase, task, branch and worktree come from the database. This session
    /// keeps the item until the hand-off is accepted. Refused while the cache and the
    /// database disagree.
    ///
    /// Example: trueup handoff create PLAN-TO-EXEC --summary "the plan stands" --actions "write it"
    #[command(verbatim_doc_comment)]
    Create(Box<HandoffCreateArgs>),
    /// Accept a hand-off and take its item; an item held before is released
    ///
    /// Example: trueup handoff accept h-0a1b2c3d4e
    #[command(verbatim_doc_comment)]
    Accept {
        /// Hand-off id
        id: HandoffId,
    },
    /// Reject a hand-off; the sender keeps the item and is told why
    ///
    /// Example: trueup handoff reject h-0a1b2c3d4e --reason "tests fail"
    #[command(verbatim_doc_comment)]
    Reject {
        /// Hand-off id
        id: HandoffId,
        /// Reason, shown to the sender
        #[arg(long, value_name = "R", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        reason: String,
    },
    /// List open hand-offs, newest first
    ///
    /// Example: trueup handoff list --all
    #[command(verbatim_doc_comment)]
    List {
        /// List closed hand-offs too
        #[arg(long)]
        all: bool,
    },
    /// Show a hand-off with all its notes
    ///
    /// Example: trueup handoff show h-0a1b2c3d4e
    #[command(verbatim_doc_comment)]
    Show {
        /// Hand-off id
        id: HandoffId,
    },
}

impl HandoffCommand {
    /// Returns the name for reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "handoff create",
            Self::Accept { .. } => "handoff accept",
            Self::Reject { .. } => "handoff reject",
            Self::List { .. } => "handoff list",
            Self::Show { .. } => "handoff show",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct HandoffCreateArgs {
    /// LEAD-TO-PLAN, PLAN-TO-EXEC, EXEC-TO-PLAN, PLAN-TO-LEAD, LEAD-FINAL-APPROVAL,
    /// BYPASS-COMPLETION, or your own name of letters, digits, - and _
    #[arg(value_name = "TYPE")]
    pub(crate) kind: HandoffType,
    /// Receiving session [default: any]
    #[arg(long, value_name = "SESSION")]
    pub(crate) to: Option<SessionId>,
    /// Short summary of the work done
    #[arg(long, value_name = "T")]
    pub(crate) summary: Option<String>,
    /// Deliverables
    #[arg(long, value_name = "T")]
    pub(crate) deliverables: Option<String>,
    /// Decisions, with reasons
    #[arg(long, value_name = "T")]
    pub(crate) decisions: Option<String>,
    /// Known issues
    #[arg(long, value_name = "T")]
    pub(crate) known_issues: Option<String>,
    /// Resources needed to continue
    #[arg(long, value_name = "T")]
    pub(crate) resources: Option<String>,
    /// Next actions
    #[arg(long, value_name = "T")]
    pub(crate) actions: Option<String>,
}
