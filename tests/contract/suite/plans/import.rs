//! Importing a plan, and importing it again.

use trueup_core::model::{PlanTaskStatus, PlanTaskStep};

use super::{
    apply_plan_step, import_example, import_plan, load_plan_state, load_task, new_plan,
    start_task_step,
};
use crate::fixture::StoreFixture;
use crate::requests::{last_event_id, list_event_kinds, list_events, new_provenance};

on_every_store! {
    a_plan_is_imported_as_its_file_says
    the_same_file_is_the_same_plan_and_another_gets_a_number
    importing_again_changes_what_the_file_says_and_nothing_goes_back
    an_import_that_changes_nothing_writes_nothing
    an_import_is_one_operation
}

fn a_plan_is_imported_as_its_file_says(f: &mut impl StoreFixture) {
    let mut plan = new_plan("/a/p.md", &["1.1", "1.2"]);
    plan.extra.insert("createdAt".to_owned(), "x".into());
    plan.tasks[1].status = PlanTaskStatus::Completed;
    plan.tasks[1].depends_on = Some(vec!["1.1".parse().unwrap()]);
    plan.tasks[1].extra.insert("n".to_owned(), 1.into());
    let imported = import_plan(f.store(), &plan);
    assert_eq!((imported.added, imported.changed), (2, 0));
    assert_eq!(imported.plan_state, load_plan_state(f.store()));
    let found = imported.plan_state;
    assert_eq!(found.plan.path, "/a/p.md");
    assert_eq!(found.plan.title.as_deref(), Some("Plan"));
    assert_eq!(found.plan.extra, plan.extra);
    let [first, second] = &found.tasks[..] else { panic!("{found:?}") };
    assert_eq!(first.key(), "p/1.1");
    assert_eq!((first.position, second.position), (1, 2));
    assert_eq!(first.phase_title.as_deref(), Some("Setup"));
    assert_eq!((first.started_at, first.completed_at), (None, None));
    assert_eq!(second.depends_on, plan.tasks[1].depends_on.clone().unwrap());
    assert_eq!(second.extra, plan.tasks[1].extra);
    assert!(second.completed_at.is_some() && second.started_at.is_none());
    let at = f.store().find_plan_by_path("/a/p.md").unwrap();
    assert_eq!(at.as_ref(), Some(&found.plan.id));
    assert_eq!(f.store().find_plan_by_path("/other").unwrap(), None);
    assert_eq!(f.store().load_plan(&"q".parse().unwrap()).unwrap(), None);
    assert_eq!(f.store().list_plan_ids().unwrap(), [found.plan.id]);
    let kinds = list_event_kinds(f.store(), 0);
    assert_eq!(kinds, ["p added", "p/1.1 added", "p/1.2 added"]);
}

fn the_same_file_is_the_same_plan_and_another_gets_a_number(f: &mut impl StoreFixture) {
    for (path, expected) in [("/a/p.md", "p"), ("/b/p.md", "p-2"), ("/c/p.md", "p-3")] {
        for _ in 0..2 {
            let imported = import_plan(f.store(), &new_plan(path, &["1.1"]));
            assert_eq!(imported.plan_state.plan.id.as_str(), expected);
        }
    }
}

fn importing_again_changes_what_the_file_says_and_nothing_goes_back(f: &mut impl StoreFixture) {
    import_example(f.store());
    apply_plan_step(f.store(), "1.1", PlanTaskStep::Complete);
    apply_plan_step(f.store(), "1.3", start_task_step(None, None));
    let mut plan = new_plan("/p.md", &["1.4", "1.1", "1.3"]);
    plan.title = Some("Renamed".to_owned());
    plan.tasks[1].title = String::from("new words");
    plan.tasks[2].status = PlanTaskStatus::Completed;
    let after = last_event_id(f.store());
    let imported = import_plan(f.store(), &plan);
    assert_eq!((imported.added, imported.changed), (1, 2));
    assert_eq!(imported.tasks_not_in_file, ["1.2".parse().unwrap()]);
    assert_eq!(imported.plan_state.plan.title.as_deref(), Some("Renamed"));
    let first = load_task(f.store(), "1.1");
    assert_eq!(
        (first.title.as_str(), first.status, first.position),
        ("new words", PlanTaskStatus::Completed, 2)
    );
    let third = load_task(f.store(), "1.3");
    assert_eq!(third.status, PlanTaskStatus::Completed);
    assert!(third.completed_at.is_some() && third.started_at.is_some());
    assert_eq!(load_task(f.store(), "1.2").status, PlanTaskStatus::Pending);
    let found = list_event_kinds(f.store(), after);
    let expected = ["p changed", "p/1.4 added", "p/1.1 changed", "p/1.3 status"];
    assert_eq!(found, expected);
}

fn an_import_that_changes_nothing_writes_nothing(f: &mut impl StoreFixture) {
    import_example(f.store());
    let before = (load_plan_state(f.store()), last_event_id(f.store()));
    let imported = import_plan(f.store(), &new_plan("/p.md", &["1.1", "1.2", "1.3"]));
    assert_eq!((imported.added, imported.changed), (0, 0));
    assert_eq!((load_plan_state(f.store()), last_event_id(f.store())), before);
}

fn an_import_is_one_operation(f: &mut impl StoreFixture) {
    let provenance = new_provenance("user").because("plan import");
    let plan = new_plan("/p.md", &["1.1", "1.2"]);
    f.store().import_plan(&plan, &provenance).unwrap();
    let longer = new_plan("/p.md", &["1.1", "1.2", "1.3"]);
    let again = f.store().import_plan(&longer, &provenance).unwrap();
    assert_eq!(again.plan_state.tasks.len(), 2, "the answer of the first");
    let events = list_events(f.store());
    assert_eq!(events.len(), 3);
    for event in events {
        assert_eq!(event.op_id.as_deref(), Some(provenance.op_id.as_str()));
        assert_eq!(event.reason.as_deref(), provenance.reason.as_deref());
    }
}
