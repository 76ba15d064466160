//! How a change of a phase affects the other phases of its item.

use std::collections::{BTreeMap, BTreeSet};

use super::Phase;
use super::dependency_order::sort_by_dependencies;
use super::new_phases::build_dependency_graph;
use crate::model::{ItemStatus, OrchestratorId, QueueId};

/// A failed or cancelled phase, and the message for the phases that depend on it.
struct BlockingPhase {
    id: QueueId,
    message: String,
}

/// Changes one phase and returns every phase that differs afterwards: the changed one first, then
/// the others by number.
///
/// - A waiting phase is ready once all its dependencies are completed, and queued again when one of
///   them is reopened.
/// - A phase that waits for a failed or cancelled phase, directly or through other waiting phases,
///   is blocked with that phase's message. When several failed, the one that blocked it first stays
///   the reason.
/// - It is unblocked when that phase is reopened, unless another one failed.
/// - A phase that runs, is finished or was blocked by hand stays as it is.
pub fn change_phase(rows: &[Phase], id: &QueueId, change: impl FnOnce(&mut Phase)) -> Vec<Phase> {
    let mut changed_rows = rows.to_vec();
    if let Some(row) = changed_rows.iter_mut().find(|row| row.id == *id) {
        change(row);
    }
    update_waiting_phases(&mut changed_rows);
    let mut changed: Vec<Phase> = changed_rows
        .into_iter()
        .zip(rows)
        .filter(|(now, before)| now != *before)
        .map(|(now, _)| now)
        .collect();
    changed.sort_by_key(|row| (row.id != *id, row.number));
    changed
}

/// Puts back the phases that an orchestrator was running, and returns every phase that differs
/// afterwards, those first.
pub fn interrupt_phases(rows: &[Phase], orchestrator: &OrchestratorId, reason: &str) -> Vec<Phase> {
    let mut changed_rows = rows.to_vec();
    let running = |row: &Phase| {
        row.status == ItemStatus::Running && row.orchestrator.as_ref() == Some(orchestrator)
    };
    for row in changed_rows.iter_mut().filter(|row| running(row)) {
        row.release();
        row.error_message = Some(reason.to_owned());
    }
    update_waiting_phases(&mut changed_rows);
    let mut changed: Vec<(bool, Phase)> = changed_rows
        .into_iter()
        .zip(rows)
        .filter(|(now, before)| now != *before)
        .map(|(now, before)| (!running(before), now))
        .collect();
    changed.sort_by_key(|(follows, row)| (*follows, row.number));
    changed.into_iter().map(|(_, row)| row).collect()
}

impl Phase {
    /// Takes it away from the session or orchestrator that works on it. Its dependencies decide whether it is ready.
    pub(super) fn release(&mut self) {
        self.status = ItemStatus::Queued;
        self.assigned_to = None;
        self.orchestrator = None;
        self.error_message = None;
        self.blocked_by = None;
    }
}

/// Gives every waiting phase the status that follows from the others.
fn update_waiting_phases(rows: &mut [Phase]) {
    let graph = build_dependency_graph(rows);
    // Cycles cannot be added. Should plain SQL have made one, nothing is changed.
    let Ok(order) = sort_by_dependencies(&graph) else {
        return;
    };
    let status_of = |wanted| {
        let rows = rows.iter().filter(move |row| row.status == wanted);
        rows.map(|row| row.number)
    };
    let completed: BTreeSet<u32> = status_of(ItemStatus::Completed).collect();
    let causes: BTreeMap<u32, BlockingPhase> =
        rows.iter().filter_map(find_blocking_phase).collect();
    let mut waiting: BTreeMap<u32, &mut Phase> =
        rows.iter_mut().map(|row| (row.number, row)).collect();
    // By number, the failed phases that each phase waits for.
    let mut inherited_causes: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for number in order {
        let Some(row) = waiting.get_mut(&number) else {
            continue;
        };
        let before = row.depends_on.iter().filter_map(|on| inherited_causes.get(on));
        let inherited: BTreeSet<u32> = before.flatten().copied().collect();
        let passes_on = match row.status {
            ItemStatus::Running | ItemStatus::Completed => BTreeSet::new(),
            ItemStatus::Failed | ItemStatus::Cancelled => BTreeSet::from([number]),
            _ if row.is_blocked_by_hand() => inherited,
            _ => {
                let possible: BTreeMap<u32, &BlockingPhase> = inherited
                    .iter()
                    .filter_map(|number| Some((*number, causes.get(number)?)))
                    .collect();
                let ready = row.depends_on.iter().all(|on| completed.contains(on));
                update_waiting_phase(row, &possible, ready).into_iter().collect()
            }
        };
        inherited_causes.insert(number, passes_on);
    }
}

fn find_blocking_phase(row: &Phase) -> Option<(u32, BlockingPhase)> {
    let outcome = match row.status {
        ItemStatus::Failed => "failed",
        ItemStatus::Cancelled => "cancelled",
        _ => return None,
    };
    let title = row.title();
    let message = match &row.error_message {
        Some(message) => format!("{title} {outcome}: {message}"),
        None => format!("{title} {outcome}"),
    };
    let id = row.id.clone();
    Some((row.number, BlockingPhase { id, message }))
}

/// Updates a waiting phase. Returns the number of the phase that blocks it, if any.
fn update_waiting_phase(
    row: &mut Phase,
    possible: &BTreeMap<u32, &BlockingPhase>,
    ready: bool,
) -> Option<u32> {
    let mut causes = possible.iter();
    let present = causes.find(|(_, cause)| row.blocked_by.as_ref() == Some(&cause.id));
    if let Some((number, _)) = present {
        return Some(*number);
    }
    if let Some((number, cause)) = possible.first_key_value() {
        row.status = ItemStatus::Blocked;
        row.blocked_by = Some(cause.id.clone());
        row.error_message = Some(cause.message.clone());
        return Some(*number);
    }
    if row.blocked_by.take().is_some() {
        row.error_message = None;
    }
    row.status = if ready { ItemStatus::Ready } else { ItemStatus::Queued };
    None
}
