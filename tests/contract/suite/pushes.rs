//! Changes of state, conditional on revision and claim.

use trueup_core::model::{Epoch, Field, Revision, Value};
use trueup_core::store::{Mark, Push};

use crate::fixture::Fixture;
use crate::request::{
    add, by, change, claim, holder, item, key, phase, refused, register, release, session,
};

on_every_store! {
    a_push_on_the_present_revision_raises_it_by_one
    a_push_on_an_old_revision_changes_nothing
    a_push_under_a_lost_claim_changes_nothing
    a_push_under_the_present_claim_goes_through
    the_phase_of_a_holder_is_also_the_items
    an_empty_text_is_no_text
    moments_are_marked_and_counted
    own_changes_need_not_be_told_but_foreign_ones_do
    a_push_of_a_branch_alone_is_seen
}

fn a_push_on_the_present_revision_raises_it_by_one(f: &mut impl Fixture) {
    let made = register(f.store(), "s1");
    let mut push = phase(&made, "PLAN");
    push.changes.insert(Field::AutoProceed, Value::Flag(true));
    let after = f.store().push(&push).unwrap();
    assert_eq!(after.revision, Revision(2));
    let state = after.execution_state();
    assert_eq!(state.work.phase.as_deref(), Some("PLAN"));
    assert!(state.work.auto_proceed);
    assert!(state.history.last_updated_at.is_some());
    assert_eq!(session(f.store(), "s1").revision, Revision(2));
}

fn a_push_on_an_old_revision_changes_nothing(f: &mut impl Fixture) {
    let made = register(f.store(), "s1");
    f.store().push(&phase(&made, "PLAN")).unwrap();
    refused(f.store().push(&phase(&made, "EXEC")), "conflict");
    let ahead = Push {
        base: Revision(u64::MAX),
        ..phase(&made, "EXEC")
    };
    refused(f.store().push(&ahead), "conflict");
    let after = session(f.store(), "s1");
    assert_eq!(after.revision, Revision(2));
    assert_eq!(after.execution_state().work.phase.as_deref(), Some("PLAN"));
}

fn a_push_under_a_lost_claim_changes_nothing(f: &mut impl Fixture) {
    let fence = holder(f.store());
    register(f.store(), "s2");
    claim(f.store(), "s2", "A");
    let me = session(f.store(), "s1");
    let push = Push {
        fence: Some((key("A"), fence)),
        ..phase(&me, "EXEC")
    };
    refused(f.store().push(&push), "conflict");
    assert_eq!(session(f.store(), "s1").revision, me.revision);
    f.store().release(&release("s2", "A")).unwrap();
    let free = claim(f.store(), "s1", "A").item.epoch;
    assert!(free > fence);
    let me = session(f.store(), "s1");
    let old = Push {
        fence: Some((key("A"), fence)),
        ..phase(&me, "EXEC")
    };
    refused(f.store().push(&old), "conflict");
}

fn a_push_under_the_present_claim_goes_through(f: &mut impl Fixture) {
    let fence = holder(f.store());
    let me = session(f.store(), "s1");
    let push = |epoch: Epoch| Push {
        fence: Some((key("A"), epoch)),
        ..phase(&me, "EXEC")
    };
    refused(f.store().push(&push(Epoch(fence.0 + 1))), "conflict");
    let after = f.store().push(&push(fence)).unwrap();
    assert_eq!(after.revision.0, me.revision.0 + 1);
}

fn the_phase_of_a_holder_is_also_the_items(f: &mut impl Fixture) {
    holder(f.store());
    add(f.store(), "B");
    let before = item(f.store(), "A").revision;
    let me = session(f.store(), "s1");
    let me = f.store().push(&phase(&me, "EXEC")).unwrap();
    assert_eq!(item(f.store(), "A").phase.as_deref(), Some("EXEC"));
    assert_eq!(item(f.store(), "A").revision.0, before.0 + 1);
    assert_eq!(item(f.store(), "B").phase, None);
    f.store()
        .push(&change(&me, Field::Phase, Value::Text(None)))
        .unwrap();
    assert_eq!(item(f.store(), "A").phase, None);
}

fn an_empty_text_is_no_text(f: &mut impl Fixture) {
    let me = register(f.store(), "s1");
    let text = "two\nlines \u{1b}[0m \0 \"é\"";
    let set = change(&me, Field::Task, Value::Text(Some(text.to_owned())));
    let me = f.store().push(&set).unwrap();
    assert_eq!(me.execution_state().work.task.as_deref(), Some(text));
    let me = f
        .store()
        .push(&change(&me, Field::Task, Value::Text(None)))
        .unwrap();
    assert_eq!(me.execution_state().work.task, None);
}

fn moments_are_marked_and_counted(f: &mut impl Fixture) {
    let mut me = register(f.store(), "s1");
    let mut flag = false;
    let mut mark = |mark: Mark| {
        flag = !flag;
        let push = Push {
            mark: Some(mark),
            ..change(&me, Field::WasInterrupted, Value::Flag(flag))
        };
        me = f.store().push(&push).unwrap();
        me.execution_state().history
    };
    let history = mark(Mark::Interrupted);
    assert!(history.last_interrupted_at.is_some() && history.last_resumed_at.is_none());
    assert_eq!(history.resume_count, None);
    assert_eq!(mark(Mark::Resumed).resume_count, Some(1));
    let history = mark(Mark::Resumed);
    assert_eq!(history.resume_count, Some(2));
    assert!(history.last_resumed_at.is_some() && history.last_interrupted_at.is_some());
    let history = mark(Mark::HistoryCleared);
    assert_eq!(history.resume_count, Some(0));
    assert_eq!(
        (history.last_interrupted_at, history.last_resumed_at),
        (None, None)
    );
}

fn own_changes_need_not_be_told_but_foreign_ones_do(f: &mut impl Fixture) {
    let me = register(f.store(), "s1");
    f.store().acknowledge(&me.id, me.revision).unwrap();
    let own = |push: Push| Push {
        acknowledge: true,
        ..push
    };
    let me = f.store().push(&own(phase(&me, "PLAN"))).unwrap();
    assert_eq!(me.acknowledged, me.revision);
    let foreign = serde_json::json!({"auto_proceed": true});
    let me = f
        .store()
        .merge_metadata(&me.id, foreign.as_object().unwrap(), &by("other"))
        .unwrap();
    assert!(me.acknowledged < me.revision);
    let me = f.store().push(&own(phase(&me, "EXEC"))).unwrap();
    assert!(
        me.acknowledged < me.revision,
        "the foreign change stays untold"
    );
}

fn a_push_of_a_branch_alone_is_seen(f: &mut impl Fixture) {
    let me = register(f.store(), "s1");
    let push = Push {
        changes: std::collections::BTreeMap::new(),
        branch: Some("feat/x".to_owned()),
        ..phase(&me, "")
    };
    let me = f.store().push(&push).unwrap();
    assert_eq!(me.branch(), Some("feat/x"));
    assert!(me.acknowledged <= me.revision);
}
