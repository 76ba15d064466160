//! Removing phases that were added by mistake.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::super::engine::{Tx, args};
use super::super::events::record_event;
use super::super::items;
use super::super::sessions::load_registered;
use super::super::statement::statements;
use super::steps::{LOAD_ITEM_OF_PHASE, missing_item_error};
use super::{LIST_PHASES_BESIDE, phase_from_row};
use crate::model::phase::{PhaseRefusal, PhaseRemovalFacts, decide_phase_removal};
use crate::model::{Item, Phase, QueueId};
use crate::store::event_draft::EventDraft;
use crate::store::{PhaseRemovalOutcome, PhaseRemovalRequest, Provenance, Result};

statements! {
    /// What events record of the phases of the item that a phase belongs to.
    LIST_PHASE_FACTS_BESIDE(text) =
        "SELECT queue_id, facts FROM phase_queue
         WHERE item = (SELECT item FROM phase_queue WHERE queue_id = ?1)";

    /// Tells the triggers that the removal of phases of this item is recorded here.
    ANNOUNCE_PHASE_REMOVAL(text) =
        "INSERT INTO trueup_meta (key, value) VALUES ('removing_phases', ?1)";
    DELETE_PHASE(text) = @repeated "DELETE FROM phase_queue WHERE queue_id = ?1";
    CONCLUDE_PHASE_REMOVAL(text) =
        "DELETE FROM trueup_meta WHERE key = 'removing_phases' AND value = ?1";
}

pub(in super::super) fn remove_phases(
    tx: &mut impl Tx,
    request: &PhaseRemovalRequest,
) -> Result<PhaseRemovalOutcome> {
    let provenance = &request.provenance;
    if tx.is_replay(provenance)? {
        return Ok(PhaseRemovalOutcome::Removed(Vec::new()));
    }
    tx.prefetch(&LIST_PHASES_BESIDE, args![request.id]);
    tx.prefetch(&LOAD_ITEM_OF_PHASE, args![request.id]);
    tx.prefetch(&LIST_PHASE_FACTS_BESIDE, args![request.id]);
    if let Some(mover) = &request.mover {
        load_registered(tx, mover)?;
    }
    let phases = tx.rows(&LIST_PHASES_BESIDE, args![request.id], phase_from_row)?;
    let Some(phase) = phases.iter().find(|phase| phase.id == request.id) else {
        return Ok(PhaseRemovalOutcome::Refused(PhaseRefusal::NotFound));
    };
    let item = tx.row(&LOAD_ITEM_OF_PHASE, args![request.id], items::item_from_row)?;
    let item = item.ok_or_else(|| missing_item_error(&phase.item))?;
    let facts = PhaseRemovalFacts {
        mover: request.mover.as_ref(),
        item: &item,
        rows: &phases,
        id: &request.id,
        with_all: request.with_all,
    };
    let leaving = match decide_phase_removal(&facts) {
        Ok(leaving) => leaving,
        Err(refusal) => return Ok(PhaseRemovalOutcome::Refused(refusal)),
    };
    let facts = list_phase_facts(tx, &request.id)?;
    delete_phases(tx, &item, &leaving, &facts, provenance)?;
    Ok(PhaseRemovalOutcome::Removed(leaving.into_iter().cloned().collect()))
}

fn list_phase_facts(tx: &mut impl Tx, id: &QueueId) -> Result<BTreeMap<QueueId, Json>> {
    let rows = tx.rows(&LIST_PHASE_FACTS_BESIDE, args![id], |row| {
        let facts: String = row.get(1)?;
        Ok((row.get(0)?, serde_json::from_str(&facts).unwrap_or_default()))
    })?;
    Ok(rows.into_iter().collect())
}

fn delete_phases(
    tx: &mut impl Tx,
    item: &Item,
    leaving: &[&Phase],
    facts: &BTreeMap<QueueId, Json>,
    provenance: &Provenance,
) -> Result<()> {
    tx.execute(&ANNOUNCE_PHASE_REMOVAL, args![item.key])?;
    for phase in leaving {
        tx.execute(&DELETE_PHASE, args![phase.id])?;
        let before = facts.get(&phase.id).cloned().unwrap_or_default();
        record_event(tx, provenance, &EventDraft::of_removed_phase(&phase.id, before, item.epoch))?;
    }
    tx.execute(&CONCLUDE_PHASE_REMOVAL, args![item.key])?;
    Ok(())
}
