//! `session-start-sync`: the database to the cache to the model.

use std::io::{self, ErrorKind};

use trueup_core::bounds::ENVIRONMENT_FILE;
use trueup_core::claims::take_back;
use trueup_core::files::{append_to_theirs, read_bytes};
use trueup_core::hook::{Event, Prompt, Response, Source};
use trueup_core::model::{RepoScope, Session, SessionStatus};
use trueup_core::orchestrators;
use trueup_core::reconcile::{Code, Policy, Reading, reconcile};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{HandoffStore as _, Heartbeat, SessionFilter, Store as _, StoreError};
use trueup_core::sync::{
    Briefing, Drained, News, SyncError, drain, fail_stuck, fail_stuck_tasks, handed_on,
    is_known_by_name_alone, is_registered_as_is, observe_without_database, predecessor,
    reassertion, register, remember_database, stuck_lines, sweep, true_up,
};
use trueup_core::text::one_line;

use crate::call::{lines, not_mended, users_own};
use crate::spill::keep_resumed;
use crate::state::look_around;
use crate::tidy::tidy;
use crate::{Call, Outcome, untold};

/// Most sessions of a worktree looked at for company and for work to go on with.
const NEIGHBOURS: u32 = 8;

/// Permission bits of one that trueup makes: a shell runs what stands in it.
const ENVIRONMENT_MODE: u32 = 0o600;

/// Longest text of another session shown in an offer, in characters.
const EXCERPT: usize = 120;

/// Answers `SessionStart` and `UserPromptSubmit`.
pub fn handle(call: &Call) -> Outcome {
    match &call.payload.event {
        Event::SessionStart(source) => start(call, *source),
        Event::Prompt(Prompt::User) => prompt(call),
        _ => Outcome::default(),
    }
}

fn start(call: &Call, source: Source) -> Outcome {
    let environment = export_session(call);
    let mut sent = Drained::default();
    let mut outcome = match try_start(call, source, &mut sent) {
        Ok(outcome) => outcome,
        Err(error) => {
            sent.tally.waits = !call.site.outbox().is_idle();
            degraded(call, &error.to_string())
        }
    };
    if sent.tally.waits {
        outcome.notes.extend(keep_resumed(call));
    }
    let mut told = sent.lines(&call.site, Some(&call.payload.session));
    told.extend(sent.stays());
    let outcome = outcome.telling(told);
    let mut outcome = outcome.telling(untold::take(call));
    if let Err(error) = environment {
        outcome.notes.push(format!(
            "trueup: CLAUDE_ENV_FILE cannot be written: {error}"
        ));
    }
    outcome
}

fn try_start(call: &Call, source: Source, sent: &mut Drained) -> Result<Outcome, SyncError> {
    let mut store = call.open_or_create()?;
    remember_database(&mut store, &call.site)?;
    sent.add(drain(&mut store, &call.site));
    let id = &call.payload.session;
    let known = store.session(id)?;
    let ended = known
        .as_ref()
        .is_some_and(|session| session.status == SessionStatus::Ended);
    let session = match known {
        Some(session) if is_registered_as_is(&mut store, &session, &call.site)? => session,
        Some(_) => register(&mut store, id, None, &call.site)?,
        None => {
            let before = predecessor(&mut store, id, source, &call.site)?;
            register(&mut store, id, before, &call.site)?
        }
    };
    let parked = sweep(&mut store, &call.site, id.as_str())?;
    let session =
        if ended && source == Source::Resume && take_back(&mut store, &session, &call.site)? {
            store.session(id)?.unwrap_or(session)
        } else {
            session
        };
    let (mut died, mut stuck) = (Vec::new(), Vec::new());
    if store.is_anything_underway()? {
        let tasks = fail_stuck_tasks(&mut store, &call.site, id.as_str())?;
        died = orchestrators::clear(&mut store, &call.site, |_| id.to_string())?;
        let phases = fail_stuck(&mut store, &call.site, id.as_str())?;
        stuck = stuck_lines(&tasks, &phases);
    }
    let company = neighbours(&mut store, &session, SessionStatus::PRESENT)?;
    let synced = true_up(&mut store, session, &company, &call.site)?;
    let session = &synced.session;
    if session.acknowledged != session.revision {
        store.acknowledge(id, session.revision)?;
    }
    let title = title(&mut store, session)?;
    let offer = offer(&mut store, session)?;
    let handed = handed(&mut store, session, true)?;
    let around = look_around(call, &mut store, session)?;
    let briefing = Briefing {
        session,
        title: title.as_deref(),
        found: &synced.found,
        remaining: &synced.remaining,
        handed: &handed,
        parked: &parked,
        died: &died,
        stuck: &stuck,
        neighbours: &around.neighbours,
        offer,
    };
    let response = Response {
        system_message: lines(&synced.found),
        context: Some(("SessionStart", briefing.text(&call.fence()))),
        watch_paths: around.watch_paths,
        ..Response::default()
    };
    Ok(Outcome {
        response,
        notes: not_mended(&synced.problems),
        afterwards: Some(tidy),
        ..Outcome::default()
    })
}

/// Tells Bash commands of this session whom they speak for.
fn export_session(call: &Call) -> io::Result<()> {
    let Some(path) = call.environment.path("CLAUDE_ENV_FILE") else {
        return Ok(());
    };
    let mut line = format!("export TRUEUP_SESSION_ID={}\n", call.payload.session);
    match read_bytes(&path, ENVIRONMENT_FILE.most, false) {
        Ok(bytes) if contains(&bytes, line.as_bytes()) => return Ok(()),
        // Another's last line may lack its end, and would be continued by this one.
        Ok(bytes) if bytes.last().is_some_and(|byte| *byte != b'\n') => line.insert(0, '\n'),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    append_to_theirs(&path, line.as_bytes(), ENVIRONMENT_MODE)
}

fn contains(bytes: &[u8], line: &[u8]) -> bool {
    bytes.windows(line.len()).any(|part| part == line)
}

/// Lists sessions of the same worktree, the latest sign of life first.
fn neighbours(
    store: &mut SqliteStore,
    session: &Session,
    statuses: &'static [SessionStatus],
) -> Result<Vec<Session>, SyncError> {
    Ok(store.sessions(&SessionFilter {
        statuses,
        worktree: session.worktree.clone(),
        limit: NEIGHBOURS,
        ..SessionFilter::default()
    })?)
}

/// Finds work to go on with, for a session that holds nothing: what it did itself, else what
/// the session before it did, else the last one here.
fn offer(
    store: &mut SqliteStore,
    session: &Session,
) -> Result<Option<(String, String)>, SyncError> {
    if session.item.is_some() {
        return Ok(None);
    }
    let scope = RepoScope::Here(session.repo.clone());
    let mut others: Vec<Session> = Vec::new();
    if let Some(before) = &session.predecessor {
        others.extend(store.session(before)?);
    }
    // A status at a time: so each is a walk along an index, however many sessions there were.
    others.extend(neighbours(store, session, &[SessionStatus::Ended])?);
    others.extend(neighbours(store, session, &[SessionStatus::Lost])?);
    let own = session
        .execution_state()
        .work
        .item
        .map(|item| (item, session));
    let theirs = others
        .iter()
        .filter(|other| other.id != session.id)
        .filter_map(|other| Some((other.execution_state().work.item?, other)));
    for (key, from) in own.into_iter().chain(theirs) {
        let Ok(key) = key.parse() else { continue };
        let Some(item) = store.item(&key)? else {
            continue;
        };
        let free = item
            .holder
            .as_ref()
            .is_none_or(|h| Some(h) == session.predecessor.as_ref());
        if free && !item.status.is_finished() && scope.includes(item.repo.as_deref()) {
            let work = from.execution_state().work;
            let doing = work
                .task
                .or(work.phase)
                .unwrap_or_else(|| "no task recorded".to_owned());
            let why = format!(
                "session {} ({}) worked on it: {}",
                from.id,
                from.status,
                one_line(&doing, EXCERPT)
            );
            return Ok(Some((key.to_string(), why)));
        }
    }
    Ok(None)
}

/// Answers from the dated cache while the database cannot be asked.
fn degraded(call: &Call, reason: &str) -> Outcome {
    let observation = observe_without_database(&call.payload.session, reason, &call.site);
    let policy = Policy {
        create_cache: false,
    };
    let found = reconcile(&observation.snapshot, policy).divergences;
    let mut whose = "so this is the local copy, which may be outdated".to_owned();
    let state = match &observation.snapshot.cache {
        Reading::Fresh(cache) => {
            whose = match &cache.session {
                Some(owner) if *owner == call.payload.session => whose,
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
                    trueup_core::model::Value::Flag(flag) => format!("{}: {flag}", field.key()),
                    trueup_core::model::Value::Text(text) => format!(
                        "{}: {}",
                        field.key(),
                        one_line(text.as_deref().unwrap_or("none"), EXCERPT)
                    ),
                })
                .collect();
            call.fence().lines(&lines.join("\n"))
        }
        _ => "There is no local cache either: it is unknown what this session holds.".to_owned(),
    };
    let said = lines(&found).unwrap_or_default();
    let context = format!(
        "trueup: the database is unreachable, {whose}. Do not hand off work until `trueup doctor` \
         reports that the database is back.\n{said}\n{state}"
    );
    let response = Response {
        system_message: lines(&found),
        context: Some(("SessionStart", context)),
        ..Response::default()
    };
    Outcome {
        response,
        notes: vec![format!("trueup: {reason}")],
        ..Outcome::default()
    }
}

fn prompt(call: &Call) -> Outcome {
    let mut sent = Drained::default();
    let outcome = match try_prompt(call, &mut sent) {
        Ok(outcome) => outcome,
        // The next prompt asks again; a user who types is not to be bothered each time.
        Err(error) => Outcome::note(format!("trueup: {error}")),
    };
    outcome.telling(sent.lines(&call.site, Some(&call.payload.session)))
}

fn try_prompt(call: &Call, sent: &mut Drained) -> Result<Outcome, SyncError> {
    let mut store = match call.open() {
        // Only a start makes a database.
        Err(StoreError::Missing(_)) if !call.was_synced() => return Ok(Outcome::default()),
        other => other?,
    };
    sent.add(drain(&mut store, &call.site));
    let id = &call.payload.session;
    let known = store.session(id)?;
    let Some(mut session) = known.filter(|it| !is_known_by_name_alone(it)) else {
        // The start was missed, so its model knows nothing yet.
        return try_start(call, Source::Startup, sent).map(|mut outcome| {
            if let Some((event, _)) = &mut outcome.response.context {
                *event = "UserPromptSubmit";
            }
            outcome
        });
    };
    let renewal = call.site.settings.renewal_seconds();
    let due = session.renewal_is_due(renewal) || !session.status.is_present();
    let is_late = session.status == SessionStatus::Ended && call.site.client_is_gone();
    if is_late {
        // Its client was closed meanwhile, which brings nobody back.
    } else if due || session.status != SessionStatus::Active {
        store.heartbeat(&Heartbeat {
            session: id.clone(),
            lease_seconds: due.then_some(call.site.settings.lease_seconds),
            status: Some(SessionStatus::Active),
            span_seconds: None,
        })?;
        session.status = SessionStatus::Active;
    }
    let synced = true_up(&mut store, session, &[], &call.site)?;
    let session = &synced.session;
    // As it is now: what changed while this hook was at work must be told too.
    let untold = session.revision > session.acknowledged;
    if untold {
        store.acknowledge(id, session.revision)?;
    }
    let mut told = users_own(synced.mended_findings());
    let mut response = Response::default();
    if untold {
        let lost = synced.remaining.iter().find(|d| d.code == Code::S13);
        told.extend(lost.cloned());
        let title = title(&mut store, session)?;
        let line = lost.map(|d| d.message.as_str());
        let fence = call.fence();
        let mut text = reassertion(session, title.as_deref(), line, &fence);
        // Looked for once the revision counts as told: what is handed on from now on makes
        // the next prompt look again.
        let handed = handed(&mut store, session, false)?;
        if !handed.is_empty() {
            text = format!("{text}\n{}", handed_on(&handed, &fence));
        }
        response.context = Some(("UserPromptSubmit", text));
    }
    response.system_message = lines(&told);
    Ok(Outcome {
        response,
        notes: not_mended(&synced.problems),
        ..Outcome::default()
    })
}

/// Returns the title of the item held.
fn title(store: &mut SqliteStore, session: &Session) -> Result<Option<String>, StoreError> {
    Ok(match &session.item {
        Some(key) => store.item_title(key)?,
        None => None,
    })
}

/// Returns what the session's model is told of hand-offs, which then counts as told.
fn handed(
    store: &mut SqliteStore,
    session: &Session,
    starts: bool,
) -> Result<Vec<News>, StoreError> {
    let news = store.handoff_news(&session.id, starts)?;
    for (_, handoff) in news.iter().filter(|(_, handoff)| handoff.is_unread()) {
        store.note_handoff_told(handoff)?;
    }
    Ok(news)
}
