//! An item, and who works on it.

use serde::Serialize;

use super::index::OverviewIndex;
use crate::model::{
    Epoch, Item, ItemKey, ItemStatus, LivenessState, Revision, SessionId, Timestamp,
};
use crate::text::CommandLine;
use crate::views::EventView;

/// An item, and who works on it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkRow {
    /// The key.
    pub key: ItemKey,
    /// The title.
    pub title: Option<String>,
    /// A free word, such as `task` or `orchestrator`.
    pub kind: String,
    /// The status.
    pub status: ItemStatus,
    /// The phase that a holder pushed last.
    pub phase: Option<String>,
    /// The name of its repository.
    pub repo: Option<String>,
    /// The parent item.
    pub parent: Option<ItemKey>,
    /// The position among its siblings.
    pub position: Option<i64>,
    /// The session that holds it. What follows up to the lease, and the revisions, are the
    /// session's.
    pub holder: Option<SessionId>,
    /// The machine.
    pub host: Option<String>,
    /// The branch that was observed last.
    pub branch: Option<String>,
    /// When the session last gave a sign of life.
    pub heartbeat_at: Option<Timestamp>,
    /// Whether the session lives.
    pub alive: Option<LivenessState>,
    /// Until when silence means nothing.
    pub lease_expires_at: Option<Timestamp>,
    /// The epoch of the newest claim.
    pub epoch: Epoch,
    /// The newest revision that the agent of the session knows.
    pub acknowledged: Option<Revision>,
    /// The present revision of the session.
    pub revision: Option<Revision>,
    /// The items that it waits for.
    pub blocked_by: Vec<ItemKey>,
    /// The items that wait for it.
    pub blocks: Vec<ItemKey>,
    /// Why it is blocked, failed or cancelled.
    pub error_message: Option<String>,
    /// Its newest event.
    pub why: Option<EventView>,
    /// The command to go on with.
    pub command: String,
}

impl WorkRow {
    pub(super) fn new(item: &Item, index: &OverviewIndex<'_>) -> Self {
        let holder = item.holder.as_ref().and_then(|holder| index.session(holder));
        let session = holder.map(|(session, _)| session);
        let blocked_by = index.waits_for(&item.key).to_vec();
        Self {
            key: item.key.clone(),
            title: item.title.clone(),
            kind: item.kind.clone(),
            status: item.status,
            phase: item.phase.clone(),
            repo: item.repo.clone(),
            parent: item.parent.clone(),
            position: item.position,
            holder: item.holder.clone(),
            host: session.and_then(|session| session.host.clone()),
            branch: session.and_then(|session| session.branch()).map(str::to_owned),
            heartbeat_at: session.map(|session| session.heartbeat_at),
            alive: session.map(|session| index.liveness_of(session)),
            lease_expires_at: session.map(|session| session.lease_expires_at),
            epoch: item.epoch,
            acknowledged: session.map(|session| session.acknowledged),
            revision: session.map(|session| session.revision),
            command: next_command(item, &blocked_by).to_string(),
            blocked_by,
            blocks: index.awaited_by(&item.key).to_vec(),
            error_message: item.error_message.clone(),
            why: index.latest_event("item", item.key.as_str()),
        }
    }
}

/// Returns the command to go on with: look at who works on an item, or take it if that is possible.
fn next_command(item: &Item, blocked_by: &[ItemKey]) -> CommandLine {
    let may_be_claimed = blocked_by.is_empty()
        && matches!(item.status, ItemStatus::Queued | ItemStatus::Ready | ItemStatus::Running);
    match &item.holder {
        Some(holder) => CommandLine::new("trueup status --session").with_word(holder.as_str()),
        None if may_be_claimed => CommandLine::new("trueup claim").with_word(item.key.as_str()),
        None => CommandLine::new("trueup item show").with_word(item.key.as_str()),
    }
}
