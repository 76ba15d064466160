//! What follows from a change of a phase for the others of its item.

use std::collections::{BTreeMap, BTreeSet};

use super::Phase;
use super::order::in_order;
use super::plan::graph;
use crate::model::{ItemStatus, OrchestratorId, QueueId};

/// A phase that will not come to an end by itself, and what those who wait for it are told.
struct Cause {
    id: QueueId,
    message: String,
}

/// Changes one phase and returns every row that is another then: the changed one first, then
/// those that follow, by number.
///
/// - What waits is ready once all it depends on is completed, and queued again when one of
///   them is reopened.
/// - What waits for a failed or cancelled phase, directly or through others that wait, is
///   blocked with its message. When several failed, the first that blocked it keeps it.
/// - It is free again when that phase is reopened, unless another one failed.
/// - What runs, is finished or was blocked by hand stays as it is.
pub fn after(rows: &[Phase], id: &QueueId, change: impl FnOnce(&mut Phase)) -> Vec<Phase> {
    let mut now = rows.to_vec();
    if let Some(row) = now.iter_mut().find(|row| row.id == *id) {
        change(row);
    }
    settle(&mut now);
    let mut changed: Vec<Phase> = now
        .into_iter()
        .zip(rows)
        .filter(|(now, before)| now != *before)
        .map(|(now, _)| now)
        .collect();
    changed.sort_by_key(|row| (row.id != *id, row.number));
    changed
}

/// Frees the phases of an item that run for an orchestrator that is gone, and returns every
/// row that is another then: those first.
pub fn interrupted(rows: &[Phase], orchestrator: &OrchestratorId, reason: &str) -> Vec<Phase> {
    let mut now = rows.to_vec();
    let running = |row: &Phase| {
        row.status == ItemStatus::Running && row.orchestrator.as_ref() == Some(orchestrator)
    };
    for row in now.iter_mut().filter(|row| running(row)) {
        row.release();
        row.error_message = Some(reason.to_owned());
    }
    settle(&mut now);
    let mut changed: Vec<(bool, Phase)> = now
        .into_iter()
        .zip(rows)
        .filter(|(now, before)| now != *before)
        .map(|(now, before)| (!running(before), now))
        .collect();
    changed.sort_by_key(|(follows, row)| (*follows, row.number));
    changed.into_iter().map(|(_, row)| row).collect()
}

impl Phase {
    /// Makes it nobody's work; whether it is ready, the others decide.
    pub(super) fn release(&mut self) {
        self.status = ItemStatus::Queued;
        self.assigned_to = None;
        self.orchestrator = None;
        self.error_message = None;
        self.blocked_by = None;
    }
}

/// Gives each phase that waits the status that the others leave it.
fn settle(rows: &mut [Phase]) {
    let graph = graph(rows);
    // Dependencies in a circle cannot be added; where they are all the same, nothing follows.
    let Ok(order) = in_order(&graph) else { return };
    let status_of = |wanted| {
        let rows = rows.iter().filter(move |row| row.status == wanted);
        rows.map(|row| row.number)
    };
    let completed: BTreeSet<u32> = status_of(ItemStatus::Completed).collect();
    let causes: BTreeMap<u32, Cause> = rows.iter().filter_map(cause).collect();
    let mut waiting: BTreeMap<u32, &mut Phase> =
        rows.iter_mut().map(|row| (row.number, row)).collect();
    // Which causes keep each phase, by the number of the cause.
    let mut kept: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for number in order {
        let Some(row) = waiting.get_mut(&number) else {
            continue;
        };
        let before = row.depends_on.iter().filter_map(|on| kept.get(on));
        let inherited: BTreeSet<u32> = before.flatten().copied().collect();
        let passes_on = match row.status {
            ItemStatus::Running | ItemStatus::Completed => BTreeSet::new(),
            ItemStatus::Failed | ItemStatus::Cancelled => BTreeSet::from([number]),
            _ if row.is_blocked_by_hand() => inherited,
            _ => {
                let possible: BTreeMap<u32, &Cause> = inherited
                    .iter()
                    .filter_map(|number| Some((*number, causes.get(number)?)))
                    .collect();
                let ready = row.depends_on.iter().all(|on| completed.contains(on));
                wait(row, &possible, ready).into_iter().collect()
            }
        };
        kept.insert(number, passes_on);
    }
}

fn cause(row: &Phase) -> Option<(u32, Cause)> {
    let ended = match row.status {
        ItemStatus::Failed => "failed",
        ItemStatus::Cancelled => "cancelled",
        _ => return None,
    };
    let title = row.title();
    let message = match &row.error_message {
        Some(message) => format!("{title} {ended}: {message}"),
        None => format!("{title} {ended}"),
    };
    let id = row.id.clone();
    Some((row.number, Cause { id, message }))
}

/// Lets a phase wait; returns the number of the cause that keeps it.
fn wait(row: &mut Phase, possible: &BTreeMap<u32, &Cause>, ready: bool) -> Option<u32> {
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
    row.status = if ready {
        ItemStatus::Ready
    } else {
        ItemStatus::Queued
    };
    None
}
