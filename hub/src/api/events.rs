//! `GET /api/events`.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use trueup_core::model::{EventFilter, EventOrder, ItemKey, SessionId, Timestamp};
use trueup_core::store::CommandStore;
use trueup_core::views::EventView;

use super::names::unknown;
use super::parameters::Limit;
use crate::event_cursor::{EventCursor, load_newest_seq};
use crate::parameters::Parameters;
use crate::problem::HubError;
use crate::store_pool::StorePool;
use crate::store_work::run_on_store;

/// Which events to list.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub(super) struct EventQuery {
    /// Only events behind this cursor, which is the `seq` of an event.
    #[cfg_attr(test, param(value_type = Option<i64>, minimum = 0))]
    since: Option<String>,
    /// Most rows of the page.
    #[serde(default)]
    #[cfg_attr(test, param(inline))]
    limit: Limit,
    /// Which rows, where there are more.
    #[serde(default)]
    #[cfg_attr(test, param(inline))]
    order: Order,
    /// Only events of this item and its phases.
    item: Option<ItemKey>,
    /// Only events that this session made or is the subject of.
    session: Option<SessionId>,
    /// Only events of this kind.
    kind: Option<String>,
    /// Only events of this kind of thing.
    entity: Option<String>,
    /// Only events of this actor.
    actor: Option<String>,
    /// Only events since this time.
    from: Option<Timestamp>,
}

/// Which of the events that match are in the page; they come in the order in which they happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum Order {
    /// The first ones behind the cursor, to read on page by page.
    #[default]
    Oldest,
    /// The last ones.
    Newest,
}

/// A page of events.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct EventPage {
    events: Vec<EventView>,
    next: Option<i64>,
}

/// Lists events in the order in which they happened.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/events", params(EventQuery), responses((status = 200, body = EventPage)),
))]
pub(super) async fn list_events(
    State(pool): State<StorePool>,
    Parameters(query): Parameters<EventQuery>,
) -> Result<Json<EventPage>, HubError> {
    Ok(Json(run_on_store(&pool, move |store| find_events(store, query)).await?))
}

fn find_events(store: &mut dyn CommandStore, query: EventQuery) -> Result<EventPage, HubError> {
    let since = query.since.as_deref().map(EventCursor::parse).transpose()?.unwrap_or_default();
    let rows = query.limit.rows();
    let is_oldest = query.order == Order::Oldest;
    let filter = EventFilter {
        after: since.seq(),
        item: query.item.map(String::from),
        session: query.session.map(String::from),
        entity: query.entity,
        kind: query.kind,
        actor: query.actor,
        since: query.from,
        // One more tells whether there is another page.
        limit: u32::try_from(rows + usize::from(is_oldest)).unwrap_or(u32::MAX),
        order: if is_oldest { EventOrder::Oldest } else { EventOrder::Newest },
        ..EventFilter::default()
    };
    let mut events = store.list_events(&filter)?;
    if events.is_empty() {
        since.check_reached(load_newest_seq(store)?)?;
        check_filters(store, &filter)?;
    }
    let has_more = is_oldest && events.len() > rows;
    events.truncate(rows);
    let next = events.last().filter(|_| has_more).map(|event| event.seq);
    Ok(EventPage { events: events.into_iter().map(EventView::from).collect(), next })
}

/// Refuses an item or a session that nothing was ever recorded of; one that was removed is known by
/// its events.
fn check_filters(store: &mut dyn CommandStore, filter: &EventFilter) -> Result<(), HubError> {
    if let Some(item) = &filter.item {
        let alone = EventFilter { item: Some(item.clone()), limit: 1, ..EventFilter::default() };
        let exists = match item.parse() {
            Ok(key) => store.load_item(&key)?.is_some(),
            Err(_) => false,
        };
        if !exists && store.list_events(&alone)?.is_empty() {
            return Err(unknown("item_not_found", "item", item));
        }
    }
    if let Some(session) = &filter.session {
        let alone =
            EventFilter { session: Some(session.clone()), limit: 1, ..EventFilter::default() };
        if store.list_events(&alone)?.is_empty() {
            return Err(unknown("session_not_found", "session", session));
        }
    }
    Ok(())
}
