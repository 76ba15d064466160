//! How much an export wrote.

/// What was written.
#[derive(Debug, Default)]
pub(super) struct ExportCounts {
    /// The number of objects, by their type, in the order of their first one.
    pub(super) counts: Vec<(&'static str, u64)>,
}

impl ExportCounts {
    pub(super) fn add(&mut self, kind: &'static str, count: u64) {
        match self.counts.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, counted)) => *counted += count,
            None => self.counts.push((kind, count)),
        }
    }
}
