//! Turns the records of a tracker into the tasks of a plan.

use super::record::{RecordStatus, SkippedRecord, TrackerFile, TrackerRecord};
use crate::model::{NewPlanTask, PlanTaskId, PlanTaskStatus};
use crate::plan::{ParsedPlan, ParsedTask, PlanBuilder, UnresolvedTask, excerpt};

impl From<TrackerFile> for ParsedPlan {
    fn from(file: TrackerFile) -> Self {
        let mut builder = PlanBuilder {
            skipped: file.skipped.into_iter().map(|SkippedRecord { line, .. }| line).collect(),
            ..PlanBuilder::default()
        };
        for record in file.records {
            builder.add_task(task_of_record(record));
        }
        builder.finish(Self { title: file.title, ..Self::default() })
    }
}

fn task_of_record(record: TrackerRecord) -> UnresolvedTask {
    let id = PlanTaskId::from_text(&record.id);
    let mut task = NewPlanTask::new(id, record.title.clone(), plan_status(record.status));
    task.priority = record.priority_word;
    match record.status {
        RecordStatus::Cancelled => task.skip_reason = record.status_reason,
        RecordStatus::Failed => task.error = record.status_reason,
        _ => {}
    }
    task.completed_at = record.closed_at.filter(|_| task.status.is_finished());
    task.extra = record.original;
    let dependencies = record.depends_on.iter();
    let depends_on = dependencies.map(|on| PlanTaskId::from_text(on).to_string()).collect();
    UnresolvedTask {
        task: ParsedTask { task, line: record.line, checkbox: None, id_insert_at: None },
        depends_on: Some(depends_on),
        parent: record.parent.as_deref().map(PlanTaskId::from_text),
        text: excerpt(&record.title),
    }
}

/// A plan has no word for what waits for something else: the task is not started.
const fn plan_status(status: RecordStatus) -> PlanTaskStatus {
    match status {
        RecordStatus::Waiting | RecordStatus::Blocked => PlanTaskStatus::Pending,
        RecordStatus::Active => PlanTaskStatus::InProgress,
        RecordStatus::Done => PlanTaskStatus::Completed,
        RecordStatus::Failed => PlanTaskStatus::Failed,
        RecordStatus::Cancelled => PlanTaskStatus::Skipped,
    }
}
