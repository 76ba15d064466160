//! The overview: what needs a person, who works on what, and what is stuck.
//!
//! [`read_overview`] reads everything at once, [`build_overview`] decides, and [`OverviewHistory`]
//! tells which rows have changed since a version. Rows have times and never ages, so that none
//! changes by itself.

mod counts;
mod history;
mod index;
mod need;
mod need_rules;
mod reader;
mod readings;
mod session_row;
mod session_state;
#[cfg(test)]
mod tests;
mod work_row;

use serde::Serialize;

use crate::model::Timestamp;

pub use counts::{ItemCounts, OverviewCounts, SessionCounts};
pub use history::{OverviewChanges, OverviewHistory, RowChanges};
pub use need::{Need, NeedAction, NeedKind};
pub use reader::{OverviewSite, read_overview};
pub use readings::OverviewReadings;
pub use session_row::SessionRow;
pub use session_state::{SessionState, decide_session_state};
pub use work_row::WorkRow;

/// All of it at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overview {
    /// The cursor of the newest event that it shows.
    pub seq: i64,
    /// The database's clock at that moment.
    pub as_of: Timestamp,
    /// How many there are of each.
    pub counts: OverviewCounts,
    /// What needs a person, oldest first.
    pub needs_me: Vec<Need>,
    /// The items that are unfinished or were finished today, by parent, position and key.
    pub work: Vec<WorkRow>,
    /// The sessions that are present or were over today, by when they registered.
    pub sessions: Vec<SessionRow>,
}

/// Builds the overview of what was read.
pub fn build_overview(readings: &OverviewReadings) -> Overview {
    let index = index::OverviewIndex::new(readings);
    let needs_me = need_rules::find_needs(&index);
    Overview {
        seq: readings.rows.newest_event,
        as_of: readings.rows.read_at,
        counts: counts::count_overview(&index, needs_me.len()),
        needs_me,
        work: readings.rows.items.iter().map(|item| WorkRow::new(item, &index)).collect(),
        sessions: index
            .sessions()
            .map(|(session, state)| SessionRow::new(session, state, index.liveness_of(session)))
            .collect(),
    }
}
