//! The view of a hand-off.

use serde::Serialize;

use crate::model::{
    Epoch, Handoff, HandoffElement, HandoffId, HandoffStatus, HandoffType, ItemKey, Revision,
    SessionId, Timestamp,
};

/// A hand-off, with its six texts, the most important first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HandoffView {
    /// Its id.
    pub id: HandoffId,
    /// The kind, such as `PLAN-TO-EXEC`.
    pub r#type: HandoffType,
    /// The status.
    pub status: HandoffStatus,
    /// The item that is handed on.
    pub item: ItemKey,
    /// The session that hands it on.
    pub from_session: SessionId,
    /// The session that is to take it; null when any session may.
    pub to_session: Option<SessionId>,
    /// The sender's repository.
    pub repo: Option<String>,
    /// The sender's project directory.
    pub worktree: Option<String>,
    /// The sender's branch.
    pub branch: Option<String>,
    /// The phase of the work.
    pub phase: Option<String>,
    /// The task of the work.
    pub task: Option<String>,
    /// The epoch of the sender's claim.
    pub epoch: Epoch,
    /// How complete the texts are, in percent.
    pub score: usize,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was accepted or rejected.
    pub decided_at: Option<Timestamp>,
    /// Who accepted or rejected it.
    pub decided_by: Option<SessionId>,
    /// Why it was rejected.
    pub reject_reason: Option<String>,
    /// When it was first shown to the agent of the addressed session.
    pub shown_at: Option<Timestamp>,
    /// When the decision was shown to the sender's agent.
    pub told_at: Option<Timestamp>,
    /// The number of changes.
    pub revision: Revision,
    /// What was done.
    pub summary: Option<String>,
    /// What is to be done next.
    pub actions: Option<String>,
    /// Which problems are known.
    pub known_issues: Option<String>,
    /// What was decided, and why.
    pub decisions: Option<String>,
    /// What was produced.
    pub deliverables: Option<String>,
    /// What is needed to continue.
    pub resources: Option<String>,
}

impl From<&Handoff> for HandoffView {
    fn from(handoff: &Handoff) -> Self {
        let text = |element| handoff.elements.get(element).map(str::to_owned);
        Self {
            id: handoff.id.clone(),
            r#type: handoff.kind.clone(),
            status: handoff.status,
            item: handoff.item.clone(),
            from_session: handoff.from.clone(),
            to_session: handoff.to.clone(),
            repo: handoff.repo.clone(),
            worktree: handoff.worktree.clone(),
            branch: handoff.branch.clone(),
            phase: handoff.phase.clone(),
            task: handoff.task.clone(),
            epoch: handoff.epoch,
            score: handoff.elements.completeness_percent(),
            created_at: handoff.created_at,
            decided_at: handoff.decided_at,
            decided_by: handoff.decided_by.clone(),
            reject_reason: handoff.reject_reason.clone(),
            shown_at: handoff.shown_at,
            told_at: handoff.told_at,
            revision: handoff.revision,
            summary: text(HandoffElement::Summary),
            actions: text(HandoffElement::Actions),
            known_issues: text(HandoffElement::KnownIssues),
            decisions: text(HandoffElement::Decisions),
            deliverables: text(HandoffElement::Deliverables),
            resources: text(HandoffElement::Resources),
        }
    }
}
