//! `trueup db restore`

use std::path::{Path, PathBuf};

use serde_json::json;
use trueup_core::cache::{self, CacheFile};
use trueup_core::deadline::Deadline;
use trueup_core::files::path_to_text;
use trueup_core::model::{Session, SessionId, SessionStatus};
use trueup_core::reconcile::{Code, Reading};
use trueup_core::store::sqlite::{SCHEMA_VERSION, SqliteStore};
use trueup_core::store::{SessionFilter, Store};
use trueup_core::sync::{inspect, now};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::report::Answer;

/// Most sessions whose caches are looked at.
const MOST_SESSIONS: u32 = 100;

/// What the next hook will say of a cache.
struct Forecast {
    session: SessionId,
    path: PathBuf,
    codes: Vec<Code>,
    /// Whether the database knows the session.
    is_known: bool,
}

pub(super) fn restore(desk: &Desk, path: &Path, copy: &Path) -> Result<Answer, Failure> {
    // Closed before the database is replaced, which wants it alone.
    let before = SqliteStore::open(path, desk.deadline())
        .ok()
        .and_then(|mut store| present(&mut store).ok())
        .unwrap_or_default();
    let restored = SqliteStore::restore(path, copy, now(), Deadline::after(desk.patience()))?;
    let mut store = SqliteStore::open(path, Deadline::after(desk.patience()))?;
    let mut sessions = present(&mut store)?;
    let is_new = |session: &&Session| sessions.iter().all(|known| known.id != session.id);
    let gone: Vec<Session> = before.iter().filter(is_new).cloned().collect();
    sessions.extend(gone);
    let mut forecasts = Vec::new();
    for session in &sessions {
        if desk.is_within_reach(session) {
            forecasts.extend(forecast(desk, &mut store, session)?);
        }
    }
    let waiting = desk.site.outbox().waiting().unwrap_or_default().len();

    let mut text = vec![format!(
        "restored {} from {}, lineage {}",
        restored.path.display(),
        copy.display(),
        restored.lineage.short()
    )];
    if restored.schema < SCHEMA_VERSION {
        text.push(format!(
            "migrated its schema from {} to {SCHEMA_VERSION}",
            restored.schema
        ));
    }
    text.push(match &restored.aside {
        Some(aside) => format!("the old database is kept as {}", aside.display()),
        None => "there was no database before".to_owned(),
    });
    text.extend(forecasts.iter().map(line));
    if waiting > 0 {
        text.push(format!(
            "{waiting} writes are waiting in the outbox; the next hook sends them"
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
        "kept_as": restored.aside.as_deref().map(path_to_text),
        "caches": caches,
        "outbox": {"waiting": waiting},
    });
    Ok(Answer::new(text, data))
}

fn present(store: &mut SqliteStore) -> Result<Vec<Session>, Failure> {
    Ok(store.sessions(&SessionFilter {
        statuses: SessionStatus::PRESENT,
        limit: MOST_SESSIONS,
        ..SessionFilter::default()
    })?)
}

/// Looks what differs between a session's cache and the database as it is now; nothing when they
/// agree.
fn forecast(
    desk: &Desk,
    store: &mut SqliteStore,
    session: &Session,
) -> Result<Option<Forecast>, Failure> {
    let site = desk.site_of(session);
    let id = session.id.clone();
    let Some(known) = store.session(&id)? else {
        return Ok(unknown_to_database(&site.project.dir, id));
    };
    let (_, observation, decision) = inspect(store, known, &[], &site)?;
    // Surroundings and git are no news of the restoration.
    let codes: Vec<Code> = decision
        .divergences
        .iter()
        .map(|divergence| divergence.code)
        .filter(|code| *code <= Code::S11 && *code != Code::S05)
        .collect();
    Ok((!codes.is_empty()).then_some(Forecast {
        session: id,
        path: observation.file.path,
        codes,
        is_known: true,
    }))
}

/// The cache of a session that began after the copy was made: it registers anew, and then its
/// cache is ahead.
fn unknown_to_database(project: &Path, session: SessionId) -> Option<Forecast> {
    let own = cache::own_path(project, &session);
    [own, cache::shared_path(project)]
        .into_iter()
        .find(|path| match CacheFile::read(path).document {
            Reading::Fresh(document) => document.session().as_ref() == Some(&session),
            _ => false,
        })
        .map(|path| Forecast {
            session,
            path,
            codes: vec![Code::S09, Code::S11],
            is_known: false,
        })
}

fn line(forecast: &Forecast) -> String {
    let codes: Vec<&str> = forecast.codes.iter().map(|code| code.as_str()).collect();
    let kept = if forecast.codes.contains(&Code::S11) {
        "; newer content is kept in the journal"
    } else {
        ""
    };
    let anew = if forecast.is_known {
        ""
    } else {
        " registers anew, and"
    };
    format!(
        "session {}{anew} will be told {} of {}{kept}",
        forecast.session,
        codes.join(", "),
        forecast.path.display()
    )
}
