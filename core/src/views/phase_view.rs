//! The view of a phase, a row of the queue.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::phase::PhaseName;
use crate::model::{ItemKey, ItemStatus, Phase, QueueId, Revision, SessionId, Timestamp};

/// A phase of an item, as a row of the queue.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PhaseView {
    /// Its id.
    pub queue_id: QueueId,
    /// The item it belongs to.
    pub item: ItemKey,
    /// The issue that it works on.
    pub issue_number: Option<i64>,
    /// The parent of that issue.
    pub feature_id: Option<i64>,
    /// The same under the name that metadata files have for it.
    pub parent_issue: Option<i64>,
    /// The status.
    pub status: ItemStatus,
    /// The kind of work.
    pub current_phase: PhaseName,
    /// The session that started it.
    pub assigned_to: Option<SessionId>,
    /// The workflow that works on it.
    pub adw_id: Option<String>,
    /// The number of its pull request.
    pub pr_number: Option<i64>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was finished.
    pub completed_at: Option<Timestamp>,
    /// The priority; a lower number goes first.
    pub priority: i64,
    /// The position of its item in the queue.
    pub queue_position: Option<i64>,
    /// Its number within the item, from 1.
    pub phase_number: u32,
    /// The numbers of the phases it depends on.
    pub depends_on_phases: Vec<u32>,
    /// Data that scripts keep with it.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub phase_data: Option<Map<String, Value>>,
    /// When it last became ready.
    pub ready_timestamp: Option<Timestamp>,
    /// When it was last started.
    pub started_timestamp: Option<Timestamp>,
    /// Why it is blocked, failed, cancelled or interrupted.
    pub error_message: Option<String>,
    /// The number of changes.
    pub revision: Revision,
}

impl From<&Phase> for PhaseView {
    fn from(phase: &Phase) -> Self {
        Self {
            queue_id: phase.id.clone(),
            item: phase.item.clone(),
            issue_number: phase.issue_number,
            feature_id: phase.feature_id,
            parent_issue: phase.feature_id,
            status: phase.status,
            current_phase: phase.name.clone(),
            assigned_to: phase.assigned_to.clone(),
            adw_id: phase.adw_id.clone(),
            pr_number: phase.pr_number,
            created_at: phase.created_at,
            updated_at: phase.updated_at,
            completed_at: phase.completed_at,
            priority: phase.priority,
            queue_position: phase.position,
            phase_number: phase.number,
            depends_on_phases: phase.depends_on.clone(),
            phase_data: phase.data.clone(),
            ready_timestamp: phase.ready_at,
            started_timestamp: phase.started_at,
            error_message: phase.error_message.clone(),
            revision: phase.revision,
        }
    }
}
