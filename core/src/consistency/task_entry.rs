//! A task of a workplan: what its block means.

use std::collections::HashSet;

use serde_json::Value;

use super::ids::{self, InvalidId};
use super::parse_problem::ParseProblem;
use crate::model::{IdError, ItemKey, UnknownStatus, WorkplanLink, WorkplanTaskStatus};
use crate::text::redact::redact;
use crate::workplan::{Key, Scalar, TaskBlock, TextPosition};

/// A task as its file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskEntry {
    /// Where its block begins.
    pub place: TextPosition,
    /// Key of the item.
    pub key: ItemKey,
    /// Its status.
    pub status: WorkplanTaskStatus,
    /// The word that the file has for the status.
    pub status_word: Box<str>,
    /// Position of that word.
    pub status_place: TextPosition,
    /// The id of the row that it carries.
    pub link: Option<WorkplanLink>,
    /// Its own title, or the heading above.
    pub title: Option<Box<str>>,
    /// Digest of the text below the block.
    pub digest: u64,
    /// Priority, assignee and the like, as canonical JSON.
    pub planning: Box<str>,
    /// Keys of the items it depends on, each with its position.
    pub depends_on: Vec<(ItemKey, TextPosition)>,
}

impl TaskEntry {
    /// Interprets a block; without an id and a status, which the parser reports, it is no task.
    /// Problems that leave it a task go into `problems`.
    pub(super) fn from_block(
        block: &TaskBlock,
        workplan: &ItemKey,
        problems: &mut Vec<ParseProblem>,
    ) -> Result<Option<Self>, ParseProblem> {
        let (Some(id), Some(word)) = (block.id(), block.status()) else {
            return Ok(None);
        };
        let key = ids::parse_task_id(&id.text, workplan).map_err(|InvalidId(problem)| {
            ParseProblem::new(id.place, &id.text, format!("the id {problem}"))
        })?;
        let status = word.text.parse().map_err(|error: UnknownStatus| {
            ParseProblem::new(word.place, key.as_str(), error.to_string())
        })?;
        let planning = [
            ("assignee", Key::Assignee),
            ("intervention_note", Key::InterventionNote),
            ("needs_human", Key::NeedsHuman),
            ("priority", Key::Priority),
        ];
        Ok(Some(Self {
            place: block.place,
            status,
            status_word: word.text.clone(),
            status_place: word.place,
            link: parse_link(block.link(), &key)?,
            title: block.title().map(Into::into),
            digest: block.description_digest(),
            planning: planning_json(&planning, |key| block.get(key)),
            depends_on: parse_dependencies(block.depends_on(), workplan, &key, problems),
            key,
        }))
    }
}

/// Parses the id of a row, if there is one.
pub(super) fn parse_link(
    scalar: Option<&Scalar>,
    key: &ItemKey,
) -> Result<Option<WorkplanLink>, ParseProblem> {
    let Some(scalar) = scalar.filter(|scalar| !scalar.is_empty()) else {
        return Ok(None);
    };
    let link = scalar.text.parse().map_err(|error: IdError| {
        ParseProblem::new(scalar.place, key.as_str(), error.to_string())
    })?;
    Ok(Some(link))
}

/// Renders planning values as canonical JSON: the keys that have a value, in the given order.
pub(super) fn planning_json<'a>(
    keys: &[(&str, Key)],
    get: impl Fn(Key) -> Option<&'a Scalar>,
) -> Box<str> {
    let mut json = "{".to_owned();
    for (name, key) in keys {
        let Some(scalar) = get(*key).filter(|scalar| !scalar.is_empty()) else {
            continue;
        };
        // The database keeps it, and no secret may get there.
        let text = redact(&scalar.text).text;
        let comma = if json.len() > 1 { "," } else { "" };
        // None of the names needs escaping.
        json.extend([comma, "\"", name, "\":"]);
        json.push_str(&Value::from(text).to_string());
    }
    json.push('}');
    json.into()
}

/// Parses a list of dependencies. It may name tasks of the same workplan by their short ids.
pub(super) fn parse_dependencies(
    list: &[Scalar],
    workplan: &ItemKey,
    key: &ItemKey,
    problems: &mut Vec<ParseProblem>,
) -> Vec<(ItemKey, TextPosition)> {
    let mut dependencies: Vec<(ItemKey, TextPosition)> = Vec::new();
    // A set, because a list may be as long as its file.
    let mut seen: HashSet<ItemKey> = HashSet::new();
    for scalar in list.iter().filter(|scalar| !scalar.is_empty()) {
        let text = &*scalar.text;
        let on = ids::parse_task_id(text, workplan).ok();
        let problem = match on.map_or_else(|| text.parse::<ItemKey>(), Ok) {
            Ok(on) if on == *key => "depends on itself".to_owned(),
            Ok(on) => {
                if seen.insert(on.clone()) {
                    dependencies.push((on, scalar.place));
                }
                continue;
            }
            Err(error) => error.to_string(),
        };
        problems.push(ParseProblem::new(scalar.place, key.as_str(), problem));
    }
    dependencies
}
