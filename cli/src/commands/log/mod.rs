//! `trueup log`: listing, filtering and following events.

mod arguments;
mod change_text;
mod difference;
mod event_scope;
mod filters;
mod sentence;
mod story;

use std::time::Duration;

use serde_json::json;
use trueup_core::model::{EventFilter, EventOrder, RepoScope};
use trueup_core::store::SessionFilter;
use trueup_core::views::EventView;

pub(super) use self::arguments::LogArgs;
pub(super) use self::difference::{describe_kind, render_author, render_difference};
use self::event_scope::EventScope;
use self::filters::{check_filters_known, find_logged_session, parse_since, warn_of_future};
pub(super) use self::story::Story;
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::output::Output;
use crate::page::Page;
use crate::printer::{OutputStream, print_status};

/// Sessions that shortened ids tell apart, latest sign of life first.
const MAX_SESSIONS_TOLD_APART: u32 = 100;

/// Length of one wait for a change. The next one follows.
const WAIT_PATIENCE: Duration = Duration::from_hours(1);

pub(super) fn cmd_log(context: &CommandContext, arguments: &LogArgs) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let now = store.database_time()?;
    let since = arguments.since.as_deref();
    let since = since.map(|text| parse_since(text, now)).transpose()?;
    let warning = warn_of_future(since, now);
    let session = match &context.named_session {
        None => None,
        Some(id) => Some(find_logged_session(store, id)?),
    };
    let mut filter = EventFilter {
        after: arguments.after.unwrap_or(0),
        item: arguments.item.as_ref().map(ToString::to_string),
        session: session.map(|id| id.to_string()),
        entity: arguments.entity.clone(),
        kind: arguments.kind.clone(),
        actor: arguments.actor.clone(),
        op_id: None,
        since,
        limit: arguments.limit,
        scope: RepoScope::All,
        order: if arguments.after.is_some() { EventOrder::Oldest } else { EventOrder::Newest },
    };
    // What is named may be of any repository.
    let is_named = filter.item.is_some() || filter.session.is_some();
    let mut scope = EventScope::find(context, store, arguments.all_repos || is_named)?;
    let mut change_mark = store.change_mark()?;
    let (events, next_cursor) = scope.list_events(store, &filter)?;
    if events.is_empty() {
        check_filters_known(store, arguments)?;
    }
    let mut teller = Story::new(context, arguments.verbose);
    if !context.json {
        let latest = SessionFilter { limit: MAX_SESSIONS_TOLD_APART, ..SessionFilter::default() };
        let sessions = store.list_sessions(&latest)?;
        teller.know_sessions(sessions.iter().map(|session| session.id.as_str()));
    }
    if !arguments.follow {
        let views: Vec<_> = events.iter().map(EventView::from).collect();
        let mut page = Page::from(teller.tell_all(&events));
        if events.is_empty() {
            page.push(if next_cursor > filter.after {
                "no events here; --all-repos shows those of all repositories"
            } else {
                "no events; every change by a session, a person or SQL becomes one"
            });
        }
        let data = json!({"events": views, "next": next_cursor});
        return Ok(Output::page(page, data).with_warnings(warning));
    }
    if let Some(warning) = warning {
        print_status(&format!("warning: {warning}"));
    }
    let mut stream = OutputStream::new(context.json);
    filter.after = next_cursor;
    filter.limit = 0;
    let mut batch = events;
    loop {
        for event in &batch {
            let written =
                stream.print_item(|| json!(EventView::from(event)), || teller.tell(event).into());
            // A closed pipe ends the command.
            if written.is_err() {
                return Ok(Output::default());
            }
        }
        batch = match store.wait_for_change(change_mark, WAIT_PATIENCE)? {
            None => Vec::new(),
            Some(later) => {
                change_mark = later;
                let (events, next) = scope.list_events(store, &filter)?;
                filter.after = next;
                events
            }
        };
    }
}
