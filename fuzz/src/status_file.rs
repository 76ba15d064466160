//! Plans as `status.json`: the summary is put right and nothing else changes, and what was read
//! can be written and read again.

use serde_json::Value;
use trueup_core::plan::{
    ParsedTask, PlanFile, apply_edits, check_status_file, parse_status_file, render_status_file,
    status_file_findings, summary_findings,
};
use trueup_core::text::lenient_json;

use crate::plan::{plan_id, rows, state, tasks, told};

/// The counts of a summary.
const COUNTS: [&str; 6] =
    ["totalTasks", "completed", "pending", "in_progress", "failed", "skipped"];

/// Checks a file.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (plan, found) = match (parse_status_file(text), check_status_file(text)) {
        (Ok(plan), Ok(found)) => (plan, found),
        (Err(_), Err(_)) => return,
        (plan, found) => panic!("one reads it and the other does not: {plan:?}, {found:?}"),
    };
    assert_eq!(found.file, plan);
    tasks(&plan);
    let id = plan_id();
    let file = PlanFile { is_committed: true, path: "docs/status.json", plan: Some(&id) };
    told(&summary_findings(&found, file));
    told(&status_file_findings(&found, file));

    assert_eq!(found.edits.len(), found.wrong_counts.len());
    let after = apply_edits(text, &found.edits);
    if found.edits.is_empty() {
        assert_eq!(after, text);
    }
    let again = check_status_file(&after).expect("an edit breaks no file");
    assert_eq!(again.edits, []);
    assert_eq!(again.counted, found.counted);
    let problems = |odd: &[trueup_core::plan::SummaryProblem]| -> Vec<String> {
        odd.iter().map(|oddity| oddity.problem.clone()).collect()
    };
    assert_eq!(problems(&again.problems), problems(&found.problems));
    assert_eq!(without_counts(&after), without_counts(text));
    exported(&plan.tasks, &{
        let rows = rows(&plan, |at| plan.tasks.get(at).map(|task| task.task.status));
        Value::Object(render_status_file(&state(&plan, rows))).to_string()
    });
}

fn without_counts(text: &str) -> Value {
    let mut value: Value = lenient_json::from_str(text).expect("it was read");
    if let Some(Value::Object(summary)) = value.get_mut("summary") {
        for count in COUNTS {
            if summary.get(count).is_some_and(Value::is_number) {
                summary.insert(count.to_owned(), Value::Null);
            }
        }
    }
    value
}

/// What was imported and written is imported again as it was.
fn exported(tasks: &[ParsedTask], text: &str) {
    let again = parse_status_file(text).expect("what is written can be read");
    assert_eq!(again.tasks.len(), tasks.len());
    for (again, before) in again.tasks.iter().zip(tasks) {
        let (again, before) = (&again.task, &before.task);
        assert_eq!(again.id, before.id);
        assert_eq!(again.status, before.status);
        assert_eq!(again.title, before.title);
        assert_eq!(again.priority, before.priority);
        assert_eq!(again.retry_count, before.retry_count);
        assert_eq!(
            again.depends_on.as_deref().unwrap_or_default(),
            before.depends_on.as_deref().unwrap_or_default()
        );
    }
}
