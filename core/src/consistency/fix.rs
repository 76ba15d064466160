//! What `check --fix` does about findings.

use crate::model::{ItemKey, ItemStatus, PlanId, PlanTaskId, WorkplanLink, WorkplanTaskStatus};

/// A workplan or one of its tasks, by its place in a [`CheckoutSnapshot`](super::CheckoutSnapshot).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId {
    /// Index of the workplan in the snapshot.
    pub workplan: usize,
    /// Index of the task in its workplan; `None` for the workplan itself.
    pub task: Option<usize>,
}

/// What ends one finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// Creates a row, whose new id is then written into the file.
    CreateRow(NodeId),
    /// Writes the id of the row into the file.
    WriteLink(NodeId, WorkplanLink),
    /// Copies what the file describes, other than statuses, into the row.
    UpdateRow(NodeId),
    /// Moves an item forward because its file says so.
    AdvanceItem(ItemKey, ItemStatus),
    /// Moves a workplan forward because its tasks moved.
    AdvanceWorkplan(ItemKey, ItemStatus),
    /// Makes the first item depend on the second one.
    AddDependency(ItemKey, ItemKey),
    /// Writes the status of the row into the file.
    WriteStatus(NodeId, WorkplanTaskStatus),
    /// Completes a task of a plan whose checkbox is checked.
    CompletePlanTask(PlanId, PlanTaskId),
    /// Checks the boxes of completed tasks in the plan with this index in the snapshot.
    CheckBoxes(usize),
}

impl Fix {
    /// Returns the index of the workplan whose file this changes.
    const fn edited_workplan(&self) -> Option<usize> {
        match self {
            Self::WriteLink(node, _) | Self::WriteStatus(node, _) => Some(node.workplan),
            _ => None,
        }
    }
}

/// The fixes of all findings, by kind. The fields are in the order in which they are applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FixPlan {
    /// Rows to create, workplans before their tasks.
    pub create_rows: Vec<NodeId>,
    /// Rows to update from their files.
    pub update_rows: Vec<NodeId>,
    /// Dependencies to add: the first item depends on the second.
    pub add_dependencies: Vec<(ItemKey, ItemKey)>,
    /// Items that move forward because their files say so.
    pub advance_items: Vec<(ItemKey, ItemStatus)>,
    /// Workplans that move forward because their tasks did.
    pub advance_workplans: Vec<(ItemKey, ItemStatus)>,
    /// Tasks of plans to complete.
    pub complete_plan_tasks: Vec<(PlanId, PlanTaskId)>,
    /// Ids of rows to write into files.
    pub write_links: Vec<(NodeId, WorkplanLink)>,
    /// Statuses to write into files.
    pub write_statuses: Vec<(NodeId, WorkplanTaskStatus)>,
    /// Plans, by their index in the snapshot, whose files lack a checked box.
    pub check_boxes: Vec<usize>,
}

impl FixPlan {
    /// Collects fixes, except edits of workplans that `is_held_back` by their index.
    pub(super) fn collect<'f>(
        fixes: impl Iterator<Item = &'f Fix>,
        is_held_back: impl Fn(usize) -> bool,
    ) -> Self {
        let mut plan = Self::default();
        let open = fixes.filter(|fix| !fix.edited_workplan().is_some_and(&is_held_back));
        for fix in open.cloned() {
            match fix {
                Fix::CreateRow(node) => plan.create_rows.push(node),
                Fix::WriteLink(node, link) => plan.write_links.push((node, link)),
                // The differences of one node, or of one plan, follow each other.
                Fix::UpdateRow(node) if plan.update_rows.last() == Some(&node) => {}
                Fix::UpdateRow(node) => plan.update_rows.push(node),
                Fix::AdvanceItem(key, to) => plan.advance_items.push((key, to)),
                Fix::AdvanceWorkplan(key, to) => plan.advance_workplans.push((key, to)),
                Fix::AddDependency(item, on) => plan.add_dependencies.push((item, on)),
                Fix::WriteStatus(node, status) => plan.write_statuses.push((node, status)),
                Fix::CompletePlanTask(id, task) => plan.complete_plan_tasks.push((id, task)),
                Fix::CheckBoxes(index) if plan.check_boxes.last() == Some(&index) => {}
                Fix::CheckBoxes(index) => plan.check_boxes.push(index),
            }
        }
        plan
    }

    /// Returns whether there is nothing to fix.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
