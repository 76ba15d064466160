//! What every handler of the server shares.

use std::sync::Arc;

use axum::extract::FromRef;
use tokio::sync::watch;

use crate::access::Access;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::overview::OverviewCache;
use crate::session_judge::SessionJudge;
use crate::store_pool::StorePool;

/// What every handler shares. A copy costs a counter.
#[derive(Clone)]
pub(crate) struct HubState(Arc<HubParts>);

/// What a hub is made of.
pub(crate) struct HubParts {
    /// The connections to the database.
    pub(crate) pool: StorePool,
    /// Who may ask.
    pub(crate) access: Access,
    /// Whether sessions live.
    pub(crate) judge: SessionJudge,
    /// The events as they happen.
    pub(crate) live: Live,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// The overview that everybody gets.
    pub(crate) overview: OverviewCache,
    /// Turns true when the server is being stopped.
    pub(crate) shutdown: watch::Receiver<bool>,
}

impl HubState {
    pub(crate) fn new(parts: HubParts) -> Self {
        Self(Arc::new(parts))
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
