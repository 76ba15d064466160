//! Processes, identified so that two with the same number are not confused.

use serde::{Deserialize, Serialize};

/// Where a process number is valid: one machine, one boot of it, one pid namespace.
///
/// A part that could not be read, or that an older release did not record, is `None`; the number
/// then identifies nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessPlace {
    /// The machine id. A host name would not do, because several machines may share it.
    pub machine: Option<String>,
    /// The boot of that machine.
    pub boot: Option<String>,
    /// The pid namespace, and the time namespace that start times are counted in.
    pub namespace: Option<String>,
}

impl ProcessPlace {
    /// Returns whether numbers are valid in both places alike: every part is known on both sides and
    /// equal.
    pub fn is_same_place(&self, other: &Self) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        same(&self.machine, &other.machine)
            && same(&self.boot, &other.boot)
            && same(&self.namespace, &other.namespace)
    }
}

/// A process by its number, its start time and its place.
///
/// Numbers are reused, so the number alone proves nothing. With start time and place it identifies
/// one process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// The process number.
    pub pid: u32,
    /// The start time in the kernel's ticks since boot, or `None` where it cannot be read.
    pub started: Option<u64>,
    /// Where the number is valid.
    pub place: ProcessPlace,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::sample_place;

    #[test]
    fn a_place_is_another_only_when_every_part_is_known_and_equal() {
        let here = sample_place("m", "b", "n");
        for (other, same) in [
            (sample_place("m", "b", "n"), true),
            (sample_place("other", "b", "n"), false),
            (sample_place("m", "other", "n"), false),
            (sample_place("m", "b", "other"), false),
            (sample_place("", "b", "n"), false),
            (sample_place("m", "", "n"), false),
            (sample_place("m", "b", ""), false),
        ] {
            assert_eq!(here.is_same_place(&other), same, "{other:?}");
            assert_eq!(other.is_same_place(&here), same, "{other:?}");
        }
        for unknown in [
            ProcessPlace::default(),
            sample_place("", "b", "n"),
            sample_place("m", "", "n"),
            sample_place("m", "b", ""),
        ] {
            assert!(!unknown.is_same_place(&unknown), "{unknown:?}");
        }
    }
}
