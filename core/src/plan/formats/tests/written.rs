//! What people write beyond the formats: each row is a file and what is read of it.

use std::fmt::Write as _;
use std::path::Path;

use crate::model::{PlanTaskId, PlanTaskStatus};
use crate::plan::trackers::{SourceFile, TrackerFormat};
use crate::plan::{apply_edits, id_edits, read_markdown, read_tracker_plans, recognise_format};

/// Describes what is read of a file: its tasks, and the lines that were skipped.
fn describe(path: &str, text: &str) -> String {
    let format = recognise_format(Path::new(path), text);
    let plan = read_markdown(format, text);
    let mut found = format.to_string();
    for task in &plan.tasks {
        let mark = task.checkbox.clone().map_or("none", |mark| text.get(mark).unwrap());
        let task = &task.task;
        let id = if task.id.as_str().starts_with("t-") { "-" } else { task.id.as_str() };
        write!(found, "\n{id}|{}|{mark}|{}", task.status.as_str(), task.title).unwrap();
        if let Some(priority) = &task.priority {
            write!(found, "|priority {priority}").unwrap();
        }
        let waits = task.depends_on.iter().flatten().map(PlanTaskId::as_str);
        let waits: Vec<&str> =
            waits.map(|id| if id.starts_with("t-") { "-" } else { id }).collect();
        if !waits.is_empty() {
            write!(found, "|after {}", waits.join(" ")).unwrap();
        }
        if !task.extra.is_empty() {
            write!(found, "|{}", serde_json::to_string(&task.extra).unwrap()).unwrap();
        }
    }
    for skipped in &plan.skipped {
        write!(found, "\nline {}: {}", skipped.line, skipped.reason).unwrap();
    }
    let fixed = apply_edits(text, &id_edits(&plan));
    let again = read_markdown(format, &fixed);
    let ids = |plan: &crate::plan::ParsedPlan| -> Vec<String> {
        plan.tasks.iter().map(|task| task.task.id.to_string()).collect()
    };
    assert_eq!(ids(&again), ids(&plan), "written ids are read: {fixed}");
    found
}

#[track_caller]
fn assert_read(rows: &[(&str, &str, &[&str])]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(path, text, expected)| {
            let (found, expected) = (describe(path, text), expected.join("\n"));
            (found != expected).then(|| format!("{text}\n=> {found}\nexpected {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn headings_with_a_box() {
    assert_read(&[
        (
            "a.md",
            "### [x] Step: Read\n### [ ] Step: Write\n",
            &["task-headings", "-|completed|x|Step: Read", "-|pending| |Step: Write"],
        ),
        (
            "a.md",
            "### Step 1: [ ] Add it\n### 1.1 [x] Test it\n",
            &["task-headings", "1|pending| |Add it", "1.1|completed|x|Test it"],
        ),
        (
            "a.md",
            "### ☐ Step 1: Key\n### ☐ Step 2: Lock\n",
            &["task-headings", "1|pending|☐|Key", "2|pending|☐|Lock"],
        ),
        ("a.md", "### [ ] Do it\n", &["task-headings", "-|pending| |Do it"]),
        (
            "a.md",
            "### T1.1 — One\n### T001 — Two\n",
            &["task-headings", "T1.1|pending|none|One", "T001|pending|none|Two"],
        ),
        ("a.md", "### [ ] Task 1.1: One\n", &["task-headings", "1.1|pending| |One"]),
        ("a.md", "### Task 1.1: One\n", &["task-headings", "1.1|pending|none|One"]),
    ]);
}

#[test]
fn fields_below_headings() {
    assert_read(&[
        (
            "a.md",
            "### Task 1: One\n### Task 2: Two\n- [ ] b\n\n**Dependencies:** Task 1\n\
             **Priority:** high\n**Status:** In progress\n",
            &[
                "task-headings",
                "1|pending|none|One",
                "2|in_progress|In progress|Two|priority high|after 1 -",
                "-|pending| |b",
            ],
        ),
        (
            "a.md",
            "### Task 1: One\n- **Status:** [x]\n### Task 2: Two\n**优先级**: P1\n**前置条件**: Task 1\n\
             Status: 🟢 Completed\n",
            &[
                "task-headings",
                "1|completed|x|One",
                "2|completed|🟢 Completed|Two|priority P1|after 1",
            ],
        ),
    ]);
}

#[test]
fn symbols_in_numbered_lists() {
    assert_read(&[(
        "a.md",
        "1. ☐ One\n2. ✅ Two\n",
        &["checklist", "-|pending|☐|One", "-|completed|✅|Two"],
    )]);
}

#[test]
fn lines_below_a_task_of_a_phase() {
    assert_read(&[(
        "a.md",
        "## Phase 1: A\n- [ ] 1.1 One is on the\n      host\n- [ ] 1.2 Two\n  - Depends on: 1.1\n  - Files: a.ts\n",
        &[
            "trueup",
            "1.1|pending| |One is on the host",
            "1.2|pending| |Two|after 1.1|{\"details\":[\"Files: a.ts\"]}",
        ],
    )]);
}

#[test]
fn ids_in_other_spellings() {
    assert_read(&[
        (
            "a.md",
            "- [ ] **Task 1.1**: Audit\n- [ ] Task 1.2: Test (depends on Task 1.1)\n- [ ] Task 3\n",
            &[
                "checklist",
                "1.1|pending| |Audit",
                "1.2|pending| |Test|after 1.1",
                "-|pending| |Task 3",
            ],
        ),
        (
            "a.md",
            "## Phase 1: A\n- [ ] **Task 1.1: Audit**\n- [ ] Task 1.2: Test (depends on Task 1.1)\n",
            &["trueup", "1.1|pending| |Audit", "1.2|pending| |Test|after 1.1"],
        ),
        (
            "a.md",
            "- [ ] [T001] One\n- [ ] [T002] Two (depends on T001)\n- [T003] [Story] Three\n",
            &[
                "spec-kit",
                "T001|pending| |One",
                "T002|pending| |Two|after T001",
                "line 3: an id and no checkbox",
            ],
        ),
        (
            "a.md",
            "- [ ] 1. One\n  - [ ] 1.1 Part\n",
            &["checklist", "1|pending| |One|after 1.1", "1.1|pending| |Part"],
        ),
        (
            "a.md",
            "- [ ] 1. One\n- [ ] 2. Two (depends on 1)\n",
            &["checklist", "1|pending| |One", "2|pending| |Two|after 1"],
        ),
        (
            "a.md",
            "## A\n- [ ] 1. One\n## B\n- [ ] 1. Other\n",
            &["checklist", "-|pending| |1. One", "-|pending| |1. Other"],
        ),
    ]);
}

#[test]
fn marks_of_ones_own() {
    assert_read(&[
        (
            "a.md",
            "- [ ] a\n- [!] b\n  - [ ] c\n- [>] d\n- [r] e\n",
            &[
                "checklist",
                "-|pending| |a",
                "-|pending|!|b|after -|{\"mark\":\"!\"}",
                "-|pending| |c",
                "-|in_progress|>|d|{\"mark\":\">\"}",
                "-|pending|r|e|{\"mark\":\"r\"}",
            ],
        ),
        (
            "a.md",
            "## Phase 1: A\n- [ ] UV-001~006: ViewModel\n",
            &["trueup", "-|pending| |UV-001~006: ViewModel"],
        ),
    ]);
}

#[test]
fn parents_end_at_a_bullet_without_a_box() {
    assert_read(&[(
        "a.md",
        "- [x] let\n- conversion\n  - [x] reduction\n  - [ ] promotion\n",
        &["checklist", "-|completed|x|let", "-|completed|x|reduction", "-|pending| |promotion"],
    )]);
}

#[test]
fn legends_are_no_tasks() {
    let reason = "in a legend, which explains the marks";
    let lines = |numbers: [usize; 3]| numbers.map(|number| format!("line {number}: {reason}"));
    for label in ["Legend:", "**Legend:**", "Status Indicators:"] {
        let text =
            format!("{label}\n\n- [ ] Not started\n- [~] Running\n- [x] Completed\n\n- [ ] a\n");
        let [one, two, three] = lines([3, 4, 5]);
        assert_read(&[("a.md", &text, &["checklist", "-|pending| |a", &one, &two, &three])]);
    }
}

#[test]
fn packages_are_no_dependencies() {
    assert_read(&[(
        "a.md",
        "- [ ] 1.1 Install (deps: `ai@^6`, `zod`)\n- [ ] 1.2 Use (deps: `1.1`)\n",
        &[
            "checklist",
            "1.1|pending| |Install (deps: `ai@^6`, `zod`)",
            "1.2|pending| |Use|after 1.1",
        ],
    )]);
}

#[test]
fn dependencies_in_other_spellings() {
    assert_read(&[
        (
            "a.md",
            "- [ ] T001 One\n- [ ] T002 Two (blocked by T001)\n- [ ] T003 Three. Depends on: T001.\n\
             - [ ] T004 Four\n  Owner: Y | Depends: T001 | Priority: P0\n- [ ] T005 Five\n  - Dependencies: T001 ✅\n",
            &[
                "spec-kit",
                "T001|pending| |One",
                "T002|pending| |Two|after T001",
                "T003|pending| |Three.|after T001",
                "T004|pending| |Four|priority P0|after T001|{\"details\":[\"Owner: Y\"]}",
                "T005|pending| |Five|after T001",
            ],
        ),
        (
            ".planning/ROADMAP.md",
            "### Phase 1: A\n- [ ] 01-01-PLAN.md — a\n### Phase 2: B\n**Depends on**: Phase 1\n\
             - [ ] 02-01-PLAN.md — b\n- [ ] 02-02-PLAN.md (Wave 2, depends on 02-01) — c\n\
             - [ ] 02-03-PLAN.md (wave 3, deps: 02-01, 02-02) — d\n",
            &[
                "gsd",
                "01-01|pending| |a",
                "02-01|pending| |b|after 01-01",
                "02-02|pending| |c|after 02-01 01-01|{\"wave\":\"2\"}",
                "02-03|pending| |d|after 02-01 02-02 01-01|{\"wave\":\"3\"}",
            ],
        ),
    ]);
}

#[test]
fn trackers_without_a_configuration() {
    let read = |tracker, path, text: &str| {
        let file = SourceFile { path, bytes: text.as_bytes() };
        let plan = read_tracker_plans(tracker, &[file]).unwrap().remove(0);
        assert_eq!(plan.skipped, [], "{text}");
        plan
    };
    let text = "---\nid: task-1\ntitle: One\nstatus: To Do\n---\n";
    let plan = read(TrackerFormat::Backlog, "task-1.md", text);
    assert_eq!(plan.tasks[0].task.status, PlanTaskStatus::Pending);
    let text = "{\"id\":\"demo\",\"title\":\"All\",\"status\":\"open\"}\n\
                {\"id\":\"demo.1\",\"title\":\"One\",\"status\":\"open\",\"parent\":\"demo\"}\n";
    let plan = read(TrackerFormat::Beads, "issues.jsonl", text);
    let parent = plan.tasks.iter().find(|task| task.task.id.as_str() == "demo").unwrap();
    let waits: Vec<&str> =
        parent.task.depends_on.iter().flatten().map(PlanTaskId::as_str).collect();
    assert_eq!(waits, ["demo.1"]);
}

#[test]
fn notes_before_a_list_stay_in_the_title() {
    assert_read(&[(
        "a.md",
        "- [ ] 1.1 a\n- [ ] 1.2 b (small, depends on 1.1) c\n- [ ] 1.3 d (see a, b)\n",
        &[
            "checklist",
            "1.1|pending| |a",
            "1.2|pending| |b (small) c|after 1.1",
            "1.3|pending| |d (see a, b)",
        ],
    )]);
}

#[test]
fn boxes_in_quotes() {
    assert_read(&[
        (
            "a.md",
            "- [ ] One\n\n> Later:\n> - [x] Two\n>   - [ ] Three\n>     - Priority: high\n>\n> and more\n- [ ] Four\n",
            &[
                "checklist",
                "-|pending| |One",
                "-|completed|x|Two|after -",
                "-|pending| |Three|priority high",
                "-|pending| |Four",
            ],
        ),
        (
            "a.md",
            "- [ ] One\n  > - [ ] Two,\n  >   and the rest\n> a word about it\n",
            &["checklist", "-|pending| |One|after -", "-|pending| |Two, and the rest"],
        ),
        (
            "a.md",
            "## Phase 1: A\n- [ ] 1.1 One\n> - [ ] 1.2 Two\n",
            &["trueup", "1.1|pending| |One", "line 3: inside a quote"],
        ),
    ]);
}

#[test]
fn boxes_in_emphasis() {
    assert_read(&[
        (
            "a.md",
            "### [ ] Step: Build\n1. **[x] Move it**\n   - to `a`\n2. **[ ] Test** it\n- **[x]** Ship\n- **[see] this**\n",
            &[
                "task-headings",
                "-|pending| |Step: Build|after - - -",
                "-|completed|x|Move it|{\"details\":[\"to `a`\"]}",
                "-|pending| |Test it",
                "-|completed|x|Ship",
            ],
        ),
        (
            "a.md",
            "1. **Two** boxes\n2. **[x] on a list** checks it\n\n- [ ] Test it\n",
            &["checklist", "-|pending| |Test it", "line 2: emphasis around the checkbox"],
        ),
        (
            "a.md",
            "## Phase 1: A\n- [ ] 1.1 One\n- **[ ] 1.2 Two**\n",
            &["trueup", "1.1|pending| |One", "line 3: emphasis around the checkbox"],
        ),
    ]);
}

#[test]
fn boxes_below_headings_that_are_no_task_and_no_phase() {
    assert_read(&[
        (
            "a.md",
            "- [ ] Before\n### Task 1: One\n- [x] a\n## Checks\n- [ ] Lint\n",
            &[
                "task-headings",
                "-|pending| |Before",
                "1|completed|none|One|after -",
                "-|completed|x|a",
                "-|pending| |Lint",
            ],
        ),
        (
            "a.md",
            "## Phase 1: A\n- [ ] One\n## Checks\n- [ ] Lint\n",
            &["checklist", "-|pending| |One", "-|pending| |Lint"],
        ),
        (
            "a.md",
            "## Phase 1: A\n- [ ] 1.1 One\n## Checks\n- [ ] Lint\n",
            &["trueup", "1.1|pending| |One", "line 4: under \"Checks\", which is not a phase"],
        ),
    ]);
}

#[test]
fn headings_with_a_status() {
    assert_read(&[
        (
            "a.md",
            "### Item 1 — One\n**Mode:** a  \n**Status:** [x] done\n### Item 2 — Two\n**Status:** [ ] open\n### Item 3 — Three\nprose\n",
            &[
                "task-headings",
                "1|completed|x|One|{\"fields\":{\"Mode\":\"a\"}}",
                "2|pending| |Two",
            ],
        ),
        (
            "a.md",
            "### T001: One ✅ 完了\n### T002-UI-01 — Two ⏳ todo\n**Dependencias:** T001\n- [ ] a\n",
            &[
                "task-headings",
                "T001|completed|✅ 完了|One",
                "T002-UI-01|pending|⏳ todo|Two|after T001 -",
                "-|pending| |a",
            ],
        ),
    ]);
}

#[test]
fn ids_without_a_title() {
    assert_read(&[
        (
            ".planning/ROADMAP.md",
            "### Phase 1: A\n- [x] 01-01-PLAN.md\n- [ ] 01-02: Two (depends on 01-01)\n",
            &["gsd", "01-01|completed|x|01-01-PLAN.md", "01-02|pending| |Two|after 01-01"],
        ),
        ("a.md", "- [ ] VERIFY-1\n", &["checklist", "VERIFY-1|pending| |VERIFY-1"]),
        (
            "a.md",
            "## Phase 1: A\n- [ ] 1.1\n- [ ] 1.2 Two\n",
            &["trueup", "1.2|pending| |Two", "line 2: no title"],
        ),
    ]);
}

#[test]
fn tags_of_priority() {
    assert_read(&[(
        "a.md",
        "- [ ] [P1] [api] One\n- [ ] [P] Two\n- [ ] [P0] Three\n  - Priority: low\n",
        &[
            "checklist",
            "-|pending| |[P1] [api] One|priority P1",
            "-|pending| |[P] Two",
            "-|pending| |[P0] Three|priority low",
        ],
    )]);
}

#[test]
fn boxes_in_tables_are_listed() {
    assert_read(&[(
        "a.md",
        "- [ ] One\n\n| # | Step | Done |\n|---|---|---|\n| 1 | Two | [ ] |\n| 2 | a [x] b | |\n",
        &["checklist", "-|pending| |One", "line 5: a checkbox in a table"],
    )]);
}

#[test]
fn phases_that_wait_for_all_before_them() {
    assert_read(&[(
        ".planning/ROADMAP.md",
        "- [ ] **Phase 1: A**\n- [ ] **Phase 2: B**\n- [ ] **Phase 3: C**\n### Phase 1: A\n\
         ### Phase 2: B\n### Phase 3: C\n**Depends on**: All previous phases\n- [ ] 03-01: D\n",
        &[
            "gsd",
            "phase-1|pending| |A",
            "phase-2|pending| |B",
            "phase-3|pending| |C|after phase-1 phase-2 03-01",
            "03-01|pending| |D|after phase-1 phase-2",
        ],
    )]);
}
