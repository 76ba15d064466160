//! `GET /api/divergences`: what disagrees, as far as the database knows.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trueup_core::model::{Attention, AttentionKind, ItemKey, SessionId, Timestamp};
use trueup_core::store::{AttentionFilter, CommandStore, Violation};
use trueup_core::text::to_hex;
use trueup_core::views::ViolationView;
use utoipa::{IntoParams, ToSchema};

use super::pages::{Page, cut_page, parse_cursor};
use super::parameters::{Limit, Parameters};
use super::row_id::RowId;
use crate::hub_state::HubState;
use crate::problem::HubError;
use crate::store_work::run_on_store;

/// Which divergences to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DivergenceQuery {
    /// The cursor that the page before ended with.
    #[param(value_type = Option<RowId>)]
    since: Option<String>,
    /// Most rows of the page.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
}

/// Something that disagrees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct DivergenceView {
    /// The id, which stays while it is there.
    id: RowId,
    /// What disagrees, in a line.
    message: String,
    /// When a hook reported it, of what hooks report.
    since: Option<Timestamp>,
    /// The session whose copy differs.
    session_id: Option<SessionId>,
    /// The item that it is about.
    item: Option<ItemKey>,
    /// The repository that it is in.
    repo: Option<String>,
    /// The machine that has the copy.
    host: Option<String>,
    /// The command that ends it.
    command: Option<String>,
    /// The row of the database that breaks a rule.
    violation: Option<ViolationView>,
}

/// A page of divergences.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DivergencePage {
    divergences: Vec<DivergenceView>,
    next: Option<String>,
}

/// Lists what disagrees.
#[utoipa::path(
    get, path = "/api/divergences", params(DivergenceQuery),
    responses((status = 200, body = DivergencePage)),
)]
pub(super) async fn list_divergences(
    State(state): State<HubState>,
    Parameters(query): Parameters<DivergenceQuery>,
) -> Result<Json<DivergencePage>, HubError> {
    let page = run_on_store(state.pool(), move |store| find_divergences(store, &query));
    let Page { rows: divergences, next } = page.await?;
    Ok(Json(DivergencePage { divergences, next }))
}

fn find_divergences(
    store: &mut dyn CommandStore,
    query: &DivergenceQuery,
) -> Result<Page<DivergenceView>, HubError> {
    let since: Option<RowId> = parse_cursor(query.since.as_deref())?;
    let reported = store.list_attention(&AttentionFilter {
        only_open: true,
        kinds: vec![AttentionKind::Divergence],
        ..AttentionFilter::default()
    })?;
    let violations = store.find_violations()?;
    let of_rows = violations.iter().map(DivergenceView::from);
    let rows = of_rows.chain(reported.into_iter().map(DivergenceView::from)).collect();
    Ok(cut_page(
        rows,
        since.as_ref(),
        query.limit,
        |row: &DivergenceView| row.id.clone(),
        ToString::to_string,
    ))
}

impl From<&Violation> for DivergenceView {
    fn from(violation: &Violation) -> Self {
        let Violation { table, row, field, problem } = violation;
        let digest = Sha256::digest(format!("{table}\n{row}\n{field}\n{problem}"));
        let digest = to_hex(&digest[..8]);
        Self {
            id: RowId::new(format!("row-{digest}")),
            message: format!("{table} {row}: {field} {problem}"),
            since: None,
            session_id: None,
            item: None,
            repo: None,
            host: None,
            command: None,
            violation: Some(violation.into()),
        }
    }
}

impl From<Attention> for DivergenceView {
    fn from(row: Attention) -> Self {
        Self {
            id: RowId::new(row.id.into()),
            message: row.line,
            since: Some(row.raised_at),
            session_id: row.session,
            item: row.item,
            repo: row.repo,
            host: row.host,
            command: row.command,
            violation: None,
        }
    }
}
