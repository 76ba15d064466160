//! A workplan file, understood: what its ids and words mean, and what of them means nothing.

use super::entry::{self, Entry};
use super::ids;
use crate::model::{ItemKey, ItemStatus, RepoSlug, WorkplanLink, WorkplanTaskStatus};
use crate::workplan::{Key, Place, Problem, Vocabulary, Workplan};

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Where.
    pub place: Place,
    /// What it is about: an id as far as there is one.
    pub subject: String,
    /// What is wrong, in one line.
    pub text: String,
}

impl Trouble {
    pub(super) fn new(place: Place, subject: &str, text: impl Into<String>) -> Self {
        Self {
            place,
            subject: subject.chars().take(60).collect(),
            text: text.into(),
        }
    }

    fn of(problem: Problem, subject: &str) -> Self {
        Self::new(problem.place, subject, problem.text)
    }
}

/// Where a workplan says that it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// Somewhere.
    At(ItemStatus),
    /// Put away, finished or not: `archived`.
    Archived,
}

/// A workplan file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Its path, from the repository's root.
    pub path: String,
    /// Where its id stands.
    pub place: Place,
    /// The item it is.
    pub key: ItemKey,
    /// What it is about.
    pub title: Option<Box<str>>,
    /// Where it says that it stands.
    pub stand: Stand,
    /// Where it says so.
    pub stand_place: Place,
    /// The id it carries.
    pub link: Option<WorkplanLink>,
    /// Whose it says it is.
    pub repo: Option<Box<str>>,
    /// Priority, order and owner, as canonical JSON.
    pub planning: Box<str>,
    /// What it waits for, and where that is said.
    pub depends_on: Vec<(ItemKey, Place)>,
    /// By which words it calls statuses.
    pub vocabulary: Vocabulary,
    /// Its tasks, in their order.
    pub tasks: Vec<Entry>,
}

impl Sheet {
    /// Returns the name it gives its repository, if that is one.
    pub(super) fn slug(&self) -> Option<String> {
        let slug: Option<RepoSlug> = self.repo.as_deref()?.trim().parse().ok();
        slug.map(|slug| slug.as_str().to_owned())
    }

    /// Understands a file that was read. What it says wrong is in the troubles; without an id
    /// and a status there is no sheet.
    pub fn of(path: &str, workplan: &Workplan) -> (Option<Self>, Vec<Trouble>) {
        let name = workplan.front.id().map_or(path, |id| &id.text).to_owned();
        let mut troubles: Vec<Trouble> = workplan
            .problems
            .iter()
            .map(|problem| Trouble::of(problem.clone(), &name))
            .collect();
        let sheet = Self::read(path, workplan, &mut troubles);
        troubles.sort_by_key(|trouble| trouble.place);
        (sheet, troubles)
    }

    fn read(path: &str, workplan: &Workplan, troubles: &mut Vec<Trouble>) -> Option<Self> {
        let front = &workplan.front;
        let start = Place { line: 1, column: 1 };
        let Some(id) = front.id() else {
            troubles.push(Trouble::new(start, path, "the front matter has no id"));
            return None;
        };
        let key = match ids::workplan(&id.text) {
            Ok(key) => key,
            Err(ids::BadId(problem)) => {
                troubles.push(Trouble::new(
                    id.place,
                    &id.text,
                    format!("the id {problem}"),
                ));
                return None;
            }
        };
        let Some(status) = front.status() else {
            let text = "the front matter has no status";
            troubles.push(Trouble::new(start, key.as_str(), text));
            return None;
        };
        let stand = match stand(&status.text) {
            Ok(stand) => stand,
            Err(error) => {
                troubles.push(Trouble::new(status.place, key.as_str(), error.to_string()));
                return None;
            }
        };
        let link = entry::link(front.link(), &key, troubles)?;
        let depends_on = entry::dependencies(front.depends_on(), &key, &key, troubles);
        let blocks = workplan.tasks.iter();
        // As many as there are blocks, which a filter does not tell.
        let mut tasks = Vec::with_capacity(blocks.len());
        tasks.extend(blocks.filter_map(|block| Entry::read(block, &key, troubles)));
        Some(Self {
            path: path.to_owned(),
            place: id.place,
            title: front.title().map(|title| title.text.clone()),
            stand,
            stand_place: status.place,
            link,
            repo: front.repo().map(|repo| repo.text.clone()),
            planning: entry::planning(
                &[
                    ("owner", Key::Owner),
                    ("planning_order", Key::PlanningOrder),
                    ("planning_priority", Key::PlanningPriority),
                ],
                |key| front.get(key),
            ),
            depends_on,
            vocabulary: workplan.vocabulary,
            tasks,
            key,
        })
    }
}

fn stand(word: &str) -> Result<Stand, crate::model::UnknownStatus> {
    if word.trim().eq_ignore_ascii_case("archived") {
        return Ok(Stand::Archived);
    }
    word.parse().map(Stand::At)
}

impl Stand {
    /// Returns the status that a new row of it has.
    pub(super) const fn status(self) -> ItemStatus {
        match self {
            Self::At(status) => status,
            Self::Archived => ItemStatus::Completed,
        }
    }
}

/// Returns the status that a task of a file has as an item.
pub(super) const fn item_status(status: WorkplanTaskStatus) -> ItemStatus {
    match status {
        WorkplanTaskStatus::Todo => ItemStatus::Queued,
        WorkplanTaskStatus::InProgress => ItemStatus::Running,
        WorkplanTaskStatus::Blocked => ItemStatus::Blocked,
        WorkplanTaskStatus::Done => ItemStatus::Completed,
        WorkplanTaskStatus::Cancelled => ItemStatus::Cancelled,
    }
}

/// Returns the status that an item has as a task of a file; a failed one has no word there.
pub(super) const fn file_status(status: ItemStatus) -> Option<WorkplanTaskStatus> {
    Some(match status {
        ItemStatus::Queued | ItemStatus::Ready => WorkplanTaskStatus::Todo,
        ItemStatus::Running => WorkplanTaskStatus::InProgress,
        ItemStatus::Blocked => WorkplanTaskStatus::Blocked,
        ItemStatus::Completed => WorkplanTaskStatus::Done,
        ItemStatus::Cancelled => WorkplanTaskStatus::Cancelled,
        ItemStatus::Failed => return None,
    })
}
