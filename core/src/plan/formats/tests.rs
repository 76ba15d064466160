//! Which format a file has, and the laws of all formats in Markdown.

mod properties;
mod written;

use std::path::Path;

use super::{PlanFormat, read_markdown, recognise_format};

#[test]
fn a_file_has_the_most_specific_format_that_fits() {
    for (path, text, format) in [
        ("plan.md", "## Phase 1: a\n- [ ] 1.1 b", PlanFormat::Trueup),
        ("plan.md", "## Phase 1: a\n- [ ] b", PlanFormat::Trueup),
        ("plan.md", "## Phase 1: a\n", PlanFormat::Trueup),
        ("plan.md", "## Phase 1: a\nprose\n## Tasks\n- [ ] b", PlanFormat::Checklist),
        ("plan.md", "## Phase 1: a\n- [ ] b\n## c\n- [ ] d\n- [ ] e", PlanFormat::Checklist),
        ("plan.md", "## Phase 1: a\n- [ ] b\n## c\n- [ ] d", PlanFormat::Checklist),
        ("plan.md", "## Phase 1: a\n- [ ] 1.1 b\n## c\n- [ ] d", PlanFormat::Trueup),
        ("plan.md", "## Phase A: a\n- [ ] b", PlanFormat::Checklist),
        ("plan.md", "## Phase 1: a\n- [ ] b\n## Phase 1b: c\n- [ ] d", PlanFormat::Checklist),
        ("TODO.md", "- [ ] a\n- [ ] 1.1 b", PlanFormat::Checklist),
        ("TODO.md", "1. [ ] a\n2. [ ] b", PlanFormat::Checklist),
        ("TODO.md", "- [ ] 1. a\n- [ ] 2. b", PlanFormat::Checklist),
        ("notes", "", PlanFormat::Checklist),
        ("tasks.md", "## Phase 1: a\n- [ ] T001 [P] b", PlanFormat::SpecKit),
        ("tasks.md", "- [ ] T001 a\n- [ ] T002 b\n- [ ] c", PlanFormat::SpecKit),
        ("tasks.md", "- [ ] T001 a\n- [ ] b\n- [ ] c", PlanFormat::Checklist),
        ("tasks.md", "## 1. a\n- [ ] 1.1 b", PlanFormat::Openspec),
        ("openspec/changes/x/tasks.md", "- [ ] a", PlanFormat::Openspec),
        ("tasks.md", "## 1. a\n- [ ] 2.1 b", PlanFormat::Checklist),
        ("tasks.md", "- [ ] 1. a\n  - _Requirements: 1.1_", PlanFormat::Kiro),
        ("tasks.md", "- [ ] 1. a\n  - [ ] 1.1 b\n- [ ] 2. c", PlanFormat::Kiro),
        (".kiro/specs/x/tasks.md", "- [ ] 1. a", PlanFormat::Kiro),
        (".kiro/specs/x/tasks.md", "- [ ] a", PlanFormat::Checklist),
        (".planning/ROADMAP.md", "- [ ] **Phase 1: a** - b", PlanFormat::Gsd),
        ("ROADMAP.md", "- [ ] **Phase 1: a**\n### Phase 2.1: b", PlanFormat::Gsd),
        ("ROADMAP.md", "- [ ] **Phase 1: a**", PlanFormat::Checklist),
        ("a.md", "- [ ] 01-01: a", PlanFormat::Gsd),
        ("a.md", "<task type=\"auto\">\n<name>a</name>", PlanFormat::Gsd),
        ("a.md", "### Task 1: a\n### Task 2: b", PlanFormat::TaskHeadings),
        ("a.md", "### Task 1: a\n- [ ] b", PlanFormat::TaskHeadings),
        ("a.md", "### Item 1: a\n**Status:** done", PlanFormat::TaskHeadings),
        ("a.md", "### Item 1: a\n- [ ] b", PlanFormat::Checklist),
        ("a.md", "## Phase 1: a\n### Task 1.1: b\n- [ ] c", PlanFormat::TaskHeadings),
        ("a.md", "```\n### Task 1: a\n```\n- [ ] b", PlanFormat::Checklist),
        ("status.json", "{\"tasks\": []}", PlanFormat::StatusJson),
        ("status.json", "no json", PlanFormat::StatusJson),
        ("a.json", "{\"planName\": \"a\", \"tasks\": [{\"details\": 1}]}", PlanFormat::StatusJson),
        ("tasks.json", "{\"tasks\": [{\"id\": 1, \"subtasks\": []}]}", PlanFormat::TaskMaster),
        ("tasks.json", "{\"master\": {\"tasks\": []}}", PlanFormat::TaskMaster),
        (".taskmaster/tasks/tasks.json", "{\"tasks\": []}", PlanFormat::TaskMaster),
        ("1.json", "{\"id\": \"1\", \"subject\": \"a\"}", PlanFormat::ClientTasks),
        ("issues.jsonl", "{\"id\": \"a-1\", \"issue_type\": \"bug\"}", PlanFormat::Beads),
        ("export.jsonl", "{\"type\": \"export\", \"version\": 1}", PlanFormat::JsonLines),
        ("backlog/tasks/task-1 - a.md", "---\nid: task-1\n---\n- [ ] b", PlanFormat::Backlog),
        ("a.md", "---\nid: TASK-1\n---\n", PlanFormat::Backlog),
        ("a.md", "---\nid: other\n---\n- [ ] b", PlanFormat::Checklist),
    ] {
        assert_eq!(recognise_format(Path::new(path), text), format, "{path}: {text}");
    }
}

#[test]
fn formats_are_named() {
    for format in PlanFormat::ALL {
        assert_eq!(format.as_str().parse(), Ok(*format));
        let is_tracker = format.tracker().is_some_and(|it| it.as_str() == format.as_str());
        assert_eq!(is_tracker, format.tracker().is_some());
        assert!(!format.is_markdown() || format.tracker().is_none());
    }
    assert!("markdown".parse::<PlanFormat>().is_err());
}

#[test]
fn a_wrapped_title_is_one_title_and_its_list_counts() {
    let text = "- [ ] 1.1 a\n- [ ] 1.2 b\n  c *(depends on 1.1)*\n\n  d\n  - e\nf\n  g\n";
    let plan = read_markdown(PlanFormat::Checklist, text);
    let task = &plan.tasks[1].task;
    assert_eq!(task.title, "b c");
    assert_eq!(task.depends_on.as_ref().unwrap()[0].as_str(), "1.1");
    assert_eq!(task.extra["details"], serde_json::json!(["d", "e"]));
    assert_eq!(plan.skipped, []);
}

#[test]
fn details_of_one_task_have_a_limit() {
    let line = format!("  - {}\n", "x".repeat(300));
    let plan = read_markdown(PlanFormat::Checklist, &format!("- [ ] a\n{}", line.repeat(20)));
    let details = plan.tasks[0].task.extra["details"].as_array().unwrap();
    assert_eq!((details.len(), details.last().unwrap().as_str()), (7, Some("…")));
}
