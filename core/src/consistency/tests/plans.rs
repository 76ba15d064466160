//! Plans whose files are in the checkout.

use std::fs;

use super::super::{PlanCheckboxes, row_updates};
use super::fixture::*;
use crate::diagnostic::AdviceRow;
use crate::model::{NewPlan, NewPlanTask, PlanTaskStatus, PlanTaskStep, PlanWorker};
use crate::plan::apply_task_step;
use crate::store::{HookStore as _, PlanStore as _};

const PLAN: &str = "# Fix\n\n## Phase 1: Setup\n- [ ] 1.1 Write\n- [ ] 1.2 Test\n- [ ] 1.3 Ship\n";

fn import(scene: &mut Fixture, name: &str, text: &str) {
    let path = scene.root().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    let plan = crate::plan::read_markdown(crate::plan::PlanFormat::Trueup, PLAN)
        .into_plan("fix".parse().unwrap(), path);
    scene.store.import_plan(&plan, &test_provenance()).unwrap();
}

fn step(scene: &mut Fixture, id: &str, step: &PlanTaskStep) {
    let plan = "fix".parse().unwrap();
    apply_task_step(&mut *scene.store, &plan, &id.parse().unwrap(), step, &test_provenance())
        .unwrap();
}

fn status(scene: &mut Fixture, id: &str) -> PlanTaskStatus {
    let task = scene.store.load_plan_task(&"fix".parse().unwrap(), &id.parse().unwrap());
    task.unwrap().unwrap().status
}

#[test]
fn a_checked_box_completes_its_task_and_a_completed_task_checks_its_box() {
    let mut scene = Fixture::new();
    import(&mut scene, "docs/fix.md", &PLAN.replace("[ ] 1.1", "[X] 1.1"));
    step(&mut scene, "1.2", &PlanTaskStep::Complete);
    assert_eq!(scene.codes(), ["C-10", "C-15"]);
    let found = scene.findings();
    let ahead = &found[0];
    assert_eq!(ahead.divergence.subject, "fix/1.1");
    assert_eq!(ahead.path.as_deref(), Some("docs/fix.md"));
    let place = ahead.place.unwrap();
    assert_eq!((place.line, place.column), (4, 4));
    assert!(ahead.divergence.message.starts_with("docs/fix.md:4:4: "), "{ahead:?}");
    let fixes: Vec<_> = found.iter().map(|it| it.divergence.advice.to_string()).collect();
    assert_eq!(fixes, ["trueup check --fix"; 2]);
    scene.apply_fixes();
    assert_eq!(status(&mut scene, "1.1"), PlanTaskStatus::Completed);
    let text = fs::read_to_string(scene.root().join("docs/fix.md")).unwrap();
    assert_eq!(text, PLAN.replace("[ ] 1.1", "[X] 1.1").replace("[ ] 1.2", "[x] 1.2"));
    assert_eq!(scene.codes(), [""; 0]);
    let events = scene.count_events();
    scene.apply_fixes();
    assert_eq!(scene.count_events(), events);
}

#[test]
fn a_task_that_was_reopened_is_not_completed_by_its_old_box() {
    let mut scene = Fixture::new();
    let checked = PLAN.replace("[ ] 1.1", "[x] 1.1");
    import(&mut scene, "fix.md", &checked);
    scene.apply_fixes();
    step(&mut scene, "1.1", &PlanTaskStep::Reopen { reason: "not yet".to_owned() });
    let found = scene.only_finding("C-10").divergence;
    assert_eq!(found.authority, "database");
    assert_eq!(found.advice.kind().row(), AdviceRow::EditPlanFile);
    assert!(found.message.contains("1.1 is [x] in the file but was reopened"), "{found:?}");
    scene.apply_fixes();
    assert_eq!(status(&mut scene, "1.1"), PlanTaskStatus::Pending);
    assert_eq!(fs::read_to_string(scene.root().join("fix.md")).unwrap(), checked);
    fs::write(scene.root().join("fix.md"), PLAN).unwrap();
    assert_eq!(scene.codes(), [""; 0]);
}

#[test]
fn a_task_that_was_tried_again_is_completed_by_its_box() {
    let mut scene = Fixture::new();
    import(&mut scene, "fix.md", PLAN);
    step(&mut scene, "1.1", &PlanTaskStep::Fail { error: "no".to_owned(), stuck: false });
    step(&mut scene, "1.1", &PlanTaskStep::Retry);
    fs::write(scene.root().join("fix.md"), PLAN.replace("[ ] 1.1", "[x] 1.1")).unwrap();
    scene.apply_fixes();
    assert_eq!(status(&mut scene, "1.1"), PlanTaskStatus::Completed);
}

#[test]
fn a_completed_task_is_marked_in_the_way_of_its_format() {
    for (name, text, task, marked) in [
        ("tasks.md", "- [-] 1. a\n  - _Requirements: 1.1_\n", "1", "- [x] 1. a\n"),
        ("a.md", "### Task 1: a\n**Status:** ⏳ Pending\n- [x] b\n", "1", "** ✅ Completed\n"),
        ("b.md", "- [ ] T001 a\n- [~] T002 b\n", "T002", "- [ ] T001 a\n- [x] T002 b\n"),
        ("c.md", "- [ ] 01-01: a\n", "01-01", "- [x] 01-01: a\n"),
    ] {
        let mut scene = Fixture::new();
        let path = scene.root().join(name);
        fs::write(&path, text).unwrap();
        let format = crate::plan::recognise_format(&path, text);
        let path_text = path.to_str().unwrap().to_owned();
        let plan = crate::plan::read_markdown(format, text);
        let plan = plan.into_plan("fix".parse().unwrap(), path_text);
        scene.store.import_plan(&plan, &test_provenance()).unwrap();
        step(&mut scene, task, &PlanTaskStep::Complete);
        assert_eq!(scene.codes(), ["C-15"], "{name}");
        scene.apply_fixes();
        let written = fs::read_to_string(&path).unwrap();
        assert!(written.contains(marked), "{name}: {written}");
        assert_eq!(scene.codes(), [""; 0], "{name}");
    }
}

#[test]
fn a_task_that_is_crossed_out_in_its_file_is_imported_and_not_fixed() {
    let mut scene = Fixture::new();
    import(&mut scene, "fix.md", &PLAN.replace("[ ] 1.3", "[-] 1.3"));
    let found = scene.only_finding("C-10").divergence;
    assert_eq!(found.authority, "file");
    assert_eq!(found.advice.kind().row(), AdviceRow::ImportPlan);
    assert!(found.message.contains("1.3 is skipped in the file"), "{}", found.message);
    assert!(scene.assess().fixes.is_empty());
}

#[test]
fn plans_elsewhere_and_status_files_are_no_part_of_a_checkout() {
    let mut scene = Fixture::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let plan = |id: &str, path: &std::path::Path| NewPlan {
        id: id.parse().unwrap(),
        path: path.to_str().unwrap().to_owned(),
        title: None,
        extra: serde_json::Map::new(),
        tasks: vec![NewPlanTask::new(
            "1.1".parse().unwrap(),
            "t".to_owned(),
            PlanTaskStatus::Completed,
        )],
    };
    for (id, path) in [
        ("away", elsewhere.path().join("away.md")),
        ("beside", scene.root().with_extension("md")),
        ("status", scene.root().join("status.json")),
        ("gone", scene.root().join("gone.md")),
    ] {
        if id != "gone" {
            fs::write(&path, PLAN).unwrap();
        }
        scene.store.import_plan(&plan(id, &path), &test_provenance()).unwrap();
    }
    let plans: Vec<PlanCheckboxes> = scene.read_snapshot().plans;
    assert_eq!(plans, []);
    fs::remove_file(scene.root().with_extension("md")).unwrap();
}

#[test]
fn a_task_that_ended_otherwise_in_the_database_stays() {
    let mut scene = Fixture::new();
    import(&mut scene, "fix.md", &PLAN.replace("[ ] 1.3", "[x] 1.3"));
    let reason = "later".to_owned();
    step(&mut scene, "1.3", &PlanTaskStep::Skip { reason });
    let found = scene.only_finding("C-10").divergence;
    assert_eq!(found.authority, "database");
    assert_eq!(found.advice.kind().row(), AdviceRow::EditPlanFile);
    assert!(scene.assess().fixes.is_empty());
}

#[test]
fn a_task_that_a_live_session_works_on_is_not_completed_for_it() {
    let mut scene = Fixture::new();
    scene.register_session("one");
    import(&mut scene, "fix.md", &PLAN.replace("[ ]", "[x]"));
    let worker = |session: Option<&str>| PlanWorker {
        actor: "who".to_owned(),
        session: session.map(|id| id.parse().unwrap()),
        orchestrator: None,
    };
    step(&mut scene, "1.1", &PlanTaskStep::Start(worker(Some("one"))));
    step(&mut scene, "1.2", &PlanTaskStep::Start(worker(None)));
    let written = scene.apply_fixes();
    assert_eq!(
        written.refused,
        ["task fix/1.1 was not changed in the database: session one is working on it"]
    );
    assert_eq!(status(&mut scene, "1.1"), PlanTaskStatus::InProgress);
    assert_eq!(status(&mut scene, "1.2"), PlanTaskStatus::Completed);
    assert_eq!(status(&mut scene, "1.3"), PlanTaskStatus::Completed);
    // Once the session ended, anybody may complete its task.
    scene.store.end_session(&"one".parse().unwrap(), "x", &test_provenance()).unwrap();
    scene.apply_fixes();
    assert_eq!(status(&mut scene, "1.1"), PlanTaskStatus::Completed);
}

#[test]
fn a_session_completes_its_own_task() {
    let mut scene = Fixture::new();
    scene.register_session("one");
    import(&mut scene, "fix.md", &PLAN.replace("[ ] 1.1", "[x] 1.1"));
    let worker = PlanWorker {
        actor: "one".to_owned(),
        session: Some("one".parse().unwrap()),
        orchestrator: None,
    };
    step(&mut scene, "1.1", &PlanTaskStep::Start(worker));
    let reading = scene.read_snapshot();
    let deeds = super::super::assess_checkout(&reading).fixes;
    row_updates::apply_row_fixes(&mut *scene.store, &reading, &deeds, &fix_actor(Some("one")))
        .unwrap();
    assert_eq!(status(&mut scene, "1.1"), PlanTaskStatus::Completed);
}
