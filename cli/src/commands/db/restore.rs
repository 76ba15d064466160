//! `trueup db restore`: replacing the database by a copy, and telling which caches will differ.

use std::path::{Path, PathBuf};

use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::output::Output;
use serde_json::json;
use trueup_core::cache::{self, CacheFile};
use trueup_core::deadline::Deadline;
use trueup_core::diagnostic::Code;
use trueup_core::model::{Session, SessionId, SessionStatus};
use trueup_core::reconcile::Reading;
use trueup_core::store::SCHEMA_VERSION;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{SessionFilter, Store};
use trueup_core::sync::{now, observe_and_decide};
use trueup_core::text::{path_to_text, pluralize};

/// Most sessions whose caches are inspected.
const MAX_SESSIONS_INSPECTED: u32 = 100;

/// The findings that the next hook will report on a cache.
struct CacheForecast {
    session: SessionId,
    path: PathBuf,
    codes: Vec<Code>,
    /// Whether the session is registered.
    is_known: bool,
}

pub(super) fn cmd_restore(context: &CommandContext, copy: &Path) -> CommandResult {
    let path = context.sqlite_file()?;
    // This connection is closed before the restore, which requires exclusive access.
    let previous_sessions = SqliteStore::open(path, context.deadline())
        .ok()
        .and_then(|mut store| list_present_sessions(&mut store).ok())
        .unwrap_or_default();
    let restored = SqliteStore::restore(path, copy, now(), Deadline::after(context.patience()))?;
    let mut store = SqliteStore::open(path, Deadline::after(context.patience()))?;
    let mut sessions = list_present_sessions(&mut store)?;
    let is_new = |session: &&Session| sessions.iter().all(|known| known.id != session.id);
    let removed_sessions: Vec<Session> = previous_sessions.iter().filter(is_new).cloned().collect();
    sessions.extend(removed_sessions);
    let mut forecasts = Vec::new();
    for session in &sessions {
        if context.is_within_reach(session) {
            forecasts.extend(forecast_cache(context, &mut store, session)?);
        }
    }
    let waiting_writes = context.run.outbox().list_waiting().unwrap_or_default().len();

    let mut text = vec![format!(
        "restored {} from {}, lineage {}",
        restored.path.display(),
        copy.display(),
        restored.lineage.short()
    )];
    if restored.schema < SCHEMA_VERSION {
        text.push(format!("migrated its schema from {} to {SCHEMA_VERSION}", restored.schema));
    }
    text.push(match &restored.replaced_path {
        Some(aside) => format!("the old database is kept as {}", aside.display()),
        None => "there was no database before".to_owned(),
    });
    text.extend(forecasts.iter().map(render_forecast));
    if waiting_writes > 0 {
        text.push(format!(
            "{} waiting in the outbox; the next hook sends what can be sent",
            pluralize(waiting_writes, "write is", "writes are")
        ));
    }
    let caches: Vec<_> = forecasts
        .iter()
        .map(|forecast| {
            json!({
                "session_id": forecast.session, "path": path_to_text(&forecast.path),
                "known": forecast.is_known, "codes": forecast.codes,
            })
        })
        .collect();
    let data = json!({
        "path": path_to_text(&restored.path),
        "from": path_to_text(copy),
        "lineage": restored.lineage,
        "schema": {"from": restored.schema, "to": SCHEMA_VERSION},
        "kept_as": restored.replaced_path.as_deref().map(path_to_text),
        "caches": caches,
        "outbox": {"waiting": waiting_writes},
    });
    Ok(Output::new(text, data))
}

fn list_present_sessions(store: &mut dyn Store) -> CommandResult<Vec<Session>> {
    Ok(store.list_sessions(&SessionFilter {
        statuses: SessionStatus::PRESENT.to_vec(),
        limit: MAX_SESSIONS_INSPECTED,
        ..SessionFilter::default()
    })?)
}

/// Compares the cache of a session with the restored database; absent when they agree.
fn forecast_cache(
    context: &CommandContext,
    store: &mut dyn Store,
    session: &Session,
) -> CommandResult<Option<CacheForecast>> {
    let run_context = context.run_context_of(session);
    let id = session.id.clone();
    let Some(session) = store.load_session(&id)? else {
        return Ok(forecast_unknown_session(&run_context.project.dir, id));
    };
    let (_, observation, decision) = observe_and_decide(store, session, &[], &run_context)?;
    // Findings on the environment and on git are not caused by the restore.
    let codes: Vec<Code> = decision
        .divergences
        .iter()
        .map(|divergence| divergence.code)
        .filter(|code| *code <= Code::EditRejected && *code != Code::BranchNamesOtherItem)
        .collect();
    Ok((!codes.is_empty()).then_some(CacheForecast {
        session: id,
        path: observation.file.path,
        codes,
        is_known: true,
    }))
}

/// Finds the cache of a session that is not in the copy. It will register again, and its cache will
/// be ahead.
fn forecast_unknown_session(project: &Path, session: SessionId) -> Option<CacheForecast> {
    let own_path = cache::session_cache_path(project, &session);
    [own_path, cache::shared_cache_path(project)]
        .into_iter()
        .find(|path| match CacheFile::read(path).document {
            Reading::Fresh(document) => document.session().as_ref() == Some(&session),
            _ => false,
        })
        .map(|path| CacheForecast {
            session,
            path,
            codes: vec![Code::CacheFromOtherDatabase, Code::EditRejected],
            is_known: false,
        })
}

fn render_forecast(forecast: &CacheForecast) -> String {
    let codes: Vec<&str> = forecast.codes.iter().map(|code| code.as_str()).collect();
    let journal_text = if forecast.codes.contains(&Code::EditRejected) {
        "; newer content is kept in the journal"
    } else {
        ""
    };
    let registration_text = if forecast.is_known { "" } else { " registers it again and" };
    format!(
        "the next hook of {}{registration_text} reports {} for {}{journal_text}",
        forecast.session,
        codes.join(", "),
        forecast.path.display()
    )
}
