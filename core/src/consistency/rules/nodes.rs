//! Workplans and tasks alike, each with its row and what the rules found about it.

use super::row_index::RowIndex;
use crate::authority::{Authority, Fact};
use crate::consistency::finding::{CheckFinding, file_line};
use crate::consistency::{CheckoutSnapshot, NodeId, TaskEntry, WorkplanFile};
use crate::diagnostic::{Code, FileLine};
use crate::model::{ItemKey, ItemStatus, WorkplanLink, WorkplanRow};
use crate::workplan::TextPosition;

/// A workplan or one of its tasks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'a> {
    pub(crate) id: NodeId,
    pub(crate) workplan: &'a WorkplanFile,
    /// The task; `None` for the workplan itself.
    pub(crate) task: Option<&'a TaskEntry>,
    /// The row with the same key.
    pub(crate) row: Option<&'a WorkplanRow>,
    /// Whether its key occurs twice, or that of its workplan.
    pub(crate) is_duplicate: bool,
    pub(crate) row_match: RowMatch<'a>,
    /// The status that its file gives its row.
    pub(crate) advances_to: Option<ItemStatus>,
}

/// What a node is in the database.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RowMatch<'a> {
    /// This row.
    Row(&'a WorkplanRow),
    /// Nothing yet; a fix creates its row.
    ToCreate,
    /// Nothing that can be determined.
    Unknown,
}

impl<'a> Node<'a> {
    fn new(workplan: &'a WorkplanFile, id: NodeId, task: Option<&'a TaskEntry>) -> Self {
        Self {
            id,
            workplan,
            task,
            row: None,
            is_duplicate: false,
            row_match: RowMatch::Unknown,
            advances_to: None,
        }
    }

    /// Returns a node of a snapshot, without its row.
    pub(crate) fn find(snapshot: &'a CheckoutSnapshot, id: NodeId) -> Option<Self> {
        let workplan = snapshot.workplans.get(id.workplan)?;
        let task = match id.task {
            Some(task) => Some(workplan.tasks.get(task)?),
            None => None,
        };
        Some(Self::new(workplan, id, task))
    }

    pub(crate) fn key(&self) -> &'a ItemKey {
        self.task.map_or(&self.workplan.key, |task| &task.key)
    }

    pub(crate) fn place(&self) -> TextPosition {
        self.task.map_or(self.workplan.place, |task| task.place)
    }

    pub(crate) fn link(&self) -> Option<&'a WorkplanLink> {
        match self.task {
            Some(task) => task.link.as_ref(),
            None => self.workplan.link.as_ref(),
        }
    }

    pub(crate) fn title(&self) -> Option<&'a str> {
        match self.task {
            Some(task) => task.title.as_deref(),
            None => self.workplan.title.as_deref(),
        }
    }

    pub(crate) fn planning(&self) -> &'a str {
        self.task.map_or(&self.workplan.planning, |task| &task.planning)
    }

    /// Returns the digest of its text. A workplan has none: the text of its file belongs to its
    /// tasks.
    pub(crate) fn digest(&self) -> String {
        self.task.map_or_else(String::new, |task| format!("{:016x}", task.digest))
    }

    /// Returns its number among the tasks of its workplan, from 1.
    pub(crate) fn position(&self) -> Option<i64> {
        let task = self.id.task?;
        i64::try_from(task + 1).ok()
    }

    pub(crate) fn depends_on(&self) -> &'a [(ItemKey, TextPosition)] {
        self.task.map_or(&self.workplan.depends_on, |task| &task.depends_on)
    }

    /// Returns what a person calls it.
    pub(crate) const fn noun(&self) -> &'static str {
        match self.task {
            Some(_) => "task",
            None => "workplan",
        }
    }

    /// Creates a finding about one of its fields, at its position.
    pub(crate) fn finding(&self, code: Code, field: Fact, text: String) -> CheckFinding {
        self.finding_at(self.place(), code, field.authority(), text)
    }

    /// Creates a finding at another position of its file.
    pub(crate) fn finding_at(
        &self,
        place: TextPosition,
        code: Code,
        authority: Authority,
        text: String,
    ) -> CheckFinding {
        CheckFinding::new(code, self.key().as_str(), authority, text)
            .at(&self.workplan.path, Some(place))
    }

    pub(crate) fn file_line(&self) -> FileLine {
        file_line(&self.workplan.path, self.place())
    }
}

/// The nodes of a snapshot, each workplan before its tasks, and the rows to match them with.
#[derive(Debug)]
pub(crate) struct Nodes<'a> {
    pub(crate) all: Vec<Node<'a>>,
    pub(crate) rows: RowIndex<'a>,
}

impl<'a> Nodes<'a> {
    pub(crate) fn from_snapshot(snapshot: &'a CheckoutSnapshot) -> Self {
        let workplans = snapshot.workplans.iter();
        let count = workplans.clone().map(|it| 1 + it.tasks.len()).sum();
        let mut all: Vec<Node<'a>> = Vec::with_capacity(count);
        for (number, workplan) in workplans.enumerate() {
            let id = |task| NodeId { workplan: number, task };
            all.push(Node::new(workplan, id(None), None));
            let tasks = workplan.tasks.iter().enumerate();
            all.extend(tasks.map(|(task, entry)| Node::new(workplan, id(Some(task)), Some(entry))));
        }
        let mut rows = RowIndex::new(snapshot);
        for node in &mut all {
            node.row = rows.name(node.key());
        }
        Self { all, rows }
    }

    /// Returns whether each node has a row of its own and carries no id but that of its row. Then
    /// no id occurs twice, because none occurs in two rows.
    pub(crate) fn is_all_linked(&self) -> bool {
        let is_linked = |node: &Node<'_>| {
            node.row.is_some_and(|row| {
                let link = node.link();
                link.is_none() || link == row.link.as_ref()
            })
        };
        self.rows.count_named() == self.all.len() && self.all.iter().all(is_linked)
    }
}
