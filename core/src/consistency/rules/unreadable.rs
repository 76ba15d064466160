//! Files that cannot be read whole. They are not written: a block whose end is missing makes text
//! of the tasks that follow, and tasks of text.

use std::collections::BTreeMap;

use crate::consistency::CheckoutSnapshot;
use crate::consistency::finding::{CheckFinding, file_line};
use crate::diagnostic::{Advice, AdviceKind, Code};
use crate::workplan::TextPosition;

/// Where the first problem of each file is, by path.
pub(crate) struct UnreadableFiles(BTreeMap<String, TextPosition>);

impl UnreadableFiles {
    pub(crate) fn find(findings: &[CheckFinding]) -> Self {
        let mut places = BTreeMap::new();
        for finding in findings {
            if finding.divergence.code == Code::WorkplanInvalid
                && let (Some(path), Some(place)) = (&finding.path, finding.place)
            {
                places.entry(path.clone()).or_insert(place);
            }
        }
        Self(places)
    }

    /// Returns which workplans of a snapshot must not be written, by their index, and why.
    pub(crate) fn hold_back(&self, snapshot: &CheckoutSnapshot) -> BTreeMap<usize, String> {
        if self.0.is_empty() {
            return BTreeMap::new();
        }
        let workplans = snapshot.workplans.iter().enumerate();
        workplans
            .filter_map(|(number, workplan)| {
                let line = self.0.get(&workplan.path)?.line;
                let reason = format!("cannot be read completely (C-02 in line {line})");
                Some((number, reason))
            })
            .collect()
    }

    /// Advises to edit the file where a fix would have written it. A missing id is not reported
    /// at all: it is written by the first check after the edit.
    pub(crate) fn advise_edit(&self, findings: &mut Vec<CheckFinding>) {
        findings.retain_mut(|finding| {
            let divergence = &mut finding.divergence;
            let Some(path) = finding.path.as_ref() else {
                return true;
            };
            let Some(place) = self.0.get(path) else {
                return true;
            };
            if *divergence.advice.kind() != AdviceKind::FixCheckout {
                return true;
            }
            if divergence.code == Code::DatabaseAhead {
                let place = file_line(path, *place);
                divergence.advice = Advice::from(AdviceKind::EditWorkplan { place });
                finding.fix = None;
            }
            ![Code::WorkplanNotLinked, Code::TaskNotLinked].contains(&divergence.code)
        });
    }
}
