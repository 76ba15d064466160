//! What the server is made of. Only the router knows all of it: an area gets what it needs.

use std::sync::Arc;

use axum::extract::FromRef;

use crate::access::Access;
use crate::api::ViolationCache;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::overview::OverviewCache;
use crate::session_judge::SessionJudge;
use crate::store_pool::StorePool;

/// What the server is made of. A copy costs a few counters.
#[derive(Clone)]
pub(crate) struct HubState {
    /// The connections to the database.
    pub(crate) pool: StorePool,
    /// Who may ask.
    pub(crate) access: Arc<Access>,
    /// Whether sessions live.
    pub(crate) judge: Arc<SessionJudge>,
    /// The events as they happen.
    pub(crate) live: Arc<Live>,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// The overview that everybody gets.
    pub(crate) overview: Arc<OverviewCache>,
    /// The rows that break a rule.
    pub(crate) violations: Arc<ViolationCache>,
}

macro_rules! give_parts {
    ($($field:ident: $part:ty;)+) => {
        $(impl FromRef<HubState> for $part {
            fn from_ref(state: &HubState) -> Self {
                state.$field.clone()
            }
        })+
    };
}

give_parts! {
    pool: StorePool;
    access: Arc<Access>;
    judge: Arc<SessionJudge>;
    live: Arc<Live>;
    metrics: Arc<Metrics>;
    overview: Arc<OverviewCache>;
    violations: Arc<ViolationCache>;
}
