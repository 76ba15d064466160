//! How many there are of each.

use std::collections::BTreeSet;

use serde::Serialize;

use super::SessionState;
use super::index::OverviewIndex;
use crate::model::{Item, ItemStatus};

/// How many there are of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OverviewCounts {
    /// Machines with a session that is present.
    pub machines: usize,
    /// Sessions, by what they are doing.
    pub sessions: SessionCounts,
    /// Items.
    pub items: ItemCounts,
    /// Events of the last minute.
    pub events_per_minute: f64,
    /// What needs a person.
    pub needs_me: usize,
}

/// How many sessions do what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionCounts {
    /// Working.
    pub live: usize,
    /// Between turns, or silent as announced.
    pub waiting: usize,
    /// Silent for longer than their lease.
    pub stale: usize,
    /// Dead.
    pub dead: usize,
}

/// How many items there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ItemCounts {
    /// Waiting for nothing but a session.
    pub ready: usize,
    /// Unfinished and held.
    pub held: usize,
    /// Completed today.
    pub done_today: usize,
}

pub(super) fn count_overview(index: &OverviewIndex<'_>, needs_me: usize) -> OverviewCounts {
    let rows = &index.readings.rows;
    let in_state =
        |wanted: SessionState| index.sessions().filter(|(_, state)| *state == wanted).count();
    let present = index.sessions().filter(|(_, state)| state.is_present());
    let machines: BTreeSet<_> =
        present.filter_map(|(session, _)| session.host.as_deref()).collect();
    let count_items = |wanted: &dyn Fn(&&Item) -> bool| rows.items.iter().filter(wanted).count();
    OverviewCounts {
        machines: machines.len(),
        sessions: SessionCounts {
            live: in_state(SessionState::Live),
            waiting: in_state(SessionState::Waiting),
            stale: in_state(SessionState::Stale),
            dead: in_state(SessionState::Dead),
        },
        items: ItemCounts {
            ready: count_items(&|item| {
                item.holder.is_none()
                    // Work that was given up in the middle is offered like any other.
                    && matches!(
                        item.status,
                        ItemStatus::Queued | ItemStatus::Ready | ItemStatus::Running
                    )
                    && index.waits_for(&item.key).is_empty()
            }),
            held: count_items(&|item| item.holder.is_some() && !item.status.is_finished()),
            done_today: count_items(&|item| {
                item.status == ItemStatus::Completed
                    && item.completed_at.is_some_and(|at| at >= index.readings.day_start)
            }),
        },
        // At most some thousands, which a float holds exactly.
        events_per_minute: u32::try_from(rows.events_of_last_minute).unwrap_or(u32::MAX).into(),
        needs_me,
    }
}
