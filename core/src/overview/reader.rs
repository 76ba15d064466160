//! Reading an overview, and judging its sessions from this machine.

use std::collections::BTreeMap;

use super::OverviewReadings;
use crate::liveness::check_session_process;
use crate::model::{Timestamp, judge_session};
use crate::store::{CommandStore, OverviewQuery, Result};

/// From where an overview is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverviewSite {
    /// The name of this machine.
    pub host: String,
    /// The longest silence accepted of a session whose process cannot be checked.
    pub ceiling_seconds: u64,
}

/// Reads an overview.
///
/// # Errors
///
/// When the database cannot be read.
pub fn read_overview(
    store: &mut dyn CommandStore,
    site: &OverviewSite,
) -> Result<OverviewReadings> {
    let day_start = start_of_today();
    let rows = store.load_overview_rows(&OverviewQuery { finished_since: day_start })?;
    let liveness: BTreeMap<_, _> = rows
        .sessions
        .iter()
        .map(|session| {
            let process = check_session_process(session, &site.host);
            let liveness = judge_session(session, process, site.ceiling_seconds);
            (session.id.clone(), liveness.state)
        })
        .collect();
    Ok(OverviewReadings { rows, liveness, day_start })
}

/// Returns when today began on this machine.
fn start_of_today() -> Timestamp {
    let now = jiff::Zoned::now();
    // Only the last day of the calendar has no start in some time zone.
    let start = now.start_of_day().map_or_else(|_| now.timestamp(), |start| start.timestamp());
    Timestamp::from_millis(start.as_millisecond())
}
