//! Compares files with the rows they are matched with.

use std::collections::HashSet;

use super::{Node, Nodes, RowMatch};
use crate::authority::{Authority, Fact, of_status};
use crate::consistency::finding::{CheckFinding, file_line, redacted_line};
use crate::consistency::workplan_file::{to_file_status, to_item_status};
use crate::consistency::{CheckoutSnapshot, DeclaredStatus, Fix, TaskEntry, WorkplanFile};
use crate::diagnostic::{AdviceKind, Code, Severity};
use crate::model::{ItemKey, ItemStatus, WorkplanRow};
use crate::text::redact::redact;

/// Compares every matched node with its row.
pub(crate) fn compare_rows(
    snapshot: &CheckoutSnapshot,
    nodes: &mut Nodes<'_>,
    findings: &mut Vec<CheckFinding>,
) {
    for node in &mut nodes.all {
        let RowMatch::Row(row) = node.row_match else {
            continue;
        };
        compare_described_fields(snapshot, node, row, findings);
        match node.task {
            Some(task) => compare_task_status(node, task, row, findings),
            None => compare_workplan_status(node, row, findings),
        }
    }
}

/// Compares the fields that the file owns; the database takes them over.
fn compare_described_fields(
    snapshot: &CheckoutSnapshot,
    node: &Node<'_>,
    row: &WorkplanRow,
    findings: &mut Vec<CheckFinding>,
) {
    let noun = node.noun();
    let mut report = |code, expected: &str, found: Option<&str>, text: String| {
        findings.push(
            node.finding(code, Fact::WorkplanText, text)
                .with_values(Some(expected), found)
                .with_fix(Fix::UpdateRow(node.id)),
        );
    };
    // A row without facts was made by hand and takes over what it lacks when it is linked.
    let is_linked = row.facts.is_some();
    let repo = row.repo.as_deref();
    if repo.map_or(is_linked, |repo| !repo.eq_ignore_ascii_case(&snapshot.repo)) {
        let text =
            format!("the database has this {noun} under repository {}", repo.unwrap_or("none"));
        report(Code::WrongRepository, &snapshot.repo, repo, text);
    }
    // The row has the title as it left the repository: without secrets.
    let differs = |title: &&str| match row.title.as_deref() {
        Some(known) => known != *title && known != redact(title).text,
        None => is_linked,
    };
    if let Some(title) = node.title().filter(differs) {
        let text = format!("the database has a different title for this {noun}");
        report(Code::TitleDiffers, title, row.title.as_deref(), text);
    }
    if let Some(position) = node.position().filter(|own| row.position != Some(*own)) {
        let known = row.position.map(|known| known.to_string());
        let text = format!("the database has a different position for this {noun}");
        report(Code::PlanningDiffers, &position.to_string(), known.as_deref(), text);
    }
    let Some(facts) = &row.facts else {
        return;
    };
    if facts.planning != node.planning() {
        let text = format!("the database has different planning fields for this {noun}");
        report(Code::PlanningDiffers, node.planning(), Some(&facts.planning), text);
    }
    let digest = node.digest();
    if facts.digest != digest {
        let text = format!("the database has a different description of this {noun}");
        report(Code::DescriptionDiffers, &digest, Some(&facts.digest), text);
    }
}

/// Compares the status of a task: the higher rank wins, and the database where ranks are equal.
fn compare_task_status(
    node: &mut Node<'_>,
    task: &TaskEntry,
    row: &WorkplanRow,
    findings: &mut Vec<CheckFinding>,
) {
    let known = to_file_status(row.status);
    if known == Some(task.status) {
        return;
    }
    let title = redacted_line(task.title.as_deref().unwrap_or(task.key.as_str()));
    let (in_file, in_db) =
        (&*task.status_word, known.map_or(row.status.as_str(), |status| status.as_str()));
    let authority = of_status(task.status.rank(), row.status.rank());
    if authority == Authority::File {
        let text = format!("task '{title}' is {in_file} in the file but {in_db} in the database");
        let finding = node.finding_at(task.status_place, Code::FileAhead, authority, text);
        let to = to_item_status(task.status);
        findings.push(advance_row(node, row, finding, (in_file, in_db), to));
        return;
    }
    let text = format!("task '{title}' is {in_db} in the database but {in_file} in the file");
    let finding = node
        .finding_at(task.status_place, Code::DatabaseAhead, authority, text)
        .with_values(Some(in_db), Some(in_file));
    findings.push(match known {
        Some(status) => finding.with_fix(Fix::WriteStatus(node.id, status)),
        // A file has no word for it.
        None => finding.advise(AdviceKind::ReopenItem { item: task.key.clone() }),
    });
}

/// Compares the status of a workplan. Only people write what a workplan says of itself; no fix
/// changes its file.
fn compare_workplan_status(
    node: &mut Node<'_>,
    row: &WorkplanRow,
    findings: &mut Vec<CheckFinding>,
) {
    let workplan = node.workplan;
    let known = row.status;
    let is_same = match workplan.declared_status {
        DeclaredStatus::Archived => known.is_finished(),
        DeclaredStatus::Status(status) => {
            status == known || status.rank() == 0 && known.rank() == 0
        }
    };
    if is_same {
        return;
    }
    let to = workplan.declared_status.item_status();
    let authority = of_status(to.rank(), known.rank());
    let word = match workplan.declared_status {
        DeclaredStatus::Archived => "archived",
        DeclaredStatus::Status(status) => status.as_str(),
    };
    let finding = |node: &Node<'_>, text| {
        node.finding_at(workplan.status_place, Code::WorkplanStatusDiffers, authority, text)
    };
    if authority == Authority::File {
        let text = format!("the workplan is {word} in the file but {known} in the database");
        let finding = finding(node, text);
        findings.push(advance_row(node, row, finding, (word, known.as_str()), to));
        return;
    }
    let is_rollup = is_rollup_of_tasks(workplan, known);
    let advice = if known.is_finished() && !is_rollup {
        AdviceKind::ReopenItem { item: workplan.key.clone() }
    } else {
        AdviceKind::SetFrontMatter {
            place: file_line(&workplan.path, workplan.status_place),
            to: known.to_string(),
        }
    };
    let text = format!("the workplan is {known} in the database but {word} in its front matter");
    let mut finding =
        finding(node, text).with_values(Some(known.as_str()), Some(word)).advise(advice);
    finding.divergence.severity = if is_rollup { Severity::Info } else { Severity::Warning };
    findings.push(finding);
}

/// Moves a row forward to the status of its file. A row that was reopened on purpose is not
/// finished again: its file may be the one that said so before it was reopened.
fn advance_row(
    node: &mut Node<'_>,
    row: &WorkplanRow,
    mut finding: CheckFinding,
    (in_file, in_db): (&str, &str),
    to: ItemStatus,
) -> CheckFinding {
    if to.is_finished() && row.is_reopened {
        finding.divergence.authority = Authority::Database.as_str();
        // To finish it once more is no way to keep it open.
        let advice = match node.task {
            Some(task) => AdviceKind::EditWorkplan {
                place: file_line(&node.workplan.path, task.status_place),
            },
            None => AdviceKind::SetFrontMatter {
                place: file_line(&node.workplan.path, node.workplan.status_place),
                to: row.status.to_string(),
            },
        };
        return finding.with_values(Some(in_db), Some(in_file)).advise(advice);
    }
    node.advances_to = Some(to);
    finding
        .with_values(Some(in_file), Some(in_db))
        .with_fix(Fix::AdvanceItem(node.key().clone(), to))
}

/// Returns whether the tasks of a file say what the database says of the workplan.
fn is_rollup_of_tasks(workplan: &WorkplanFile, known: ItemStatus) -> bool {
    let mut tasks = workplan.tasks.iter();
    match known.rank() {
        2 => !workplan.tasks.is_empty() && tasks.all(|task| task.status.is_finished()),
        1 => tasks.any(|task| task.status.rank() > 0),
        _ => false,
    }
}

/// Reports dependencies that files name and the database lacks. Those that only the database has
/// stay: commands add such, too.
pub(crate) fn check_dependencies(nodes: &Nodes<'_>, findings: &mut Vec<CheckFinding>) {
    if nodes.all.iter().all(|node| node.depends_on().is_empty()) {
        return;
    }
    // New rows exist by the time dependencies are added.
    let new: HashSet<&ItemKey> = nodes
        .all
        .iter()
        .filter(|node| matches!(node.row_match, RowMatch::ToCreate))
        .map(Node::key)
        .collect();
    for node in &nodes.all {
        let known = match node.row_match {
            RowMatch::Unknown => continue,
            RowMatch::ToCreate => &[][..],
            RowMatch::Row(row) => &row.depends_on,
        };
        // A set, because a list may be as long as its file.
        let known: HashSet<&ItemKey> = known.iter().collect();
        let missing = node.depends_on().iter();
        for (on, place) in missing.filter(|(on, _)| !known.contains(on)) {
            let finding = |code, text| {
                node.finding_at(*place, code, Fact::WorkplanText.authority(), text)
                    .with_values(Some(on.as_str()), None)
            };
            findings.push(if nodes.rows.find(on).is_some() || new.contains(on) {
                let text = format!("the dependency on {on} is missing in the database");
                let fix = Fix::AddDependency(node.key().clone(), on.clone());
                finding(Code::DependencyMissing, text).with_fix(fix)
            } else {
                let text = format!("depends on {on}, which is not in the database");
                let place = file_line(&node.workplan.path, *place);
                finding(Code::UnknownReference, text).advise(AdviceKind::EditWorkplan { place })
            });
        }
    }
}
