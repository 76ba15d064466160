//! The command line, as data.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are shown by --help as they stand"
)]

mod blame;
mod check;
mod db;
mod fast_parse;
mod handoff;
mod item;
mod log;
mod meta;
mod orchestrator;
mod plan;
mod ports;
mod queue;
mod repo;
mod state;

use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use trueup_core::model::{ItemKey, OperationId, SessionId};
use trueup_core::text::path_to_text;
use trueup_core::text::quote_for_shell;

use crate::human_duration::HumanDuration;

pub(crate) use blame::BlameArgs;
pub(crate) use check::{CheckArgs, Format};
pub(crate) use db::DbCommand;
pub(crate) use fast_parse::parse_fast;
pub(crate) use handoff::{HandoffCommand, HandoffCreateArgs};
pub(crate) use item::{
    ItemAddArgs, ItemCommand, ItemDependArgs, ItemEditArgs, ItemListArgs, ItemTransitionArgs,
    NextArgs,
};
pub(crate) use log::LogArgs;
pub(crate) use meta::{MetaCheckArgs, MetaCommand};
pub(crate) use orchestrator::OrchestratorCommand;
pub(crate) use plan::{PlanCommand, PlanSelector, PlanValidateArgs, TaskSelector};
pub(crate) use ports::PortsCommand;
pub(crate) use queue::{QueueAddArgs, QueueCommand};
pub(crate) use repo::RepoCommand;
pub(crate) use state::StateCommand;

/// Reads what may be a path, as the text of one.
fn path_text() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(|argument| match argument.to_str() {
        // What was printed of a path is taken for it, too.
        Some(text) if !Path::new(text).exists() => text.to_owned(),
        _ => path_to_text(Path::new(&argument)),
    })
}

/// Keep every Claude Code session true to one database
///
/// The database is authoritative; .claude/auto-proceed-state.json is a copy of
/// it. Hooks keep the two in sync automatically; these commands inspect and
/// change the state.
///
/// Example: trueup item add SD-002C --title "Sync on start" && trueup claim SD-002C
#[derive(Debug, Parser)]
#[command(name = "trueup", version, max_term_width = 100, verbatim_doc_comment)]
pub(crate) struct TrueupArgs {
    #[command(flatten)]
    pub(crate) common: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: CliCommand,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct GlobalArgs {
    /// Print one JSON object
    #[arg(long, global = true, overrides_with = "json")]
    pub(crate) json: bool,
    /// Session to act for [default: $TRUEUP_SESSION_ID, or the session of this project]
    #[arg(long, global = true, value_name = "ID", overrides_with = "session")]
    pub(crate) session: Option<SessionId>,
    /// Project directory [default: the current git worktree]
    #[arg(long, global = true, value_name = "DIR", overrides_with = "project")]
    pub(crate) project: Option<PathBuf>,
    /// Operation id; repeating a command with the same id changes nothing
    #[arg(long, global = true, value_name = "ID", hide = true)]
    pub(crate) op_id: Option<OperationId>,
}

impl GlobalArgs {
    /// Returns the flags that name session and project, as a command that is advised repeats them.
    pub(crate) fn render_caller_flags(&self) -> String {
        let session = self.session.as_ref().map(SessionId::as_str);
        let project = self.project.as_deref().map(path_to_text);
        let flag = |name: &str, value: Option<&str>| {
            value.map_or_else(String::new, |value| {
                format!(" --{name} {}", quote_for_shell(value))
            })
        };
        flag("session", session) + &flag("project", project.as_deref())
    }
}

/// Report every difference between the database, the local cache and git
///
/// Exit codes: 0 consistent, 1 findings, 2 no session, 3 the check could not run.
///
/// Example: validate-session-state --fix
#[derive(Debug, Parser)]
#[command(
    name = "validate-session-state",
    version,
    max_term_width = 100,
    verbatim_doc_comment
)]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    pub(crate) common: GlobalArgs,
    /// Fix what can be fixed: the database wins, a rejected edit is kept in the journal
    #[arg(long)]
    pub(crate) fix: bool,
    /// Check every active session of this machine
    #[arg(long, conflicts_with = "session")]
    pub(crate) all: bool,
    /// Treat warnings as findings
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum CliCommand {
    /// Show this session's item, worktree and cache state
    ///
    /// Example: trueup status --json
    #[command(verbatim_doc_comment)]
    Status {
        /// Show all active sessions
        #[arg(long)]
        all: bool,
    },
    /// Set the phase, task and flags of this session
    ///
    /// Example: trueup set --phase EXEC --task "write the migration"
    #[command(verbatim_doc_comment)]
    Set(SetArgs),
    /// Mark the claimed item as interrupted
    ///
    /// Example: trueup interrupt
    #[command(verbatim_doc_comment)]
    Interrupt,
    /// Resume interrupted work
    ///
    /// Example: trueup resume
    #[command(verbatim_doc_comment)]
    Resume,
    /// Clear the current task; keep the claim
    ///
    /// Example: trueup clear --no-history
    #[command(verbatim_doc_comment)]
    Clear {
        /// Reset the resume count too
        #[arg(long)]
        no_history: bool,
    },
    /// Add, list, show and change work items
    ///
    /// Example: trueup item add SD-002C --title "Sync on start"
    #[command(verbatim_doc_comment, subcommand)]
    Item(ItemCommand),
    /// Claim an item for this session; an item held before is released
    ///
    /// If another session holds the item, the error shows who, since when, and
    /// whether it is alive.
    ///
    /// Example: trueup claim SD-002C --span 30m
    #[command(verbatim_doc_comment)]
    Claim(ClaimArgs),
    /// Release the claimed item
    ///
    /// Example: trueup release --reason "waiting for review"
    #[command(verbatim_doc_comment)]
    Release {
        /// Item key [default: the held item]
        key: Option<ItemKey>,
        /// Reason, for the log
        #[arg(long, value_name = "R")]
        reason: Option<String>,
    },
    /// Hand the claimed item to another session; accept or reject hand-offs
    ///
    /// Example: trueup handoff create PLAN-TO-EXEC --summary "the plan stands" --actions "write it"
    #[command(verbatim_doc_comment, subcommand)]
    Handoff(HandoffCommand),
    /// Show or claim the next item
    ///
    /// The children of an item come in order of position. Without --parent, the
    /// search starts with the children of the held item, then its siblings, then the
    /// siblings of the item held last. The parent comes after its last child.
    ///
    /// Example: trueup item transition SD-002B completed && trueup next --claim
    #[command(verbatim_doc_comment)]
    Next(NextArgs),
    /// Add phases to items and work through them
    ///
    /// Example: trueup queue add SD-002C --phases plan,build,test && trueup queue next
    #[command(verbatim_doc_comment, subcommand)]
    Queue(QueueCommand),
    /// List and show sessions; free the items of dead ones
    ///
    /// Example: trueup sessions list
    #[command(verbatim_doc_comment, subcommand)]
    Sessions(SessionsCommand),
    /// Import plans and work through their tasks
    ///
    /// Example: trueup plan import docs/plans/fix-sync.md && trueup plan next
    #[command(verbatim_doc_comment, subcommand)]
    Plan(PlanCommand),
    /// Reserve pairs of ports for workflows: 9100-9114 and 9200-9214
    ///
    /// Example: trueup ports reserve 3af4a34d
    #[command(verbatim_doc_comment, subcommand)]
    Ports(PortsCommand),
    /// Register, list and remove repositories on this machine
    ///
    /// Example: trueup repo add ~/src/karematch
    #[command(verbatim_doc_comment, subcommand)]
    Repo(RepoCommand),
    /// Share STATE.md between repositories
    ///
    /// Example: trueup state sync && trueup state show karematch
    #[command(verbatim_doc_comment, subcommand)]
    State(StateCommand),
    /// Run a plan under a single orchestrator; list and stop orchestrators
    ///
    /// Example: trueup orchestrator start docs/plans/sync.md -- ./run-plan.sh
    #[command(verbatim_doc_comment, subcommand)]
    Orchestrator(OrchestratorCommand),
    /// Show what changed, who changed it and why
    ///
    /// Example: trueup log --item SD-002C --since 2h
    #[command(verbatim_doc_comment)]
    Log(LogArgs),
    /// Show who last set each field of an item, when and why
    ///
    /// Example: trueup blame SD-002C status
    #[command(verbatim_doc_comment)]
    Blame(BlameArgs),
    /// List, show and restore local edits that were rejected
    ///
    /// Example: trueup journal restore j-0a1b2c3d4e
    #[command(verbatim_doc_comment, subcommand)]
    Journal(JournalCommand),
    /// Compare workplan files, the database and git, and fix differences
    ///
    /// A status never goes back: the more advanced one wins, in the database and in
    /// the file. With --fix, changed files are committed and pushed automatically.
    ///
    /// Exit codes: 0 no findings or only warnings, 1 findings, 3 the check could not
    /// run.
    ///
    /// Example: trueup check --fix --pull
    #[command(verbatim_doc_comment)]
    Check(CheckArgs),
    /// Show, set, check and fix workflow metadata, agents/<id>/adw_state.json
    ///
    /// The file holds what a workflow produces; the database owns assignment and
    /// status.
    ///
    /// Example: trueup meta set 77c90e61 branch_name=feature/x
    #[command(verbatim_doc_comment, subcommand)]
    Meta(MetaCommand),
    /// Migrate, back up, restore and prune the database
    ///
    /// Example: trueup db backup before-upgrade.db
    #[command(verbatim_doc_comment, subcommand)]
    Db(DbCommand),
    /// Check the installation and suggest fixes
    ///
    /// Example: trueup doctor --fix
    #[command(verbatim_doc_comment)]
    Doctor {
        /// Fix what can be fixed safely
        #[arg(long)]
        fix: bool,
    },
    /// Demonstrate drift and its repair in a temporary directory
    ///
    /// Example: trueup demo
    #[command(verbatim_doc_comment)]
    Demo,
    /// Print one line for Claude Code's status line; reads JSON from stdin
    ///
    /// Example: "statusLine": {"type": "command", "command": "trueup statusline"}
    #[command(verbatim_doc_comment)]
    Statusline,
    /// Print a shell completion script
    ///
    /// Example: trueup completions bash > ~/.local/share/bash-completion/completions/trueup
    #[command(verbatim_doc_comment)]
    Completions {
        /// Shell
        shell: Shell,
    },
}

impl CliCommand {
    /// Tells whether one object is asked for by a flag of the command's own.
    pub(crate) const fn asks_for_json(&self) -> bool {
        matches!(
            self,
            Self::Check(CheckArgs {
                format: Format::Json,
                ..
            })
        )
    }

    /// Returns the name for reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Set(_) => "set",
            Self::Interrupt => "interrupt",
            Self::Resume => "resume",
            Self::Clear { .. } => "clear",
            Self::Item(ItemCommand::Add(_)) => "item add",
            Self::Item(ItemCommand::Edit(_)) => "item edit",
            Self::Item(ItemCommand::Remove { .. }) => "item remove",
            Self::Item(ItemCommand::List(_)) => "item list",
            Self::Item(ItemCommand::Show { .. }) => "item show",
            Self::Item(ItemCommand::Transition(_)) => "item transition",
            Self::Item(ItemCommand::Reopen { .. }) => "item reopen",
            Self::Item(ItemCommand::Depend(_)) => "item depend",
            Self::Next(_) => "next",
            Self::Claim(_) => "claim",
            Self::Release { .. } => "release",
            Self::Handoff(command) => command.name(),
            Self::Queue(command) => command.name(),
            Self::Sessions(SessionsCommand::List { .. }) => "sessions list",
            Self::Sessions(SessionsCommand::Show { .. }) => "sessions show",
            Self::Sessions(SessionsCommand::Sweep) => "sessions sweep",
            Self::Plan(command) => command.name(),
            Self::Ports(command) => command.name(),
            Self::Repo(command) => command.name(),
            Self::State(command) => command.name(),
            Self::Orchestrator(command) => command.name(),
            Self::Log(_) => "log",
            Self::Blame(_) => "blame",
            Self::Journal(JournalCommand::List) => "journal list",
            Self::Journal(JournalCommand::Show { .. }) => "journal show",
            Self::Journal(JournalCommand::Restore { .. }) => "journal restore",
            Self::Db(command) => command.name(),
            Self::Check(_) => "check",
            Self::Meta(command) => command.name(),
            Self::Doctor { .. } => "doctor",
            Self::Demo => "demo",
            Self::Statusline => "statusline",
            Self::Completions { .. } => "completions",
        }
    }
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct SetArgs {
    /// Phase, such as LEAD, PLAN or EXEC; empty for none
    #[arg(long, value_name = "P")]
    pub(crate) phase: Option<String>,
    /// Task description; empty for none
    #[arg(long, value_name = "T")]
    pub(crate) task: Option<String>,
    /// Proceed without asking
    #[arg(long, value_enum, value_name = "on|off")]
    pub(crate) auto_proceed: Option<OnOff>,
    /// Continue with the next orchestrator
    #[arg(long, value_enum, value_name = "on|off")]
    pub(crate) chain_orchestrators: Option<OnOff>,
    /// Metadata key to merge, as JSON or text; null removes it
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) metadata: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum OnOff {
    On,
    Off,
}

#[derive(Debug, Args)]
pub(crate) struct ClaimArgs {
    /// Item key
    pub(crate) key: ItemKey,
    /// Add the item if it does not exist
    #[arg(long)]
    pub(crate) create: bool,
    /// Take the item from a holder that has been silent for 60 s
    #[arg(long)]
    pub(crate) force: bool,
    /// Announced quiet period of this session, at most 30m
    #[arg(long, value_name = "30m")]
    pub(crate) span: Option<HumanDuration>,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum SessionsCommand {
    /// List sessions, most recent heartbeat first
    ///
    /// Example: trueup sessions list --all
    #[command(verbatim_doc_comment)]
    List {
        /// List all, not just the latest 100
        #[arg(long)]
        all: bool,
    },
    /// Show a session
    ///
    /// Example: trueup sessions show 0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d
    #[command(verbatim_doc_comment)]
    Show {
        /// Session id
        id: SessionId,
    },
    /// Free the items of sessions that have died, and fail stuck phases
    ///
    /// Example: trueup sessions sweep
    #[command(verbatim_doc_comment)]
    Sweep,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum JournalCommand {
    /// List rejected edits
    ///
    /// Example: trueup journal list
    #[command(verbatim_doc_comment)]
    List,
    /// Show an entry
    ///
    /// Example: trueup journal show j-0a1b2c3d4e
    #[command(verbatim_doc_comment)]
    Show {
        /// Entry id
        id: String,
    },
    /// Apply an entry to the current database state
    ///
    /// Example: trueup journal restore j-0a1b2c3d4e
    #[command(verbatim_doc_comment)]
    Restore {
        /// Entry id
        id: String,
    },
}
