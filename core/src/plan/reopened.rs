//! Tasks that somebody reopened, whose boxes may still be checked.

use std::collections::{BTreeMap, BTreeSet};

use super::Checkboxes;
use crate::model::{EventFilter, EventKind, PlanId, PlanTaskId, PlanTaskStatus};
use crate::store::{EventPages, Result, Store};

/// Finds the tasks that are checked in the file although somebody reopened them. Retries and
/// interruptions go back too, but not from an end that the file may be telling of.
///
/// # Errors
///
/// When the database cannot be read.
pub fn find_reopened_tasks(
    store: &mut dyn Store,
    plan: &PlanId,
    checkboxes: &Checkboxes,
) -> Result<BTreeSet<PlanTaskId>> {
    if checkboxes.ahead_in_file.is_empty() {
        return Ok(BTreeSet::new());
    }
    let filter = EventFilter {
        entity: Some("plan_task".to_owned()),
        kind: Some(EventKind::Reopened.as_str().to_owned()),
        ..EventFilter::default()
    };
    let ended = [PlanTaskStatus::Completed, PlanTaskStatus::Skipped].map(PlanTaskStatus::as_str);
    let ahead = checkboxes.ahead_in_file.iter();
    let ahead: BTreeMap<String, &PlanTaskId> =
        ahead.map(|id| (format!("{plan}/{id}"), id)).collect();
    let mut reopened = BTreeSet::new();
    let mut pages = EventPages::new(filter);
    loop {
        let events = pages.read_next(store)?;
        if events.is_empty() {
            return Ok(reopened);
        }
        let ends = events.iter().filter(|event| {
            let before = event.before.get("status").and_then(serde_json::Value::as_str);
            before.is_some_and(|status| ended.contains(&status))
        });
        let ids = ends.filter_map(|event| ahead.get(&event.key).copied());
        reopened.extend(ids.cloned());
    }
}
