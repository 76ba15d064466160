//! The order of findings, what they show, and who may move which item.

use super::super::file_edits::plan_file_edits;
use super::super::rules::foreign_rows::find_foreign_keys;
use super::super::{NodeId, assess_checkout};
use super::fixture::*;
use crate::diagnostic::Severity;
use crate::fs::WriteOutcome;
use crate::model::{ClaimFacts, ItemStatus, NewItem, decide_claim};
use crate::store::{ClaimStore as _, HookStore as _};
use crate::store::{DependencyChange, GrantedClaim, ItemStore as _, Provenance};

#[test]
fn findings_come_by_file_and_place_and_those_of_no_file_last() {
    let mut scene = Fixture::linked("active", &[("T01", "todo"), ("T02", "todo")]);
    scene.force_status("A-WP-1-T02", ItemStatus::Completed);
    scene.set_file_status("a.md", "T01", "done");
    scene.write_workplan("b.md", "x");
    scene.write_workplan("archived/c.md", &workplan_text("C-WP-1", "done", &[]));
    scene.add_item(&NewItem {
        title: Some("Plan A-WP-1".to_owned()),
        kind: Some("workplan".to_owned()),
        ..NewItem::new(item_key("GHOST-WP-1"))
    });
    let found = scene.findings();
    let places: Vec<_> =
        found.iter().map(|it| (it.path.clone(), it.place, it.divergence.code)).collect();
    let mut sorted = places.clone();
    sorted.sort_by_key(|(path, place, code)| (path.is_none(), path.clone(), *place, *code));
    assert_eq!(places, sorted);
    assert_eq!(scene.codes(), ["C-13", "C-10", "C-15", "C-06", "C-02", "C-14"]);
}

#[test]
fn an_outdated_checkout_reports_nothing_missing() {
    let mut scene = Fixture::linked("active", &[("T01", "todo"), ("T02", "todo")]);
    let text = scene.read_workplan("a.md");
    scene.write_workplan("a.md", &text[..text.find("### Task T02").unwrap()]);
    let mut reading = scene.read_snapshot();
    assert_eq!(assess_checkout(&reading).findings.len(), 1);
    reading.is_outdated = true;
    assert_eq!(assess_checkout(&reading).findings, []);
}

#[test]
fn no_finding_shows_a_secret_or_the_whole_of_a_long_title() {
    let secret = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    let long = "x".repeat(100_000);
    let mut scene = Fixture::linked("active", &[("T01", "todo"), ("T02", "todo")]);
    scene.replace_text("a.md", "### Task T01", &format!("### Use {secret}\u{1b}[31m"));
    scene.replace_text("a.md", "### Task T02", &format!("### {long}"));
    scene.replace_text(
        "a.md",
        "id: T02\n",
        &format!("id: T02\nintervention_note: token {secret}\n"),
    );
    scene.set_file_status("a.md", "T01", "done");
    scene.set_file_status("a.md", "T02", "done");
    let found = scene.findings();
    assert!(found.len() >= 5, "{:?}", messages(&found));
    let shown = format!("{found:?}");
    assert!(!shown.contains(secret), "{shown}");
    assert!(found.iter().all(|it| it.divergence.message.chars().count() < 400));
    scene.apply_fixes();
    let row = scene.load_row("A-WP-1-T02");
    assert!(!format!("{row:?}").contains(secret), "{row:?}");
    assert!(!scene.load_row("A-WP-1-T01").title.unwrap().contains(secret));
    let codes = scene.codes();
    assert!(codes.iter().all(|code| *code == "C-04"), "{codes:?}");
}

#[test]
fn deeds_come_workplan_before_task() {
    let mut scene = Fixture::new();
    scene.write_workplan("b.md", &workplan_text("B-WP-1", "active", &[("T01", "todo")]));
    scene.write_workplan(
        "a.md",
        &workplan_text("A-WP-1", "active", &[("T01", "todo"), ("T02", "done")]),
    );
    let spot = |sheet, task| NodeId { workplan: sheet, task };
    assert_eq!(
        scene.assess().fixes.create_rows,
        [spot(0, None), spot(0, Some(0)), spot(0, Some(1)), spot(1, None), spot(1, Some(0))]
    );
}

/// Lets a session claim an item.
fn hold(scene: &mut Fixture, session: &str, name: &str) {
    let item = scene.store.load_item(&item_key(name)).unwrap().unwrap();
    let session = scene.store.load_session(&session.parse().unwrap()).unwrap().unwrap();
    let facts = ClaimFacts {
        claimant: Some(&session),
        item: Some(&item),
        holder: None,
        force: false,
        new_item: None,
    };
    let Ok(grant) = decide_claim(&facts) else {
        panic!("{item:?}");
    };
    let request = GrantedClaim {
        grant,
        new_item: None,
        quiet_seconds: None,
        lease_seconds: 900,
        provenance: Provenance::new("x", "claim"),
    };
    scene.store.claim(&request).unwrap();
}

#[test]
fn an_item_held_by_another_session_stays_unchanged() {
    let mut scene = Fixture::linked("active", &[("T01", "todo"), ("T02", "todo")]);
    scene.register_session("one");
    scene.register_session("two");
    hold(&mut scene, "one", "A-WP-1-T01");
    scene.set_file_status("a.md", "T01", "done");
    scene.set_file_status("a.md", "T02", "done");
    for who in [None, Some("two")] {
        let written = scene.apply_fixes_as(&fix_actor(who));
        assert_eq!(
            written.refused,
            [
                "A-WP-1-T01 was not changed in the database: session one holds it; only the holder can move it"
            ]
        );
        assert_ne!(scene.item_status("A-WP-1-T01"), ItemStatus::Completed);
        assert_eq!(scene.item_status("A-WP-1-T02"), ItemStatus::Completed);
        assert_eq!(scene.item_status("A-WP-1"), ItemStatus::Running, "not all is done");
    }
    let written = scene.apply_fixes_as(&fix_actor(Some("one")));
    assert!(written.refused.is_empty());
    assert_eq!(scene.item_status("A-WP-1-T01"), ItemStatus::Completed);
    assert_eq!(scene.item_status("A-WP-1"), ItemStatus::Completed);
}

#[test]
fn an_item_that_needs_evidence_is_not_completed_by_its_file() {
    let mut scene = Fixture::new();
    scene.add_item(&NewItem { requires_evidence: true, ..NewItem::new(item_key("A-WP-1-T01")) });
    scene.write_workplan(
        "a.md",
        &workplan_text("A-WP-1", "active", &[("T01", "done"), ("T02", "todo")]),
    );
    let written = scene.apply_fixes();
    assert_eq!(written.refused.len(), 1);
    assert!(written.refused[0].contains("--evidence REF"), "{:?}", written.refused);
    assert_eq!(scene.item_status("A-WP-1-T01"), ItemStatus::Queued);
    assert_eq!(scene.only_finding("C-10").divergence.severity, Severity::Warning);
}

#[test]
fn a_file_that_changed_since_it_was_read_gets_nothing_that_is_anothers() {
    let swapped = |text: &str| {
        let text = text.replace("T01", "T0x").replace("T02", "T01");
        text.replace("T0x", "T02")
    };
    // The edits of a status, of the id of a task, and of the id of a workplan.
    let mut scene = Fixture::linked("active", &[("T01", "todo"), ("T02", "todo")]);
    scene.force_status("A-WP-1-T01", ItemStatus::Completed);
    let before = scene.read_workplan("a.md");
    nothing_is_drafted(&mut scene, &swapped(&before));
    nothing_is_drafted(&mut scene, &before.replace("status: todo", "status: blocked"));
    nothing_is_drafted(&mut scene, &before.replace("\n### Task T01", "\n\n### Task T01"));
    let mut scene = Fixture::linked("active", &[("T01", "todo"), ("T02", "todo")]);
    let unlinked = workplan_text("A-WP-1", "active", &[("T01", "todo"), ("T02", "todo")]);
    scene.write_workplan("a.md", &unlinked);
    let other = swapped(&unlinked).replace("A-WP-1", "A-WP-2");
    nothing_is_drafted(&mut scene, &other);
}

/// Asserts that no planned edit is written into a file that changed after it was read.
#[track_caller]
fn nothing_is_drafted(scene: &mut Fixture, changed: &str) {
    let before = scene.read_workplan("a.md");
    let reading = scene.read_snapshot();
    let deeds = assess_checkout(&reading).fixes;
    scene.write_workplan("a.md", changed);
    let planned = plan_file_edits(&reading, &deeds, &[]);
    assert!(!planned.is_empty());
    for (path, planned) in planned {
        let (path, edit) = (scene.root().join(path), planned.unwrap().edit);
        let written = edit.replace(&path, changed.as_bytes()).unwrap();
        assert_eq!(written, WriteOutcome::ChangedMeanwhile);
        assert_eq!(scene.read_workplan("a.md"), changed);
    }
    scene.write_workplan("a.md", &before);
}

#[test]
fn a_dependency_of_another_workplan_is_known_by_its_long_id() {
    let mut scene = Fixture::new();
    scene.write_workplan("b.md", &workplan_text("B-WP-1", "active", &[("T01", "todo")]));
    let text = workplan_text("A-WP-1", "active", &[("T01", "todo")]);
    let text = text
        .replace("title:", "depends_on: B-WP-1\ntitle:")
        .replace("id: T01\n", "id: T01\ndepends_on: [B-WP-1-T01]\n");
    scene.write_workplan("a.md", &text);
    scene.apply_fixes();
    assert_eq!(scene.codes(), [""; 0]);
    let waits = scene.store.list_open_dependencies(&item_key("A-WP-1-T01")).unwrap();
    assert_eq!(waits, [(item_key("B-WP-1-T01"), ItemStatus::Queued)]);
    // A dependency that a command added stays, although the file lacks it.
    let depend = DependencyChange {
        item: item_key("A-WP-1"),
        dependencies: vec![item_key("B-WP-1-T01")],
        remove: false,
        provenance: test_provenance(),
    };
    scene.store.change_dependencies(&depend).unwrap();
    assert_eq!(scene.codes(), [""; 0]);
}

#[test]
fn hostile_lists_take_time_in_proportion() {
    let ids: Vec<String> = (0..60_000).map(|n| format!("X-WP-{n}")).collect();
    let text = workplan_text("A-WP-1", "active", &[]);
    let text = text.replace("title:", &format!("depends_on: [{}]\ntitle:", ids.join(", ")));
    let (workplan, problems) =
        super::super::WorkplanFile::parse("workplans/a.md", text.into_bytes(), false);
    assert_eq!((workplan.unwrap().depends_on.len(), problems.len()), (60_000, 0));
}

#[test]
fn rows_are_found_in_whatever_order_files_name_them() {
    let mut scene = Fixture::new();
    let tasks = [("T03", "todo"), ("T01", "todo"), ("T02", "todo")];
    scene.write_workplan("a.md", &workplan_text("B-WP-2", "proposed", &tasks));
    scene.write_workplan("b.md", &workplan_text("A-WP-1", "proposed", &tasks));
    let (unknown, links) = find_foreign_keys(&scene.read_snapshot());
    assert_eq!((unknown.len(), links.len()), (8, 0));
    scene.apply_fixes();
    assert_eq!(find_foreign_keys(&scene.read_snapshot()), (vec![], vec![]));
    // A link of another row of the repository is not foreign; one of no row is.
    let own = scene.load_row("A-WP-1-T01").link.unwrap();
    let other = scene.load_row("B-WP-2-T01").link.unwrap();
    scene.replace_text("b.md", own.as_str(), other.as_str());
    assert_eq!(find_foreign_keys(&scene.read_snapshot()), (vec![], vec![]));
    scene.replace_text("b.md", other.as_str(), "nobodys");
    let text = scene.read_workplan("a.md");
    scene
        .write_workplan("a.md", &text.replace("id: T02\n", "id: T02\ndepends_on: [T01, C-WP-3]\n"));
    let expected = (vec![item_key("C-WP-3")], vec!["nobodys".parse().unwrap()]);
    assert_eq!(find_foreign_keys(&scene.read_snapshot()), expected);
}
