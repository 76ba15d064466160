//! Workplans and tasks alike, as far as rules ask the same of both.

use crate::consistency::assess::{Reading, Spot};
use crate::consistency::entry::Entry;
use crate::consistency::sheet::Sheet;
use crate::model::{ItemKey, WorkplanLink};
use crate::workplan::Place;

/// A workplan or a task.
#[derive(Debug, Clone, Copy)]
pub(in crate::consistency) struct Unit<'a> {
    pub(in crate::consistency) spot: Spot,
    pub(in crate::consistency) sheet: &'a Sheet,
    /// The task; absent for the workplan itself.
    pub(in crate::consistency) entry: Option<&'a Entry>,
}

impl<'a> Unit<'a> {
    pub(in crate::consistency) fn key(&self) -> &'a ItemKey {
        self.entry.map_or(&self.sheet.key, |entry| &entry.key)
    }

    pub(in crate::consistency) fn place(&self) -> Place {
        self.entry.map_or(self.sheet.place, |entry| entry.place)
    }

    pub(in crate::consistency) fn link(&self) -> Option<&'a WorkplanLink> {
        match self.entry {
            Some(entry) => entry.link.as_ref(),
            None => self.sheet.link.as_ref(),
        }
    }

    pub(in crate::consistency) fn title(&self) -> Option<&'a str> {
        match self.entry {
            Some(entry) => entry.title.as_deref(),
            None => self.sheet.title.as_deref(),
        }
    }

    pub(in crate::consistency) fn planning(&self) -> &'a str {
        self.entry
            .map_or(&self.sheet.planning, |entry| &entry.planning)
    }

    /// A workplan has no text of its own: that of its file is its tasks'.
    pub(in crate::consistency) fn digest(&self) -> String {
        self.entry
            .map_or_else(String::new, |entry| format!("{:016x}", entry.digest))
    }

    /// Returns the place among the tasks of its workplan, from 1.
    pub(in crate::consistency) fn position(&self) -> Option<i64> {
        let place = self.spot.task?;
        i64::try_from(place + 1).ok()
    }

    pub(in crate::consistency) fn depends_on(&self) -> &'a [(ItemKey, Place)] {
        self.entry
            .map_or(&self.sheet.depends_on, |entry| &entry.depends_on)
    }

    /// What it is, for a person.
    pub(in crate::consistency) const fn noun(&self) -> &'static str {
        match self.entry {
            Some(_) => "task",
            None => "workplan",
        }
    }
}

/// All of a reading: each workplan before its tasks.
#[derive(Debug)]
pub(in crate::consistency) struct Units<'a>(Vec<Unit<'a>>);

impl<'a> Units<'a> {
    pub(in crate::consistency) fn of(reading: &'a Reading) -> Self {
        let of_sheet = |(number, sheet): (usize, &'a Sheet)| {
            let spot = move |task| Spot {
                sheet: number,
                task,
            };
            let own = Unit {
                spot: spot(None),
                sheet,
                entry: None,
            };
            let tasks = sheet.tasks.iter().enumerate();
            std::iter::once(own).chain(tasks.map(move |(task, entry)| Unit {
                spot: spot(Some(task)),
                sheet,
                entry: Some(entry),
            }))
        };
        Self(
            reading
                .sheets
                .iter()
                .enumerate()
                .flat_map(of_sheet)
                .collect(),
        )
    }

    pub(in crate::consistency) fn iter(&self) -> impl Iterator<Item = &Unit<'a>> {
        self.0.iter()
    }

    pub(in crate::consistency) fn len(&self) -> usize {
        self.0.len()
    }
}
