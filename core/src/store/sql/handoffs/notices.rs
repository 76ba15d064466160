//! The hand-offs that a session is told of.

use super::super::engine::{Tx, args};
use super::super::items;
use super::super::sessions::{load_registered, prefetch_session};
use super::super::statement::statements;
use super::load::{IS_OPEN, IS_UNTOLD, SELECT_HANDOFF, handoff_from_row, load_predecessor};
use crate::model::{Handoff, HandoffNoticeReason, HandoffReader, SessionId, decide_handoff_notice};
use crate::store::Result;

/// Most hand-offs that are considered at once; `trueup handoff list` shows those beyond.
const MAX_NOTICES: u32 = 16;

const IS_VALID: &str = " AND EXISTS (
    SELECT 1 FROM work_items w WHERE w.key = item AND w.claim_epoch = epoch)";

statements! {
    /// Whether any session is to be told of a hand-off. Two short indexes answer it for a tenth
    /// of the price of the list below, and mostly there is none.
    HAS_NOTICES() =
        "SELECT EXISTS (SELECT 1 FROM handoffs WHERE ", IS_OPEN, ")
         OR EXISTS (SELECT 1 FROM handoffs WHERE ", IS_UNTOLD, ")";

    /// A walk along one index for each kind; the rule decides which of them are worth a notice.
    LIST_NOTICES(text, text, text, int) =
        SELECT_HANDOFF, "WHERE ", IS_OPEN, IS_VALID, " AND to_session IN (?1, ?2)
            OR ", IS_OPEN, IS_VALID, " AND to_session IS NULL AND repo IS NOT DISTINCT FROM ?3
            OR ", IS_UNTOLD, " AND from_session IN (?1, ?2)
         ORDER BY created_at DESC LIMIT ?4";
}

/// Says that the hand-offs for a session will be listed.
pub(in super::super) fn prefetch_notices(tx: &mut impl Tx, id: &SessionId) {
    prefetch_session(tx, id);
    tx.prefetch(&HAS_NOTICES, args![]);
}

pub(in super::super) fn list_handoff_notices(
    tx: &mut impl Tx,
    id: &SessionId,
    is_start: bool,
) -> Result<Vec<(HandoffNoticeReason, Handoff)>> {
    prefetch_session(tx, id);
    if !tx.one_row(&HAS_NOTICES, args![], |row| row.get(0))? {
        return Ok(Vec::new());
    }
    let session = load_registered(tx, id)?;
    let notices = args![id, session.predecessor, session.repo, MAX_NOTICES];
    tx.prefetch(&LIST_NOTICES, notices);
    let predecessor = load_predecessor(tx, &session)?;
    let handoffs = tx.rows(&LIST_NOTICES, notices, handoff_from_row)?;
    let items = items::load_items(tx, handoffs.iter().map(|handoff| &handoff.item))?;
    let reader = HandoffReader {
        session: &session,
        predecessor: predecessor.as_ref(),
        at_session_start: is_start,
    };
    let mut notices = Vec::new();
    for handoff in handoffs {
        if let Some(reason) = decide_handoff_notice(&handoff, items.get(&handoff.item), &reader) {
            notices.push((reason, handoff));
        }
    }
    notices.sort_by_key(|(reason, _)| *reason);
    Ok(notices)
}
