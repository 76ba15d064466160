//! `session-start-sync`: brings the database's state to the local cache and to the agent.

use std::io::{self, ErrorKind};

use crate::auto_prune::prune_when_due;
use crate::detached_pull::start_pull;
use crate::enqueue_offline::enqueue_resumed;
use crate::hook_context::{render_failure, render_findings, render_unfixed};
use crate::prompt::{handle_prompt, load_item_title, take_handoff_notices};
use crate::pull_session::{refresh_replica, take_news};
use crate::replica_database::{ReplicaDatabase, find_replica_file};
use crate::server_contact::note_contact;
use crate::share_state::gather_repo_context;
use crate::{HookContext, HookDatabase, HookOutcome, lost_notices};
use trueup_core::bounds::ENVIRONMENT_FILE;
use trueup_core::claims::reclaim_own_item;
use trueup_core::fs::{append_to_foreign, read_bytes};
use trueup_core::hook::{HookEvent, HookResponse, PromptKind, StartSource};
use trueup_core::model::{DeadOrchestrator, RepoScope, Session, SessionStatus};
use trueup_core::orchestrators;
use trueup_core::reconcile::{Policy, Reading, reconcile};
use trueup_core::store::{HookStore as _, SessionFilter, Store, StoreError};
use trueup_core::sync::{
    Briefing, DrainReport, SyncError, describe_stuck_work, drain_outbox, fail_stuck_phases,
    fail_stuck_tasks, find_predecessor, is_registration_current, observe_without_database,
    record_session_database, register_session, sweep_dead_sessions, true_up,
};
use trueup_core::text::one_line;

/// How many sessions of a worktree are loaded, as present ones or for work to resume.
const MAX_SESSIONS: u32 = 8;

/// Permissions of a new `CLAUDE_ENV_FILE`: private, since a shell runs what is in it.
const ENV_FILE_MODE: u32 = 0o600;

/// Longest text of another session that is shown, in characters.
const MAX_EXCERPT_CHARS: usize = 120;

/// Answers `SessionStart` and `UserPromptSubmit`.
pub(crate) fn handle_event<D: HookDatabase>(context: &HookContext) -> HookOutcome {
    match &context.payload.event {
        HookEvent::SessionStart(source) => handle_start::<D>(context, *source),
        HookEvent::Prompt(PromptKind::User) if D::answers_from_replica(context) => {
            handle_prompt::<ReplicaDatabase>(context, |_, _| Ok(HookOutcome::default()))
        }
        HookEvent::Prompt(PromptKind::User) => handle_prompt::<D>(context, |context, drained| {
            start_session::<D>(context, StartSource::Startup, drained)
        }),
        _ => HookOutcome::default(),
    }
}

fn handle_start<D: HookDatabase>(context: &HookContext, source: StartSource) -> HookOutcome {
    let exported = export_session_id(context);
    let mut drained = DrainReport::default();
    let mut outcome = match start_session::<D>(context, source, &mut drained) {
        Ok(outcome) => outcome,
        Err(error) if context.is_never_created(&error) => tell_user(render_failure(&error)),
        Err(error) => {
            drained.counts.is_waiting = !context.run.outbox().is_idle();
            if D::IS_ON_SERVER {
                // It goes on without this hook, and the next prompt tells what it brings.
                start_pull(context);
            }
            answer_from_cache(context, &error)
        }
    };
    if drained.counts.is_waiting {
        outcome.notes.extend(enqueue_resumed(context));
    }
    let mut user_lines = drained.describe_problems(&context.run, Some(&context.payload.session));
    user_lines.extend(drained.describe_unmovable());
    let outcome = outcome.with_user_lines(user_lines);
    let mut outcome = outcome.with_user_lines(lost_notices::take_saved(context));
    if let Err(error) = exported {
        outcome.notes.push(format!("trueup: CLAUDE_ENV_FILE cannot be written: {error}"));
    }
    outcome
}

fn start_session<D: HookDatabase>(
    context: &HookContext,
    source: StartSource,
    drained: &mut DrainReport,
) -> Result<HookOutcome, SyncError> {
    let mut store = D::open_or_create(context)?;
    let id = &context.payload.session;
    let stored = load_after_drain(context, &mut store, drained)?;
    let was_ended = stored.as_ref().is_some_and(|session| session.status == SessionStatus::Ended);
    let session = register_if_needed(context, &mut store, stored, source)?;
    note_contact(context);
    let interrupted = sweep_dead_sessions(&mut store, &context.run, id.as_str(), session.read_at)?;
    let session = if was_ended
        && source == StartSource::Resume
        && reclaim_own_item(&mut store, &session, &context.run)?
    {
        store.load_session(id)?.unwrap_or(session)
    } else {
        session
    };
    let pending = store.find_pending_matters()?;
    let failed_work = if pending.has_running_work {
        fail_silent_work(context, &mut store)?
    } else {
        FailedWork::default()
    };
    let peers = store.list_peers(&session, MAX_SESSIONS)?;
    let revision = session.revision;
    let synced = true_up(&mut store, session, &peers, &context.run)?;
    let session = &synced.session;
    if session.acknowledged != session.revision {
        store.acknowledge_revision(id, session.revision)?;
    }
    let title = load_item_title(&mut store, session)?;
    let resumable = find_resumable_item(&mut store, session)?;
    // A hand-off that was made since the question has raised the revision, which the agent is
    // told of below.
    let notices = if pending.has_handoffs || session.revision != revision {
        take_handoff_notices(&mut store, session, true)?
    } else {
        Vec::new()
    };
    let repo_context = gather_repo_context(context, &mut store, session)?;
    let mut notes = render_unfixed(&synced.problems);
    if D::IS_ON_SERVER {
        // The agent is told of it below.
        let known = Session { acknowledged: session.revision, ..session.clone() };
        if let Err(error) = refresh_replica(context, &mut store, &known, Vec::new()) {
            notes.push(format!("trueup: {error}"));
        }
    }
    let briefing = Briefing {
        session,
        title: title.as_deref(),
        found: &synced.found,
        remaining: &synced.remaining,
        handoffs: &notices,
        interrupted: &interrupted,
        dead_orchestrators: &failed_work.orchestrators,
        stuck_work: &failed_work.phases_and_tasks,
        other_repos: &repo_context.summaries,
        suggestion: resumable,
    };
    let response = HookResponse {
        system_message: render_findings(&synced.found),
        context: Some(("SessionStart", briefing.render(&context.new_delimiter()))),
        watch_paths: repo_context.watch_paths,
        ..HookResponse::default()
    };
    let news = if D::IS_ON_SERVER { take_news(context) } else { Vec::new() };
    let outcome = HookOutcome {
        response,
        notes,
        after_output: Some(prune_when_due::<D>),
        ..HookOutcome::default()
    };
    Ok(outcome.with_user_lines(news))
}

/// Loads the session as it is once what waited is written, and records which database it is in.
fn load_after_drain(
    context: &HookContext,
    store: &mut dyn Store,
    drained: &mut DrainReport,
) -> Result<Option<Session>, StoreError> {
    let id = &context.payload.session;
    let stored = store.load_session(id)?;
    let lineage = match &stored {
        Some(session) => session.lineage.clone(),
        None => store.load_lineage()?,
    };
    record_session_database(&lineage, &context.run);
    if context.run.outbox().is_idle() {
        return Ok(stored);
    }
    drained.add(drain_outbox(store, &context.run));
    store.load_session(id)
}

/// Work that was in progress without a sign of life, one line each.
#[derive(Default)]
struct FailedWork {
    orchestrators: Vec<String>,
    phases_and_tasks: Vec<String>,
}

/// Fails what is in progress without a sign of life.
fn fail_silent_work(context: &HookContext, store: &mut dyn Store) -> Result<FailedWork, SyncError> {
    let actor = context.payload.session.as_str();
    let tasks = fail_stuck_tasks(store, &context.run, actor)?;
    let dead = orchestrators::clear_dead_orchestrators(store, &context.run, |_| actor.to_owned())?;
    let phases = fail_stuck_phases(store, &context.run, actor)?;
    Ok(FailedWork {
        orchestrators: dead.iter().map(DeadOrchestrator::render_line).collect(),
        phases_and_tasks: describe_stuck_work(&tasks, &phases),
    })
}

/// Registers the session, unless its registration is current.
fn register_if_needed(
    context: &HookContext,
    store: &mut dyn Store,
    stored: Option<Session>,
    source: StartSource,
) -> Result<Session, StoreError> {
    let id = &context.payload.session;
    match stored {
        Some(session) if is_registration_current(store, &session, &context.run)? => Ok(session),
        Some(_) => register_session(store, id, None, &context.run),
        None => {
            let predecessor_id = find_predecessor(store, id, source, &context.run)?;
            register_session(store, id, predecessor_id, &context.run)
        }
    }
}

/// Exports the session id to the session's Bash commands through `CLAUDE_ENV_FILE`.
fn export_session_id(context: &HookContext) -> io::Result<()> {
    let Some(path) = context.environment.path("CLAUDE_ENV_FILE") else {
        return Ok(());
    };
    let mut line = format!("export TRUEUP_SESSION_ID={}\n", context.payload.session);
    match read_bytes(&path, ENVIRONMENT_FILE.most, false) {
        Ok(bytes) if contains_line(&bytes, line.as_bytes()) => return Ok(()),
        // Without a line break at the end, the export would continue the file's last line.
        Ok(bytes) if bytes.last().is_some_and(|byte| *byte != b'\n') => line.insert(0, '\n'),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    append_to_foreign(&path, line.as_bytes(), ENV_FILE_MODE)
}

fn contains_line(bytes: &[u8], line: &[u8]) -> bool {
    bytes.windows(line.len()).any(|part| part == line)
}

/// Lists sessions of the same worktree, the latest heartbeat first.
fn list_worktree_sessions(
    store: &mut dyn Store,
    session: &Session,
    statuses: &'static [SessionStatus],
) -> Result<Vec<Session>, SyncError> {
    Ok(store.list_sessions(&SessionFilter {
        statuses,
        worktree: session.worktree.clone(),
        limit: MAX_SESSIONS,
        ..SessionFilter::default()
    })?)
}

/// Finds an item to resume for a session that holds none: its own last item, else that of its
/// predecessor, else that of the last session in this worktree.
fn find_resumable_item(
    store: &mut dyn Store,
    session: &Session,
) -> Result<Option<(String, String)>, SyncError> {
    if session.item.is_some() {
        return Ok(None);
    }
    let scope = RepoScope::Here(session.repo.clone());
    let mut candidates: Vec<Session> = Vec::new();
    if let Some(predecessor) = &session.predecessor {
        candidates.extend(store.load_session(predecessor)?);
    }
    // One query per status walks an index, however many sessions there are.
    candidates.extend(list_worktree_sessions(store, session, &[SessionStatus::Ended])?);
    candidates.extend(list_worktree_sessions(store, session, &[SessionStatus::Lost])?);
    let own_work = session.execution_state().work.item.map(|item| (item, session));
    let other_work = candidates
        .iter()
        .filter(|other| other.id != session.id)
        .filter_map(|other| Some((other.execution_state().work.item?, other)));
    for (key, from) in own_work.into_iter().chain(other_work) {
        let Ok(key) = key.parse() else { continue };
        let Some(item) = store.load_item(&key)? else {
            continue;
        };
        let is_free = item.holder.as_ref().is_none_or(|h| Some(h) == session.predecessor.as_ref());
        if is_free && !item.status.is_finished() && scope.includes(item.repo.as_deref()) {
            let work = from.execution_state().work;
            let last_task =
                work.task.or(work.phase).unwrap_or_else(|| "no task recorded".to_owned());
            let reason = format!(
                "session {} ({}) worked on it: {}",
                from.id,
                from.status,
                one_line(&last_task, MAX_EXCERPT_CHARS)
            );
            return Ok(Some((key.to_string(), reason)));
        }
    }
    Ok(None)
}

/// Answers from the local cache while the database is unreachable, and says how old it may be.
fn answer_from_cache(context: &HookContext, error: &SyncError) -> HookOutcome {
    let reason = error.to_string();
    let mut observation = observe_without_database(&context.payload.session, &reason, &context.run);
    if let (Reading::Fresh(cache), Some(replica)) =
        (&mut observation.snapshot.cache, find_replica_file(context).and_then(|file| file.read()))
    {
        // Hooks write the cache from the replica, so it is as old as that.
        cache.synced_at = cache.synced_at.min(Some(replica.pulled_at));
    }
    let policy = Policy { create_cache: false };
    let divergences = reconcile(&observation.snapshot, policy).divergences;
    let mut cache_origin = "so this is the local copy, which may be outdated".to_owned();
    let cache_text = match &observation.snapshot.cache {
        Reading::Fresh(cache) => {
            cache_origin = match &cache.session {
                Some(owner) if *owner == context.payload.session => cache_origin,
                Some(owner) => format!(
                    "and the local copy belongs to session {owner}, not to this one: it describes \
                     that session's work, which this session does not hold"
                ),
                None => "and the local copy does not say which session it belongs to".to_owned(),
            };
            let lines: Vec<String> = cache
                .fields
                .iter()
                .map(|(field, value)| match value {
                    trueup_core::model::FieldValue::Flag(flag) => {
                        format!("{}: {flag}", field.key())
                    }
                    trueup_core::model::FieldValue::Text(text) => format!(
                        "{}: {}",
                        field.key(),
                        one_line(text.as_deref().unwrap_or("none"), MAX_EXCERPT_CHARS)
                    ),
                })
                .collect();
            context.new_delimiter().wrap_lines(&lines.join("\n"))
        }
        _ => "There is no local cache either: it is unknown what this session holds.".to_owned(),
    };
    let findings = render_findings(&divergences).unwrap_or_default();
    let message = format!(
        "trueup: the database is unreachable, {cache_origin}. Do not hand off work until `trueup doctor` \
         reports that the database is back.\n{findings}\n{cache_text}"
    );
    let response = HookResponse {
        system_message: render_findings(&divergences),
        context: Some(("SessionStart", message)),
        ..HookResponse::default()
    };
    HookOutcome { response, notes: vec![render_failure(error)], ..HookOutcome::default() }
}

/// Builds an outcome of one line, which the user sees as well.
fn tell_user(line: String) -> HookOutcome {
    let response = HookResponse { system_message: Some(line.clone()), ..HookResponse::default() };
    HookOutcome { response, ..HookOutcome::from_note(line) }
}
