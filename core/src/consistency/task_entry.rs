//! A task of a workplan, understood.

use std::collections::HashSet;

use serde_json::Value;

use super::ids;
use super::workplan_file::ParseProblem;
use crate::model::{ItemKey, WorkplanLink, WorkplanTaskStatus};
use crate::text::redact::redact;
use crate::workplan::{Key, Scalar, TaskBlock, TextPosition};

/// A task as its file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskEntry {
    /// Where its block begins.
    pub place: TextPosition,
    /// The item it is.
    pub key: ItemKey,
    /// Where it stands, and the word the file has for that.
    pub status: WorkplanTaskStatus,
    /// The word.
    pub status_word: Box<str>,
    /// Where the word stands.
    pub status_place: TextPosition,
    /// The id it carries.
    pub link: Option<WorkplanLink>,
    /// The heading above.
    pub title: Option<Box<str>>,
    /// Digest of the text below.
    pub digest: u64,
    /// Priority, assignee and the like, as canonical JSON.
    pub planning: Box<str>,
    /// What it waits for, and where that is said.
    pub depends_on: Vec<(ItemKey, TextPosition)>,
}

impl TaskEntry {
    /// Reads a block. What is not understood is a trouble; without id and status it is no task.
    pub(super) fn from_block(
        block: &TaskBlock,
        workplan: &ItemKey,
        problems: &mut Vec<ParseProblem>,
    ) -> Option<Self> {
        // That they are missing is a problem of the file already.
        let (id, word) = (block.id()?, block.status()?);
        let key = match ids::parse_task_id(&id.text, workplan) {
            Ok(key) => key,
            Err(ids::InvalidId(problem)) => {
                problems.push(ParseProblem::new(
                    id.place,
                    &id.text,
                    format!("the id {problem}"),
                ));
                return None;
            }
        };
        let status = match word.text.parse() {
            Ok(status) => status,
            Err(error) => {
                let error: crate::model::UnknownStatus = error;
                problems.push(ParseProblem::new(
                    word.place,
                    key.as_str(),
                    error.to_string(),
                ));
                return None;
            }
        };
        Some(Self {
            place: block.place,
            status,
            status_word: word.text.clone(),
            status_place: word.place,
            link: parse_link(block.link(), &key, problems)?,
            title: block.title().map(Into::into),
            digest: block.description_digest(),
            planning: planning_json(
                &[
                    ("assignee", Key::Assignee),
                    ("intervention_note", Key::InterventionNote),
                    ("needs_human", Key::NeedsHuman),
                    ("priority", Key::Priority),
                ],
                |key| block.get(key),
            ),
            depends_on: parse_dependencies(block.depends_on(), workplan, &key, problems),
            key,
        })
    }
}

/// Reads the id that something carries; `None` when what stands there is none.
#[expect(
    clippy::option_option,
    reason = "no id is one answer, a bad one another"
)]
pub(super) fn parse_link(
    scalar: Option<&Scalar>,
    key: &ItemKey,
    problems: &mut Vec<ParseProblem>,
) -> Option<Option<WorkplanLink>> {
    let Some(scalar) = scalar.filter(|scalar| !scalar.is_empty()) else {
        return Some(None);
    };
    match scalar.text.parse() {
        Ok(link) => Some(Some(link)),
        Err(error) => {
            let error: crate::model::IdError = error;
            problems.push(ParseProblem::new(
                scalar.place,
                key.as_str(),
                error.to_string(),
            ));
            None
        }
    }
}

/// Writes what is planned as canonical JSON: the keys that say something, in their order.
pub(super) fn planning_json<'a>(
    keys: &[(&str, Key)],
    get: impl Fn(Key) -> Option<&'a Scalar>,
) -> Box<str> {
    let mut json = "{".to_owned();
    for (name, key) in keys {
        let Some(scalar) = get(*key).filter(|scalar| !scalar.is_empty()) else {
            continue;
        };
        // It is kept in the database, which no secret reaches.
        let text = redact(&scalar.text).text;
        let comma = if json.len() > 1 { "," } else { "" };
        // No name holds what JSON escapes.
        json.extend([comma, "\"", name, "\":"]);
        json.push_str(&Value::from(text).to_string());
    }
    json.push('}');
    json.into()
}

/// Reads what something depends on: tasks of its own workplan by their short ids too.
pub(super) fn parse_dependencies(
    list: &[Scalar],
    workplan: &ItemKey,
    key: &ItemKey,
    problems: &mut Vec<ParseProblem>,
) -> Vec<(ItemKey, TextPosition)> {
    let mut found: Vec<(ItemKey, TextPosition)> = Vec::new();
    // A list may be as long as its file.
    let mut seen: HashSet<ItemKey> = HashSet::new();
    for scalar in list.iter().filter(|scalar| !scalar.is_empty()) {
        let text = &*scalar.text;
        let own = ids::parse_task_id(text, workplan);
        match own.or_else(|_| {
            text.parse()
                .map_err(|error| ids::InvalidId(format!("{error}")))
        }) {
            Ok(on) if on == *key => {
                let problem = "depends on itself";
                problems.push(ParseProblem::new(scalar.place, key.as_str(), problem));
            }
            Ok(on) if !seen.insert(on.clone()) => {}
            Ok(on) => found.push((on, scalar.place)),
            Err(ids::InvalidId(problem)) => {
                problems.push(ParseProblem::new(scalar.place, key.as_str(), problem));
            }
        }
    }
    found
}
