//! Lines of S-01 to S-06, byte for byte: copies that disagree.

use super::super::{BranchReading, BranchTarget, Code, Snapshot, named_item, other_ways};
use super::case::{HELD, edit, expect, file, snapshot, stale, text, truth};
use super::world::World;
use crate::model::{Field, Value};

#[test]
fn in_step_there_is_nothing_to_say_or_do() {
    assert_eq!(expect(|_| {}, &[]), []);
}

#[test]
fn s_01_the_file_names_another_item_than_the_claim() {
    let line = "⚠️ SD mismatch: file=SD-002B, db_claim=SD-002C";
    expect(
        |s| stale(s, Field::Item, text("SD-002B")),
        &[(Code::S01, line)],
    );
    expect(
        |s| edit(s, Field::Item, text("SD-002B")),
        &[(Code::S01, line)],
    );
    let none = "⚠️ SD mismatch: file=none, db_claim=SD-002C";
    expect(
        |s| edit(s, Field::Item, Value::Text(None)),
        &[(Code::S01, none)],
    );
}

#[test]
fn s_01_a_claim_outranks_an_agreeing_execution_state() {
    let line = "⚠️ SD mismatch: file=SD-002B, db_claim=SD-002C";
    let both_wrong = |s: &mut Snapshot| {
        truth(s).work.item = Some("SD-002B".to_owned());
        stale(s, Field::Item, text("SD-002B"));
    };
    expect(both_wrong, &[(Code::S01, line)]);
}

#[test]
fn s_02_the_file_names_another_item_than_the_state() {
    let change = |s: &mut Snapshot| {
        truth(s).claim = None;
        stale(s, Field::Item, text("SD-002B"));
    };
    expect(
        change,
        &[(Code::S02, "⚠️ SD mismatch: file=SD-002B, db_state=SD-002C")],
    );
}

#[test]
fn s_03_phases_differ_though_the_item_is_the_same() {
    let line = "⚠️ Phase mismatch: file=LEAD, db=PLAN";
    expect(
        |s| stale(s, Field::Phase, text("LEAD")),
        &[(Code::S03, line)],
    );
}

#[test]
fn s_04_tasks_differ() {
    let line = "⚠️ Task mismatch: file=\"write the tests\", db=\"review the plan\"";
    expect(
        |s| stale(s, Field::Task, text("write\nthe\u{1b}[31m tests")),
        &[(Code::S04, line)],
    );
    let none = "⚠️ Task mismatch: file=none, db=\"review the plan\"";
    expect(
        |s| stale(s, Field::Task, Value::Text(None)),
        &[(Code::S04, none)],
    );
}

#[test]
fn s_05_the_branch_names_another_item() {
    let on = |name: &str, is_free: bool| {
        let mut snapshot = snapshot();
        snapshot.branch = Some(BranchReading {
            name: name.to_owned(),
            names_other: named_item(name, "SD-002C", &["SD-002B".to_owned()]),
            other_is_free: is_free,
            way_back: BranchTarget::Existing("feat/SD-002C-y".to_owned()),
        });
        file(&mut snapshot).branch = Some(name.to_owned());
        let found = World::of(snapshot.clone()).reconcile(HELD).divergences;
        let others = found
            .iter()
            .flat_map(|d| other_ways(d, &snapshot))
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
    assert_eq!(found[0].fix.to_string(), "git switch feat/SD-002C-y");
    assert_eq!(others, ["trueup claim SD-002B"]);
    let (found, others) = on("feat/SD-002B-x", false);
    assert_eq!(
        (found.len(), others.len()),
        (1, 0),
        "an item that another holds is not offered"
    );
    assert_eq!(on("feat/SD-002C-x", true).0, []);
}

#[test]
fn s_06_flags_differ_and_are_named() {
    for (field, line) in [
        (
            Field::AutoProceed,
            "⚠️ Flag mismatch: autoProceed: file=true, db=false",
        ),
        (
            Field::ChainOrchestrators,
            "⚠️ Flag mismatch: chainOrchestrators: file=true, db=false",
        ),
        (
            Field::WasInterrupted,
            "⚠️ Flag mismatch: wasInterrupted: file=true, db=false",
        ),
    ] {
        expect(|s| stale(s, field, Value::Flag(true)), &[(Code::S06, line)]);
    }
    let line = "⚠️ Flag mismatch: isActive: file=false, db=true";
    expect(
        |s| stale(s, Field::IsActive, Value::Flag(false)),
        &[(Code::S06, line)],
    );
}
