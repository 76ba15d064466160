//! A workplan file, understood: what its ids and words mean, and what of them means nothing.

use super::ids;
use super::task_entry::{self, TaskEntry};
use crate::model::{ItemKey, ItemStatus, RepoSlug, WorkplanLink, WorkplanTaskStatus};
use crate::workplan::{Key, Problem, StatusVocabulary, TextPosition, Workplan};

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseProblem {
    /// Where.
    pub place: TextPosition,
    /// What it is about: an id as far as there is one.
    pub subject: String,
    /// What is wrong, in one line.
    pub text: String,
}

impl ParseProblem {
    pub(super) fn new(place: TextPosition, subject: &str, text: impl Into<String>) -> Self {
        Self {
            place,
            subject: subject.chars().take(60).collect(),
            text: text.into(),
        }
    }

    fn from_problem(problem: Problem, subject: &str) -> Self {
        Self::new(problem.place, subject, problem.text)
    }
}

/// Where a workplan says that it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeclaredStatus {
    /// Somewhere.
    Status(ItemStatus),
    /// Put away, finished or not: `archived`.
    Archived,
}

/// A workplan file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkplanFile {
    /// Its path, from the repository's root.
    pub path: String,
    /// Where its id stands.
    pub place: TextPosition,
    /// The item it is.
    pub key: ItemKey,
    /// What it is about.
    pub title: Option<Box<str>>,
    /// Where it says that it stands.
    pub declared_status: DeclaredStatus,
    /// Where it says so.
    pub status_place: TextPosition,
    /// The id it carries.
    pub link: Option<WorkplanLink>,
    /// Whose it says it is.
    pub repo: Option<Box<str>>,
    /// Priority, order and owner, as canonical JSON.
    pub planning: Box<str>,
    /// What it waits for, and where that is said.
    pub depends_on: Vec<(ItemKey, TextPosition)>,
    /// By which words it calls statuses.
    pub vocabulary: StatusVocabulary,
    /// Its tasks, in their order.
    pub tasks: Vec<TaskEntry>,
}

impl WorkplanFile {
    /// Returns the name it gives its repository, if that is one.
    pub(super) fn repo_slug(&self) -> Option<String> {
        let slug: Option<RepoSlug> = self.repo.as_deref()?.trim().parse().ok();
        slug.map(|slug| slug.as_str().to_owned())
    }

    /// Understands a file that was read. What it says wrong is in the troubles; without an id
    /// and a status there is no sheet.
    pub fn from_workplan(path: &str, workplan: &Workplan) -> (Option<Self>, Vec<ParseProblem>) {
        let name = workplan.front.id().map_or(path, |id| &id.text).to_owned();
        let mut troubles: Vec<ParseProblem> = workplan
            .problems
            .iter()
            .map(|problem| ParseProblem::from_problem(problem.clone(), &name))
            .collect();
        let sheet = Self::read_workplan(path, workplan, &mut troubles);
        troubles.sort_by_key(|trouble| trouble.place);
        (sheet, troubles)
    }

    fn read_workplan(
        path: &str,
        workplan: &Workplan,
        troubles: &mut Vec<ParseProblem>,
    ) -> Option<Self> {
        let front = &workplan.front;
        let start = TextPosition { line: 1, column: 1 };
        let Some(id) = front.id() else {
            troubles.push(ParseProblem::new(start, path, "the front matter has no id"));
            return None;
        };
        let key = match ids::parse_workplan_id(&id.text) {
            Ok(key) => key,
            Err(ids::InvalidId(problem)) => {
                troubles.push(ParseProblem::new(
                    id.place,
                    &id.text,
                    format!("the id {problem}"),
                ));
                return None;
            }
        };
        let Some(status) = front.status() else {
            let text = "the front matter has no status";
            troubles.push(ParseProblem::new(start, key.as_str(), text));
            return None;
        };
        let stand = match parse_declared_status(&status.text) {
            Ok(stand) => stand,
            Err(error) => {
                troubles.push(ParseProblem::new(
                    status.place,
                    key.as_str(),
                    error.to_string(),
                ));
                return None;
            }
        };
        let link = task_entry::parse_link(front.link(), &key, troubles)?;
        let depends_on = task_entry::parse_dependencies(front.depends_on(), &key, &key, troubles);
        let blocks = workplan.tasks.iter();
        // As many as there are blocks, which a filter does not tell.
        let mut tasks = Vec::with_capacity(blocks.len());
        tasks.extend(blocks.filter_map(|block| TaskEntry::from_block(block, &key, troubles)));
        Some(Self {
            path: path.to_owned(),
            place: id.place,
            title: front.title().map(|title| title.text.clone()),
            declared_status: stand,
            status_place: status.place,
            link,
            repo: front.repo().map(|repo| repo.text.clone()),
            planning: task_entry::planning_json(
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

fn parse_declared_status(word: &str) -> Result<DeclaredStatus, crate::model::UnknownStatus> {
    if word.trim().eq_ignore_ascii_case("archived") {
        return Ok(DeclaredStatus::Archived);
    }
    word.parse().map(DeclaredStatus::Status)
}

impl DeclaredStatus {
    /// Returns the status that a new row of it has.
    pub(super) const fn item_status(self) -> ItemStatus {
        match self {
            Self::Status(status) => status,
            Self::Archived => ItemStatus::Completed,
        }
    }
}

/// Returns the status that a task of a file has as an item.
pub(super) const fn to_item_status(status: WorkplanTaskStatus) -> ItemStatus {
    match status {
        WorkplanTaskStatus::Todo => ItemStatus::Queued,
        WorkplanTaskStatus::InProgress => ItemStatus::Running,
        WorkplanTaskStatus::Blocked => ItemStatus::Blocked,
        WorkplanTaskStatus::Done => ItemStatus::Completed,
        WorkplanTaskStatus::Cancelled => ItemStatus::Cancelled,
    }
}

/// Returns the status that an item has as a task of a file; a failed one has no word there.
pub(super) const fn to_file_status(status: ItemStatus) -> Option<WorkplanTaskStatus> {
    Some(match status {
        ItemStatus::Queued | ItemStatus::Ready => WorkplanTaskStatus::Todo,
        ItemStatus::Running => WorkplanTaskStatus::InProgress,
        ItemStatus::Blocked => WorkplanTaskStatus::Blocked,
        ItemStatus::Completed => WorkplanTaskStatus::Done,
        ItemStatus::Cancelled => WorkplanTaskStatus::Cancelled,
        ItemStatus::Failed => return None,
    })
}
