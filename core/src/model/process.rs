//! A process that cannot be confused with another of the same number.

/// Where a process number means anything: one machine, one boot of it, one pid namespace.
///
/// A part that nobody could read, or that an older release did not record, is absent, and
/// then nothing is known of the number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessPlace {
    /// Which machine; its name is no proof, for others may have the same.
    pub machine: Option<String>,
    /// Which boot of it.
    pub boot: Option<String>,
    /// Which pid namespace, and which time namespace start times are counted in.
    pub namespace: Option<String>,
}

impl ProcessPlace {
    /// Tells whether a number of this place means the same in another: every part is known of
    /// both and equal.
    pub fn is_same_place(&self, other: &Self) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        same(&self.machine, &other.machine)
            && same(&self.boot, &other.boot)
            && same(&self.namespace, &other.namespace)
    }
}

/// A process by its number, its start and where it runs.
///
/// The number alone is not life: it is reused. With the start time and the place it names one
/// incarnation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessId {
    /// The process number.
    pub pid: u32,
    /// When it started, in the kernel's ticks since boot; absent where that cannot be read.
    pub started: Option<u64>,
    /// Where the number means anything.
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
