//! What commands show of sessions: one with its cache, or a list.

use serde_json::{Value, json};
use trueup_core::model::{Item, ItemKey, Session};
use trueup_core::reconcile::{CacheReading, DatabaseReading, Reading};
use trueup_core::store::{HookStore, SessionFilter, Store};
use trueup_core::sync::{Observation, observe_session};
use trueup_core::text::{one_line, path_to_text, pluralize};
use trueup_core::views::{ItemView, SessionView};

use super::cells;
use super::value_text::or_none;
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::output::Output;
use crate::page::{Cell, Column, Line, Table, Tone};
use crate::views;

/// Longest task shown, in characters.
const MAX_TASK_CHARS: usize = 200;

/// Lists the sessions that match a filter.
pub(super) fn list_sessions(
    context: &CommandContext,
    store: &mut dyn Store,
    filter: &SessionFilter,
) -> CommandResult {
    let sessions = store.list_sessions(filter)?;
    let columns = [
        Column::id("SESSION"),
        Column::word("STATUS"),
        Column::word("ALIVE"),
        Column::key("ITEM"),
        Column::word("SEEN").optional(),
        Column::path("WHERE").optional(),
        Column::word("HOST").optional(),
    ];
    let mut table = Table::new(columns, []);
    let mut rows = Vec::new();
    for session in &sessions {
        let vitality = views::assess_liveness(session, &context.run);
        table.push([
            session.id.as_str().into(),
            cells::session_status(session),
            cells::liveness(vitality.state),
            Cell::optional(session.item.as_ref().map(ItemKey::as_str)),
            Cell::faint(context.times.render(session.heartbeat_at)),
            Cell::optional(session.worktree.as_deref()),
            Cell::optional(session.host.as_deref()),
        ]);
        rows.push(SessionView::new(session, &vitality));
    }
    Ok(Output::table(
        table,
        "no sessions; one is registered when Claude Code starts with the plugin",
        json!({"sessions": rows}),
    ))
}

/// Builds the output for one session.
pub(super) fn build_session_output(
    context: &CommandContext,
    store: &mut dyn HookStore,
    session: &Session,
) -> CommandResult {
    let item = match &session.item {
        Some(key) => store.load_item(key)?,
        None => None,
    };
    let run_context = context.run_context_of(session);
    let observation = observe_session(store, session, &[], &run_context)?;
    let snapshot = &observation.snapshot;
    let vitality = views::assess_liveness(session, &run_context);
    let (state, age) = describe_cache(&observation);
    let unreadable_reason = match &snapshot.cache {
        Reading::Unavailable(reason) => format!(": {}", one_line(reason, MAX_TASK_CHARS)),
        _ => String::new(),
    };
    let data = json!({
        "session": SessionView::new(session, &vitality),
        "item": item.as_ref().map(ItemView::from),
        "cache": {"path": path_to_text(&observation.file.path), "state": state, "age_seconds": age},
        "outbox": {"waiting": snapshot.outbox.waiting, "oldest_at": snapshot.outbox.oldest_at},
    });
    let mut text = render_session(
        context,
        session,
        item.as_ref(),
        &format!("{} ({})", vitality.state.as_str(), vitality.evidence),
    );
    let age = age.as_u64().map_or(String::new(), |age| format!(", {age} s old"));
    text.push(match unreadable_reason.as_str() {
        "" => Line::field(
            "cache",
            Line::new(cache_tone(state), state)
                .and(format!("{age}, {}", path_to_text(&observation.file.path))),
        ),
        // The reason begins with the path.
        reason => Line::field("cache", Line::new(Tone::Error, state).and(reason)),
    });
    if snapshot.outbox.waiting > 0 {
        let elsewhere = match snapshot.outbox.for_other_databases {
            0 => String::new(),
            count => format!(", {count} of them for another database"),
        };
        let waiting = snapshot.outbox.waiting;
        let writes = pluralize(waiting, "write", "writes");
        text.push(Line::field("outbox", format!("{writes} waiting{elsewhere}")));
    }
    Ok(Output::page(text, data))
}

fn cache_tone(state: &str) -> Tone {
    if state == "fresh" { Tone::Good } else { Tone::Warning }
}

fn render_session(
    context: &CommandContext,
    session: &Session,
    item: Option<&Item>,
    alive: &str,
) -> Vec<Line> {
    let work = session.execution_state().work;
    let clean =
        |text: Option<&str>| text.map_or("none".to_owned(), |t| one_line(t, MAX_TASK_CHARS));
    let holds = match item {
        None => "none".to_owned(),
        Some(item) => format!(
            "{}, epoch {}, since {}{}",
            item.key,
            item.epoch,
            session.claimed_at.map_or("?".to_owned(), |at| context.times.render(at)),
            item.title
                .as_deref()
                .map_or(String::new(), |t| format!(", {}", one_line(t, MAX_TASK_CHARS)))
        ),
    };
    let flag = |on: bool| if on { "on" } else { "off" };
    let mut lines = vec![
        Line::field("session", format!("{} ({}), {alive}", session.id, session.status)),
        Line::field("item", holds),
        Line::field("phase", clean(work.phase.as_deref())),
        Line::field("task", clean(work.task.as_deref())),
        Line::field("branch", clean(session.branch())),
        Line::field(
            "where",
            format!(
                "{} on {}",
                or_none(session.worktree.as_deref()),
                or_none(session.host.as_deref())
            ),
        ),
        Line::field(
            "flags",
            format!(
                "auto-proceed {}, chain-orchestrators {}",
                flag(work.auto_proceed),
                flag(work.chain_orchestrators)
            ),
        ),
        Line::field("revision", session.revision.to_string()),
    ];
    lines.extend(render_quiet_period(context, session).map(Line::from));
    if work.was_interrupted {
        lines.push(Line::new(Tone::Warning, "interrupted; resume with `trueup resume`"));
    }
    lines
}

/// Renders the quiet period that a session announced, while it lasts.
pub(super) fn render_quiet_period(context: &CommandContext, session: &Session) -> Option<String> {
    let until = session.silent_until.filter(|_| session.quiet_seconds_left() > 0)?;
    let at = context.times.render(until);
    let word = if context.times.is_relative() { "ends" } else { "until" };
    Some(format!("quiet period {word} {at}"))
}

/// Returns the state of the cache, as printed in JSON, and its age in seconds.
fn describe_cache(observation: &Observation) -> (&'static str, Value) {
    let snapshot = &observation.snapshot;
    match (&snapshot.cache, &snapshot.database) {
        (Reading::Missing, _) => ("missing", Value::Null),
        (Reading::Fresh(cache), Reading::Fresh(database)) => {
            let age = cache.synced_at.map(|at| snapshot.now.seconds_since(at));
            (classify_cache(cache, database), json!(age))
        }
        (Reading::Unavailable(_), _) => ("unreadable", Value::Null),
        _ => ("corrupt", Value::Null),
    }
}

fn classify_cache(cache: &CacheReading, database: &DatabaseReading) -> &'static str {
    let expected = database.expected_work_state();
    let differs = cache.fields.iter().any(|(field, value)| expected.get(*field) != *value);
    match &cache.lineage {
        Some(lineage) if *lineage != database.lineage => "foreign",
        _ if !cache.edited.is_empty() || !cache.is_stamped() => "edited",
        // Nobody changed the file, so the database changed and the file could not be written.
        _ if differs => "outdated",
        _ => "fresh",
    }
}
