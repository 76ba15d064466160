//! Parses plans from `status.json`.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{ParsedPlan, ParsedTask, PlanBuilder, PlanFormat, UnresolvedTask, excerpt};
use crate::json_spans::{byte_offset, list_members};
use crate::model::{MAX_RETRIES, NewPlanTask, PlanTaskId, PlanTaskStatus, Timestamp};
use crate::text::lenient_json::to_readable_json;

/// Why a text is no status file.
#[derive(Debug, thiserror::Error)]
pub enum StatusFileError {
    /// It is not JSON.
    #[error("does not parse: {0}")]
    Syntax(#[from] serde_json::Error),
    /// It is JSON without a list of tasks.
    #[error("not a status file: no list of tasks")]
    NoTasks,
}

/// Parses a status file. Fields that trueup does not know are kept value for value.
///
/// # Errors
///
/// When it is not JSON, or has no list of tasks.
pub fn parse_status_file(text: &str) -> Result<ParsedPlan, StatusFileError> {
    let readable = to_readable_json(text);
    let text = readable.strip_prefix('\u{feff}').unwrap_or(&readable);
    let mut extra: Map<String, Value> = serde_json::from_str(text)?;
    if !extra.shift_remove("tasks").is_some_and(|v| v.is_array()) {
        return Err(StatusFileError::NoTasks);
    }
    let members = list_members(text)?;
    // Of duplicate keys the last one counts, as for every JSON parser.
    let tasks = members.iter().rfind(|(key, _)| key == "tasks");
    let tasks = tasks.ok_or(StatusFileError::NoTasks)?.1.get();
    let tasks: Vec<&RawValue> = serde_json::from_str(tasks)?;
    let mut builder = PlanBuilder::default();
    let mut entries = Vec::with_capacity(tasks.len());
    let (mut line, mut counted_to) = (1, 0);
    for raw in tasks {
        let raw = raw.get();
        let start = byte_offset(text, raw);
        line += text.get(counted_to..start).unwrap_or_default().matches('\n').count();
        counted_to = start;
        entries.push(parse_entry_status(raw));
        match parse_task(raw) {
            Err(problem) => builder.skip_line(line, &collapse_whitespace(raw), problem),
            Ok((task, depends_on)) => {
                let task = ParsedTask { task, line, checkbox: None, id_insert_at: None };
                builder.add_task(UnresolvedTask {
                    task,
                    depends_on,
                    parent: None,
                    text: excerpt(&collapse_whitespace(raw)),
                });
            }
        }
    }
    let text = |key| {
        let value = extra.get(key).and_then(Value::as_str);
        value.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    Ok(builder.finish(ParsedPlan {
        format: PlanFormat::StatusJson,
        title: text("planName"),
        plan_path: text("planPath"),
        extra,
        entry_statuses: entries,
        ..ParsedPlan::default()
    }))
}

fn collapse_whitespace(raw: &str) -> String {
    raw.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Parses the status of an entry, whatever else is wrong with it: the summary counts it too.
fn parse_entry_status(raw: &str) -> Option<PlanTaskStatus> {
    match serde_json::from_str::<Value>(raw).ok()?.get("status") {
        None | Some(Value::Null) => Some(PlanTaskStatus::Pending),
        Some(status) => status.as_str()?.parse().ok(),
    }
}

/// Parses a task, and the ids it depends on if it has a list of them.
fn parse_task(raw: &str) -> Result<(NewPlanTask, Option<Vec<String>>), String> {
    let value: Value = serde_json::from_str(raw).map_err(|error| error.to_string())?;
    let Value::Object(fields) = value else {
        return Err("not an object".to_owned());
    };
    let mut fields = UnreadFields(fields);
    let id = match fields.0.shift_remove("id") {
        Some(Value::String(id)) => id,
        Some(Value::Number(id)) => id.to_string(),
        _ => return Err("no id such as 1.2".to_owned()),
    };
    let id: PlanTaskId = id.parse().map_err(|error| format!("{error}"))?;
    let status = match fields.0.shift_remove("status") {
        None | Some(Value::Null) => PlanTaskStatus::Pending,
        Some(Value::String(status)) => status.parse().map_err(|error| format!("{error}"))?,
        Some(other) => return Err(format!("status {other} is not a string")),
    };
    let title = fields.take_text("description").or_else(|| fields.take_text("title"));
    let title = title.ok_or_else(|| "no description".to_owned())?;
    let mut task = NewPlanTask::new(id, title, status);
    task.priority = fields.take_text("priority");
    task.error = fields.take_text("error");
    task.skip_reason = fields.take_text("skipReason");
    task.started_at = fields.take_time("startedAt");
    task.completed_at = fields.take_time("completedAt");
    task.retry_count = fields.take_retry_count();
    (task.phase_number, task.phase_title) = fields.take_phase();
    let depends_on = fields.take_ids("dependencies");
    task.extra = fields.0;
    Ok((task, depends_on))
}

/// The fields of a task that were not taken yet. A field of an unexpected type stays.
struct UnreadFields(Map<String, Value>);

impl UnreadFields {
    fn take_if<T>(&mut self, key: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let value = read(self.0.get(key)?)?;
        self.0.shift_remove(key);
        Some(value)
    }

    fn take_text(&mut self, key: &str) -> Option<String> {
        self.take_if(key, |value| {
            let text = value.as_str().filter(|text| !text.trim().is_empty());
            text.map(str::to_owned)
        })
    }

    fn take_time(&mut self, key: &str) -> Option<Timestamp> {
        self.take_if(key, |value| value.as_str()?.parse().ok())
    }

    fn take_retry_count(&mut self) -> u8 {
        let within = |count: &u8| *count <= MAX_RETRIES;
        let count = self.take_if("retryCount", |value| {
            let count = value.as_u64()?;
            u8::try_from(count).ok().filter(within)
        });
        // A count beyond the limit stays in the extra fields, and means that no retry is left.
        count.unwrap_or_else(|| {
            let beyond = self.0.get("retryCount").and_then(Value::as_u64);
            beyond.map_or(0, |_| MAX_RETRIES)
        })
    }

    /// Takes `Phase 1: name`, another name, or a number.
    fn take_phase(&mut self) -> (Option<u32>, Option<String>) {
        let number = self
            .take_if("phase", |value| value.as_u64().and_then(|number| u32::try_from(number).ok()));
        if number.is_some() {
            return (number, None);
        }
        match self.take_text("phase") {
            None => (None, None),
            Some(text) => match super::formats::parse_phase_title(&text) {
                Some(Ok((number, name))) => (Some(number), name),
                _ => (None, Some(text)),
            },
        }
    }

    fn take_ids(&mut self, key: &str) -> Option<Vec<String>> {
        self.take_if(key, |value| {
            let texts = value.as_array()?.iter().map(|id| match id {
                Value::String(text) => text.trim().to_owned(),
                other => other.to_string(),
            });
            Some(texts.collect())
        })
    }
}
