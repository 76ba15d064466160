//! Matches nodes with rows: by the id that the file carries, else by key. A node that carries an
//! id unknown to the database is left alone.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::{Node, Nodes, RowMatch};
use crate::authority::Fact;
use crate::consistency::finding::{CheckFinding, file_line};
use crate::consistency::{CheckoutSnapshot, Fix};
use crate::diagnostic::{AdviceKind, Code};
use crate::model::{WorkplanLink, WorkplanRow};

/// Matches every node with its row.
pub(crate) fn match_rows<'a>(
    snapshot: &'a CheckoutSnapshot,
    nodes: &mut Nodes<'a>,
    findings: &mut Vec<CheckFinding>,
) {
    let Nodes { all, rows } = nodes;
    // Built only when a node carries another id than that of its row.
    let rows_by_link: OnceCell<HashMap<&str, &WorkplanRow>> = OnceCell::new();
    let find_by_link = |link: &WorkplanLink| {
        let linked = || {
            let rows = rows.iter();
            rows.filter_map(|row| Some((row.link.as_ref()?.as_str(), row))).collect()
        };
        let rows_by_link = rows_by_link.get_or_init(linked);
        rows_by_link.get(link.as_str()).copied()
    };
    // A task goes into its workplan; where that is unknown, the task gets no row.
    let mut workplan_match = RowMatch::Unknown;
    for node in all {
        let row_link = node.row.and_then(|row| row.link.as_ref());
        node.row_match = match (node.link(), node.row) {
            _ if node.is_duplicate => RowMatch::Unknown,
            (Some(link), _) if row_link != Some(link) => {
                findings.push(link_conflict(node, link, find_by_link(link)));
                RowMatch::Unknown
            }
            (Some(_), Some(row)) => match_linked(snapshot, node, row, findings),
            (None, Some(row)) => match_by_key(snapshot, node, row, findings),
            (_, None) => plan_row(node, workplan_match, findings),
        };
        if node.task.is_none() {
            workplan_match = node.row_match;
        }
    }
}

fn missing_link_finding(node: &Node<'_>, text: String) -> CheckFinding {
    let code = if node.task.is_some() { Code::TaskNotLinked } else { Code::WorkplanNotLinked };
    node.finding(code, Fact::WorkplanLink, text)
}

/// Reports a carried id that belongs to another row than the one with the same key, or to none.
fn link_conflict(
    node: &Node<'_>,
    link: &WorkplanLink,
    other: Option<&WorkplanRow>,
) -> CheckFinding {
    let key = node.key();
    let own = node.row.and_then(|row| row.link.as_ref());
    let text = match (other, own) {
        (Some(row), _) => format!("the id {link} belongs to {} in the database", row.key),
        (None, Some(own)) => {
            format!("the id {link} is not in the database; {key} has {own} there")
        }
        (None, None) => format!("the id {link} is not in the database"),
    };
    let place = node.file_line();
    node.finding(Code::UnknownReference, Fact::WorkplanLink, text)
        .with_values(own.map(WorkplanLink::as_str), Some(link.as_str()))
        .advise(AdviceKind::ClearId { place })
}

/// Matches a node that carries the id of the row with its key.
fn match_linked<'a>(
    snapshot: &CheckoutSnapshot,
    node: &Node<'_>,
    row: &'a WorkplanRow,
    findings: &mut Vec<CheckFinding>,
) -> RowMatch<'a> {
    let Some(other) = find_other_repo(snapshot, row) else {
        return RowMatch::Row(row);
    };
    let text = format!(
        "the database has this {} under repository {other}, and this is not a clone of it",
        node.noun()
    );
    let place = node.file_line();
    findings.push(
        node.finding(Code::WrongRepository, Fact::WorkplanLink, text)
            .with_values(Some(&snapshot.repo), Some(other))
            .advise(AdviceKind::GiveOwnId { place }),
    );
    RowMatch::Unknown
}

/// Matches a node that carries no id with the row of its key.
fn match_by_key<'a>(
    snapshot: &CheckoutSnapshot,
    node: &Node<'_>,
    row: &'a WorkplanRow,
    findings: &mut Vec<CheckFinding>,
) -> RowMatch<'a> {
    let (key, noun) = (node.key(), node.noun());
    if is_linked_elsewhere(snapshot, row) {
        let repo = row.repo.as_deref().unwrap_or_default();
        let text = format!("the id {key} belongs to a {noun} of repository {repo}");
        let place = node.file_line();
        findings.push(
            node.finding(Code::WorkplanInvalid, Fact::WorkplanLink, text)
                .with_values(Some(repo), Some(&snapshot.repo))
                .advise(AdviceKind::GiveOwnId { place }),
        );
        return RowMatch::Unknown;
    }
    findings.push(match &row.link {
        Some(link) => missing_link_finding(node, format!("the {noun} does not contain its id yet"))
            .with_values(Some(link.as_str()), None)
            .with_fix(Fix::WriteLink(node.id, link.clone())),
        None => {
            missing_link_finding(node, unlinked_message(node)).with_fix(Fix::CreateRow(node.id))
        }
    });
    RowMatch::Row(row)
}

/// Plans the row of a node that has none, unless its workplan is unknown.
fn plan_row<'a>(
    node: &Node<'_>,
    workplan_match: RowMatch<'_>,
    findings: &mut Vec<CheckFinding>,
) -> RowMatch<'a> {
    let finding = missing_link_finding(node, unlinked_message(node));
    if node.task.is_some() && matches!(workplan_match, RowMatch::Unknown) {
        // What is wrong with the workplan has to be fixed first.
        let place = file_line(&node.workplan.path, node.workplan.place);
        findings.push(finding.advise(AdviceKind::EditWorkplan { place }));
        return RowMatch::Unknown;
    }
    findings.push(finding.with_fix(Fix::CreateRow(node.id)));
    RowMatch::ToCreate
}

fn unlinked_message(node: &Node<'_>) -> String {
    format!("the {} is not linked to the database", node.noun())
}

/// Returns the other registered repository that a row belongs to.
fn find_other_repo<'a>(snapshot: &'a CheckoutSnapshot, row: &WorkplanRow) -> Option<&'a str> {
    let repo = row.repo.as_deref()?;
    let mut others = snapshot.other_repos.iter();
    others.find(|other| other.is_same(repo)).map(crate::model::RepoSlug::as_str)
}

/// Returns whether a row is linked to a file of another repository.
fn is_linked_elsewhere(snapshot: &CheckoutSnapshot, row: &WorkplanRow) -> bool {
    let repo = row.repo.as_deref().filter(|_| row.link.is_some());
    repo.is_some_and(|repo| !repo.eq_ignore_ascii_case(&snapshot.repo))
}
