//! Writing the decision on a hand-off, and withdrawing one whose sender gives the item up.

use super::super::NOW;
use super::super::engine::{Tx, args};
use super::super::events::record_event;
use super::super::items::changed_hands_error;
use super::super::statement::statements;
use super::super::stored_text::stored_text;
use super::load::{
    IS_OPEN, SELECT_HANDOFF, find_open_handoff, handoff_from_row, mark_session_untold,
};
use crate::model::{EventKind, Handoff, HandoffStatus, ItemKey, SessionId};
use crate::store::api::{ITEM_FINISHED_REASON, WITHDRAWN_REASON};
use crate::store::event_draft::EventDraft;
use crate::store::{Provenance, Result};

statements! {
    /// A session holds at most one item, and an item has at most one open hand-off.
    FIND_HANDOFF_OF_HOLDER(text) =
        SELECT_HANDOFF, "WHERE item = (SELECT key FROM work_items WHERE holder = ?1)
             AND from_session = ?1 AND ", IS_OPEN;

    /// Of two that decide at once the second finds the hand-off decided.
    DECIDE_HANDOFF(text, text, text, text, text) =
        "UPDATE handoffs SET status = ?1, decided_by = ?2, reject_reason = ?3,
             decided_at = ", NOW, ", revision = revision + 1
         WHERE id = ?4 AND status = ?5";
}

/// Says that [`find_handoff_of_holder`] will be asked.
pub(in super::super) fn prefetch_handoff_of_holder(tx: &mut impl Tx, holder: &SessionId) {
    tx.prefetch(&FIND_HANDOFF_OF_HOLDER, args![holder]);
}

/// Finds the open hand-off that a session made of the item that it holds.
pub(in super::super) fn find_handoff_of_holder(
    tx: &mut impl Tx,
    holder: &SessionId,
) -> Result<Option<Handoff>> {
    tx.row(&FIND_HANDOFF_OF_HOLDER, args![holder], handoff_from_row)
}

/// Writes a decision, which the sender is to be told unless it is the sender's own.
pub(super) fn write_decision(
    tx: &mut impl Tx,
    handoff: &Handoff,
    status: HandoffStatus,
    decider: &SessionId,
    reject_reason: Option<&str>,
    provenance: &Provenance,
) -> Result<()> {
    tx.change(
        &DECIDE_HANDOFF,
        args![
            status.as_str(),
            decider,
            reject_reason.map(stored_text),
            handoff.id,
            handoff.status.as_str(),
        ],
        || changed_hands_error(&handoff.item),
    )?;
    let after = Handoff {
        status,
        decided_by: Some(decider.clone()),
        reject_reason: reject_reason.map(|reason| stored_text(reason).into_owned()),
        ..handoff.clone()
    };
    let kind = match status {
        HandoffStatus::Accepted => EventKind::Accepted,
        _ => EventKind::Rejected,
    };
    let draft = EventDraft::of_handoff(kind, Some(handoff), &after);
    record_event(tx, provenance, &draft)?;
    mark_session_untold(tx, Some(&handoff.from).filter(|from| *from != decider))
}

/// Finds the open hand-off of an item that a session made.
pub(in super::super) fn find_handoff_of(
    tx: &mut impl Tx,
    item: &ItemKey,
    sender: &SessionId,
) -> Result<Option<Handoff>> {
    Ok(find_open_handoff(tx, item)?.filter(|open| open.from == *sender))
}

/// Withdraws the hand-off of an item that its sender gives up.
pub(in super::super) fn withdraw_given_up(
    tx: &mut impl Tx,
    open: &Handoff,
    provenance: &Provenance,
) -> Result<()> {
    withdraw_handoff(tx, open, WITHDRAWN_REASON, provenance)
}

/// Withdraws the open hand-off of an item that was finished, or that a session let go as it was
/// reopened.
pub(in super::super) fn withdraw_of_moved_item(
    tx: &mut impl Tx,
    item: &ItemKey,
    is_finished: bool,
    provenance: &Provenance,
) -> Result<()> {
    let reason = if is_finished { ITEM_FINISHED_REASON } else { WITHDRAWN_REASON };
    match find_open_handoff(tx, item)? {
        Some(open) => withdraw_handoff(tx, &open, reason, provenance),
        None => Ok(()),
    }
}

/// Closes a hand-off in its sender's name, who need not be told.
pub(super) fn withdraw_handoff(
    tx: &mut impl Tx,
    open: &Handoff,
    reason: &str,
    provenance: &Provenance,
) -> Result<()> {
    let rejected = HandoffStatus::Rejected;
    write_decision(tx, open, rejected, &open.from, Some(reason), provenance)
}
