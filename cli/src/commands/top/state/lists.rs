//! Which rows each pane has, after filtering, and which of them is selected.

use std::collections::VecDeque;

use trueup_core::model::Event;
use trueup_core::model::phase::PhaseName;
use trueup_core::overview::{Need, Overview, WorkRow};

/// A part of the screen with rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pane {
    Needs,
    Work,
    Feed,
}

impl Pane {
    pub(crate) const ALL: [Self; 3] = [Self::Needs, Self::Work, Self::Feed];

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Needs => "needs me",
            Self::Work => "work",
            Self::Feed => "events",
        }
    }

    /// Returns the pane that many places further, round and round.
    pub(super) fn step(self, places: usize) -> Self {
        Self::ALL[(self as usize + places) % Self::ALL.len()]
    }
}

/// A line of the pane with the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WorkLine {
    /// The name of a group, and how many items it has.
    Heading(String, usize),
    /// The place of an item in the overview.
    Item(usize),
}

/// The selected row of a pane. It stays with its row when others come and go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Cursor {
    at: usize,
    id: Option<String>,
}

/// The rows of all panes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lists {
    /// Places in the overview.
    pub(crate) needs: Vec<usize>,
    pub(crate) work: Vec<WorkLine>,
    /// Places in the feed, the newest first.
    pub(crate) feed: Vec<usize>,
    cursors: [Cursor; 3],
    /// The ids of the rows of each pane; a heading has none.
    ids: [Vec<Option<String>>; 3],
}

impl Lists {
    pub(super) fn refresh(&mut self, overview: &Overview, feed: &VecDeque<Event>, filter: &str) {
        let filter = filter.to_lowercase();
        let places = |matches: &dyn Fn(usize) -> bool, count: usize| -> Vec<usize> {
            (0..count).filter(|place| matches(*place)).collect()
        };
        self.needs = places(
            &|place| matches_need(&overview.needs_me[place], &filter),
            overview.needs_me.len(),
        );
        let work =
            places(&|place| matches_work(&overview.work[place], &filter), overview.work.len());
        self.work = group_by_phase(&overview.work, work);
        self.feed = places(&|place| matches_event(&feed[place], &filter), feed.len());
        self.feed.reverse();
        let need_id = |place: &usize| Some(overview.needs_me[*place].id.clone());
        let work_id = |line: &WorkLine| match line {
            WorkLine::Heading(..) => None,
            WorkLine::Item(place) => Some(overview.work[*place].key.to_string()),
        };
        self.ids = [
            self.needs.iter().map(need_id).collect(),
            self.work.iter().map(work_id).collect(),
            self.feed.iter().map(|place| Some(feed[*place].seq.to_string())).collect(),
        ];
        for pane in Pane::ALL {
            self.follow_selected(pane);
        }
    }

    /// Moves the cursor to where its row is now, or keeps it at its place if the row is gone.
    fn follow_selected(&mut self, pane: Pane) {
        let cursor = &self.cursors[pane as usize];
        let ids = &self.ids[pane as usize];
        let found = match &cursor.id {
            // What is new in the feed is looked at, until somebody moves away from it.
            _ if pane == Pane::Feed && cursor.at == 0 => Some(0),
            None => None,
            Some(id) => ids.iter().position(|other| other.as_ref() == Some(id)),
        };
        self.select(pane, found.unwrap_or(cursor.at), true);
    }

    /// Selects a row, or the next one that is no heading.
    fn select(&mut self, pane: Pane, at: usize, is_downwards: bool) {
        let ids = &self.ids[pane as usize];
        let at = at.min(ids.len().saturating_sub(1));
        let is_row = |place: &usize| ids[*place].is_some();
        let below = (at..ids.len()).find(is_row);
        let above = (0..ids.len().min(at + 1)).rev().find(is_row);
        let found = if is_downwards { below.or(above) } else { above.or(below) };
        self.cursors[pane as usize] = Cursor {
            at: found.unwrap_or_default(),
            id: found.and_then(|place| ids[place].clone()),
        };
    }

    /// Moves the cursor by rows.
    pub(super) fn move_cursor(&mut self, pane: Pane, rows: isize) {
        let at = self.cursors[pane as usize].at;
        self.select(pane, at.saturating_add_signed(rows), rows >= 0);
    }

    /// Returns the place of the selected row, if there is any row.
    pub(crate) fn selected(&self, pane: Pane) -> Option<usize> {
        let cursor = &self.cursors[pane as usize];
        cursor.id.as_ref().map(|_| cursor.at)
    }

    /// Returns how many lines a pane has.
    pub(crate) fn len(&self, pane: Pane) -> usize {
        self.ids[pane as usize].len()
    }
}

/// Whether any of these texts contains the filter, which is in small letters.
fn matches<'t>(filter: &str, texts: impl IntoIterator<Item = Option<&'t str>>) -> bool {
    filter.is_empty()
        || texts.into_iter().flatten().any(|text| text.to_lowercase().contains(filter))
}

fn matches_need(need: &Need, filter: &str) -> bool {
    matches(
        filter,
        [
            Some(need.kind.as_str()),
            Some(&*need.line),
            need.session_id.as_ref().map(trueup_core::model::SessionId::as_str),
            need.item.as_ref().map(trueup_core::model::ItemKey::as_str),
            need.repo.as_deref(),
            need.host.as_deref(),
        ],
    )
}

fn matches_work(row: &WorkRow, filter: &str) -> bool {
    matches(
        filter,
        [
            Some(row.key.as_str()),
            row.title.as_deref(),
            Some(row.status.as_str()),
            row.phase.as_deref(),
            row.repo.as_deref(),
            row.parent.as_ref().map(trueup_core::model::ItemKey::as_str),
            row.holder.as_ref().map(trueup_core::model::SessionId::as_str),
            row.host.as_deref(),
            row.branch.as_deref(),
        ],
    )
}

fn matches_event(event: &Event, filter: &str) -> bool {
    matches(
        filter,
        [
            Some(&*event.actor),
            Some(&*event.entity),
            Some(&*event.key),
            Some(&*event.kind),
            event.reason.as_deref(),
        ],
    )
}

/// Groups items by phase, in the order of a workflow; what is finished comes last.
fn group_by_phase(rows: &[WorkRow], places: Vec<usize>) -> Vec<WorkLine> {
    let mut groups: Vec<((usize, String), Vec<usize>)> = Vec::new();
    let mut by_name = std::collections::BTreeMap::new();
    for place in places {
        let group = name_group(&rows[place]);
        let at = *by_name.entry(group.clone()).or_insert_with(|| {
            groups.push((group, Vec::new()));
            groups.len() - 1
        });
        groups[at].1.push(place);
    }
    groups.sort_by(|(one, _), (other, _)| one.cmp(other));
    let lines = groups.into_iter().flat_map(|((_, name), places)| {
        let heading = WorkLine::Heading(name, places.len());
        std::iter::once(heading).chain(places.into_iter().map(WorkLine::Item))
    });
    lines.collect()
}

/// The phases of sessions, in their order, before those of a queue.
const SESSION_PHASES: [&str; 3] = ["LEAD", "PLAN", "EXEC"];

/// Returns the group of an item: its place among the groups, and its name.
fn name_group(row: &WorkRow) -> (usize, String) {
    if row.status.is_finished() {
        return (usize::MAX, "finished today".to_owned());
    }
    let Some(phase) = row.phase.as_deref() else {
        return (usize::MAX - 1, "no phase yet".to_owned());
    };
    let of_session = SESSION_PHASES.into_iter().position(|name| name == phase);
    let of_queue = || PhaseName::USUAL.into_iter().position(|name| name.as_str() == phase);
    let place = of_session.or_else(|| Some(SESSION_PHASES.len() + of_queue()?));
    (place.unwrap_or(usize::MAX - 2), phase.to_owned())
}
