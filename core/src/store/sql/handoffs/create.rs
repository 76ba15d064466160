//! Creating hand-offs.

use super::super::engine::{Tx, args};
use super::super::events::record_event;
use super::super::sessions::{is_registered, load_registered, prefetch_is_registered};
use super::super::statement::statements;
use super::super::stored_text::{stored_optional_text, stored_text};
use super::load::{
    find_open_handoff, load_existing_handoff, mark_session_untold, prefetch_open_handoff,
};
use super::withdrawal::withdraw_handoff;
use crate::model::EventKind;
use crate::model::{
    Epoch, Handoff, HandoffElement, ItemKey, OpenHandoffState, decide_open_handoff, decide_receiver,
};
use crate::store::api::{CLAIM_OVER_REASON, already_handed_on_error};
use crate::store::event_draft::EventDraft;
use crate::store::{NewHandoff, Provenance, Result, StoreError};

statements! {
    /// A repetition in another process proposes another id.
    FIND_HANDOFF_MADE_BY(text) =
        "SELECT key FROM events WHERE op_id = ?1 AND entity = 'handoff' AND kind = 'created'";

    INSERT_HANDOFF(
        text, text, text, text, text, text, text, text, text, text, int, text, text, text, text,
        text, text) =
        "INSERT INTO handoffs (id, type, item, from_session, to_session, repo, worktree, branch,
             phase, task, epoch, summary, deliverables, decisions, known_issues, resources,
             actions)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
}

pub(in super::super) fn create_handoff(tx: &mut impl Tx, new: &NewHandoff) -> Result<Handoff> {
    let provenance = &new.provenance;
    if tx.is_replay(provenance)? {
        let id = tx.one_row(&FIND_HANDOFF_MADE_BY, args![provenance.op_id], |row| row.get(0))?;
        return load_existing_handoff(tx, &id);
    }
    prefetch_open_handoff(tx, &new.fencing_token.0);
    if let Some(to) = &new.to {
        prefetch_is_registered(tx, to);
    }
    let sender = load_registered(tx, &new.from)?;
    let (item, epoch) = &new.fencing_token;
    if sender.item.as_ref() != Some(item) || sender.epoch != Some(*epoch) {
        let text = format!("session {} no longer holds {item}", new.from);
        return Err(StoreError::Conflict(text));
    }
    if let Some(to) = &new.to {
        decide_receiver(&new.from, to)
            .map_err(|refusal| StoreError::denied(refusal.to_string()))?;
        if !is_registered(tx, to)? {
            return Err(StoreError::denied("the receiver of a hand-off must be registered"));
        }
    }
    check_no_open_handoff(tx, item, *epoch, provenance)?;
    let work = sender.execution_state().work;
    let text = |element| new.elements.get(element).map(stored_text);
    tx.execute(
        &INSERT_HANDOFF,
        args![
            new.id,
            new.kind.as_str(),
            item,
            new.from,
            new.to,
            sender.repo,
            sender.worktree,
            sender.branch(),
            stored_optional_text(work.phase.as_ref()),
            stored_optional_text(work.task.as_ref()),
            epoch,
            text(HandoffElement::Summary),
            text(HandoffElement::Deliverables),
            text(HandoffElement::Decisions),
            text(HandoffElement::KnownIssues),
            text(HandoffElement::Resources),
            text(HandoffElement::Actions),
        ],
    )?;
    let handoff = load_existing_handoff(tx, &new.id)?;
    let draft = EventDraft::of_handoff(EventKind::Created, None, &handoff);
    record_event(tx, provenance, &draft)?;
    mark_session_untold(tx, new.to.as_ref())?;
    Ok(handoff)
}

/// Refuses a second open hand-off of an item; one that nobody can accept any more gives way.
fn check_no_open_handoff(
    tx: &mut impl Tx,
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
