//! What a session is told of hand-offs.

use rusqlite::{Connection, params};

use super::super::errors::from_sqlite;
use super::super::{items, registered, sessions};
use super::{predecessor, select};
use crate::model::{Handoff, HandoffNews, Reader, SessionId, news_of};
use crate::store::Result;

/// Most hand-offs that one emission is made from: those beyond are listed by the command.
const MOST_NEWS: u32 = 16;

/// Asks whether any session has news of a hand-off.
pub(in crate::store::sqlite) const ANY_NEWS: &str =
    "SELECT EXISTS (SELECT 1 FROM handoffs WHERE status IN ('pending_acceptance', 'blocked'))
     OR EXISTS (SELECT 1 FROM handoffs
                WHERE status IN ('accepted', 'rejected') AND told_at IS NULL)";

pub(super) fn news(
    connection: &Connection,
    id: &SessionId,
    starts: bool,
) -> Result<Vec<(HandoffNews, Handoff)>> {
    let session = registered(sessions::load(connection, id)?, id)?;
    // Mostly nobody has anything to be told: two short indexes say so for a tenth of the price.
    let any = connection.query_row(ANY_NEWS, [], |row| row.get(0));
    if !any.map_err(from_sqlite)? {
        return Ok(Vec::new());
    }
    let before = predecessor(connection, &session)?;
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
    let found = select(
        connection,
        &rest,
        params![
            id.as_str(),
            before.as_ref().map(|before| before.id.as_str()),
            session.repo,
            MOST_NEWS
        ],
    )?;
    let reader = Reader {
        session: &session,
        predecessor: before.as_ref(),
        starts,
    };
    let mut told = Vec::new();
    for handoff in found {
        let item = items::load(connection, &handoff.item)?;
        if let Some(news) = news_of(&handoff, item.as_ref(), &reader) {
            told.push((news, handoff));
        }
    }
    told.sort_by_key(|(news, _)| *news);
    Ok(told)
}
