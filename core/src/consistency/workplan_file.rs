//! A workplan file: what its ids and words mean, and what in it means nothing.

use super::ids::{self, InvalidId};
use super::parse_problem::ParseProblem;
use super::task_entry::{TaskEntry, parse_dependencies, parse_link, planning_json};
use crate::model::{
    ItemKey, ItemStatus, RepoSlug, UnknownStatus, WorkplanLink, WorkplanTaskStatus,
};
use crate::workplan::{
    ByteEdit, Key, StatusVocabulary, TaskBlock, TextPosition, Workplan, parse_workplan,
};

/// The status that a workplan gives itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeclaredStatus {
    /// The status of an item.
    Status(ItemStatus),
    /// `archived`: put away, finished or not.
    Archived,
}

impl DeclaredStatus {
    fn parse(word: &str) -> Result<Self, UnknownStatus> {
        if word.trim().eq_ignore_ascii_case("archived") {
            return Ok(Self::Archived);
        }
        word.parse().map(Self::Status)
    }

    /// Returns the status that a new row gets.
    pub(super) const fn item_status(self) -> ItemStatus {
        match self {
            Self::Status(status) => status,
            Self::Archived => ItemStatus::Completed,
        }
    }
}

/// A workplan file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkplanFile {
    /// Its path, from the root of the repository.
    pub path: String,
    /// Position of its id.
    pub place: TextPosition,
    /// Key of the item.
    pub key: ItemKey,
    /// Its title.
    pub title: Option<Box<str>>,
    /// The status it gives itself.
    pub declared_status: DeclaredStatus,
    /// Position of that status.
    pub status_place: TextPosition,
    /// The id of the row that it carries.
    pub link: Option<WorkplanLink>,
    /// The repository that it names.
    pub repo: Option<Box<str>>,
    /// Priority, order and owner, as canonical JSON.
    pub planning: Box<str>,
    /// Keys of the items it depends on, each with its position.
    pub depends_on: Vec<(ItemKey, TextPosition)>,
    /// The words it uses for statuses.
    pub vocabulary: StatusVocabulary,
    /// Its tasks, in the order of the file.
    pub tasks: Vec<TaskEntry>,
    /// What fixes edit, where it was kept.
    source: Option<FileSource>,
}

/// The bytes of a file and where its values are in them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileSource {
    bytes: Vec<u8>,
    workplan: Workplan,
}

impl WorkplanFile {
    /// Parses a file. Without a valid id and status there is no workplan, only problems. The
    /// source is kept if `keep_source`; without it the file cannot be edited.
    pub(super) fn parse(
        path: &str,
        bytes: Vec<u8>,
        keep_source: bool,
    ) -> (Option<Self>, Vec<ParseProblem>) {
        let workplan = match parse_workplan(&bytes) {
            Ok(workplan) => workplan,
            Err(problem) => {
                let problem = ParseProblem::new(problem.place, path, problem.text);
                return (None, vec![problem]);
            }
        };
        let name = workplan.front.id().map_or(path, |id| &id.text);
        let mut problems: Vec<ParseProblem> = workplan
            .problems
            .iter()
            .map(|problem| ParseProblem::new(problem.place, name, &*problem.text))
            .collect();
        let mut file = Self::from_workplan(path, &workplan, &mut problems)
            .map_err(|problem| problems.push(problem))
            .ok();
        problems.sort_by_key(|problem| problem.place);
        if let Some(file) = file.as_mut().filter(|_| keep_source) {
            file.source = Some(FileSource { bytes, workplan });
        }
        (file, problems)
    }

    /// Interprets a file. Problems that leave it a workplan go into `problems`.
    fn from_workplan(
        path: &str,
        workplan: &Workplan,
        problems: &mut Vec<ParseProblem>,
    ) -> Result<Self, ParseProblem> {
        let front = &workplan.front;
        let lacks = |subject: &str, key: &str| {
            let text = format!("the front matter has no {key}");
            ParseProblem::new(TextPosition::START, subject, text)
        };
        let id = front.id().ok_or_else(|| lacks(path, "id"))?;
        let key = ids::parse_workplan_id(&id.text).map_err(|InvalidId(problem)| {
            ParseProblem::new(id.place, &id.text, format!("the id {problem}"))
        })?;
        let status = front.status().ok_or_else(|| lacks(key.as_str(), "status"))?;
        let declared_status = DeclaredStatus::parse(&status.text)
            .map_err(|error| ParseProblem::new(status.place, key.as_str(), error.to_string()))?;
        let link = parse_link(front.link(), &key)?;
        let depends_on = parse_dependencies(front.depends_on(), &key, &key, problems);
        let mut tasks = Vec::with_capacity(workplan.tasks.len());
        for block in &workplan.tasks {
            match TaskEntry::from_block(block, &key, problems) {
                Ok(task) => tasks.extend(task),
                Err(problem) => problems.push(problem),
            }
        }
        let planning = [
            ("owner", Key::Owner),
            ("planning_order", Key::PlanningOrder),
            ("planning_priority", Key::PlanningPriority),
        ];
        Ok(Self {
            path: path.to_owned(),
            place: id.place,
            title: front.title().map(|title| title.text.clone()),
            declared_status,
            status_place: status.place,
            link,
            repo: front.repo().map(|repo| repo.text.clone()),
            planning: planning_json(&planning, |key| front.get(key)),
            depends_on,
            vocabulary: workplan.vocabulary,
            tasks,
            key,
            source: None,
        })
    }

    /// Returns the repository that it names, if the name is valid.
    pub(super) fn repo_slug(&self) -> Option<String> {
        let slug: Option<RepoSlug> = self.repo.as_deref()?.trim().parse().ok();
        slug.map(|slug| slug.as_str().to_owned())
    }

    /// Returns the bytes of the file, if its source was kept.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        Some(&self.source.as_ref()?.bytes)
    }

    /// Returns the text below the block of a task.
    pub(super) fn description(&self, task: &TaskEntry) -> Option<&str> {
        let text = self.bytes()?.get(self.find_block(task)?.description())?;
        std::str::from_utf8(text).ok()
    }

    /// Builds the edit that writes the id of a row into a task, or into the front matter.
    pub(super) fn build_link_edit(
        &self,
        task: Option<&TaskEntry>,
        link: &WorkplanLink,
    ) -> Option<ByteEdit> {
        let FileSource { bytes, workplan } = self.source.as_ref()?;
        match task {
            Some(task) => self.find_block(task)?.build_link_edit(bytes, link.as_str()),
            None => workplan.front.build_link_edit(bytes, link.as_str()),
        }
    }

    /// Builds the edit that writes the status of a task.
    pub(super) fn build_status_edit(&self, task: &TaskEntry, word: &str) -> Option<ByteEdit> {
        self.find_block(task)?.build_status_edit(word)
    }

    fn find_block(&self, task: &TaskEntry) -> Option<&TaskBlock> {
        let blocks = &self.source.as_ref()?.workplan.tasks;
        let found = blocks.binary_search_by_key(&task.place, |block| block.place);
        blocks.get(found.ok()?)
    }
}

/// Converts the status of a task in a file into that of an item.
pub(super) const fn to_item_status(status: WorkplanTaskStatus) -> ItemStatus {
    match status {
        WorkplanTaskStatus::Todo => ItemStatus::Queued,
        WorkplanTaskStatus::InProgress => ItemStatus::Running,
        WorkplanTaskStatus::Blocked => ItemStatus::Blocked,
        WorkplanTaskStatus::Done => ItemStatus::Completed,
        WorkplanTaskStatus::Cancelled => ItemStatus::Cancelled,
    }
}

/// Converts the status of an item into that of a task in a file, which has no word for a failed
/// one.
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
