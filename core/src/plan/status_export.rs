//! Writes a plan as `status.json`.

use serde_json::{Map, Value, json};

use crate::model::{PlanState, PlanSummary, PlanTask, PlanTaskId};

/// Returns the status file of a plan. Fields that an import kept are in it again, value for value;
/// fields that trueup knows are as in the database, with the summary counted from these tasks.
pub fn render_status_file(state: &PlanState) -> Map<String, Value> {
    let plan = &state.plan;
    let changed = state.tasks.iter().map(|task| task.updated_at);
    let changed = changed.chain([plan.updated_at]).max();
    let mut file = Map::new();
    file.insert("planPath".to_owned(), json!(plan.path));
    file.insert("planName".to_owned(), json!(plan.title));
    file.insert("createdAt".to_owned(), json!(plan.created_at));
    for (key, value) in &plan.extra {
        file.insert(key.clone(), value.clone());
    }
    file.insert("lastUpdatedAt".to_owned(), json!(changed));
    let tasks: Vec<Value> = state.tasks.iter().map(render_task).collect();
    file.insert("tasks".to_owned(), Value::Array(tasks));
    let mut summary = match file.shift_remove("summary") {
        Some(Value::Object(others)) => others,
        _ => Map::new(),
    };
    summary.extend(summary_counts(&state.summary()));
    file.insert("summary".to_owned(), Value::Object(summary));
    file
}

/// Returns the counts of a summary under the names that a status file has for them.
fn summary_counts(summary: &PlanSummary) -> Map<String, Value> {
    named_counts(summary).into_iter().map(|(key, count)| (key.to_owned(), json!(count))).collect()
}

/// Names each count of a summary.
pub(super) const fn named_counts(summary: &PlanSummary) -> [(&'static str, u64); 6] {
    [
        ("totalTasks", summary.total),
        ("completed", summary.completed),
        ("pending", summary.pending),
        ("in_progress", summary.in_progress),
        ("failed", summary.failed),
        ("skipped", summary.skipped),
    ]
}

fn render_task(task: &PlanTask) -> Value {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    put("id", json!(task.id.as_str()));
    match (task.phase_number, &task.phase_title) {
        (Some(number), Some(title)) => put("phase", json!(format!("Phase {number}: {title}"))),
        (Some(number), None) => put("phase", json!(number)),
        (None, Some(title)) => put("phase", json!(title)),
        (None, None) => None,
    };
    put("description", json!(task.title));
    put("status", json!(task.status.as_str()));
    for (key, value) in [
        ("priority", json!(task.priority)),
        ("startedAt", json!(task.started_at)),
        ("completedAt", json!(task.completed_at)),
        ("error", json!(task.error)),
        ("skipReason", json!(task.skip_reason)),
    ] {
        if !value.is_null() {
            put(key, value);
        }
    }
    if !task.depends_on.is_empty() {
        let ids: Vec<&str> = task.depends_on.iter().map(PlanTaskId::as_str).collect();
        put("dependencies", json!(ids));
    }
    // A count beyond the limit is among the extra fields.
    if task.retry_count > 0 && !task.extra.contains_key("retryCount") {
        put("retryCount", json!(task.retry_count));
    }
    if task.stuck {
        put("stuckDetected", json!(true));
    }
    for (key, value) in &task.extra {
        fields.entry(key).or_insert_with(|| value.clone());
    }
    Value::Object(fields)
}
