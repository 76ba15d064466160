//! Lines of S-01 to S-06, byte for byte: copies that disagree.

use super::super::{BranchReading, Snapshot, find_other_item, list_other_advice};
use super::case::{
    HELD, base_snapshot, cache_mut, database_mut, edit_cache, expect_divergences, set_stale_field,
    text_value,
};
use super::world::World;
use crate::diagnostic::{BranchTarget, Code};
use crate::model::{FieldValue, StateField};

#[test]
fn in_step_there_is_nothing_to_say_or_do() {
    assert_eq!(expect_divergences(|_| {}, &[]), []);
}

#[test]
fn s_01_the_file_names_another_item_than_the_claim() {
    let line = "⚠️ SD mismatch: file=SD-002B, db_claim=SD-002C";
    expect_divergences(
        |s| set_stale_field(s, StateField::Item, text_value("SD-002B")),
        &[(Code::ItemDiffersFromClaim, line)],
    );
    expect_divergences(
        |s| edit_cache(s, StateField::Item, text_value("SD-002B")),
        &[(Code::ItemDiffersFromClaim, line)],
    );
    let none = "⚠️ SD mismatch: file=none, db_claim=SD-002C";
    expect_divergences(
        |s| edit_cache(s, StateField::Item, FieldValue::Text(None)),
        &[(Code::ItemDiffersFromClaim, none)],
    );
}

#[test]
fn s_01_a_claim_outranks_an_agreeing_execution_state() {
    let line = "⚠️ SD mismatch: file=SD-002B, db_claim=SD-002C";
    let both_wrong = |s: &mut Snapshot| {
        database_mut(s).work.item = Some("SD-002B".to_owned());
        set_stale_field(s, StateField::Item, text_value("SD-002B"));
    };
    expect_divergences(both_wrong, &[(Code::ItemDiffersFromClaim, line)]);
}

#[test]
fn s_02_the_file_names_another_item_than_the_state() {
    let change = |s: &mut Snapshot| {
        database_mut(s).claim = None;
        set_stale_field(s, StateField::Item, text_value("SD-002B"));
    };
    expect_divergences(
        change,
        &[(Code::ItemDiffersFromState, "⚠️ SD mismatch: file=SD-002B, db_state=SD-002C")],
    );
}

#[test]
fn s_03_phases_differ_though_the_item_is_the_same() {
    let line = "⚠️ Phase mismatch: file=LEAD, db=PLAN";
    expect_divergences(
        |s| set_stale_field(s, StateField::Phase, text_value("LEAD")),
        &[(Code::PhaseDiffers, line)],
    );
}

#[test]
fn s_04_tasks_differ() {
    let line = "⚠️ Task mismatch: file=\"write the tests\", db=\"review the plan\"";
    expect_divergences(
        |s| {
            set_stale_field(s, StateField::Task, text_value("write\nthe\u{1b}[31m tests"));
        },
        &[(Code::TaskDiffers, line)],
    );
    let none = "⚠️ Task mismatch: file=none, db=\"review the plan\"";
    expect_divergences(
        |s| set_stale_field(s, StateField::Task, FieldValue::Text(None)),
        &[(Code::TaskDiffers, none)],
    );
}

#[test]
fn s_05_the_branch_names_another_item() {
    let on = |name: &str, is_free: bool| {
        let mut snapshot = base_snapshot();
        snapshot.branch = Some(BranchReading {
            name: name.to_owned(),
            other_item: find_other_item(name, "SD-002C", &["SD-002B".to_owned()]),
            other_is_free: is_free,
            switch_target: BranchTarget::Existing("feat/SD-002C-y".to_owned()),
        });
        cache_mut(&mut snapshot).branch = Some(name.to_owned());
        let found = World::from_snapshot(snapshot.clone()).reconcile(HELD).divergences;
        let others = found
            .iter()
            .flat_map(|d| list_other_advice(d, &snapshot))
            .map(|advice| advice.to_string())
            .collect();
        (found, others)
    };
    let (found, others): (_, Vec<String>) = on("feat/SD-002B-x", true);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].message,
        "⚠️ Branch mismatch: branch=feat/SD-002B-x names SD-002B, db_claim=SD-002C"
    );
    assert_eq!(found[0].authority, "git");
    assert_eq!(found[0].advice.to_string(), "git switch feat/SD-002C-y");
    assert_eq!(others, ["trueup claim SD-002B"]);
    let (found, others) = on("feat/SD-002B-x", false);
    assert_eq!((found.len(), others.len()), (1, 0), "an item that another holds is not offered");
    assert_eq!(on("feat/SD-002C-x", true).0, []);
}

#[test]
fn s_06_flags_differ_and_are_named() {
    for (field, line) in [
        (StateField::AutoProceed, "⚠️ Flag mismatch: autoProceed: file=true, db=false"),
        (
            StateField::ChainOrchestrators,
            "⚠️ Flag mismatch: chainOrchestrators: file=true, db=false",
        ),
        (StateField::WasInterrupted, "⚠️ Flag mismatch: wasInterrupted: file=true, db=false"),
    ] {
        expect_divergences(
            |s| set_stale_field(s, field, FieldValue::Flag(true)),
            &[(Code::FlagDiffers, line)],
        );
    }
    let line = "⚠️ Flag mismatch: isActive: file=false, db=true";
    expect_divergences(
        |s| set_stale_field(s, StateField::IsActive, FieldValue::Flag(false)),
        &[(Code::FlagDiffers, line)],
    );
}
