//! What a session is told of hand-offs.

use rusqlite::{Connection, params};

use super::super::errors::from_sqlite;
use super::super::{items, require_registered, sessions};
use super::{load_predecessor, select_handoffs};
use crate::model::{Handoff, HandoffNoticeReason, HandoffReader, SessionId, decide_handoff_notice};
use crate::store::Result;

/// Most hand-offs that one emission is made from: those beyond are listed by the command.
const MAX_NOTICES: u32 = 16;

/// Asks whether any session has news of a hand-off.
pub(in crate::store::sqlite) const HAS_NOTICES: &str =
    "SELECT EXISTS (SELECT 1 FROM handoffs WHERE status IN ('pending_acceptance', 'blocked'))
     OR EXISTS (SELECT 1 FROM handoffs
                WHERE status IN ('accepted', 'rejected') AND told_at IS NULL)";

pub(super) fn list_handoff_notices(
    connection: &Connection,
    id: &SessionId,
    is_start: bool,
) -> Result<Vec<(HandoffNoticeReason, Handoff)>> {
    let session = require_registered(sessions::load_session(connection, id)?, id)?;
    // Mostly nobody has anything to be told: two short indexes say so for a tenth of the price.
    let has_notices = connection.query_row(HAS_NOTICES, [], |row| row.get(0));
    if !has_notices.map_err(from_sqlite)? {
        return Ok(Vec::new());
    }
    let predecessor = load_predecessor(connection, &session)?;
    // A walk along an index each; what of it is worth a word, the rule decides.
    let open = "status IN ('pending_acceptance', 'blocked') AND EXISTS (
        SELECT 1 FROM work_items w WHERE w.key = item AND w.claim_epoch = epoch)";
    let rest = format!(
        "WHERE {open} AND to_session IN (?1, ?2)
            OR {open} AND to_session IS NULL AND repo IS ?3
            OR status IN ('accepted', 'rejected') AND told_at IS NULL
               AND from_session IN (?1, ?2)
         ORDER BY created_at DESC LIMIT ?4"
    );
    let found = select_handoffs(
        connection,
        &rest,
        params![
            id.as_str(),
            predecessor.as_ref().map(|before| before.id.as_str()),
            session.repo,
            MAX_NOTICES
        ],
    )?;
    let reader = HandoffReader {
        session: &session,
        predecessor: predecessor.as_ref(),
        at_session_start: is_start,
    };
    let mut notices = Vec::new();
    for handoff in found {
        let item = items::load_item(connection, &handoff.item)?;
        if let Some(news) = decide_handoff_notice(&handoff, item.as_ref(), &reader) {
            notices.push((news, handoff));
        }
    }
    notices.sort_by_key(|(news, _)| *news);
    Ok(notices)
}
