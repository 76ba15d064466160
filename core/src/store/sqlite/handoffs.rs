//! Hand-offs: the rules are decided inside the transaction that carries them out.

mod decide;
pub(super) mod news;

use rusqlite::{Connection, OptionalExtension, Params, Row, Transaction, named_params};

use self::decide::{accept, decided, reject};
use self::news::news;
use super::errors::from_sqlite;
use super::events::record;
use super::free::{free, free_option};
use super::sessions::signed;
use super::{NOW, SqliteStore, registered, rows, sessions, was_done};
use crate::model::{
    Element, Elements, Epoch, Handoff, HandoffId, HandoffNews, HandoffStatus, IdError, ItemKey,
    OpenHandoff, Revision, Session, SessionId, decide_open,
};
use crate::store::news::News;
use crate::store::port::{OUTLIVED, WITHDRAWN, second};
use crate::store::{
    HandoffAcceptance, HandoffAccepted, HandoffFilter, HandoffRejection, HandoffStore, NewHandoff,
    Provenance, Result, Ruled, StoreError,
};

/// The columns [`handoff`] reads.
const HANDOFF: &str = "id, type, status, item, from_session, to_session, repo, worktree, branch, \
     phase, task, epoch, created_at, decided_at, decided_by, reject_reason, shown_at, told_at, \
     revision, summary, actions, known_issues, decisions, deliverables, resources";

/// The first of the elements among the columns; they follow in their own order.
const FIRST_ELEMENT: usize = 19;

fn handoff(row: &Row<'_>) -> rusqlite::Result<Handoff> {
    let mut elements = Vec::new();
    for (place, element) in Element::ALL.into_iter().enumerate() {
        elements.push((element, row.get(FIRST_ELEMENT + place)?));
    }
    Ok(Handoff {
        id: rows::parsed(row, 0)?,
        kind: rows::parsed(row, 1)?,
        status: rows::parsed(row, 2)?,
        item: rows::parsed(row, 3)?,
        from: rows::parsed(row, 4)?,
        to: rows::optional(row, 5)?,
        repo: row.get(6)?,
        worktree: row.get(7)?,
        branch: row.get(8)?,
        phase: row.get(9)?,
        task: row.get(10)?,
        epoch: Epoch(rows::count(row, 11)?),
        elements: Elements::new(elements),
        created_at: rows::time(row, 12)?,
        decided_at: rows::lenient_time(row, 13),
        decided_by: rows::optional(row, 14)?,
        reject_reason: row.get(15)?,
        shown_at: rows::lenient_time(row, 16),
        told_at: rows::lenient_time(row, 17),
        revision: Revision(rows::count(row, 18)?),
    })
}

impl HandoffStore for SqliteStore {
    fn create_handoff(&mut self, new: &NewHandoff) -> Result<Handoff> {
        self.write(|tx| create(tx, new))
    }

    fn handoff(&mut self, id: &HandoffId) -> Result<Option<Handoff>> {
        load(&self.connection, id)
    }

    fn handoffs(&mut self, filter: HandoffFilter) -> Result<Vec<Handoff>> {
        let open = if filter.open {
            "WHERE status IN ('pending_acceptance', 'blocked')"
        } else {
            ""
        };
        let rest = format!("{open} ORDER BY created_at DESC, rowid DESC");
        select(&self.connection, &rest, [])
    }

    fn accept_handoff(&mut self, acceptance: &HandoffAcceptance) -> Result<Ruled<HandoffAccepted>> {
        self.write(|tx| accept(tx, acceptance))
    }

    fn reject_handoff(&mut self, rejection: &HandoffRejection) -> Result<Ruled<Handoff>> {
        self.write(|tx| reject(tx, rejection))
    }

    fn handoff_news(
        &mut self,
        session: &SessionId,
        starts: bool,
    ) -> Result<Vec<(HandoffNews, Handoff)>> {
        news(&self.connection, session, starts)
    }

    fn note_handoff_told(&mut self, told: &Handoff) -> Result<()> {
        let column = if told.status.is_open() {
            "shown_at"
        } else {
            "told_at"
        };
        let sql = format!(
            "UPDATE handoffs SET {column} = coalesce({column}, {NOW})
             WHERE id = ?1"
        );
        self.write(|tx| tx.execute(&sql, [told.id.as_str()]).map_err(from_sqlite))
            .map(|_| ())
    }
}

fn load(connection: &Connection, id: &HandoffId) -> Result<Option<Handoff>> {
    connection
        .query_row(
            &format!("SELECT {HANDOFF} FROM handoffs WHERE id = ?1"),
            [id.as_str()],
            handoff,
        )
        .optional()
        .map_err(from_sqlite)
}

fn select(connection: &Connection, rest: &str, parameters: impl Params) -> Result<Vec<Handoff>> {
    let sql = format!("SELECT {HANDOFF} FROM handoffs {rest}");
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map(parameters, handoff)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

/// Reads a hand-off that was written in this transaction.
fn written(tx: &Transaction<'_>, id: &HandoffId) -> Result<Handoff> {
    load(tx, id)?.ok_or_else(|| StoreError::Conflict(format!("hand-off {id} vanished")))
}

/// Reads the hand-off that an operation made: who repeats it in another process has another id
/// in mind.
fn made_by(tx: &Transaction<'_>, by: &Provenance) -> Result<Handoff> {
    let id: String = tx
        .query_row(
            "SELECT key FROM events WHERE op_id = ?1 AND entity = 'handoff' AND kind = 'created'",
            [&by.op_id],
            |row| row.get(0),
        )
        .map_err(from_sqlite)?;
    let id = id.parse();
    written(
        tx,
        &id.map_err(|error: IdError| StoreError::Invalid(error.to_string()))?,
    )
}

fn create(tx: &Transaction<'_>, new: &NewHandoff) -> Result<Handoff> {
    if was_done(tx, &new.provenance)? {
        return made_by(tx, &new.provenance);
    }
    let sender = registered(sessions::load(tx, &new.from)?, &new.from)?;
    let (item, epoch) = &new.fence;
    if sender.item.as_ref() != Some(item) || sender.epoch != Some(*epoch) {
        let text = format!("session {} no longer holds {item}", new.from);
        return Err(StoreError::Conflict(text));
    }
    if let Some(to) = &new.to
        && sessions::load(tx, to)?.is_none()
    {
        let text = "the receiver of a hand-off must be registered".to_owned();
        return Err(StoreError::Denied(text));
    }
    clear_the_way(tx, item, *epoch, &new.provenance)?;
    let work = sender.execution_state().work;
    let text = |element| new.elements.get(element).map(free);
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
            ":phase": free_option(work.phase.as_ref()),
            ":task": free_option(work.task.as_ref()),
            ":epoch": signed(epoch.0),
            ":summary": text(Element::Summary),
            ":deliverables": text(Element::Deliverables),
            ":decisions": text(Element::Decisions),
            ":known_issues": text(Element::KnownIssues),
            ":resources": text(Element::Resources),
            ":actions": text(Element::Actions),
        },
    )
    .map_err(from_sqlite)?;
    let made = written(tx, &new.id)?;
    report(tx, &new.provenance, "created", None, &made)?;
    untold(tx, new.to.as_ref())?;
    Ok(made)
}

/// Reads the open hand-off of an item, of which there is one at most.
fn open_of(connection: &Connection, item: &ItemKey) -> Result<Option<Handoff>> {
    let rest = "WHERE item = ?1 AND status IN ('pending_acceptance', 'blocked')";
    Ok(select(connection, rest, [item.as_str()])?.pop())
}

/// Refuses a second open hand-off of an item; one that nobody can accept any more gives way.
fn clear_the_way(
    tx: &Transaction<'_>,
    item: &ItemKey,
    epoch: Epoch,
    by: &Provenance,
) -> Result<()> {
    let Some(open) = open_of(tx, item)? else {
        return Ok(());
    };
    match decide_open(&open, epoch) {
        OpenHandoff::Stands => Err(second(&open)),
        OpenHandoff::Outlived => withdraw(tx, &open, OUTLIVED, by),
    }
}

/// Withdraws the hand-off of an item that its sender gives up.
pub(super) fn withdraw_of(
    tx: &Transaction<'_>,
    item: &ItemKey,
    sender: &SessionId,
    by: &Provenance,
) -> Result<()> {
    match open_of(tx, item)?.filter(|open| open.from == *sender) {
        Some(open) => withdraw(tx, &open, WITHDRAWN, by),
        None => Ok(()),
    }
}

/// Closes a hand-off in its sender's name, who need not be told.
fn withdraw(tx: &Transaction<'_>, open: &Handoff, why: &str, by: &Provenance) -> Result<()> {
    let rejected = HandoffStatus::Rejected;
    decided(tx, open, rejected, &open.from, Some(why), by).map(|_| ())
}

fn report(
    tx: &Transaction<'_>,
    by: &Provenance,
    kind: &str,
    before: Option<&Handoff>,
    after: &Handoff,
) -> Result<()> {
    let news = News::of_handoff(kind, before, after);
    record(tx, by, &news)
}

/// Lets a session count as not told yet. A hand-off is nothing that caches mirror, so it
/// raises no revision, which would turn an edit of the reader into a lost one.
fn untold(tx: &Transaction<'_>, id: Option<&SessionId>) -> Result<()> {
    tx.execute(
        "UPDATE claude_sessions SET acknowledged_revision = min(acknowledged_revision, revision - 1)
         WHERE session_id = ?1",
        [id.map(SessionId::as_str)],
    )
    .map_err(from_sqlite)?;
    Ok(())
}

/// Reads the session that a session continues.
fn predecessor(connection: &Connection, session: &Session) -> Result<Option<Session>> {
    match &session.predecessor {
        Some(id) => sessions::load(connection, id),
        None => Ok(None),
    }
}
