//! The commands. The arguments of each are declared beside its code.

#![expect(
    clippy::doc_markdown,
    clippy::doc_link_with_quotes,
    reason = "doc comments of arguments are help texts and are printed as written"
)]

mod blame;
mod cells;
mod check;
mod claim;
mod command_names;
mod completions;
mod db;
mod demo;
mod doctor;
mod export;
mod findings;
mod gone_holders;
mod handoff;
mod help;
mod init;
mod installer;
mod item;
mod journal;
mod leftovers;
mod log;
mod man;
mod mcp;
mod meta;
mod next;
mod orchestrator;
mod outbox;
mod phase_names;
mod plan;
mod ports;
mod prime;
mod pull;
mod queue;
mod ready;
mod repo;
mod search;
mod session_output;
mod sessions;
mod set;
mod settled_attention;
mod short_ids;
mod standing;
mod state;
mod state_change;
mod status;
mod statusline;
mod top;
mod upgrade;
pub(crate) mod validate;
mod value_text;
mod work_scope;

pub(crate) use self::help::{HelpSubject, Topic, group_commands};

use std::collections::BTreeSet;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use trueup_core::model::ItemKey;
use trueup_core::store::ExpectedRead;

use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::global_args::GlobalArgs;

/// Keep every Claude Code session true to one database
///
/// The database is authoritative; .claude/auto-proceed-state.json is a copy of
/// it. Hooks keep the two in sync automatically; these commands inspect and
/// change the state. Without a command, it shows where this session stands.
///
/// Exit codes: 0 done, 1 findings or refused, 2 usage or no session, 3 failed.
///
/// Example: trueup db migrate && trueup item add SD-002C --title "Sync on start"
#[derive(Debug, Parser)]
#[command(
    name = "trueup",
    version,
    max_term_width = 100,
    verbatim_doc_comment,
    disable_help_subcommand = true
)]
pub(crate) struct TrueupArgs {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Option<CliCommand>,
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
    Set(set::SetArgs),
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
    /// Clear the current task and keep the claim
    ///
    /// It also accepts the loss of a claim.
    ///
    /// Example: trueup clear --no-history
    #[command(verbatim_doc_comment)]
    Clear {
        /// Also reset the resume count
        #[arg(long)]
        no_history: bool,
    },
    /// Add, list, show and change work items
    ///
    /// Example: trueup item add SD-002C --title "Sync on start"
    #[command(verbatim_doc_comment, subcommand)]
    Item(item::ItemCommand),
    /// Claim an item for this session
    ///
    /// An item held before is released.
    ///
    /// If another session holds the item, the error shows who, since when, and
    /// whether it is alive.
    ///
    /// Example: trueup claim SD-002C --span 30m
    #[command(verbatim_doc_comment)]
    Claim(claim::ClaimArgs),
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
    /// Hand the claimed item on; accept or reject hand-offs
    ///
    /// Example: trueup handoff create PLAN-TO-EXEC --summary "the plan stands" --actions "write it"
    #[command(verbatim_doc_comment, subcommand)]
    Handoff(handoff::HandoffCommand),
    /// Show or claim the next item
    ///
    /// The children of an item come in order of position. Without --parent, the
    /// search starts with the children of the held item, then its siblings, then the
    /// siblings of the item held last. The parent comes after its last child. When
    /// nothing is left there, the first item of `trueup ready` is next.
    ///
    /// Example: trueup item transition SD-002B completed && trueup next --claim
    #[command(verbatim_doc_comment)]
    Next(next::NextArgs),
    /// Show what can be begun, why, and what unblocks the rest
    ///
    /// Items of this repository that nobody holds and nothing blocks: their
    /// dependencies are completed, no child is unfinished, and no parent waits. The
    /// most urgent come first, then the oldest.
    ///
    /// Example: trueup ready --limit 3
    #[command(verbatim_doc_comment)]
    Ready(ready::ReadyArgs),
    /// Find words in items, plans and the log
    ///
    /// In keys, titles and descriptions of items, in tasks of plans, and in the
    /// reasons of the latest changes.
    ///
    /// Example: trueup search sync start
    #[command(verbatim_doc_comment)]
    Search(search::SearchArgs),
    /// Add phases to items and work through them
    ///
    /// Example: trueup queue add SD-002C --phases plan,build,test && trueup queue next
    #[command(verbatim_doc_comment, subcommand)]
    Queue(queue::QueueCommand),
    /// List and show sessions; free the items of dead ones
    ///
    /// Example: trueup sessions list
    #[command(verbatim_doc_comment, subcommand)]
    Sessions(sessions::SessionsCommand),
    /// Import plans and work through their tasks
    ///
    /// Example: trueup plan import docs/plans/fix-sync.md && trueup plan next
    #[command(verbatim_doc_comment, subcommand)]
    Plan(plan::PlanCommand),
    /// Reserve pairs of ports for workflows: 9100-9114 and 9200-9214
    ///
    /// Example: trueup ports reserve 3af4a34d
    #[command(verbatim_doc_comment, subcommand)]
    Ports(ports::PortsCommand),
    /// Write what a repository begins with: a workplan and .trueup.toml
    ///
    /// What is there stays as it is. The repository is registered on this machine, as by
    /// `trueup repo add`.
    ///
    /// Example: trueup init --dry-run
    #[command(verbatim_doc_comment)]
    Init(init::InitArgs),
    /// Print what an agent should know to work here, in under 300 words
    ///
    /// Where the work stands, then rules and commands. A repository's own text in
    /// .trueup/PRIME.md replaces the latter.
    ///
    /// Example: mkdir -p .trueup && trueup prime --export > .trueup/PRIME.md
    #[command(verbatim_doc_comment)]
    Prime(prime::PrimeArgs),
    /// Register, list and remove repositories on this machine
    ///
    /// Example: trueup repo add ~/src/karematch
    #[command(verbatim_doc_comment, subcommand)]
    Repo(repo::RepoCommand),
    /// Share STATE.md between repositories
    ///
    /// Example: trueup state sync && trueup state show karematch
    #[command(verbatim_doc_comment, subcommand)]
    State(state::StateCommand),
    /// Run a plan under a single orchestrator
    ///
    /// Example: trueup orchestrator start docs/plans/sync.md -- ./run-plan.sh
    #[command(verbatim_doc_comment, subcommand)]
    Orchestrator(orchestrator::OrchestratorCommand),
    /// Show what changed, who changed it and why
    ///
    /// With --session, only the events that this session made, and those about
    /// the session itself, such as its start. Otherwise the events of all sessions:
    /// that of the environment is no filter. Without --item and --session, the events
    /// of this repository's items, plans and sessions, and those of none.
    ///
    /// Example: trueup log --item SD-002C --since 2h
    #[command(verbatim_doc_comment)]
    Log(log::LogArgs),
    /// Show who last set each field of an item, when and why
    ///
    /// Example: trueup blame SD-002C status
    #[command(verbatim_doc_comment)]
    Blame(blame::BlameArgs),
    /// Show what needs a person and who works on what, as it changes
    ///
    /// Keys: ? shows them, q leaves. Where the output is no terminal, one table is
    /// printed.
    ///
    /// Example: trueup top
    #[command(verbatim_doc_comment)]
    Top(top::TopArgs),
    /// List, show and restore local edits that were rejected
    ///
    /// Example: trueup journal restore j-0a1b2c3d4e
    #[command(verbatim_doc_comment, subcommand)]
    Journal(journal::JournalCommand),
    /// List, send, drop and retry writes that wait for the database
    ///
    /// Example: trueup outbox list
    #[command(verbatim_doc_comment, subcommand)]
    Outbox(outbox::OutboxCommand),
    /// Read this session anew from a server, and send what waits
    ///
    /// Hooks answer from what was read last and start this by themselves.
    ///
    /// Example: trueup pull
    #[command(verbatim_doc_comment)]
    Pull(pull::PullArgs),
    /// Compare workplan files, database and git, and fix differences
    ///
    /// A status never goes back: the more advanced one wins, in the database and in
    /// the file. With --fix, changed files are committed and pushed automatically.
    ///
    /// Exit codes: 0 no findings or only warnings, 1 findings, 3 the check could not
    /// run.
    ///
    /// Example: trueup check --fix --pull
    #[command(verbatim_doc_comment)]
    Check(check::CheckArgs),
    /// Show, set, check and fix metadata of workflows
    ///
    /// The file, agents/<id>/adw_state.json, holds what a workflow produces; the database owns assignment and
    /// status.
    ///
    /// Example: trueup meta set 77c90e61 branch_name=feature/x
    #[command(verbatim_doc_comment, subcommand)]
    Meta(meta::MetaCommand),
    /// Export this repository: items, plans, phases, history
    ///
    /// JSON Lines, one object a line, which `trueup item import` and `trueup plan import`
    /// read again; or the files of the tracker that items came from, with only what
    /// changed here changed. A whole database is moved with `trueup db export`.
    ///
    /// Example: trueup export .beads/issues.jsonl --format beads
    #[command(verbatim_doc_comment)]
    Export(export::ExportArgs),
    /// Migrate, back up, restore, move and prune the database
    ///
    /// Example: trueup db backup before-upgrade.db
    #[command(verbatim_doc_comment, subcommand)]
    Db(db::DbCommand),
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
    /// Serve tools of the Model Context Protocol over stdin and stdout
    ///
    /// For clients without a shell. The connection is a session of its own, or acts
    /// for that of --session; it ends when the client closes stdin.
    ///
    /// Example: {"mcpServers": {"trueup": {"command": "trueup", "args": ["mcp"]}}}
    #[command(verbatim_doc_comment)]
    Mcp,
    /// Print one line for Claude Code's status line from JSON on stdin
    ///
    /// Example: "statusLine": {"type": "command", "command": "trueup statusline"}
    #[command(verbatim_doc_comment)]
    Statusline,
    /// Print a shell completion script
    ///
    /// The script asks trueup itself, so that it completes the keys of items, sessions,
    /// phases and plans as well as commands.
    ///
    /// Example: trueup completions bash > ~/.local/share/bash-completion/completions/trueup
    #[command(verbatim_doc_comment)]
    Completions {
        /// Shell
        shell: Shell,
    },
    /// Install the plugin and the commands
    ///
    /// They are copied from the files beside this program.
    ///
    /// Runs trueup-install with the arguments; `trueup install -- --help` shows them.
    ///
    /// Example: trueup install --dry-run
    #[command(verbatim_doc_comment)]
    Install(installer::InstallArgs),
    /// Remove trueup and restore the files that it changed
    ///
    /// The database is kept unless --purge is given.
    ///
    /// Example: trueup uninstall --dry-run
    #[command(verbatim_doc_comment)]
    Uninstall(installer::UninstallArgs),
    /// Install the newest version
    ///
    /// An installation from a release archive is upgraded here; for one by a package
    /// manager or from a checkout, the command that does it is shown.
    ///
    /// Example: trueup upgrade --check
    #[command(verbatim_doc_comment)]
    Upgrade(upgrade::UpgradeArgs),
    /// Show what trueup left in repositories, and remove it
    ///
    /// Caches of sessions, lines in info/exclude of git directories, copies of other
    /// repositories' states, and a status line of Claude Code that runs trueup; in all
    /// repositories and project directories that the database knows on this machine.
    ///
    /// Example: trueup leftovers --remove
    #[command(verbatim_doc_comment)]
    Leftovers(leftovers::LeftoversArgs),
    /// Explain a topic or a command
    ///
    /// Topics: claims, hand-offs, plans, workplans, teams.
    /// Codes are those of findings, such as C-13.
    ///
    /// Example: trueup help claims
    #[command(verbatim_doc_comment)]
    Help(help::HelpArgs),
    /// Write the man pages of all commands
    ///
    /// Example: trueup man --out share/man/man1
    #[command(verbatim_doc_comment, hide = true)]
    Man(man::ManArgs),
}

impl CliCommand {
    /// Tells whether a flag of the command itself requests JSON.
    pub(crate) const fn asks_for_json(&self) -> bool {
        matches!(self, Self::Check(check::CheckArgs { format: check::Format::Json, .. }))
    }

    /// Tells whether a broken configuration must not stop the command: it is what mends an
    /// installation, needs no setting, or tells its client of it.
    pub(crate) const fn bears_broken_settings(&self) -> bool {
        matches!(
            self,
            Self::Doctor { .. }
                | Self::Mcp
                | Self::Completions { .. }
                | Self::Install(_)
                | Self::Uninstall(_)
                | Self::Upgrade(_)
                | Self::Leftovers(_)
                | Self::Help(_)
                | Self::Man(_)
        )
    }

    /// Returns what a claim or a release reads of the item that it names.
    fn expected_reads(&self) -> Vec<ExpectedRead<'_>> {
        match self {
            Self::Claim(arguments) => vec![ExpectedRead::Item(&arguments.key)],
            Self::Release { key: Some(key), .. } => vec![ExpectedRead::OpenHandoff(key)],
            _ => Vec::new(),
        }
    }

    /// Tells whether the command acts for a session or filters by one, so that an unknown
    /// `--session` would silently match nothing. The log has pruned sessions as well.
    const fn needs_known_session(&self) -> bool {
        !matches!(
            self,
            Self::Log(_)
                | Self::Db(_)
                | Self::Outbox(_)
                | Self::Pull(_)
                | Self::Doctor { .. }
                | Self::Demo
                | Self::Mcp
                | Self::Statusline
                | Self::Completions { .. }
                | Self::Install(_)
                | Self::Uninstall(_)
                | Self::Upgrade(_)
                | Self::Leftovers(_)
                | Self::Help(_)
                | Self::Man(_)
        )
    }
}

/// Runs `trueup`, with or without a command.
pub(crate) fn run(context: &CommandContext, command: Option<CliCommand>) -> CommandResult {
    if let Some(command) = command {
        return run_command(context, command);
    }
    context.check_named_session()?;
    let mut output = standing::cmd_standing(context)?;
    output.warnings.splice(0..0, context.warnings());
    Ok(output)
}

/// Runs a command of `trueup`.
fn run_command(context: &CommandContext, command: CliCommand) -> CommandResult {
    context.expect_reads(&command.expected_reads());
    if matches!(command, CliCommand::Status { all: false }) {
        context.hurry_in_outage();
    }
    if command.needs_known_session() {
        context.check_named_session()?;
    }
    let mut output = match command {
        CliCommand::Status { all } => status::cmd_status(context, all),
        CliCommand::Set(arguments) => set::cmd_set(context, &arguments),
        CliCommand::Interrupt => set::cmd_interrupt(context),
        CliCommand::Resume => set::cmd_resume(context),
        CliCommand::Clear { no_history } => set::cmd_clear(context, no_history),
        CliCommand::Pull(arguments) => pull::cmd_pull(context, &arguments),
        CliCommand::Item(command) => item::cmd_item(context, command),
        CliCommand::Claim(arguments) if arguments.create => claim::cmd_claim(context, arguments),
        CliCommand::Claim(arguments) => context.with_full_id(&arguments.key, |key| {
            claim::cmd_claim(context, claim::ClaimArgs { key, ..arguments.clone() })
        }),
        CliCommand::Release { key: None, reason } => {
            claim::cmd_release(context, None, reason.as_deref())
        }
        CliCommand::Release { key: Some(key), reason } => context
            .with_full_id(&key, |key| claim::cmd_release(context, Some(key), reason.as_deref())),
        CliCommand::Handoff(command) => handoff::cmd_handoff(context, command),
        CliCommand::Next(arguments) => match arguments.parent.clone() {
            None => next::cmd_next(context, arguments),
            Some(parent) => context.with_full_id(&parent, |parent| {
                let parent = Some(parent);
                next::cmd_next(context, next::NextArgs { parent, ..arguments.clone() })
            }),
        },
        CliCommand::Ready(arguments) => ready::cmd_ready(context, &arguments),
        CliCommand::Search(arguments) => search::cmd_search(context, &arguments),
        CliCommand::Queue(command) => queue::cmd_queue(context, command),
        CliCommand::Sessions(command) => sessions::cmd_sessions(context, &command),
        CliCommand::Plan(command) => plan::cmd_plan(context, command),
        CliCommand::Ports(command) => ports::cmd_ports(context, &command),
        CliCommand::State(command) => state::cmd_state(context, command),
        CliCommand::Init(arguments) => init::cmd_init(context, &arguments),
        CliCommand::Prime(arguments) => prime::cmd_prime(context, &arguments),
        CliCommand::Repo(command) => repo::cmd_repo(context, command),
        CliCommand::Orchestrator(command) => orchestrator::cmd_orchestrator(context, command),
        CliCommand::Log(arguments) => match arguments.item.clone() {
            None => log::cmd_log(context, &arguments),
            Some(item) => context.with_full_id(&item, |item| {
                log::cmd_log(context, &log::LogArgs { item: Some(item), ..arguments.clone() })
            }),
        },
        CliCommand::Blame(arguments) => context.with_full_id(&arguments.key, |key| {
            blame::cmd_blame(context, &blame::BlameArgs { key, ..arguments.clone() })
        }),
        CliCommand::Top(arguments) => top::cmd_top(context, &arguments),
        CliCommand::Journal(command) => journal::cmd_journal(context, &command),
        CliCommand::Outbox(command) => outbox::cmd_outbox(context, &command),
        CliCommand::Check(arguments) => check::cmd_check(context, &arguments),
        CliCommand::Meta(command) => meta::cmd_meta(context, command),
        CliCommand::Export(arguments) => export::cmd_export(context, &arguments),
        CliCommand::Db(command) => db::cmd_db(context, &command),
        CliCommand::Doctor { fix } => Ok(doctor::cmd_doctor(context, fix)),
        CliCommand::Demo => demo::cmd_demo(),
        CliCommand::Mcp => mcp::cmd_mcp(context),
        CliCommand::Statusline => Ok(statusline::cmd_statusline(context)),
        CliCommand::Completions { shell } => completions::cmd_completions(shell),
        CliCommand::Install(arguments) => installer::cmd_install(context, &arguments),
        CliCommand::Uninstall(arguments) => installer::cmd_uninstall(context, &arguments),
        CliCommand::Upgrade(arguments) => upgrade::cmd_upgrade(context, &arguments),
        CliCommand::Leftovers(arguments) => leftovers::cmd_leftovers(context, &arguments),
        CliCommand::Help(arguments) => Ok(help::cmd_help(&arguments)),
        CliCommand::Man(arguments) => {
            man::cmd_man(&arguments, vec![TrueupArgs::command(), validate::ValidateArgs::command()])
        }
    }?;
    output.warnings.splice(0..0, context.warnings());
    Ok(output)
}

/// Lists the names of all commands, such as `item edit`.
pub(crate) fn list_command_names() -> BTreeSet<String> {
    let mut root = TrueupArgs::command();
    root.build();
    let mut names = BTreeSet::new();
    command_names::add_command_names(&root, "", &mut names);
    names
}
