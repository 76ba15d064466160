//! `trueup handoff`

use clap::{Args, Subcommand};
use trueup_core::model::{HandoffId, HandoffType, SessionId};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum HandoffCommand {
    /// Hand the claimed item on, with what the receiver needs
    ///
    /// Item, phase, task, branch and worktree are taken from the database; the item stays with
    /// this session until the hand-off is accepted. Refused while copies disagree.
    ///
    /// Example: trueup handoff create PLAN-TO-EXEC --summary "the plan stands" --actions "write it"
    #[command(verbatim_doc_comment)]
    Create(Box<HandoffCreate>),
    /// Take an item over from the session that hands it on; an item held before is released
    ///
    /// Example: trueup handoff accept h-0a1b2c3d4e
    #[command(verbatim_doc_comment)]
    Accept {
        /// The hand-off
        id: HandoffId,
    },
    /// Leave an item where it is; its sender is told why
    ///
    /// Example: trueup handoff reject h-0a1b2c3d4e --reason "tests fail"
    #[command(verbatim_doc_comment)]
    Reject {
        /// The hand-off
        id: HandoffId,
        /// Why, for the sender
        #[arg(long, value_name = "R", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        reason: String,
    },
    /// List hand-offs that wait for a decision, the newest first
    ///
    /// Example: trueup handoff list --all
    #[command(verbatim_doc_comment)]
    List {
        /// List those that were decided too
        #[arg(long)]
        all: bool,
    },
    /// Show a hand-off with all it says
    ///
    /// Example: trueup handoff show h-0a1b2c3d4e
    #[command(verbatim_doc_comment)]
    Show {
        /// The hand-off
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
pub(crate) struct HandoffCreate {
    /// LEAD-TO-PLAN, PLAN-TO-EXEC, EXEC-TO-PLAN, PLAN-TO-LEAD, LEAD-FINAL-APPROVAL,
    /// BYPASS-COMPLETION, or a name of your own: letters, digits, - and _
    #[arg(value_name = "TYPE")]
    pub(crate) kind: HandoffType,
    /// The session that is to have it [default: whoever takes it]
    #[arg(long, value_name = "SESSION")]
    pub(crate) to: Option<SessionId>,
    /// What was done, in short
    #[arg(long, value_name = "T")]
    pub(crate) summary: Option<String>,
    /// What there is to see
    #[arg(long, value_name = "T")]
    pub(crate) deliverables: Option<String>,
    /// What was decided, and why
    #[arg(long, value_name = "T")]
    pub(crate) decisions: Option<String>,
    /// What is known to be wrong
    #[arg(long, value_name = "T")]
    pub(crate) known_issues: Option<String>,
    /// What is needed to go on
    #[arg(long, value_name = "T")]
    pub(crate) resources: Option<String>,
    /// What is to be done next
    #[arg(long, value_name = "T")]
    pub(crate) actions: Option<String>,
}
