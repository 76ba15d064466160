//! `trueup pull`: brings what waits to the server, and the newest state of the session from it.

use std::io::ErrorKind;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use trueup_core::deadline::Deadline;
use trueup_core::fs::{FileLock, create_private_dir};
use trueup_core::hook::{Client, HookEvent, StartSource};
use trueup_core::log::LogLevel;
use trueup_core::model::{SessionId, Timestamp};
use trueup_core::replica::ReplicaFile;
use trueup_core::settings::PullLocks;
use trueup_core::sync::now;
use trueup_hooks::{
    HookContext, PullError, PullFailure, PullReport, PullRequest, prune_when_due, pull_session,
};

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, FileCase};
use crate::output::Output;
use crate::store_location::open_for_pull;

/// How long a pull that nobody waits for may take to reach the server, and how long it waits for the
/// one before it.
const CONTACT_PATIENCE: Duration = Duration::from_secs(10);

/// How long the pull of a start may take to reach the server: to log in takes many answers, and
/// without it a session far away would never begin.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// How long each part of it may take behind the first answer of the server.
const PART_PATIENCE: Duration = Duration::from_secs(30);

/// How long it may take altogether. A server that takes seconds for an answer gets what waits as
/// well.
const DETACHED_DEADLINE: Duration = Duration::from_mins(2);

/// How often a pull is repeated while more waits than one of them can send.
const MAX_ROUNDS: usize = 64;

/// How long a hook may hold the lock of the next pull, to see whether there is one.
const GLANCE: Duration = Duration::from_millis(200);

/// How long to wait for a hook that works on the replica.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// A hook started this and does not wait for it
    #[arg(long, hide = true)]
    detached: bool,
    /// A session starts, for this reason of the client's
    #[arg(long, hide = true, value_name = "SOURCE", requires = "detached")]
    start: Option<String>,
    /// The agent whose client started this, unless it is Claude Code
    #[arg(long, hide = true, value_name = "AGENT", requires = "detached")]
    agent: Option<String>,
}

impl PullArgs {
    /// Returns the client whose hook started this.
    fn client(&self) -> &'static Client {
        self.agent.as_deref().and_then(Client::of_agent).unwrap_or_else(Client::unmarked)
    }
}

pub(super) fn cmd_pull(context: &CommandContext, arguments: &PullArgs) -> CommandResult {
    if !context.run.settings.is_remote() {
        let text = "the database is a file on this machine: there is nothing to pull";
        return Ok(Output::new(vec![text.to_owned()], json!({"pulled": false})));
    }
    if arguments.detached {
        let start = arguments.start.as_deref().map(StartSource::from_name);
        return match pull_detached(context, arguments.client(), start) {
            // The hook waits for the reason.
            Err(error) if start.is_some() => {
                let failure = PullFailure::of_problem(error.message);
                Ok(Output::new(vec![failure.to_answer()], json!({})))
            }
            other => other,
        };
    }
    let session = find_session(context)?;
    let PullLocks { turn, .. } = prepare_locks(context, &session)?;
    // Whatever a hook started before is done then.
    let _turn = FileLock::acquire(&turn, context.run.deadline.remaining()).map_err(|error| {
        if error.kind() == ErrorKind::WouldBlock {
            let problem = format!("another pull of session {session} does not end");
            CommandError::new(FileCase::FileBusy, problem)
        } else {
            error.into()
        }
    })?;
    let report = run_pull(context, &session, context.run.deadline)?;
    let counts = &report.drained.counts;
    let session = &report.session;
    let text = format!(
        "session {} is at revision {}, read at {}; {} sent",
        session.id, session.revision, session.read_at, counts.sent
    );
    let data = json!({
        "pulled": true, "session_id": session.id, "revision": session.revision,
        "read_at": session.read_at, "sent": counts.sent, "refused": counts.refused,
        "waiting": counts.is_waiting,
    });
    Ok(Output::new(vec![text], data))
}

/// Returns the session that is named, that of the environment, or the acting one.
fn find_session(context: &CommandContext) -> CommandResult<SessionId> {
    let named = context.named_session.clone().or(context.read_env_session()?);
    match named {
        Some(session) => Ok(session),
        None => Ok(context.require_active_session(&mut *context.open_for_reading()?)?.id),
    }
}

fn run_pull(
    context: &CommandContext,
    session: &SessionId,
    deadline: Deadline,
) -> CommandResult<PullReport> {
    let pull = build_pull(context, session, Client::unmarked(), None, deadline)?;
    let pulled = open_for_pull(&pull).map_err(PullError::from);
    Ok(pulled.and_then(|mut store| pull_session(&pull, &mut *store, None))?)
}

fn build_pull(
    context: &CommandContext,
    session: &SessionId,
    client: &'static Client,
    start: Option<StartSource>,
    deadline: Deadline,
) -> CommandResult<HookContext> {
    // That of a session which starts is the client's; the project is found from it.
    let here = std::env::current_dir()?;
    let directory = if start.is_some() { &here } else { &context.run.project.dir };
    let request = PullRequest { session, directory, client, start };
    Ok(request.build_context(&context.environment, context.run.settings.clone(), deadline))
}

fn is_unfinished(report: &PullReport) -> bool {
    let counts = &report.drained.counts;
    counts.is_waiting && counts.problem.is_none()
}

fn prepare_locks(context: &CommandContext, session: &SessionId) -> CommandResult<PullLocks> {
    let settings = &context.run.settings;
    create_private_dir(&settings.paths.locks())?;
    Ok(settings.paths.pull_locks(&settings.database_address(), session))
}

/// Pulls for the hooks of a session. One process works at a time and one waits for its turn; another
/// one ends at once, because the one that waits has not begun and does its work. Only the start of a
/// session is work of its own, whose end a hook waits for: until this process closes its stdout.
fn pull_detached(
    context: &CommandContext,
    client: &'static Client,
    start: Option<StartSource>,
) -> CommandResult {
    // A group and a terminal of its own: what ends the session does not end this. It fails only for
    // the leader of a group, which is apart already.
    let _ = rustix::process::setsid();
    let done = || Ok(Output::new(Vec::new(), json!({})));
    let Some(session) = &context.named_session else {
        return Err(CommandError::usage("trueup pull --help", "--detached needs --session"));
    };
    if start.is_none() && !context.run.settings.paths.data.is_dir() {
        // It was removed since the hook ended, and must not come back.
        return done();
    }
    let PullLocks { turn, next, next_start } = prepare_locks(context, session)?;
    let next = if start.is_some() { next_start } else { next };
    let Ok(waiting) = FileLock::acquire(&next, GLANCE) else {
        return done();
    };
    let Ok(_turn) = FileLock::acquire(&turn, CONTACT_PATIENCE) else {
        return done();
    };
    drop(waiting);
    match pull_in_rounds(context, session, client, start)? {
        Some(failure) if start.is_some() => Ok(Output::new(vec![failure.to_answer()], json!({}))),
        _ => done(),
    }
}

/// Pulls until nothing waits any more. Returns why the last round failed.
fn pull_in_rounds(
    context: &CommandContext,
    session: &SessionId,
    client: &'static Client,
    mut start: Option<StartSource>,
) -> CommandResult<Option<PullFailure>> {
    for _ in 0..MAX_ROUNDS {
        let begun_at = now();
        let deadline = Deadline::after(DETACHED_DEADLINE);
        let pull = build_pull(context, session, client, start.take(), deadline)?;
        let is_start = matches!(pull.payload.event, HookEvent::SessionStart(_));
        let pulled = open_for_pull(&pull).map_err(PullError::from).and_then(|mut store| {
            let patience = if is_start { START_PATIENCE } else { CONTACT_PATIENCE };
            store.set_deadline(Deadline::after(patience));
            let report = pull_session(&pull, &mut *store, Some(PART_PATIENCE))?;
            if is_start {
                release_hook()?;
                prune_when_due(&pull, &mut *store);
            }
            Ok(report)
        });
        match pulled {
            // More waits than this one could send, or another session's pull is sending it.
            Ok(report) if is_unfinished(&report) => {}
            Ok(_) => break,
            Err(error) => {
                context.run.log(LogLevel::Warn, "pull", &error.to_string());
                if error.is_out_of_use() {
                    note_outage(context, session, begun_at);
                }
                return Ok(Some(PullFailure::new(&pull, &error)));
            }
        }
    }
    Ok(None)
}

/// Lets the hook go on that waits for the end of stdout. Stdin, which takes its place, is empty and
/// goes nowhere.
fn release_hook() -> std::io::Result<()> {
    Ok(rustix::stdio::dup2_stdout(rustix::stdio::stdin())?)
}

/// Tells the next prompt that the server cannot be reached, once for each outage.
fn note_outage(context: &CommandContext, session: &SessionId, since: Timestamp) {
    let run = &context.run;
    let Some(lineage) = run.databases().last_known_at(&run.settings.database_address()) else {
        return;
    };
    let file = ReplicaFile::of_session(&run.settings.paths, &lineage, session);
    if let Err(error) = file.note_outage(since, LOCK_PATIENCE) {
        run.log(LogLevel::Warn, "pull", &error.to_string());
    }
}
