//! The view of an orchestrator.

use serde::Serialize;

use crate::model::{Epoch, Orchestrator, OrchestratorId, OrchestratorStatus, PlanId, Timestamp};

/// A run of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrchestratorView {
    /// Its id.
    pub id: OrchestratorId,
    /// The plan it runs.
    pub plan_id: PlanId,
    /// The machine it runs on.
    pub host: String,
    /// The number of its process.
    pub pid: u32,
    /// The status.
    pub status: OrchestratorStatus,
    /// When it began.
    pub started_at: Timestamp,
    /// When it last gave a sign of life.
    pub heartbeat_at: Timestamp,
    /// Rises with every run of the plan.
    pub epoch: Epoch,
}

impl From<&Orchestrator> for OrchestratorView {
    fn from(orchestrator: &Orchestrator) -> Self {
        Self {
            id: orchestrator.id.clone(),
            plan_id: orchestrator.plan.clone(),
            host: orchestrator.host.clone(),
            pid: orchestrator.process.pid,
            status: orchestrator.status,
            started_at: orchestrator.started_at,
            heartbeat_at: orchestrator.heartbeat_at,
            epoch: orchestrator.epoch,
        }
    }
}
