//! Hand-offs: the rules are decided inside the transaction that carries them out.

mod decisions;
pub(super) mod notices;

use rusqlite::{Connection, OptionalExtension, Params, Row, Transaction, named_params};

use self::decisions::{accept_handoff, reject_handoff, write_decision};
use self::notices::list_handoff_notices;
use super::errors::from_sqlite;
use super::events::record_event;
use super::sessions::to_signed;
use super::stored_text::{stored_optional_text, stored_text};
use super::{NOW, SqliteStore, is_replay, require_registered, rows, sessions};
use crate::model::{
    Epoch, Handoff, HandoffElement, HandoffElements, HandoffId, HandoffNoticeReason, HandoffStatus,
    IdError, ItemKey, OpenHandoffState, Revision, Session, SessionId, decide_open_handoff,
};
use crate::store::api::{CLAIM_OVER_REASON, WITHDRAWN_REASON, already_handed_on_error};
use crate::store::event_draft::EventDraft;
use crate::store::{
    AcceptHandoffRequest, AcceptedHandoff, HandoffFilter, HandoffResult, HandoffStore, NewHandoff,
    Provenance, RejectHandoffRequest, Result, StoreError,
};

/// The columns [`handoff`] reads.
const HANDOFF_COLUMNS: &str = "id, type, status, item, from_session, to_session, repo, worktree, branch, \
     phase, task, epoch, created_at, decided_at, decided_by, reject_reason, shown_at, told_at, \
     revision, summary, actions, known_issues, decisions, deliverables, resources";

/// The first of the elements among the columns; they follow in their own order.
const FIRST_ELEMENT: usize = 19;

fn handoff_from_row(row: &Row<'_>) -> rusqlite::Result<Handoff> {
    let mut elements = Vec::new();
    for (place, element) in HandoffElement::ALL.into_iter().enumerate() {
        elements.push((element, row.get(FIRST_ELEMENT + place)?));
    }
    Ok(Handoff {
        id: rows::parse_column(row, 0)?,
        kind: rows::parse_column(row, 1)?,
        status: rows::parse_column(row, 2)?,
        item: rows::parse_column(row, 3)?,
        from: rows::parse_column(row, 4)?,
        to: rows::parse_optional_column(row, 5)?,
        repo: row.get(6)?,
        worktree: row.get(7)?,
        branch: row.get(8)?,
        phase: row.get(9)?,
        task: row.get(10)?,
        epoch: Epoch(rows::parse_count(row, 11)?),
        elements: HandoffElements::new(elements),
        created_at: rows::parse_time(row, 12)?,
        decided_at: rows::parse_lenient_time(row, 13),
        decided_by: rows::parse_optional_column(row, 14)?,
        reject_reason: row.get(15)?,
        shown_at: rows::parse_lenient_time(row, 16),
        told_at: rows::parse_lenient_time(row, 17),
        revision: Revision(rows::parse_count(row, 18)?),
    })
}

impl HandoffStore for SqliteStore {
    fn create_handoff(&mut self, new: &NewHandoff) -> Result<Handoff> {
        self.run_write(|tx| create_handoff(tx, new))
    }

    fn load_handoff(&mut self, id: &HandoffId) -> Result<Option<Handoff>> {
        load_handoff(&self.connection, id)
    }

    fn list_handoffs(&mut self, filter: HandoffFilter) -> Result<Vec<Handoff>> {
        let open = if filter.only_open {
            "WHERE status IN ('pending_acceptance', 'blocked')"
        } else {
            ""
        };
        let rest = format!("{open} ORDER BY created_at DESC, rowid DESC");
        select_handoffs(&self.connection, &rest, [])
    }

    fn accept_handoff(
        &mut self,
        acceptance: &AcceptHandoffRequest,
    ) -> Result<HandoffResult<AcceptedHandoff>> {
        self.run_write(|tx| accept_handoff(tx, acceptance))
    }

    fn reject_handoff(
        &mut self,
        rejection: &RejectHandoffRequest,
    ) -> Result<HandoffResult<Handoff>> {
        self.run_write(|tx| reject_handoff(tx, rejection))
    }

    fn list_handoff_notices(
        &mut self,
        session: &SessionId,
        starts: bool,
    ) -> Result<Vec<(HandoffNoticeReason, Handoff)>> {
        list_handoff_notices(&self.connection, session, starts)
    }

    fn mark_handoff_shown(&mut self, told: &Handoff) -> Result<()> {
        let column = if told.status.is_open() {
            "shown_at"
        } else {
            "told_at"
        };
        let sql = format!(
            "UPDATE handoffs SET {column} = coalesce({column}, {NOW})
             WHERE id = ?1"
        );
        self.run_write(|tx| tx.execute(&sql, [told.id.as_str()]).map_err(from_sqlite))
            .map(|_| ())
    }
}

fn load_handoff(connection: &Connection, id: &HandoffId) -> Result<Option<Handoff>> {
    connection
        .query_row(
            &format!("SELECT {HANDOFF_COLUMNS} FROM handoffs WHERE id = ?1"),
            [id.as_str()],
            handoff_from_row,
        )
        .optional()
        .map_err(from_sqlite)
}

fn select_handoffs(
    connection: &Connection,
    condition: &str,
    parameters: impl Params,
) -> Result<Vec<Handoff>> {
    let sql = format!("SELECT {HANDOFF_COLUMNS} FROM handoffs {condition}");
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map(parameters, handoff_from_row)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

/// Reads a hand-off that was written in this transaction.
fn load_existing_handoff(tx: &Transaction<'_>, id: &HandoffId) -> Result<Handoff> {
    load_handoff(tx, id)?
        .ok_or_else(|| StoreError::Conflict(format!("hand-off {id} no longer exists")))
}

/// Reads the hand-off that an operation made: who repeats it in another process has another id
/// in mind.
fn load_handoff_made_by(tx: &Transaction<'_>, provenance: &Provenance) -> Result<Handoff> {
    let id: String = tx
        .query_row(
            "SELECT key FROM events WHERE op_id = ?1 AND entity = 'handoff' AND kind = 'created'",
            [&provenance.op_id],
            |row| row.get(0),
        )
        .map_err(from_sqlite)?;
    let id = id.parse();
    load_existing_handoff(
        tx,
        &id.map_err(|error: IdError| StoreError::Invalid(error.to_string()))?,
    )
}

fn create_handoff(tx: &Transaction<'_>, new: &NewHandoff) -> Result<Handoff> {
    if is_replay(tx, &new.provenance)? {
        return load_handoff_made_by(tx, &new.provenance);
    }
    let sender = require_registered(sessions::load_session(tx, &new.from)?, &new.from)?;
    let (item, epoch) = &new.fencing_token;
    if sender.item.as_ref() != Some(item) || sender.epoch != Some(*epoch) {
        let text = format!("session {} no longer holds {item}", new.from);
        return Err(StoreError::Conflict(text));
    }
    if let Some(to) = &new.to
        && sessions::load_session(tx, to)?.is_none()
    {
        let text = "the receiver of a hand-off must be registered".to_owned();
        return Err(StoreError::Denied(text));
    }
    check_no_open_handoff(tx, item, *epoch, &new.provenance)?;
    let work = sender.execution_state().work;
    let text = |element| new.elements.get(element).map(stored_text);
    tx.execute(
        "INSERT INTO handoffs (id, type, item, from_session, to_session, repo, worktree, branch,
             phase, task, epoch, summary, deliverables, decisions, known_issues, resources,
             actions)
         VALUES (:id, :type, :item, :from, :to, :repo, :worktree, :branch, :phase, :task, :epoch,
             :summary, :deliverables, :decisions, :known_issues, :resources, :actions)",
        named_params! {
            ":id": new.id.as_str(),
            ":type": new.kind.as_str(),
            ":item": item.as_str(),
            ":from": new.from.as_str(),
            ":to": new.to.as_ref().map(SessionId::as_str),
            ":repo": sender.repo,
            ":worktree": sender.worktree,
            ":branch": sender.branch(),
            ":phase": stored_optional_text(work.phase.as_ref()),
            ":task": stored_optional_text(work.task.as_ref()),
            ":epoch": to_signed(epoch.0),
            ":summary": text(HandoffElement::Summary),
            ":deliverables": text(HandoffElement::Deliverables),
            ":decisions": text(HandoffElement::Decisions),
            ":known_issues": text(HandoffElement::KnownIssues),
            ":resources": text(HandoffElement::Resources),
            ":actions": text(HandoffElement::Actions),
        },
    )
    .map_err(from_sqlite)?;
    let handoff = load_existing_handoff(tx, &new.id)?;
    record_handoff_event(tx, &new.provenance, "created", None, &handoff)?;
    mark_session_untold(tx, new.to.as_ref())?;
    Ok(handoff)
}

/// Reads the open hand-off of an item, of which there is one at most.
fn find_open_handoff(connection: &Connection, item: &ItemKey) -> Result<Option<Handoff>> {
    let rest = "WHERE item = ?1 AND status IN ('pending_acceptance', 'blocked')";
    Ok(select_handoffs(connection, rest, [item.as_str()])?.pop())
}

/// Refuses a second open hand-off of an item; one that nobody can accept any more gives way.
fn check_no_open_handoff(
    tx: &Transaction<'_>,
    item: &ItemKey,
    epoch: Epoch,
    provenance: &Provenance,
) -> Result<()> {
    let Some(open) = find_open_handoff(tx, item)? else {
        return Ok(());
    };
    match decide_open_handoff(&open, epoch) {
        OpenHandoffState::InForce => Err(already_handed_on_error(&open)),
        OpenHandoffState::Superseded => withdraw_handoff(tx, &open, CLAIM_OVER_REASON, provenance),
    }
}

/// Withdraws the hand-off of an item that its sender gives up.
pub(super) fn withdraw_handoff_of(
    tx: &Transaction<'_>,
    item: &ItemKey,
    sender: &SessionId,
    provenance: &Provenance,
) -> Result<()> {
    match find_open_handoff(tx, item)?.filter(|open| open.from == *sender) {
        Some(open) => withdraw_handoff(tx, &open, WITHDRAWN_REASON, provenance),
        None => Ok(()),
    }
}

/// Closes a hand-off in its sender's name, who need not be told.
fn withdraw_handoff(
    tx: &Transaction<'_>,
    open: &Handoff,
    reason: &str,
    provenance: &Provenance,
) -> Result<()> {
    let rejected = HandoffStatus::Rejected;
    write_decision(tx, open, rejected, &open.from, Some(reason), provenance).map(|_| ())
}

fn record_handoff_event(
    tx: &Transaction<'_>,
    provenance: &Provenance,
    kind: &str,
    before: Option<&Handoff>,
    after: &Handoff,
) -> Result<()> {
    let draft = EventDraft::of_handoff(kind, before, after);
    record_event(tx, provenance, &draft)
}

/// Lets a session count as not told yet. A hand-off is nothing that caches mirror, so it
/// raises no revision, which would turn an edit of the reader into a lost one.
fn mark_session_untold(tx: &Transaction<'_>, id: Option<&SessionId>) -> Result<()> {
    tx.execute(
        "UPDATE claude_sessions SET acknowledged_revision = min(acknowledged_revision, revision - 1)
         WHERE session_id = ?1",
        [id.map(SessionId::as_str)],
    )
    .map_err(from_sqlite)?;
    Ok(())
}

/// Reads the session that a session continues.
fn load_predecessor(connection: &Connection, session: &Session) -> Result<Option<Session>> {
    match &session.predecessor {
        Some(id) => sessions::load_session(connection, id),
        None => Ok(None),
    }
}
