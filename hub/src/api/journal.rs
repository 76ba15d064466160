//! `GET /api/journal`: rejected edits that nobody restored or dropped.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use trueup_core::model::{Attention, AttentionId, AttentionKind, Revision, SessionId, Timestamp};
use trueup_core::outbox::JournalEntry;
use trueup_core::reconcile::RejectionReason;
use trueup_core::store::{AttentionFilter, CommandStore};
use trueup_core::views::JournalEntryView;

use super::cursors::Cursors;
use super::pages::{Page, PageRequest};
use super::parameters::Limit;
use crate::parameters::Parameters;
use crate::problem::HubError;
use crate::store_pool::StorePool;
use crate::store_work::run_on_store;

/// Where a page of this list begins.
const CURSORS: Cursors = Cursors::of("journal");

/// Which entries to list.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub(super) struct JournalQuery {
    /// The cursor that the page before ended with.
    #[cfg_attr(test, param(pattern = "^journal-([2-7][0-9a-f]){1,200}$"))]
    since: Option<String>,
    /// Most rows of the page.
    #[serde(default)]
    #[cfg_attr(test, param(inline))]
    limit: Limit,
    /// Only edits of this session.
    session: Option<SessionId>,
    /// Only edits on this machine.
    host: Option<String>,
}

/// A rejected edit. What is null was too large to be reported, and is on its machine alone.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct JournalRow {
    /// The id in the journal.
    id: Option<String>,
    /// When it was recorded.
    at: Timestamp,
    /// The session that made it.
    session_id: Option<SessionId>,
    /// Why it lost.
    reason: Option<RejectionReason>,
    /// The revision that it was made from.
    base_revision: Option<Revision>,
    /// The revision of the database that won.
    database_revision: Option<Revision>,
    /// The rejected values, under the keys of the cache file.
    #[cfg_attr(test, schema(value_type = Option<Object>))]
    lost: Option<Map<String, Value>>,
    /// The machine whose journal has it.
    host: Option<String>,
    /// What a person reads.
    message: String,
    /// The target for an action.
    target: AttentionId,
}

/// A page of rejected edits.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct JournalPage {
    journal: Vec<JournalRow>,
    next: Option<String>,
}

/// Lists rejected edits that nobody restored or dropped.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/journal", params(JournalQuery), responses((status = 200, body = JournalPage)),
))]
pub(super) async fn list_journal(
    State(pool): State<StorePool>,
    Parameters(query): Parameters<JournalQuery>,
) -> Result<Json<JournalPage>, HubError> {
    let page = run_on_store(&pool, move |store| find_entries(store, query)).await?;
    let journal = page.rows.into_iter().map(JournalRow::from).collect();
    Ok(Json(JournalPage { journal, next: page.next }))
}

fn find_entries(
    store: &mut dyn CommandStore,
    query: JournalQuery,
) -> Result<Page<Attention>, HubError> {
    let page = PageRequest::parse(CURSORS, query.since.as_deref(), query.limit)?;
    let mut rows = store.list_attention(&AttentionFilter {
        only_open: true,
        kinds: vec![AttentionKind::JournalEntry],
        session: query.session,
        limit: 0,
    })?;
    rows.retain(|row| query.host.is_none() || row.host == query.host);
    Ok(page.cut_page(rows, |row| row.id.as_str()))
}

impl From<Attention> for JournalRow {
    fn from(row: Attention) -> Self {
        let entry = serde_json::from_value::<JournalEntry>(row.content).ok();
        let entry = entry.as_ref().map(JournalEntryView::from);
        Self {
            at: entry.as_ref().map_or(row.raised_at, |entry| entry.at),
            session_id: row.session,
            reason: entry.as_ref().map(|entry| entry.reason),
            base_revision: entry.as_ref().and_then(|entry| entry.base_revision),
            database_revision: entry.as_ref().map(|entry| entry.database_revision),
            host: row.host,
            message: row.line,
            target: row.id,
            id: entry.as_ref().map(|entry| entry.id.clone()),
            lost: entry.map(|entry| entry.lost),
        }
    }
}
