//! `trueup status`

use serde_json::{Value, json};
use trueup_core::files::path_to_text;
use trueup_core::model::{Item, Session, SessionStatus};
use trueup_core::reconcile::{CacheReading, DatabaseReading, Reading};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{SessionFilter, Store as _};
use trueup_core::sync::{Observation, observe};
use trueup_core::text::one_line;

use super::or_none;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::json;
use crate::report::Answer;

/// Longest task shown, in characters.
const LONGEST: usize = 200;

pub(super) fn run(desk: &Desk, all: bool) -> Result<Answer, Failure> {
    let mut store = desk.open()?;
    if all {
        return super::sessions::list(
            desk,
            &mut store,
            &SessionFilter {
                statuses: SessionStatus::PRESENT,
                ..SessionFilter::default()
            },
        );
    }
    let session = desk.session(&mut store)?;
    of(desk, &mut store, &session)
}

/// Answers for one session.
pub(super) fn of(
    desk: &Desk,
    store: &mut SqliteStore,
    session: &Session,
) -> Result<Answer, Failure> {
    let item = match &session.item {
        Some(key) => store.item(key)?,
        None => None,
    };
    let site = desk.site_of(session);
    let observation = observe(store, session, &[], &site)?;
    let snapshot = &observation.snapshot;
    let vitality = json::vitality(session, &site);
    let (state, age) = cache_state(&observation);
    let data = json!({
        "session": json::session(session, &vitality),
        "item": item.as_ref().map(json::item),
        "cache": {"path": path_to_text(&observation.file.path), "state": state, "age_seconds": age},
        "outbox": {"waiting": snapshot.outbox.waiting, "oldest_at": snapshot.outbox.oldest_at},
    });
    let mut text = lines(
        session,
        item.as_ref(),
        &format!("{} ({})", vitality.alive.as_str(), vitality.witness),
    );
    let age = age
        .as_u64()
        .map_or(String::new(), |age| format!(", {age} s old"));
    text.push(format!(
        "cache    {state}{age}, {}",
        path_to_text(&observation.file.path)
    ));
    if snapshot.outbox.waiting > 0 {
        let elsewhere = match snapshot.outbox.elsewhere {
            0 => String::new(),
            count => format!(", {count} of them for another database"),
        };
        let waiting = snapshot.outbox.waiting;
        text.push(format!("outbox   {waiting} writes waiting{elsewhere}"));
    }
    Ok(Answer::new(text, data))
}

fn lines(session: &Session, item: Option<&Item>, alive: &str) -> Vec<String> {
    let work = session.execution_state().work;
    let clean = |text: Option<&str>| text.map_or("none".to_owned(), |t| one_line(t, LONGEST));
    let holds = match item {
        None => "none".to_owned(),
        Some(item) => format!(
            "{}, epoch {}, since {}{}",
            item.key,
            item.epoch,
            session
                .claimed_at
                .map_or("?".to_owned(), |at| at.to_string()),
            item.title
                .as_deref()
                .map_or(String::new(), |t| format!(", {}", one_line(t, LONGEST)))
        ),
    };
    let flag = |on: bool| if on { "on" } else { "off" };
    let mut lines = vec![
        format!("session  {} ({}), {alive}", session.id, session.status),
        format!("item     {holds}"),
        format!("phase    {}", clean(work.phase.as_deref())),
        format!("task     {}", clean(work.task.as_deref())),
        format!("branch   {}", clean(session.branch())),
        format!(
            "where    {} on {}",
            or_none(session.worktree.as_deref()),
            or_none(session.host.as_deref())
        ),
        format!(
            "flags    auto-proceed {}, chain-orchestrators {}",
            flag(work.auto_proceed),
            flag(work.chain_orchestrators)
        ),
        format!("revision {}", session.revision),
    ];
    if work.was_interrupted {
        lines.push("interrupted; resume with `trueup resume`".to_owned());
    }
    lines
}

/// Returns the word of the contract for the cache, and its age in seconds.
fn cache_state(observation: &Observation) -> (&'static str, Value) {
    let snapshot = &observation.snapshot;
    match (&snapshot.cache, &snapshot.database) {
        (Reading::Missing, _) => ("missing", Value::Null),
        (Reading::Fresh(cache), Reading::Fresh(database)) => {
            let age = cache.synced_at.map(|at| snapshot.now.seconds_since(at));
            (word(cache, database), json!(age))
        }
        _ => ("corrupt", Value::Null),
    }
}

fn word(cache: &CacheReading, database: &DatabaseReading) -> &'static str {
    let expected = database.projection();
    let differs = cache
        .fields
        .iter()
        .any(|(field, value)| expected.get(*field) != *value);
    match &cache.lineage {
        Some(lineage) if *lineage != database.lineage => "foreign",
        _ if differs || !cache.edited.is_empty() || !cache.is_stamped() => "edited",
        _ => "fresh",
    }
}
