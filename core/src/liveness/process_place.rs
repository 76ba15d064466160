//! The place of this process, as sessions and orchestrators record it.

use std::sync::OnceLock;

use crate::fs::{HostPlace, host_place};
use crate::model::ProcessPlace;

/// Returns where this process runs.
pub(super) fn current_place() -> &'static ProcessPlace {
    static HERE: OnceLock<ProcessPlace> = OnceLock::new();
    HERE.get_or_init(|| {
        let HostPlace { machine, boot, namespace } = host_place().clone();
        ProcessPlace { machine, boot, namespace }
    })
}

/// Names the parts of this place that cannot be read, so that no process can be checked.
pub fn unreadable_place_parts() -> Vec<&'static str> {
    let current = current_place();
    let parts = [
        ("machine id", &current.machine),
        ("boot id", &current.boot),
        ("pid namespace", &current.namespace),
    ];
    let missing = parts.into_iter().filter(|(_, part)| part.is_none());
    missing.map(|(name, _)| name).collect()
}
