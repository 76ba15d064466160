//! Removing a plan removes its tasks and nothing else.

use serde_json::Value as Json;
use trueup_core::model::{PlanTaskStatus, PlanTaskStep};

use super::{
    apply_plan_step, import_example, import_plan, load_plan_state, new_plan, start_task_step,
};
use crate::fixture::StoreFixture;
use crate::requests::{
    expect_refusal, last_event_id, list_event_kinds, list_events, new_provenance,
};

on_every_store! {
    a_removed_plan_is_gone_with_its_tasks_and_no_other
    a_removal_is_recorded_with_who_and_why
    removing_no_plan_is_a_conflict
    a_repeated_removal_removes_no_successor
}

fn a_removed_plan_is_gone_with_its_tasks_and_no_other(f: &mut impl StoreFixture) {
    import_example(f.store());
    apply_plan_step(f.store(), "1.1", start_task_step(None, None));
    apply_plan_step(f.store(), "1.2", PlanTaskStep::Complete);
    let other = import_plan(f.store(), &new_plan("/other/p.md", &["1.1"])).plan_state;
    let plan = "p".parse().unwrap();
    f.store().remove_plan(&plan, &new_provenance("user")).unwrap();
    assert_eq!(f.store().load_plan(&plan).unwrap(), None);
    assert_eq!(f.store().find_plan_by_path("/p.md").unwrap(), None);
    let first = "1.1".parse().unwrap();
    assert_eq!(f.store().load_plan_task(&plan, &first).unwrap(), None);
    assert_eq!(f.store().list_plan_ids().unwrap(), std::slice::from_ref(&other.plan.id));
    let plan = f.store().load_plan(&other.plan.id).unwrap();
    assert_eq!(plan.as_ref(), Some(&other));
    // The name is free, and a new plan of that name starts from scratch.
    import_example(f.store());
    let all = load_plan_state(f.store()).tasks;
    assert!(all.iter().all(|task| task.status == PlanTaskStatus::Pending));
}

fn a_removal_is_recorded_with_who_and_why(f: &mut impl StoreFixture) {
    import_example(f.store());
    let facts = load_plan_state(f.store()).plan.event_facts();
    let before = last_event_id(f.store());
    let why = new_provenance("ann").because("imported by mistake");
    f.store().remove_plan(&"p".parse().unwrap(), &why).unwrap();
    assert_eq!(list_event_kinds(f.store(), before), ["p removed"]);
    let event = list_events(f.store()).pop().unwrap();
    assert_eq!((event.entity.as_str(), event.actor.as_str()), ("plan", "ann"));
    assert_eq!(event.reason.as_deref(), Some("imported by mistake"));
    assert_eq!(event.op_id.as_deref(), Some(why.op_id.as_str()));
    assert_eq!((event.before, event.after), (facts, Json::Null));
}

fn removing_no_plan_is_a_conflict(f: &mut impl StoreFixture) {
    import_example(f.store());
    let before = last_event_id(f.store());
    let unknown_plan = "q".parse().unwrap();
    expect_refusal(f.store().remove_plan(&unknown_plan, &new_provenance("user")), "conflict");
    assert_eq!(last_event_id(f.store()), before);
    assert_eq!(load_plan_state(f.store()).tasks.len(), 3);
}

fn a_repeated_removal_removes_no_successor(f: &mut impl StoreFixture) {
    import_example(f.store());
    let (plan, why) = ("p".parse().unwrap(), new_provenance("user"));
    f.store().remove_plan(&plan, &why).unwrap();
    f.store().remove_plan(&plan, &why).unwrap();
    import_example(f.store());
    f.store().remove_plan(&plan, &why).unwrap();
    assert_eq!(load_plan_state(f.store()).tasks.len(), 3);
}
