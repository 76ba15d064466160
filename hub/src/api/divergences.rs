//! `GET /api/divergences`: what disagrees, as far as the database knows.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trueup_core::model::{Attention, AttentionKind, ItemKey, SessionId, Timestamp};
use trueup_core::store::{AttentionFilter, CommandStore, Violation};
use trueup_core::text::to_hex;
use trueup_core::views::ViolationView;

use super::cursors::Cursors;
use super::pages::{Page, PageRequest};
use super::parameters::Limit;
use super::row_id::RowId;
use crate::parameters::Parameters;
use crate::problem::HubError;
use crate::shared_reading::SharedReading;
use crate::store_pool::StorePool;
use crate::store_work::run_on_store;

/// Where a page of this list begins.
const CURSORS: Cursors = Cursors::of("divergences");

/// Which divergences to list.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub(super) struct DivergenceQuery {
    /// The cursor that the page before ended with.
    #[cfg_attr(test, param(pattern = "^divergences-([2-7][0-9a-f]){1,200}$"))]
    since: Option<String>,
    /// Most rows of the page.
    #[serde(default)]
    #[cfg_attr(test, param(inline))]
    limit: Limit,
}

/// Something that disagrees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
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
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct DivergencePage {
    divergences: Vec<DivergenceView>,
    next: Option<String>,
}

/// Lists what disagrees.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/divergences", params(DivergenceQuery),
    responses((status = 200, body = DivergencePage)),
))]
pub(super) async fn list_divergences(
    State(pool): State<StorePool>,
    State(violations): State<Arc<ViolationCache>>,
    Parameters(query): Parameters<DivergenceQuery>,
) -> Result<Json<DivergencePage>, HubError> {
    let page = PageRequest::parse(CURSORS, query.since.as_deref(), query.limit)?;
    let violations = violations.load().await?;
    let page = run_on_store(&pool, move |store| find_divergences(store, page, &violations));
    let Page { rows: divergences, next } = page.await?;
    Ok(Json(DivergencePage { divergences, next }))
}

fn find_divergences(
    store: &mut dyn CommandStore,
    page: PageRequest,
    violations: &[Violation],
) -> Result<Page<DivergenceView>, HubError> {
    let reported = store.list_attention(&AttentionFilter {
        only_open: true,
        kinds: vec![AttentionKind::Divergence],
        ..AttentionFilter::default()
    })?;
    let of_rows = violations.iter().map(DivergenceView::from);
    let rows = of_rows.chain(reported.into_iter().map(DivergenceView::from)).collect();
    Ok(page.cut_page(rows, |row: &DivergenceView| row.id.as_str()))
}

/// The rows that break a rule, which are looked for in every table.
pub(crate) struct ViolationCache(SharedReading<Arc<Vec<Violation>>>);

impl ViolationCache {
    pub(crate) fn new(pool: StorePool) -> Self {
        Self(SharedReading::new(pool))
    }

    async fn load(&self) -> Result<Arc<Vec<Violation>>, HubError> {
        self.0.load(|store, _| store.find_violations().map(Arc::new)).await
    }
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
