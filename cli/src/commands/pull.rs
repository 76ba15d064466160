//! `trueup pull`: brings what waits to the server, and the newest state of the session from it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use trueup_core::deadline::Deadline;
use trueup_core::fs::{FileLock, create_private_dir};
use trueup_core::log::LogLevel;
use trueup_core::model::{SessionId, Timestamp};
use trueup_core::replica::ReplicaFile;
use trueup_core::store::StoreError;
use trueup_core::sync::{SyncError, now};
use trueup_hooks::{PullError, PullReport, pull_session};

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult};
use crate::output::Output;
use crate::store_location::ServerDatabase;

/// How long a pull that nobody waits for may take, and how long it waits for the one before it.
const DETACHED_DEADLINE: Duration = Duration::from_secs(10);

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
}

pub(super) fn cmd_pull(context: &CommandContext, arguments: &PullArgs) -> CommandResult {
    if !context.run.settings.is_remote() {
        let text = "the database is a file on this machine: there is nothing to pull";
        return Ok(Output::new(vec![text.to_owned()], json!({"pulled": false})));
    }
    if arguments.detached {
        return pull_detached(context);
    }
    let session = find_session(context)?;
    let [turn, _] = prepare_locks(context, &session)?;
    // Whatever a hook started before is done then.
    let _turn = FileLock::acquire(&turn, context.run.deadline.remaining())?;
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
) -> Result<PullReport, PullError> {
    let (directory, settings) = (&context.run.project.dir, context.run.settings.clone());
    pull_session::<ServerDatabase>(session, directory, &context.environment, settings, deadline)
}

fn is_unfinished(report: &PullReport) -> bool {
    let counts = &report.drained.counts;
    counts.is_waiting && counts.problem.is_none()
}

fn prepare_locks(context: &CommandContext, session: &SessionId) -> CommandResult<[PathBuf; 2]> {
    let paths = &context.run.settings.paths;
    create_private_dir(&paths.locks())?;
    Ok(paths.pull_locks(session))
}

/// Pulls for the hooks of a session. One process works at a time and one waits for its turn; another
/// one ends at once, because the one that waits has not begun and does its work.
fn pull_detached(context: &CommandContext) -> CommandResult {
    // A group and a terminal of its own: what ends the session does not end this. It fails only for
    // the leader of a group, which is apart already.
    let _ = rustix::process::setsid();
    let done = || Ok(Output::new(Vec::new(), json!({})));
    let Some(session) = &context.named_session else {
        return Err(CommandError::usage("trueup pull --help", "--detached needs --session"));
    };
    if !context.run.settings.paths.data.is_dir() {
        // It was removed since the hook ended, and must not come back.
        return done();
    }
    let [turn, next] = prepare_locks(context, session)?;
    let Ok(waiting) = FileLock::acquire(&next, GLANCE) else {
        return done();
    };
    let Ok(_turn) = FileLock::acquire(&turn, DETACHED_DEADLINE) else {
        return done();
    };
    drop(waiting);
    for _ in 0..MAX_ROUNDS {
        let begun_at = now();
        match run_pull(context, session, Deadline::after(DETACHED_DEADLINE)) {
            // More waits than this one could send, or another session's pull is sending it.
            Ok(report) if is_unfinished(&report) => {}
            Ok(_) => break,
            Err(error) => {
                context.run.log(LogLevel::Warn, "pull", &error.to_string());
                let cause = match &error {
                    PullError::Sync(SyncError::Store(cause)) => Some(cause),
                    PullError::Sync(SyncError::Journal(_)) | PullError::Replica(_) => None,
                };
                // A server that was busy all that time is as far away as one that is gone.
                let is_away = |it: &StoreError| {
                    it.is_out_of_use() || matches!(it, StoreError::Contended { .. })
                };
                if cause.is_some_and(is_away) {
                    note_outage(context, session, begun_at);
                }
                break;
            }
        }
    }
    done()
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
