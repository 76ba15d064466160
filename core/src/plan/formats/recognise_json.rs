//! Tells which format a file of JSON has.

use std::path::Path;

use serde_json::{Map, Value};

use super::PlanFormat;
use crate::text::lenient_json;

/// Fields of a task that only task-master writes.
const TASK_MASTER_FIELDS: [&str; 3] = ["subtasks", "testStrategy", "details"];

/// Returns the format of a JSON file. What is nothing else is read as a status file, which says
/// what is wrong with it.
pub(super) fn recognise_json(path: &Path, text: &str) -> PlanFormat {
    let is_in = |folder: &str| path.components().any(|part| part.as_os_str() == folder);
    match lenient_json::from_slice::<Value>(text.as_bytes()) {
        Ok(Value::Array(_)) => PlanFormat::Beads,
        Ok(Value::Object(fields)) if is_status_file(&fields) => PlanFormat::StatusJson,
        Ok(Value::Object(fields)) if is_in(".taskmaster") || is_task_master(&fields) => {
            PlanFormat::TaskMaster
        }
        Ok(Value::Object(fields)) if fields.contains_key("subject") => PlanFormat::ClientTasks,
        _ => PlanFormat::StatusJson,
    }
}

fn is_status_file(fields: &Map<String, Value>) -> bool {
    ["planPath", "planName", "summary"].iter().any(|key| fields.contains_key(*key))
}

/// Returns whether an object is the file of task-master: with lists of tasks by their tags, or with
/// one list that has fields of its own.
fn is_task_master(fields: &Map<String, Value>) -> bool {
    let tasks = |value: &Value| value.get("tasks").is_some_and(Value::is_array);
    let own = fields.get("tasks").and_then(Value::as_array);
    let is_own = |task: &Value| TASK_MASTER_FIELDS.iter().any(|key| task.get(key).is_some());
    match own {
        Some(own) => own.iter().any(is_own),
        None => fields.values().any(tasks),
    }
}

/// Returns the format of JSON Lines, by the first object.
pub(super) fn recognise_json_lines(text: &str) -> PlanFormat {
    let objects = text.lines().take(1_000).filter_map(|line| serde_json::from_str(line).ok());
    let first: Option<Map<String, Value>> = objects.into_iter().next();
    let has = |key| first.as_ref().is_some_and(|fields| fields.contains_key(key));
    if has("type") && (has("version") || has("key") || has("id")) && !has("issue_type") {
        PlanFormat::JsonLines
    } else {
        PlanFormat::Beads
    }
}
