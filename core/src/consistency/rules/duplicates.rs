//! One id, one place. Where several blocks or files have the same id, none of them counts,
//! because choosing one would be a guess. Where several carry the same id of the database, the
//! database knows which of them it belongs to.

use std::collections::HashMap;

use super::{Node, Nodes};
use crate::authority::Fact;
use crate::consistency::finding::CheckFinding;
use crate::diagnostic::{AdviceKind, Code};
use crate::model::WorkplanLink;

/// Marks nodes whose key occurs twice, and the tasks of workplans whose key does.
pub(crate) fn mark_duplicates(nodes: &mut Nodes<'_>, findings: &mut Vec<CheckFinding>) {
    if nodes.is_all_linked() {
        return;
    }
    let keys = IdOccurrences::collect(&nodes.all, |node| Some(node.key().as_str()));
    let links = IdOccurrences::collect(&nodes.all, |node| node.link().map(WorkplanLink::as_str));
    let mut duplicate_workplan = None;
    for node in &mut nodes.all {
        if duplicate_workplan == Some(node.id.workplan) {
            node.is_duplicate = true;
            continue;
        }
        let key = node.key().as_str();
        node.is_duplicate = keys.is_twice(key);
        if node.is_duplicate && node.task.is_none() {
            duplicate_workplan = Some(node.id.workplan);
        }
        let place = node.file_line();
        if let Some(first) = keys.first_other(key, node) {
            findings.push(duplicate_finding(node, key, first, AdviceKind::GiveOwnId { place }));
        } else if !node.is_duplicate
            && let Some(link) = node.link().map(WorkplanLink::as_str)
            && let Some(first) = links.first_other(link, node)
        {
            findings.push(duplicate_finding(node, link, first, AdviceKind::ClearId { place }));
        }
    }
}

/// Where ids occur: the first node of each, and whether there are more.
struct IdOccurrences<'a>(HashMap<&'a str, (Node<'a>, bool)>);

impl<'a> IdOccurrences<'a> {
    fn collect(nodes: &[Node<'a>], id_of: impl Fn(&Node<'a>) -> Option<&'a str>) -> Self {
        let mut occurrences = HashMap::with_capacity(nodes.len());
        for node in nodes {
            if let Some(id) = id_of(node) {
                let (first, is_twice) = occurrences.entry(id).or_insert((*node, false));
                *is_twice |= first.id != node.id;
            }
        }
        Self(occurrences)
    }

    fn is_twice(&self, id: &str) -> bool {
        self.0.get(id).is_some_and(|(_, is_twice)| *is_twice)
    }

    /// Returns the first node with this id, unless it is `node` itself.
    fn first_other(&self, id: &str, node: &Node<'_>) -> Option<&Node<'a>> {
        let (first, _) = self.0.get(id)?;
        (first.id != node.id).then_some(first)
    }
}

fn duplicate_finding(
    node: &Node<'_>,
    id: &str,
    first: &Node<'_>,
    advice: AdviceKind,
) -> CheckFinding {
    let place = first.place();
    let elsewhere = format!("{}:{}:{}", first.workplan.path, place.line, place.column);
    let text = format!("duplicate id {id}, also at {elsewhere}");
    node.finding(Code::WorkplanInvalid, Fact::WorkplanExistence, text)
        .with_values(None, Some(id))
        .advise(advice)
}
