//! Workplans and tasks alike, as far as rules ask the same of both.

use super::RowIndex;
use crate::consistency::assessment::{CheckoutSnapshot, NodeId};
use crate::consistency::task_entry::TaskEntry;
use crate::consistency::workplan_file::WorkplanFile;
use crate::model::{ItemKey, WorkplanLink, WorkplanRow};
use crate::workplan::TextPosition;

/// A workplan or a task.
#[derive(Debug, Clone, Copy)]
pub(in crate::consistency) struct Node<'a> {
    pub(in crate::consistency) id: NodeId,
    pub(in crate::consistency) workplan: &'a WorkplanFile,
    /// The task; absent for the workplan itself.
    pub(in crate::consistency) task: Option<&'a TaskEntry>,
}

impl<'a> Node<'a> {
    pub(in crate::consistency) fn key(&self) -> &'a ItemKey {
        self.task.map_or(&self.workplan.key, |entry| &entry.key)
    }

    pub(in crate::consistency) fn place(&self) -> TextPosition {
        self.task.map_or(self.workplan.place, |entry| entry.place)
    }

    pub(in crate::consistency) fn link(&self) -> Option<&'a WorkplanLink> {
        match self.task {
            Some(entry) => entry.link.as_ref(),
            None => self.workplan.link.as_ref(),
        }
    }

    pub(in crate::consistency) fn title(&self) -> Option<&'a str> {
        match self.task {
            Some(entry) => entry.title.as_deref(),
            None => self.workplan.title.as_deref(),
        }
    }

    pub(in crate::consistency) fn planning(&self) -> &'a str {
        self.task
            .map_or(&self.workplan.planning, |entry| &entry.planning)
    }

    /// A workplan has no text of its own: that of its file is its tasks'.
    pub(in crate::consistency) fn digest(&self) -> String {
        self.task
            .map_or_else(String::new, |entry| format!("{:016x}", entry.digest))
    }

    /// Returns the place among the tasks of its workplan, from 1.
    pub(in crate::consistency) fn position(&self) -> Option<i64> {
        let place = self.id.task?;
        i64::try_from(place + 1).ok()
    }

    pub(in crate::consistency) fn depends_on(&self) -> &'a [(ItemKey, TextPosition)] {
        self.task
            .map_or(&self.workplan.depends_on, |entry| &entry.depends_on)
    }

    /// What it is, for a person.
    pub(in crate::consistency) const fn noun(&self) -> &'static str {
        match self.task {
            Some(_) => "task",
            None => "workplan",
        }
    }
}

/// All of a reading: each workplan before its tasks.
#[derive(Debug)]
pub(in crate::consistency) struct Nodes<'a> {
    all: Vec<Node<'a>>,
    known: RowIndex<'a>,
    /// The number of the row with the key of each.
    row_numbers: Vec<Option<usize>>,
    /// Of each row, whether a unit has its key.
    is_row_named: Vec<bool>,
    is_plain: bool,
}

impl<'a> Nodes<'a> {
    pub(in crate::consistency) fn from_snapshot(reading: &'a CheckoutSnapshot) -> Self {
        let count: usize = reading.workplans.iter().map(|it| 1 + it.tasks.len()).sum();
        let mut units = Vec::with_capacity(count);
        for (number, sheet) in reading.workplans.iter().enumerate() {
            let unit = |task, entry| Node {
                id: NodeId {
                    workplan: number,
                    task,
                },
                workplan: sheet,
                task: entry,
            };
            units.push(unit(None, None));
            let tasks = sheet.tasks.iter().enumerate();
            units.extend(tasks.map(|(task, entry)| unit(Some(task), Some(entry))));
        }
        let known = RowIndex::new(reading);
        let mut named = vec![false; known.len()];
        let mut is_plain = true;
        let mut next = 0;
        let row_of = |unit: &Node<'a>| {
            let number = known.find_next(unit.key(), &mut next);
            let row = number.and_then(|number| known.get(number));
            let is_named = number.and_then(|number| named.get_mut(number));
            let link = row.and_then(|row| row.link.as_ref());
            let is_first = is_named.is_some_and(|named| !std::mem::replace(named, true));
            is_plain &= is_first && unit.link().is_none_or(|own| link == Some(own));
            number
        };
        Self {
            row_numbers: units.iter().map(row_of).collect(),
            all: units,
            known,
            is_row_named: named,
            is_plain,
        }
    }

    /// Returns all of them, each with the number of the row that has its key.
    pub(in crate::consistency) fn with_rows(
        &self,
    ) -> impl Iterator<Item = (&Node<'a>, Option<usize>)> {
        self.iter().zip(self.row_numbers.iter().copied())
    }

    pub(in crate::consistency) fn iter(&self) -> impl Iterator<Item = &Node<'a>> {
        self.all.iter()
    }

    pub(in crate::consistency) fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns the rows of the reading.
    pub(in crate::consistency) const fn rows(&self) -> RowIndex<'a> {
        self.known
    }

    /// Tells whether each has a row of its own and carries no id but that row's. Then nothing
    /// stands twice: neither a key nor an id stands in two rows.
    pub(in crate::consistency) const fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Returns the rows of the repository whose keys no unit has.
    pub(in crate::consistency) fn unnamed_rows(&self) -> impl Iterator<Item = &'a WorkplanRow> {
        let rows = self.known.own_rows().iter().zip(&self.is_row_named);
        rows.filter_map(|(row, is_named)| (!is_named).then_some(row))
    }
}
