//! The table of legal status changes. The schema has it as `legal_transitions`, and its triggers
//! enforce it.

use std::collections::BTreeSet;

use super::{ItemStatus, PlanTaskStatus};

/// A kind of thing that has a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// A work item, which may be a workplan or one of its tasks.
    Item,
    /// A row of the phase queue.
    Phase,
    /// A task of a plan.
    PlanTask,
}

impl Entity {
    /// Returns the word in the schema and in events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Phase => "phase",
            Self::PlanTask => "plan_task",
        }
    }
}

/// A legal change of status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatusEdge {
    /// What has the status.
    pub entity: Entity,
    /// The status before.
    pub from: &'static str,
    /// The status after.
    pub to: &'static str,
    /// Whether it goes back, which needs a reopening with a reason.
    pub is_reopening: bool,
}

/// Lists every legal change, in order.
///
/// Going from not started to finished is legal, because many tasks are never marked as started.
pub fn legal_edges() -> Vec<StatusEdge> {
    let mut edges = BTreeSet::new();
    let mut add = |entity, back, from: &'static str, to: &[&'static str]| {
        for to in to {
            edges.insert(StatusEdge { entity, from, to, is_reopening: back });
        }
    };
    {
        use ItemStatus::{Blocked, Cancelled, Completed, Failed, Queued, Ready, Running};
        let [queued, ready, running, blocked, completed, failed, cancelled] =
            [Queued, Ready, Running, Blocked, Completed, Failed, Cancelled].map(ItemStatus::as_str);
        let ends = [completed, failed, cancelled];
        let item = Entity::Item;
        add(item, false, queued, &[ready, running, blocked]);
        add(item, false, ready, &[queued, running, blocked]);
        add(item, false, running, &[blocked]);
        add(item, false, blocked, &[running]);
        for open in [queued, ready, running, blocked] {
            add(item, false, open, &ends);
        }
        for moved in [running, blocked, completed, failed, cancelled] {
            add(item, true, moved, &[queued, ready]);
        }
        // A phase runs only after it was ready, and one that was not ready cannot have finished.
        let phase = Entity::Phase;
        add(phase, false, queued, &[ready, blocked, cancelled]);
        add(phase, false, ready, &[queued, running, blocked]);
        add(phase, false, running, &[blocked]);
        add(phase, false, blocked, &[cancelled]);
        for open in [ready, running] {
            add(phase, false, open, &ends);
        }
        for moved in [running, blocked, completed, failed, cancelled] {
            add(phase, true, moved, &[queued, ready]);
        }
    }
    {
        use PlanTaskStatus::{Completed, Failed, InProgress, Pending, Skipped};
        let [pending, in_progress, completed, failed, skipped] =
            [Pending, InProgress, Completed, Failed, Skipped].map(PlanTaskStatus::as_str);
        let task = Entity::PlanTask;
        add(task, false, pending, &[in_progress]);
        for open in [pending, in_progress] {
            add(task, false, open, &[completed, failed, skipped]);
        }
        // A failed task that is not retried may be skipped, so that nothing waits for it.
        add(task, false, failed, &[skipped]);
        for moved in [in_progress, completed, failed, skipped] {
            add(task, true, moved, &[pending]);
        }
    }
    edges.into_iter().collect()
}

/// The kind of a change of status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransitionKind {
    /// The status stays.
    Unchanged,
    /// It goes forward.
    Forward,
    /// It goes back, which needs a reopening.
    Back,
    /// It is not legal.
    Illegal,
}

/// Classifies a change of status.
pub fn classify_transition(entity: Entity, from: &str, to: &str) -> TransitionKind {
    if from == to {
        return TransitionKind::Unchanged;
    }
    let edge = legal_edges()
        .into_iter()
        .find(|edge| edge.entity == entity && edge.from == from && edge.to == to);
    match edge {
        Some(StatusEdge { is_reopening: false, .. }) => TransitionKind::Forward,
        Some(StatusEdge { is_reopening: true, .. }) => TransitionKind::Back,
        None => TransitionKind::Illegal,
    }
}

/// Lists the statuses that a status may go forward to.
pub fn list_forward_targets(entity: Entity, from: &str) -> Vec<&'static str> {
    legal_edges()
        .into_iter()
        .filter(|edge| edge.entity == entity && edge.from == from && !edge.is_reopening)
        .map(|edge| edge.to)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(edge: &StatusEdge, status: &str) -> u8 {
        match edge.entity {
            Entity::Item | Entity::Phase => status.parse::<ItemStatus>().unwrap().rank(),
            Entity::PlanTask => status.parse::<PlanTaskStatus>().unwrap().rank(),
        }
    }

    #[test]
    fn forward_never_lowers_the_rank_and_back_always_does() {
        for edge in legal_edges() {
            let (from, to) = (rank(&edge, edge.from), rank(&edge, edge.to));
            assert_eq!(edge.is_reopening, to < from, "{edge:?}");
            let left_out = edge.entity == Entity::PlanTask && edge.to == "skipped";
            assert!(from < 2 || edge.is_reopening || left_out, "{edge:?} goes on from an end");
        }
    }

    #[test]
    fn no_pair_is_both_ways_of_going() {
        let edges = legal_edges();
        for edge in &edges {
            let twins = edges.iter().filter(|other| {
                (other.entity, other.from, other.to) == (edge.entity, edge.from, edge.to)
            });
            assert_eq!(twins.count(), 1, "{edge:?}");
        }
    }

    #[test]
    fn steps_of_the_seeds() {
        for (entity, from, to, expected) in [
            (Entity::Item, "queued", "completed", TransitionKind::Forward),
            (Entity::Item, "completed", "running", TransitionKind::Illegal),
            (Entity::Item, "completed", "queued", TransitionKind::Back),
            (Entity::Item, "running", "running", TransitionKind::Unchanged),
            (Entity::Phase, "running", "queued", TransitionKind::Back),
            (Entity::Phase, "queued", "completed", TransitionKind::Illegal),
            (Entity::Phase, "completed", "running", TransitionKind::Illegal),
            (Entity::PlanTask, "pending", "completed", TransitionKind::Forward),
            (Entity::PlanTask, "completed", "in_progress", TransitionKind::Illegal),
            (Entity::Item, "nonsense", "queued", TransitionKind::Illegal),
        ] {
            assert_eq!(
                classify_transition(entity, from, to),
                expected,
                "{entity:?} {from} -> {to}"
            );
        }
    }
}
