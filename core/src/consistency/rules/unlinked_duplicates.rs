//! Workplans that somebody added by hand, without a file, although one has a file with the same
//! title.

use std::collections::HashMap;

use crate::authority::Authority;
use crate::consistency::CheckoutSnapshot;
use crate::consistency::finding::CheckFinding;
use crate::diagnostic::{AdviceKind, Code};
use crate::model::ItemStatus;

/// Reports rows without a file that have the title of a workplan with one.
pub(crate) fn report_unlinked_duplicates(
    snapshot: &CheckoutSnapshot,
    findings: &mut Vec<CheckFinding>,
) {
    if snapshot.unlinked_rows.is_empty() {
        return;
    }
    let workplans = snapshot.workplans.iter();
    let keys_by_title: HashMap<&str, &str> = workplans
        .filter_map(|workplan| Some((workplan.title.as_deref()?, workplan.key.as_str())))
        .collect();
    for row in &snapshot.unlinked_rows {
        let key = row.key.as_str();
        let title = row.title.as_deref();
        let twin = title.and_then(|title| keys_by_title.get(title).copied());
        // The row of the file itself may not be linked yet.
        let Some(twin) = twin.filter(|twin| *twin != key) else {
            continue;
        };
        let text = format!("workplan {key} has no file and the same title as {twin}");
        let (item, to) = (row.key.clone(), ItemStatus::Cancelled);
        findings.push(
            CheckFinding::new(Code::UnlinkedDuplicate, key, Authority::Database, text)
                .with_values(Some(twin), Some(key))
                .advise(AdviceKind::FinishItem { item, to }),
        );
    }
}
