//! Findings in plan files, and their advice.

use serde_json::Map;

use super::*;
use crate::model::PlanTaskStatus::{self, Completed, InProgress, Pending, Skipped};
use crate::model::{NewPlanTask, Plan, PlanTask, Revision, Timestamp, merge_reimported_task};
use crate::plan::{PlanFormat, check_status_file, compare_checkboxes, parse_status_file};

fn plan_id() -> PlanId {
    "fix".parse().unwrap()
}

fn plan_task(id: &str, status: PlanTaskStatus, depends_on: &[&str]) -> PlanTask {
    let ids = depends_on.iter().map(|id| id.parse().unwrap());
    let new = NewPlanTask {
        depends_on: Some(ids.collect()),
        ..NewPlanTask::new(id.parse().unwrap(), "t".to_owned(), status)
    };
    new.to_new_row(&plan_id(), 1, Timestamp::from_millis(0))
}

fn plan_state(tasks: Vec<PlanTask>) -> PlanState {
    let now = Timestamp::from_millis(0);
    let plan = Plan {
        id: plan_id(),
        path: "/p/fix.md".to_owned(),
        title: None,
        extra: Map::new(),
        revision: Revision(1),
        created_at: now,
        updated_at: now,
    };
    PlanState { plan, tasks }
}

fn render_findings(found: &[Divergence]) -> Vec<(&str, &str, &str)> {
    let found = found.iter();
    found.map(|d| (d.code.as_str(), d.subject.as_str(), d.message.as_str())).collect()
}

const STATUS: &str = r#"{"summary": {"totalTasks": 3, "completed": 77, "pending": 1,
    "in_progress": 0, "failed": 0}, "tasks": [
    {"id": "1.1", "description": "a", "status": "completed"},
    {"id": "1.2", "description": "b"},
    {"id": "1.3", "description": "c", "status": "almost"}]}"#;

#[test]
fn a_wrong_number_is_an_error_and_an_odd_value_a_warning() {
    let check = check_status_file(STATUS).unwrap();
    let file = PlanFile { path: "out/a b.json", plan: None, is_committed: true };
    let wrong = summary_findings(&check, file);
    assert_eq!(
        render_findings(&wrong),
        [("F-02", "out/a b.json", "out/a b.json:1:44: summary.completed was 77, should be 1")]
    );
    let wrong = &wrong[0];
    assert_eq!(wrong.severity, Severity::Error);
    assert_eq!((wrong.expected.as_deref(), wrong.found.as_deref()), (Some("1"), Some("77")));
    let fix = wrong.advice.to_string();
    assert_eq!(fix, "trueup plan validate 'out/a b.json' --fix");

    let others = status_file_findings(&check, file);
    assert!(others.iter().all(|d| d.severity == Severity::Warning));
    let messages: Vec<&str> = others.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(messages[0], "out/a b.json:1:13: summary.skipped is missing, should be 0");
    assert!(messages[1].starts_with("out/a b.json:5:1: unknown status \"almost\""), "{messages:?}");
    assert_eq!(messages.len(), 2);
}

#[test]
fn checkboxes_and_the_database_differ_in_two_directions() {
    let text = "## Phase 1: a\n- [x] 1.1 a\n- [ ] 1.2 b\n- [x] 1.3 c\n- [ ] 1.4 d\n- [x] 1.5 e\n- [ ] no\n";
    let tasks = [
        plan_task("1.1", InProgress, &[]),
        plan_task("1.2", Completed, &[]),
        plan_task("1.3", Skipped, &[]),
        plan_task("1.5", Completed, &[]),
        plan_task("7.7", Pending, &[]),
    ];
    let id = plan_id();
    let file = PlanFile { path: "fix.md", plan: Some(&id), is_committed: true };
    let boxes = compare_checkboxes(PlanFormat::Trueup, text, &tasks);
    let made = boxes.file.tasks[5].task.id.as_str();
    let made_message = format!("fix.md:7:4: task {made} was never imported");
    let found = checkbox_findings(&boxes, file);
    assert_eq!(
        render_findings(&found),
        [
            ("F-02", "fix", "fix.md: 1 checkbox has no id in the file"),
            (
                "C-10",
                "1.1",
                "fix.md:2:4: task 1.1 is [x] in the file but in_progress in the database; the file is ahead"
            ),
            (
                "C-15",
                "1.2",
                "fix.md:3:4: task 1.2 is [ ] in the file but completed in the database; the database is ahead"
            ),
            (
                "C-10",
                "1.3",
                "fix.md:4:4: task 1.3 is [x] in the file but skipped in the database; the database keeps its status"
            ),
            ("F-02", "1.4", "fix.md:5:4: task 1.4 was never imported"),
            ("F-02", made, made_message.as_str()),
            ("F-02", "7.7", "fix.md: task 7.7 is in the database but not in the file"),
        ]
    );
    assert!(found.iter().all(|d| d.severity == Severity::Warning));
    let fixes: Vec<_> = found.iter().map(|d| d.advice.to_string()).collect();
    let import = "trueup plan import fix.md";
    let check = "trueup check --fix";
    let ids = "trueup plan validate fix.md --fix";
    let uncheck = "correct fix.md:4, then run `trueup plan validate fix.md`";
    let put_back = "correct fix.md, then run `trueup plan validate fix.md`";
    let expected = [ids, import, check, uncheck, import, import, put_back];
    assert_eq!(fixes, expected);
}

#[test]
fn a_plan_nobody_imported_is_one_finding_and_a_file_without_a_plan_another() {
    let file = PlanFile { path: "fix.md", plan: None, is_committed: true };
    let messages = |text: &str| -> Vec<String> {
        let found = checkbox_findings(&compare_checkboxes(PlanFormat::Trueup, text, &[]), file);
        found.into_iter().map(|d| d.message).collect()
    };
    let never = "fix.md: this plan was never imported";
    assert_eq!(messages("## Phase 1: a\n- [x] 1.1 a\n- [ ] 1.2 b"), [never]);
    assert_eq!(messages("# Notes\n"), ["fix.md: no task found", never]);
}

#[test]
fn text_from_a_file_is_cleaned_and_cut_before_it_is_shown() {
    let text = format!("## Phase 1: a\n> - [ ] a\u{1b}[31mb{}\n", "x".repeat(500));
    let file = PlanFile { path: "fix.md", plan: None, is_committed: true };
    let found = checkbox_findings(&compare_checkboxes(PlanFormat::Trueup, &text, &[]), file);
    let message = &found[0].message;
    assert!(message.contains("> - [ ] abxx") && message.len() < 300, "{message}");
    let number = "9".repeat(5000);
    let status = STATUS.replace("77", &number);
    let wrong = summary_findings(&check_status_file(&status).unwrap(), file);
    assert!(wrong[0].message.len() < 300, "{}", wrong[0].message);
}

#[test]
fn missing_and_circular_dependencies_are_reported() {
    let sound =
        plan_state(vec![plan_task("1.1", Pending, &[]), plan_task("1.2", Pending, &["1.1"])]);
    assert_eq!(task_findings(&sound), []);
    let found = task_findings(&plan_state(vec![
        plan_task("1.1", Pending, &["1.2", "8.8"]),
        plan_task("1.2", Pending, &["1.1"]),
    ]));
    assert_eq!(
        render_findings(&found),
        [
            ("F-02", "1.1", "task fix/1.1 depends on 8.8, which is not in the plan"),
            ("F-02", "1.2", "task fix/1.2 circular dependency: 1.1 -> 1.2 -> 1.1"),
        ]
    );
    let severities: Vec<Severity> = found.iter().map(|d| d.severity).collect();
    assert_eq!(severities, [Severity::Error, Severity::Warning]);
}

#[test]
fn two_imports_without_a_circle_can_make_one_together() {
    let file = |first: &str, second: &str| {
        let text = format!(
            r#"{{"tasks": [{{"id": "1.1", "description": "a"{first}}},
                {{"id": "1.2", "description": "b"{second}}}]}}"#
        );
        parse_status_file(&text).unwrap().tasks
    };
    let now = Timestamp::from_millis(0);
    let before = file(r#", "dependencies": ["1.2"]"#, "");
    let after = file("", r#", "dependencies": ["1.1"]"#);
    let tasks = before.iter().zip(&after).map(|(before, after)| {
        let task = before.task.to_new_row(&plan_id(), 1, now);
        merge_reimported_task(&task, &after.task, 1)
    });
    let found = task_findings(&plan_state(tasks.collect()));
    assert_eq!(found.len(), 1, "{found:?}");
}
