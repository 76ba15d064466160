//! The command line, as data.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are shown by --help as they stand"
)]

mod blame;
mod check;
mod db;
mod handoff;
mod item;
mod log;
mod meta;
mod orchestrator;
mod plan;
mod ports;
mod queue;
mod quick;
mod repo;
mod state;

use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use trueup_core::files::path_to_text;
use trueup_core::model::{ItemKey, OperationId, SessionId};
use trueup_core::text::quoted;

use crate::span::Span;

pub(crate) use blame::BlameArgs;
pub(crate) use check::{CheckArgs, Format};
pub(crate) use db::DbCommand;
pub(crate) use handoff::{HandoffCommand, HandoffCreate};
pub(crate) use item::{
    ItemAdd, ItemCommand, ItemDepend, ItemEditArgs, ItemList, ItemTransition, NextArgs,
};
pub(crate) use log::LogArgs;
pub(crate) use meta::{MetaCheck, MetaCommand};
pub(crate) use orchestrator::OrchestratorCommand;
pub(crate) use plan::{PlanCommand, PlanValidate, Task, Which};
pub(crate) use ports::PortsCommand;
pub(crate) use queue::{QueueAdd, QueueCommand};
pub(crate) use quick::quick;
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

/// Keeps every Claude Code session true to one database.
///
/// The database is the truth; .claude/auto-proceed-state.json is a copy of it. Hooks keep them
/// in step by themselves; these commands look, claim and record.
///
/// Example: trueup item add SD-002C --title "Sync on start" && trueup claim SD-002C
#[derive(Debug, Parser)]
#[command(name = "trueup", version, max_term_width = 100, verbatim_doc_comment)]
pub(crate) struct Trueup {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// Print one JSON object
    #[arg(long, global = true, overrides_with = "json")]
    pub(crate) json: bool,
    /// Speak for this session [default: $TRUEUP_SESSION_ID, then the one of this project]
    #[arg(long, global = true, value_name = "ID", overrides_with = "session")]
    pub(crate) session: Option<SessionId>,
    /// Take this directory for the project [default: the git worktree here]
    #[arg(long, global = true, value_name = "DIR", overrides_with = "project")]
    pub(crate) project: Option<PathBuf>,
    /// Carry the change out once, however often the command is repeated with this id
    #[arg(long, global = true, value_name = "ID", hide = true)]
    pub(crate) op_id: Option<OperationId>,
}

impl Common {
    /// Returns the flags that name session and project, as a command that is advised repeats them.
    pub(crate) fn repeated(&self) -> String {
        let session = self.session.as_ref().map(SessionId::as_str);
        let project = self.project.as_deref().map(path_to_text);
        let flag = |name: &str, value: Option<&str>| {
            value.map_or_else(String::new, |value| format!(" --{name} {}", quoted(value)))
        };
        flag("session", session) + &flag("project", project.as_deref())
    }
}

/// Reports every difference between the database, the local cache and git.
///
/// Exit code 0 when all agree, 1 with findings, 2 without a session, 3 when it could not look.
///
/// Example: validate-session-state --fix
#[derive(Debug, Parser)]
#[command(
    name = "validate-session-state",
    version,
    max_term_width = 100,
    verbatim_doc_comment
)]
pub(crate) struct Validate {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Mend what can be mended: the database wins, an edit that loses goes to the journal
    #[arg(long)]
    pub(crate) fix: bool,
    /// Look at every active session of this machine
    #[arg(long, conflicts_with = "session")]
    pub(crate) all: bool,
    /// Let warnings count as findings
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Show what this session holds, where, and how fresh its cache is
    ///
    /// Example: trueup status --json
    #[command(verbatim_doc_comment)]
    Status {
        /// Show every active session
        #[arg(long)]
        all: bool,
    },
    /// Record phase, task and flags of this session
    ///
    /// Example: trueup set --phase EXEC --task "write the migration"
    #[command(verbatim_doc_comment)]
    Set(Set),
    /// Mark the work on the claimed item as broken off
    ///
    /// Example: trueup interrupt
    #[command(verbatim_doc_comment)]
    Interrupt,
    /// Take interrupted work up again
    ///
    /// Example: trueup resume
    #[command(verbatim_doc_comment)]
    Resume,
    /// Empty the task and end activity; a claim stays
    ///
    /// Example: trueup clear --no-history
    #[command(verbatim_doc_comment)]
    Clear {
        /// Let the count of resumptions start anew
        #[arg(long)]
        no_history: bool,
    },
    /// Add, list, show and move work items
    ///
    /// Example: trueup item add SD-002C --title "Sync on start"
    #[command(verbatim_doc_comment, subcommand)]
    Item(ItemCommand),
    /// Take an item for this session; an item held before is released
    ///
    /// A refusal names the holder, since when, and how alive it looks.
    ///
    /// Example: trueup claim SD-002C --span 30m
    #[command(verbatim_doc_comment)]
    Claim(ClaimArgs),
    /// Give the claimed item up
    ///
    /// Example: trueup release --reason "waiting for review"
    #[command(verbatim_doc_comment)]
    Release {
        /// The item [default: the one held]
        key: Option<ItemKey>,
        /// Why, for the log
        #[arg(long, value_name = "R")]
        reason: Option<String>,
    },
    /// Hand the claimed item on to another session, and take or leave what is handed on
    ///
    /// Example: trueup handoff create PLAN-TO-EXEC --summary "the plan stands" --actions "write it"
    #[command(verbatim_doc_comment, subcommand)]
    Handoff(HandoffCommand),
    /// Show what comes next, and move on to it
    ///
    /// Children of one item come in the order of their positions. Without --parent these are
    /// the children of the item held, else those beside it, else those beside the one held
    /// last. After the last child comes the parent.
    ///
    /// Example: trueup item transition SD-002B completed && trueup next --claim
    #[command(verbatim_doc_comment)]
    Next(NextArgs),
    /// Give items phases, and take the phases through their steps
    ///
    /// Example: trueup queue add SD-002C --phases plan,build,test && trueup queue next
    #[command(verbatim_doc_comment, subcommand)]
    Queue(QueueCommand),
    /// List and show sessions, and park those that died
    ///
    /// Example: trueup sessions list
    #[command(verbatim_doc_comment, subcommand)]
    Sessions(SessionsCommand),
    /// Work through the tasks of a plan
    ///
    /// Example: trueup plan import docs/plans/fix-sync.md && trueup plan next
    #[command(verbatim_doc_comment, subcommand)]
    Plan(PlanCommand),
    /// Reserve a pair of ports for a workflow: 9100-9114 and 9200-9214
    ///
    /// Example: trueup ports reserve 3af4a34d
    #[command(verbatim_doc_comment, subcommand)]
    Ports(PortsCommand),
    /// Register the repositories of this machine
    ///
    /// Example: trueup repo add ~/src/karematch
    #[command(verbatim_doc_comment, subcommand)]
    Repo(RepoCommand),
    /// Let repositories know each other's STATE.md
    ///
    /// Example: trueup state sync && trueup state show karematch
    #[command(verbatim_doc_comment, subcommand)]
    State(StateCommand),
    /// Run a plan under one orchestrator, and look after orchestrators
    ///
    /// Example: trueup orchestrator start docs/plans/sync.md -- ./run-plan.sh
    #[command(verbatim_doc_comment, subcommand)]
    Orchestrator(OrchestratorCommand),
    /// Show what changed, by whom and why
    ///
    /// Example: trueup log --item SD-002C --since 2h
    #[command(verbatim_doc_comment)]
    Log(LogArgs),
    /// Show who set each field of an item, when and why
    ///
    /// Example: trueup blame SD-002C status
    #[command(verbatim_doc_comment)]
    Blame(BlameArgs),
    /// List, show and restore local edits that lost to a newer database
    ///
    /// Example: trueup journal restore j-0a1b2c3d4e
    #[command(verbatim_doc_comment, subcommand)]
    Journal(JournalCommand),
    /// Check that workplan files, the database and git agree, and make them agree
    ///
    /// A status never goes back: the further one wins, in the database and in the file. What is
    /// written into files is committed and pushed by itself. Exit code 0 when all is well or
    /// there are warnings only, 1 with findings, 3 when it could not look.
    ///
    /// Example: trueup check --fix --pull
    #[command(verbatim_doc_comment)]
    Check(CheckArgs),
    /// Look after the metadata files of workflows, agents/<id>/adw_state.json
    ///
    /// The file says what a workflow produces; who does what and how far is the database's.
    ///
    /// Example: trueup meta set 77c90e61 branch_name=feature/x
    #[command(verbatim_doc_comment, subcommand)]
    Meta(MetaCommand),
    /// Look after the database
    ///
    /// Example: trueup db backup before-upgrade.db
    #[command(verbatim_doc_comment, subcommand)]
    Db(DbCommand),
    /// Check the installation and say what mends it
    ///
    /// Example: trueup doctor --fix
    #[command(verbatim_doc_comment)]
    Doctor {
        /// Mend what can be mended safely
        #[arg(long)]
        fix: bool,
    },
    /// Play the incident trueup was made for, in a temporary directory
    ///
    /// Example: trueup demo
    #[command(verbatim_doc_comment)]
    Demo,
    /// Print one line for Claude Code's status line; reads its JSON on stdin
    ///
    /// Example: "statusLine": {"type": "command", "command": "trueup statusline"}
    #[command(verbatim_doc_comment)]
    Statusline,
    /// Print a completion script
    ///
    /// Example: trueup completions bash > ~/.local/share/bash-completion/completions/trueup
    #[command(verbatim_doc_comment)]
    Completions {
        /// For which shell
        shell: Shell,
    },
}

impl Command {
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
pub(crate) struct Set {
    /// The phase, such as LEAD, PLAN, EXEC; empty for none
    #[arg(long, value_name = "P")]
    pub(crate) phase: Option<String>,
    /// The task in words; empty for none
    #[arg(long, value_name = "T")]
    pub(crate) task: Option<String>,
    /// Go on without asking
    #[arg(long, value_enum, value_name = "on|off")]
    pub(crate) auto_proceed: Option<Switch>,
    /// Go on with the next orchestrator
    #[arg(long, value_enum, value_name = "on|off")]
    pub(crate) chain_orchestrators: Option<Switch>,
    /// Merge a key into the session's metadata; a JSON value, else text; null removes
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) metadata: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

#[derive(Debug, Args)]
pub(crate) struct ClaimArgs {
    /// The item
    pub(crate) key: ItemKey,
    /// Add the item when there is none
    #[arg(long)]
    pub(crate) create: bool,
    /// Take it from a holder that has been silent for 60 s
    #[arg(long)]
    pub(crate) force: bool,
    /// Announce that this session will be silent so long, at most 30m
    #[arg(long, value_name = "30m")]
    pub(crate) span: Option<Span>,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum SessionsCommand {
    /// List sessions, the latest sign of life first
    ///
    /// Example: trueup sessions list --all
    #[command(verbatim_doc_comment)]
    List {
        /// List all, not the latest hundred alone
        #[arg(long)]
        all: bool,
    },
    /// Show a session
    ///
    /// Example: trueup sessions show 0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d
    #[command(verbatim_doc_comment)]
    Show {
        /// The session
        id: SessionId,
    },
    /// Park every session that two witnesses call dead, and fail what gives no sign of life
    ///
    /// Example: trueup sessions sweep
    #[command(verbatim_doc_comment)]
    Sweep,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum JournalCommand {
    /// List edits that lost
    ///
    /// Example: trueup journal list
    #[command(verbatim_doc_comment)]
    List,
    /// Show one
    ///
    /// Example: trueup journal show j-0a1b2c3d4e
    #[command(verbatim_doc_comment)]
    Show {
        /// Its id
        id: String,
    },
    /// Make one again, on the database's present state
    ///
    /// Example: trueup journal restore j-0a1b2c3d4e
    #[command(verbatim_doc_comment)]
    Restore {
        /// Its id
        id: String,
    },
}
