//! Where the work stands, in three lines.

use trueup_core::model::{Item, LivenessState, NextItem, Session, SessionStatus};
use trueup_core::store::{NextItemQuery, SessionFilter, Store};
use trueup_core::text::{one_line, pluralize};

use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::views;

/// Longest title or task shown, in characters.
const MAX_TEXT_CHARS: usize = 60;

/// Longest phase shown, in characters.
const MAX_PHASE_CHARS: usize = 20;

/// Most items named that others hold.
const MAX_KEYS: usize = 5;

/// Where the work stands.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// One line for each thing.
    pub(super) lines: Vec<String>,
    /// Why it is not known.
    pub(super) warning: Option<String>,
}

/// Describes where the work stands. An agent needs the rest of the text also while the database
/// cannot be used.
pub(super) fn describe_standing(context: &CommandContext) -> Standing {
    match read_standing(context) {
        Ok(lines) => Standing { lines, warning: None },
        Err(error) => {
            let hint = error.render_hint(&context.caller_flags);
            Standing {
                lines: vec!["Where the work stands is not known: no database.".to_owned()],
                warning: Some(format!("{}; {hint}", error.full_message())),
            }
        }
    }
}

fn read_standing(context: &CommandContext) -> CommandResult<Vec<String>> {
    let store = &mut *context.open_for_reading()?;
    let session = context.find_viewer_session(store)?;
    let held = match session.as_ref().and_then(|session| session.item.as_ref()) {
        Some(key) => store.load_item(key)?,
        None => None,
    };
    let mut lines = vec![describe_session(session.as_ref(), held.as_ref())];
    if held.is_none() {
        lines.push(describe_next(context, store, session.as_ref())?);
    }
    lines.push(describe_others(context, store, session.as_ref())?);
    Ok(lines)
}

fn describe_session(session: Option<&Session>, held: Option<&Item>) -> String {
    let Some(session) = session else {
        return "No session of this directory is registered.".to_owned();
    };
    let Some(item) = held else {
        return format!("Session {} holds no item.", session.id);
    };
    let work = session.execution_state().work;
    let phase = work.phase.as_deref().unwrap_or("none");
    let task = work.task.as_deref().unwrap_or("none");
    format!(
        "Session {} holds {}; phase {}, task: {}",
        session.id,
        name_item(item),
        one_line(phase, MAX_PHASE_CHARS),
        one_line(task, MAX_TEXT_CHARS)
    )
}

fn describe_next(
    context: &CommandContext,
    store: &mut dyn Store,
    session: Option<&Session>,
) -> CommandResult<String> {
    let scope = context.repo_scope(store, session, false)?;
    let session = session.map(|session| session.id.clone());
    Ok(match store.find_next_item(&NextItemQuery { session, parent: None, scope })? {
        NextItem::Offer { item, .. } => format!("Next ready item: {}.", name_item(&item)),
        _ => "No item is ready.".to_owned(),
    })
}

fn describe_others(
    context: &CommandContext,
    store: &mut dyn Store,
    session: Option<&Session>,
) -> CommandResult<String> {
    let present =
        SessionFilter { statuses: SessionStatus::PRESENT.to_vec(), ..SessionFilter::default() };
    let mut others = store.list_sessions(&present)?;
    others.retain(|other| Some(&other.id) != session.map(|session| &session.id));
    others.retain(|other| views::assess_liveness(other, &context.run).state != LivenessState::Dead);
    let held: Vec<&str> =
        others.iter().filter_map(|other| Some(other.item.as_ref()?.as_str())).collect();
    let shown = held.iter().take(MAX_KEYS).copied().collect::<Vec<_>>().join(", ");
    let more = if held.len() > MAX_KEYS { ", …" } else { "" };
    let sessions = pluralize(others.len(), "other session", "other sessions");
    Ok(match (others.len(), held.len()) {
        (0, _) => "No other session is live.".to_owned(),
        (_, 0) => format!("{sessions} live, holding nothing."),
        _ => format!("{sessions} live, holding {shown}{more}."),
    })
}

fn name_item(item: &Item) -> String {
    match item.title.as_deref() {
        Some(title) => format!("{} ({})", item.key, one_line(title, MAX_TEXT_CHARS)),
        None => item.key.to_string(),
    }
}
