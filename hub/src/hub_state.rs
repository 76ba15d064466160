//! What every handler of the server shares.

use std::sync::Arc;

use axum::extract::FromRef;
use tokio::sync::watch;

use crate::access::{Access, AccessPolicy};
use crate::live::Live;
use crate::metrics::Metrics;
use crate::overview::OverviewCache;
use crate::session_judge::SessionJudge;
use crate::store_pool::StorePool;

/// What every handler shares. A copy costs a counter.
#[derive(Clone)]
pub(crate) struct HubState(Arc<Shared>);

struct Shared {
    pool: StorePool,
    access: Access,
    judge: SessionJudge,
    live: Live,
    metrics: Arc<Metrics>,
    overview: OverviewCache,
    shutdown: watch::Receiver<bool>,
}

impl HubState {
    pub(crate) fn new(
        pool: StorePool,
        policy: AccessPolicy,
        judge: SessionJudge,
        live: Live,
        metrics: Arc<Metrics>,
        overview: OverviewCache,
        shutdown: watch::Receiver<bool>,
    ) -> Self {
        let access = Access::new(policy, pool.clone());
        Self(Arc::new(Shared { pool, access, judge, live, metrics, overview, shutdown }))
    }

    /// The connections to the database.
    pub(crate) fn pool(&self) -> &StorePool {
        &self.0.pool
    }

    /// Who may ask.
    pub(crate) fn access(&self) -> &Access {
        &self.0.access
    }

    /// Whether sessions live.
    pub(crate) fn judge(&self) -> &SessionJudge {
        &self.0.judge
    }

    /// The events as they happen.
    pub(crate) fn live(&self) -> &Live {
        &self.0.live
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The overview that everybody gets.
    pub(crate) fn overview(&self) -> &OverviewCache {
        &self.0.overview
    }

    /// Turns true when the server is being stopped; whoever answers without end watches it.
    pub(crate) fn shutdown(&self) -> watch::Receiver<bool> {
        self.0.shutdown.clone()
    }
}

impl FromRef<HubState> for StorePool {
    fn from_ref(state: &HubState) -> Self {
        state.pool().clone()
    }
}
