//! What triggers each code, and what its finding says.

use super::super::CheckFinding;
use super::fixture::*;
use crate::diagnostic::AdviceKind;
use crate::model::{ItemPriority, ItemStatus, NewItem, WORKPLAN_KIND};
use crate::store::{HookStore as _, ItemEditRequest, ItemStore as _};

/// Asserts the one finding of a code as `CODE severity authority subject path:line`, and whether
/// `check --fix` ends it.
#[track_caller]
fn says(scene: &mut Fixture, expected: &str, is_fixed: bool) {
    let code = expected.split(' ').next().unwrap();
    let found = scene.only_finding(code);
    let divergence = &found.divergence;
    let place = found.path.as_deref().zip(found.place);
    let place = place.map(|(path, place)| format!(" {path}:{}", place.line));
    let text = format!(
        "{code} {} {} {}{}",
        word(divergence.severity),
        divergence.authority,
        divergence.subject,
        place.unwrap_or_default()
    );
    assert_eq!(text, expected);
    let advice = divergence.advice.kind();
    assert_eq!(*advice == AdviceKind::FixCheckout, is_fixed, "{code}: {advice:?}");
    assert_eq!(found.fix.is_some(), is_fixed, "{code}: {:?}", found.fix);
    assert!(advice.row().codes().contains(&divergence.code), "{code}");
    scene.apply_fixes();
    let codes = scene.codes();
    assert_eq!(!codes.contains(&code), is_fixed, "{code} afterwards: {codes:?}");
}

/// Returns the value of the authority, and the value of the side that differs.
fn values(found: &CheckFinding) -> (Option<&str>, Option<&str>) {
    let divergence = &found.divergence;
    (divergence.expected.as_deref(), divergence.found.as_deref())
}

/// Returns the number, from 1, of the first line of `a.md` with this text.
fn line_of(scene: &Fixture, line: &str) -> usize {
    let text = scene.read_workplan("a.md");
    text.lines().position(|found| found == line).unwrap() + 1
}

fn linked() -> Fixture {
    Fixture::linked("active", &[("T01", "todo"), ("T02", "todo")])
}

#[test]
fn c01_no_directory() {
    let mut scene = Fixture::new();
    std::fs::remove_dir_all(scene.root().join("workplans")).unwrap();
    says(&mut scene, &format!("C-01 warning file {REPO}"), false);
}

#[test]
fn an_empty_directory_is_no_finding() {
    let mut scene = Fixture::new();
    scene.write_workplan("README.md", "---\nid: no\n");
    scene.write_workplan("readme.md", "x");
    scene.write_workplan("notes.txt", "x");
    assert_eq!(scene.codes(), [""; 0]);
}

#[test]
fn c02_does_not_parse() {
    let mut scene = Fixture::new();
    scene.write_workplan("a.md", "---\nid: A-WP-1\n");
    says(&mut scene, "C-02 error file workplans/a.md workplans/a.md:1", false);
}

#[test]
fn c02_a_file_that_cannot_be_read_keeps_nobody_else_from_being_read() {
    let mut scene = Fixture::new();
    scene.write_workplan("b.md", &workplan_text("B-WP-1", "active", &[]));
    std::fs::write(scene.root().join("workplans/a.md"), b"---\nid: \xff\n---\n").unwrap();
    std::os::unix::fs::symlink("/dev/zero", scene.root().join("workplans/c.md")).unwrap();
    assert_eq!(scene.codes(), ["C-02", "C-06", "C-02"]);
    let found = scene.findings();
    assert_eq!(found[0].place.unwrap().line, 2);
    assert!(found[2].divergence.message.contains("cannot be read"), "{found:?}");
}

#[test]
fn c02_is_the_only_cause_said_of_a_file_whose_ids_are_missing() {
    let mut scene = Fixture::new();
    let tasks = [("T01", "todo"), ("T02", "almost")];
    scene.write_workplan("a.md", &workplan_text("A-WP-1", "active", &tasks));
    scene.write_workplan("b.md", &workplan_text("B-WP-1", "active", &[("T01", "todo")]));
    assert_eq!(scene.codes(), ["C-02", "C-06", "C-11"]);
    scene.replace_text("a.md", "almost", "todo");
    let all = ["C-06", "C-11", "C-11", "C-06", "C-11"];
    assert_eq!(scene.codes(), all, "they appear once the file is fixed");
}

#[test]
fn c03_depends_on_what_is_not_there() {
    let mut scene = linked();
    scene.replace_text("a.md", "status: active", "depends_on:\n  - NO-WP-9\nstatus: active");
    says(&mut scene, "C-03 error file A-WP-1 workplans/a.md:5", false);
}

#[test]
fn c04_status_of_a_workplan() {
    let mut scene = linked();
    scene.replace_text("a.md", "status: active", "status: finished");
    says(&mut scene, "C-04 warning file A-WP-1 workplans/a.md:4", true);
}

#[test]
fn c05_title() {
    let mut scene = linked();
    scene.replace_text("a.md", "Plan A-WP-1", "Another");
    says(&mut scene, "C-05 warning file A-WP-1 workplans/a.md:2", true);
    scene.replace_text("a.md", "### Task T02", "### Other");
    let found = scene.only_finding("C-05");
    assert_eq!(values(&found), (Some("Other"), Some("Task T02")));
}

#[test]
fn c06_and_c11_not_linked() {
    let mut scene = Fixture::new();
    scene.write_workplan("a.md", &workplan_text("A-WP-1", "active", &[("T01", "todo")]));
    let database = ("warning", "database");
    let found = scene.only_finding("C-11");
    assert_eq!((word(found.divergence.severity), found.divergence.authority), database);
    says(&mut scene, "C-06 warning database A-WP-1 workplans/a.md:2", true);
    assert_eq!(scene.codes(), [""; 0]);
}

#[test]
fn c07_open_workplan_without_a_file() {
    let mut scene = linked();
    scene.remove_workplan("a.md");
    says(&mut scene, "C-07 warning file A-WP-1", false);
    assert_eq!(scene.codes(), ["C-07"], "its tasks are gone with it");
    assert_eq!(scene.load_statuses().len(), 3, "nothing is deleted");
}

#[test]
fn c08_finished_workplan_without_a_file() {
    let mut scene = linked();
    scene.force_status("A-WP-1", ItemStatus::Completed);
    scene.remove_workplan("a.md");
    says(&mut scene, "C-08 warning file A-WP-1", false);
}

#[test]
fn c10_file_is_ahead() {
    let mut scene = linked();
    scene.set_file_status("a.md", "T01", "in_progress");
    let line = line_of(&scene, "status: in_progress");
    let expected = format!("C-10 warning file A-WP-1-T01 workplans/a.md:{line}");
    says(&mut scene, &expected, true);
}

#[test]
fn c12_task_without_a_block() {
    let mut scene = linked();
    let text = scene.read_workplan("a.md");
    let end = text.find("### Task T02").unwrap();
    scene.write_workplan("a.md", &text[..end]);
    let found = scene.only_finding("C-12");
    assert_eq!((found.path.as_deref(), found.place), (Some("workplans/a.md"), None));
    assert_eq!(found.divergence.subject, "A-WP-1-T02");
    let fix = found.divergence.advice.to_string();
    assert_eq!(fix, "trueup item transition A-WP-1-T02 cancelled");
    scene.apply_fixes();
    assert_eq!(scene.item_status("A-WP-1-T02"), ItemStatus::Queued);
    assert_eq!(scene.codes(), ["C-12"]);
    scene.force_status("A-WP-1-T02", ItemStatus::Cancelled);
    assert_eq!(scene.codes(), [""; 0], "a cancelled task needs no block");
}

#[test]
fn a_task_that_an_unparsable_block_may_hold_is_not_cancelled() {
    let mut scene = linked();
    let text = scene.read_workplan("a.md");
    let end = text.rfind("```").unwrap();
    scene.write_workplan("a.md", &text[..end]);
    assert_eq!(scene.codes(), ["C-12", "C-02"]);
    let fix = scene.only_finding("C-12").divergence.advice.to_string();
    assert!(fix.starts_with("correct workplans/a.md:"), "{fix}");
    scene.write_workplan("a.md", "---\n");
    let fix = scene.only_finding("C-07").divergence.advice.to_string();
    assert!(!fix.contains("cancelled"), "{fix}");
}

#[test]
fn c13_all_tasks_finished() {
    let mut scene = linked();
    scene.set_file_status("a.md", "T01", "done");
    scene.set_file_status("a.md", "T02", "cancelled");
    let found = scene.only_finding("C-13");
    assert_eq!(values(&found), (Some("completed"), Some("running")));
    says(&mut scene, "C-13 warning database A-WP-1 workplans/a.md:4", true);
    assert_eq!(scene.item_status("A-WP-1"), ItemStatus::Completed);
    let rows = scene.load_statuses();
    scene.apply_fixes();
    assert_eq!(scene.load_statuses(), rows);
}

#[test]
fn c13_all_tasks_cancelled_cancels_the_workplan() {
    let mut scene = linked();
    scene.force_status("A-WP-1-T01", ItemStatus::Cancelled);
    scene.set_file_status("a.md", "T02", "cancelled");
    scene.apply_fixes();
    assert_eq!(scene.item_status("A-WP-1"), ItemStatus::Cancelled);
}

#[test]
fn c13_comes_in_the_run_that_links_a_finished_workplan() {
    let mut scene = Fixture::linked("active", &[("T01", "done")]);
    assert_eq!(scene.item_status("A-WP-1"), ItemStatus::Completed);
    assert_eq!(scene.codes(), ["C-04"]);
    assert_eq!(word(scene.only_finding("C-04").divergence.severity), "info");
    let mut unclaimed = Fixture::linked("active", &[]);
    assert_eq!(unclaimed.item_status("A-WP-1"), ItemStatus::Running);
    assert_eq!(unclaimed.codes(), [""; 0]);
}

#[test]
fn a_workplan_is_not_ended_over_a_task_that_only_the_database_has() {
    let mut scene = linked();
    let text = scene.read_workplan("a.md");
    let end = text.find("### Task T02").unwrap();
    scene.write_workplan("a.md", &text[..end]);
    scene.set_file_status("a.md", "T01", "done");
    scene.apply_fixes();
    assert_eq!(scene.item_status("A-WP-1-T01"), ItemStatus::Completed);
    assert_eq!(scene.item_status("A-WP-1"), ItemStatus::Running);
    assert_eq!(scene.codes(), ["C-12"]);
}

#[test]
fn a_workplan_is_not_ended_over_a_task_that_nobody_can_judge() {
    for block in [
        "```task\nid: T09\nstatus: almost\n```\n",
        "```task\nid: T09\nstatus: todo\nstate_hub_task_id: unknown\n```\n",
        "```task\nid: T09\nstatus: todo\n```\n```task\nid: T09\nstatus: todo\n```\n",
        "```task\nid: T09\nstatus: todo\n",
    ] {
        let mut scene = linked();
        scene.set_file_status("a.md", "T01", "done");
        scene.set_file_status("a.md", "T02", "done");
        scene.write_workplan("a.md", &(scene.read_workplan("a.md") + "\n" + block));
        scene.apply_fixes();
        assert_eq!(scene.item_status("A-WP-1-T02"), ItemStatus::Completed);
        assert_eq!(scene.item_status("A-WP-1"), ItemStatus::Running, "{block}");
    }
}

#[test]
fn a_task_added_by_hand_without_a_parent_keeps_its_workplan_open() {
    let mut scene = Fixture::new();
    scene.add_item(&NewItem::new(item_key("A-WP-1-T01")));
    scene.write_workplan(
        "a.md",
        &workplan_text("A-WP-1", "active", &[("T01", "todo"), ("T02", "done")]),
    );
    scene.apply_fixes();
    assert_eq!(scene.item_status("A-WP-1"), ItemStatus::Running);
    scene.apply_fixes();
    assert_eq!(scene.item_status("A-WP-1"), ItemStatus::Running);
}

#[test]
fn c14_ghost() {
    let mut scene = linked();
    scene.add_item(&NewItem {
        title: Some("Plan A-WP-1".to_owned()),
        kind: Some(WORKPLAN_KIND.to_owned()),
        ..NewItem::new(item_key("GHOST-WP-1"))
    });
    scene.add_item(&NewItem {
        title: Some("Something else".to_owned()),
        kind: Some(WORKPLAN_KIND.to_owned()),
        ..NewItem::new(item_key("GHOST-WP-2"))
    });
    says(&mut scene, "C-14 warning database GHOST-WP-1", false);
    scene.force_status("GHOST-WP-1", ItemStatus::Cancelled);
    assert_eq!(scene.codes(), [""; 0]);
}

#[test]
fn c14_the_row_that_becomes_the_files_own_is_no_ghost() {
    let mut scene = Fixture::new();
    scene.add_item(&NewItem {
        title: Some("Plan A-WP-1".to_owned()),
        kind: Some(WORKPLAN_KIND.to_owned()),
        ..NewItem::new(item_key("A-WP-1"))
    });
    scene.write_workplan("a.md", &workplan_text("A-WP-1", "proposed", &[]));
    assert_eq!(scene.codes(), ["C-06"]);
}

#[test]
fn c19_planning() {
    let mut scene = linked();
    scene.replace_text("a.md", "id: T02\n", "id: T02\npriority: high\nneeds_human: true\n");
    let found = scene.only_finding("C-19").divergence;
    assert_eq!(found.expected.as_deref(), Some(r#"{"needs_human":"true","priority":"high"}"#));
    assert_eq!(found.found.as_deref(), Some("{}"));
    let priority = |scene: &mut Fixture| {
        let item = scene.store.load_item(&item_key("A-WP-1-T02")).unwrap().unwrap();
        item.priority.map(ItemPriority::number)
    };
    assert_eq!(priority(&mut scene), None);
    scene.apply_fixes();
    assert_eq!(scene.codes(), [""; 0]);
    assert_eq!(priority(&mut scene), Some(1));
    scene.replace_text("a.md", "title:", "owner: ana\nplanning_order: 3\ntitle:");
    let found = scene.only_finding("C-19").divergence;
    assert_eq!(found.subject, "A-WP-1");
    scene.apply_fixes();
    assert_eq!(scene.codes(), [""; 0]);
}

#[test]
fn a_new_item_has_the_priority_of_its_workplan() {
    let mut scene = Fixture::new();
    let text = workplan_text("A-WP-1", "active", &[("T01", "todo")]);
    let text = text.replace("title:", "planning_priority: P0\ntitle:");
    scene.write_workplan("a.md", &text.replace("id: T01\n", "id: T01\npriority: low\n"));
    scene.apply_fixes();
    for (name, expected) in [("A-WP-1", 0), ("A-WP-1-T01", 3)] {
        let item = scene.store.load_item(&item_key(name)).unwrap().unwrap();
        assert_eq!(item.priority.map(ItemPriority::number), Some(expected), "{name}");
    }
    // Who ordered an item anew is not overruled by another change of the file.
    let edit = ItemEditRequest {
        priority: ItemPriority::try_from(4).ok(),
        ..ItemEditRequest::new(item_key("A-WP-1-T01"), test_provenance())
    };
    scene.store.edit_item(&edit).unwrap();
    scene.replace_text("a.md", "Text of T01.", "More on T01.");
    scene.apply_fixes();
    let item = scene.store.load_item(&item_key("A-WP-1-T01")).unwrap().unwrap();
    assert_eq!(item.priority.map(ItemPriority::number), Some(4));
}

#[test]
fn c19_tasks_in_another_order() {
    let mut scene = linked();
    let text = scene.read_workplan("a.md");
    let (front, tasks) = text.split_at(text.find("\n### Task T01").unwrap());
    let (one, two) = tasks.split_at(tasks.find("\n### Task T02").unwrap());
    scene.write_workplan("a.md", &format!("{front}{two}{one}"));
    assert_eq!(scene.codes(), ["C-19", "C-19"]);
    let found = scene.findings();
    assert_eq!(values(&found[0]), (Some("1"), Some("2")));
    assert_eq!(values(&found[1]), (Some("2"), Some("1")));
    scene.apply_fixes();
    assert_eq!(scene.load_row("A-WP-1-T02").position, Some(1));
    assert_eq!(scene.codes(), [""; 0]);
}

#[test]
fn c20_dependencies_come_in_and_what_commands_added_stays() {
    let mut scene = linked();
    scene.replace_text("a.md", "id: T02\n", "id: T02\ndepends_on: [T01]\n");
    let line = line_of(&scene, "depends_on: [T01]");
    let found = scene.only_finding("C-20").divergence;
    assert_eq!(found.expected.as_deref(), Some("A-WP-1-T01"));
    let expected = format!("C-20 warning file A-WP-1-T02 workplans/a.md:{line}");
    says(&mut scene, &expected, true);
    assert_eq!(scene.load_row("A-WP-1-T02").depends_on, [item_key("A-WP-1-T01")]);
    scene.replace_text("a.md", "depends_on: [T01]\n", "");
    assert_eq!(scene.codes(), [""; 0]);
    scene.apply_fixes();
    assert_eq!(scene.load_row("A-WP-1-T02").depends_on, [item_key("A-WP-1-T01")]);
}

#[test]
fn c20_a_circle_is_refused_with_the_reason_and_the_rest_goes_on() {
    let mut scene = Fixture::new();
    let text = workplan_text("A-WP-1", "active", &[("T01", "todo"), ("T02", "todo")])
        .replace("id: T01\n", "id: T01\ndepends_on: [T02]\n")
        .replace("id: T02\n", "id: T02\ndepends_on: T01, A-WP-1-T01\n");
    scene.write_workplan("a.md", &text);
    let written = scene.apply_fixes();
    assert_eq!(written.refused.len(), 1, "{:?}", written.refused);
    assert!(
        written.refused[0]
            .starts_with("the dependency of A-WP-1-T02 on A-WP-1-T01 was not added: ")
    );
    let waits = scene.store.list_open_dependencies(&item_key("A-WP-1-T01")).unwrap();
    assert_eq!(waits.len(), 1);
    assert_eq!(scene.codes(), ["C-20"]);
}

#[test]
fn c22_description() {
    let mut scene = linked();
    scene.replace_text("a.md", "Text of T01.", "Another text.");
    let line = line_of(&scene, "```task");
    let expected = format!("C-22 warning file A-WP-1-T01 workplans/a.md:{line}");
    says(&mut scene, &expected, true);
    // Line ends and surrounding blanks do not belong to the text.
    scene.write_workplan("a.md", &scene.read_workplan("a.md").replace('\n', "\r\n"));
    assert_eq!(scene.codes(), [""; 0]);
}

#[test]
fn c23_a_task_is_worked_on() {
    let mut scene = Fixture::linked("proposed", &[("T01", "todo")]);
    scene.set_file_status("a.md", "T01", "wait");
    let found = scene.only_finding("C-23");
    assert_eq!(values(&found), (Some("running"), Some("queued")));
    says(&mut scene, "C-23 warning database A-WP-1 workplans/a.md:4", true);
    assert_eq!(scene.item_status("A-WP-1"), ItemStatus::Running);
    assert_eq!(word(scene.only_finding("C-04").divergence.severity), "info");
    let rows = scene.load_statuses();
    scene.apply_fixes();
    assert_eq!(scene.load_statuses(), rows);
}
