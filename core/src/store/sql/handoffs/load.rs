//! Hand-offs as they are read, and what their sessions are told.

use super::super::NOW;
use super::super::engine::{Tx, args};
use super::super::row::Row;
use super::super::sessions::load_session;
use super::super::statement::{columns, joined, statements};
use crate::model::{
    Handoff, HandoffElement, HandoffElements, HandoffId, ItemKey, Session, SessionId,
};
use crate::store::{HandoffFilter, Result, StoreError};

columns! {
    /// The columns of a hand-off; its elements follow in their own order.
    enum HandoffColumn {
        Id = "id",
        Kind = "type",
        Status = "status",
        Item = "item",
        From = "from_session",
        To = "to_session",
        Repo = "repo",
        Worktree = "worktree",
        Branch = "branch",
        Phase = "phase",
        Task = "task",
        Epoch = "epoch",
        CreatedAt = "created_at",
        DecidedAt = "decided_at",
        DecidedBy = "decided_by",
        RejectReason = "reject_reason",
        ShownAt = "shown_at",
        ToldAt = "told_at",
        Revision = "revision",
        Summary = "summary",
        _Actions = "actions",
        _KnownIssues = "known_issues",
        _Decisions = "decisions",
        _Deliverables = "deliverables",
        _Resources = "resources",
    }
}

pub(super) const SELECT_HANDOFF: &str = joined!("SELECT ", HandoffColumn::SQL, " FROM handoffs ");
pub(in crate::store::sql) const IS_OPEN: &str = "status IN ('pending_acceptance', 'blocked')";
/// Decided, and the sender was not told.
pub(in crate::store::sql) const IS_UNTOLD: &str =
    "status IN ('accepted', 'rejected') AND told_at IS NULL";

statements! {
    LOAD_HANDOFF(text) = @repeated SELECT_HANDOFF, "WHERE id = ?1";
    LIST_HANDOFFS() = SELECT_HANDOFF, "ORDER BY created_at DESC, rowid DESC";
    LIST_OPEN_HANDOFFS() =
        SELECT_HANDOFF, "WHERE ", IS_OPEN, " ORDER BY created_at DESC, rowid DESC";
    FIND_OPEN_HANDOFF(text) = SELECT_HANDOFF, "WHERE item = ?1 AND ", IS_OPEN;

    MARK_SHOWN(text) = "UPDATE handoffs SET shown_at = coalesce(shown_at, ", NOW, ") WHERE id = ?1";
    MARK_TOLD(text) = "UPDATE handoffs SET told_at = coalesce(told_at, ", NOW, ") WHERE id = ?1";

    /// A hand-off is nothing that caches mirror, so it raises no revision, which would turn an
    /// edit of the reader into a rejected one.
    MARK_SESSION_UNTOLD(text) =
        "UPDATE claude_sessions SET acknowledged_revision = min(acknowledged_revision, revision - 1)
         WHERE session_id = ?1";
}

pub(super) fn handoff_from_row(row: &dyn Row) -> Result<Handoff> {
    let mut elements = Vec::new();
    for (place, element) in (HandoffColumn::Summary as usize..).zip(HandoffElement::ALL) {
        elements.push((element, row.get(place)?));
    }
    Ok(Handoff {
        id: row.get(HandoffColumn::Id)?,
        kind: row.get(HandoffColumn::Kind)?,
        status: row.get(HandoffColumn::Status)?,
        item: row.get(HandoffColumn::Item)?,
        from: row.get(HandoffColumn::From)?,
        to: row.get(HandoffColumn::To)?,
        repo: row.get(HandoffColumn::Repo)?,
        worktree: row.get(HandoffColumn::Worktree)?,
        branch: row.get(HandoffColumn::Branch)?,
        phase: row.get(HandoffColumn::Phase)?,
        task: row.get(HandoffColumn::Task)?,
        epoch: row.get(HandoffColumn::Epoch)?,
        elements: HandoffElements::new(elements),
        created_at: row.get(HandoffColumn::CreatedAt)?,
        decided_at: row.lenient_time(HandoffColumn::DecidedAt),
        decided_by: row.get(HandoffColumn::DecidedBy)?,
        reject_reason: row.get(HandoffColumn::RejectReason)?,
        shown_at: row.lenient_time(HandoffColumn::ShownAt),
        told_at: row.lenient_time(HandoffColumn::ToldAt),
        revision: row.get(HandoffColumn::Revision)?,
    })
}

pub(in super::super) fn load_handoff(tx: &mut impl Tx, id: &HandoffId) -> Result<Option<Handoff>> {
    tx.row(&LOAD_HANDOFF, args![id], handoff_from_row)
}

/// Says that a hand-off will be read.
pub(super) fn prefetch_handoff(tx: &mut impl Tx, id: &HandoffId) {
    tx.prefetch(&LOAD_HANDOFF, args![id]);
}

/// Says that the open hand-off of an item will be read.
pub(in super::super) fn prefetch_open_handoff(tx: &mut impl Tx, item: &ItemKey) {
    tx.prefetch(&FIND_OPEN_HANDOFF, args![item]);
}

/// Says that the hand-offs that are not decided will be listed.
pub(in super::super) fn prefetch_open_handoffs(tx: &mut impl Tx) {
    tx.prefetch(&LIST_OPEN_HANDOFFS, args![]);
}

pub(in super::super) fn list_handoffs(
    tx: &mut impl Tx,
    filter: HandoffFilter,
) -> Result<Vec<Handoff>> {
    let statement = if filter.only_open { &LIST_OPEN_HANDOFFS } else { &LIST_HANDOFFS };
    tx.rows(statement, args![], handoff_from_row)
}

pub(in super::super) fn mark_handoff_shown(tx: &mut impl Tx, handoff: &Handoff) -> Result<()> {
    let statement = if handoff.status.is_open() { &MARK_SHOWN } else { &MARK_TOLD };
    tx.execute(statement, args![handoff.id])?;
    Ok(())
}

/// Reads a hand-off that was there a moment ago.
pub(super) fn load_existing_handoff(tx: &mut impl Tx, id: &HandoffId) -> Result<Handoff> {
    load_handoff(tx, id)?
        .ok_or_else(|| StoreError::Conflict(format!("hand-off {id} no longer exists")))
}

/// Reads the open hand-off of an item, of which there is one at most.
pub(super) fn find_open_handoff(tx: &mut impl Tx, item: &ItemKey) -> Result<Option<Handoff>> {
    tx.row(&FIND_OPEN_HANDOFF, args![item], handoff_from_row)
}

/// Lets a session count as not told yet.
pub(super) fn mark_session_untold(tx: &mut impl Tx, id: Option<&SessionId>) -> Result<()> {
    if let Some(id) = id {
        tx.execute(&MARK_SESSION_UNTOLD, args![id])?;
    }
    Ok(())
}

/// Reads the session that a session continues.
pub(super) fn load_predecessor(tx: &mut impl Tx, session: &Session) -> Result<Option<Session>> {
    match &session.predecessor {
        Some(id) => load_session(tx, id),
        None => Ok(None),
    }
}
