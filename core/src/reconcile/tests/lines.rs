//! The line of every code, byte for byte.

use super::super::{Action, Lost, LostReason};
use super::super::{
    Aside, BranchPattern, BranchReading, CacheReading, ClaimReading, Code, DEFAULT_BRANCH_PATTERN,
    DatabaseReading, LostClaim, Peer, Policy, Reading, Severity, Snapshot, named_item,
};
use super::world::{World, written};
use crate::model::{Epoch, Field, History, Lineage, Revision, Timestamp, Value, WorkState};

pub(super) const HELD: Policy = Policy {
    create_cache: true,
    adopt_older_database: false,
};

fn text(text: &str) -> Value {
    Value::Text(Some(text.to_owned()))
}

/// A session that holds SD-002C in phase PLAN, in step with its cache.
pub(super) fn snapshot() -> Snapshot {
    let database = DatabaseReading {
        lineage: Lineage("11112222-aaaa".to_owned()),
        revision: Revision(7),
        claim: Some(ClaimReading {
            item: "SD-002C".parse().unwrap(),
            epoch: Epoch(3),
            since: None,
        }),
        lost_claim: None,
        work: WorkState {
            item: Some("SD-002C".to_owned()),
            phase: Some("PLAN".to_owned()),
            task: Some("review the plan".to_owned()),
            is_active: true,
            ..WorkState::default()
        },
        history: History::default(),
    };
    let session = "0a1b2c3d-me".parse().unwrap();
    Snapshot {
        cache: Reading::Fresh(written(&database, &session, Some("main"))),
        database: Reading::Fresh(database),
        session,
        branch: Some(BranchReading {
            name: "main".to_owned(),
            names_other: None,
            branch_of_item: None,
        }),
        peers: Vec::new(),
        outbox: super::super::OutboxReading::default(),
        now: "2026-02-02T03:00:00Z".parse().unwrap(),
    }
}

pub(super) fn file(snapshot: &mut Snapshot) -> &mut CacheReading {
    match &mut snapshot.cache {
        Reading::Fresh(cache) => cache,
        other => panic!("no cache: {other:?}"),
    }
}

fn truth(snapshot: &mut Snapshot) -> &mut DatabaseReading {
    match &mut snapshot.database {
        Reading::Fresh(database) => database,
        other => panic!("no database: {other:?}"),
    }
}

/// Changes a field of the file by hand.
pub(super) fn edit(snapshot: &mut Snapshot, field: Field, value: Value) {
    let cache = file(snapshot);
    cache.fields.insert(field, value);
    cache.edited.insert(field);
}

/// Changes a field of the file as if the database had moved on since it was written.
fn stale(snapshot: &mut Snapshot, field: Field, value: Value) {
    let cache = file(snapshot);
    cache.fields.insert(field, value);
    cache.revision = Some(Revision(6));
}

/// Asserts what is found after a change, in order, and that nothing else is.
#[track_caller]
fn expect(change: impl FnOnce(&mut Snapshot), lines: &[(Code, &str)]) -> Vec<Action> {
    let mut snapshot = snapshot();
    change(&mut snapshot);
    let found = World::of(snapshot).reconcile(HELD);
    let shown: Vec<_> = found
        .divergences
        .iter()
        .map(|d| (d.code, d.message.as_str()))
        .collect();
    assert_eq!(shown, lines);
    for divergence in &found.divergences {
        assert_eq!(divergence.severity, divergence.code.severity());
        assert_eq!(divergence.subject, "0a1b2c3d-me");
    }
    found.actions
}

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
    let pattern = BranchPattern::new(DEFAULT_BRANCH_PATTERN).unwrap();
    let on = |name: &str, right: Option<&str>| {
        let mut snapshot = snapshot();
        snapshot.branch = Some(BranchReading {
            name: name.to_owned(),
            names_other: named_item(name, "SD-002C", &pattern, &[]),
            branch_of_item: right.map(str::to_owned),
        });
        file(&mut snapshot).branch = Some(name.to_owned());
        World::of(snapshot).reconcile(HELD).divergences
    };
    let found = on("feat/SD-002B-x", Some("feat/SD-002C-y"));
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].message,
        "⚠️ Branch mismatch: branch=feat/SD-002B-x names SD-002B, db_claim=SD-002C"
    );
    assert_eq!(found[0].authority, "git");
    assert_eq!(found[0].fix.as_deref(), Some("git switch feat/SD-002C-y"));
    assert_eq!(
        on("feat/SD-002B-x", None)[0].fix.as_deref(),
        Some("trueup claim SD-002B")
    );
    assert_eq!(on("feat/SD-002C-x", None), []);
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

#[test]
fn s_07_the_cache_is_missing() {
    let line = "Cache missing: it is written from the database";
    let actions = expect(|s| s.cache = Reading::Missing, &[(Code::S07, line)]);
    assert_eq!(actions, [Action::ReplaceCache]);
}

#[test]
fn s_08_the_cache_is_unreadable() {
    let line = "⚠️ Cache unreadable: line 1 column 2; kept aside as *.corrupt-<time>";
    let corrupt = |s: &mut Snapshot| s.cache = Reading::Corrupt("line 1\ncolumn 2".to_owned());
    let actions = expect(corrupt, &[(Code::S08, line)]);
    assert_eq!(
        actions,
        [Action::SetAside(Aside::Corrupt), Action::ReplaceCache]
    );
    let line = "⚠️ Cache unreadable: permission denied";
    let denied = |s: &mut Snapshot| s.cache = Reading::Unavailable("permission denied".to_owned());
    assert_eq!(expect(denied, &[(Code::S08, line)]), []);
}

#[test]
fn s_09_the_cache_is_of_another_database_or_newer_than_this_one() {
    let line = "⚠️ Cache was written for another database: file=99998888, db=11112222; kept aside \
                as *.foreign-<time>";
    let foreign = |s: &mut Snapshot| file(s).lineage = Some(Lineage("99998888-bbbb".to_owned()));
    let actions = expect(foreign, &[(Code::S09, line)]);
    assert_eq!(
        actions,
        [Action::SetAside(Aside::Foreign), Action::ReplaceCache]
    );
    let line = "⚠️ Cache was written for another database: file is at revision 8, db at 7 \
                (restored from a backup?)";
    let newer = |s: &mut Snapshot| file(s).revision = Some(Revision(8));
    assert_eq!(expect(newer, &[(Code::S09, line)]), []);
}

#[test]
fn s_10_a_local_edit_waits() {
    let lines = [
        (
            Code::S10,
            "Local edit not yet pushed: currentPhase PLAN -> EXEC",
        ),
        (
            Code::S10,
            "Local edit not yet pushed: autoProceed false -> true",
        ),
    ];
    let quoted = lines[0]
        .1
        .replace("PLAN", "\"PLAN\"")
        .replace("EXEC", "\"EXEC\"");
    let change = |s: &mut Snapshot| {
        edit(s, Field::Phase, text("EXEC"));
        edit(s, Field::AutoProceed, Value::Flag(true));
    };
    let actions = expect(change, &[(Code::S10, &quoted), lines[1]]);
    assert!(
        matches!(&actions[..], [Action::Push(p), Action::ReplaceCache] if p.changes.len() == 2)
    );
}

#[test]
fn s_11_a_local_edit_lost() {
    let lost = Lost {
        session: snapshot().session,
        reason: LostReason::DatabaseMovedOn,
        base: Some(Revision(6)),
        database: Revision(7),
        fields: [(Field::Phase, text("EXEC"))].into(),
    };
    let line = format!(
        "⚠️ Local edit of currentPhase lost to a newer database state, kept in the journal as {}",
        lost.id()
    );
    let change = |s: &mut Snapshot| {
        edit(s, Field::Phase, text("EXEC"));
        file(s).revision = Some(Revision(6));
    };
    let mismatch = "⚠️ Phase mismatch: file=EXEC, db=PLAN";
    let actions = expect(change, &[(Code::S03, mismatch), (Code::S11, &line)]);
    assert_eq!(actions, [Action::Journal(lost), Action::ReplaceCache]);
}

#[test]
fn s_12_the_database_is_unreachable() {
    let away = |s: &mut Snapshot| s.database = Reading::Unavailable("disk full".to_owned());
    let known = |s: &mut Snapshot| {
        away(s);
        file(s).synced_at = Some(Timestamp::from_millis(s.now.as_millis() - 42_999));
    };
    let start = "⚠️ Database unreachable (disk full); ";
    for (change, rest) in [
        (&known as &dyn Fn(&mut Snapshot), "cache used, 42 s old"),
        (&away, "cache used, of unknown age"),
        (
            &|s| (away(s), s.cache = Reading::Missing).1,
            "there is no cache to go by",
        ),
    ] {
        assert_eq!(
            expect(change, &[(Code::S12, &format!("{start}{rest}"))]),
            []
        );
    }
    let line = "⚠️ Database unreachable (there is no database yet); cache used, of unknown age";
    expect(|s| s.database = Reading::Missing, &[(Code::S12, line)]);
}

#[test]
fn s_13_the_claim_is_anothers() {
    let change = |s: &mut Snapshot| {
        truth(s).claim = None;
        truth(s).lost_claim = Some(LostClaim {
            item: "SD-002C".parse().unwrap(),
            holder: "99-other".parse().unwrap(),
            since: Some("2026-02-02T02:59:00Z".parse().unwrap()),
        });
    };
    let lines = [
        (Code::S02, "⚠️ SD mismatch: file=SD-002C, db_state=none"),
        (Code::S06, "⚠️ Flag mismatch: isActive: file=true, db=false"),
        (
            Code::S13,
            "⚠️ Claim on SD-002C now belongs to 99-other since 2026-02-02T02:59:00.000Z",
        ),
    ];
    assert_eq!(expect(change, &lines), [Action::ReplaceCache]);
}

#[test]
fn s_14_another_live_session_works_here() {
    let peer = |id: &str, item: Option<&str>| Peer {
        session: id.parse().unwrap(),
        item: item.map(|i| i.parse().unwrap()),
    };
    let start = "⚠️ Another live session works in this worktree: ";
    for (peers, rest) in [
        (vec![peer("p1", None)], "p1"),
        (vec![peer("p1", Some("SD-9"))], "p1, on SD-9"),
        (vec![peer("p1", None), peer("p2", None)], "p1 and 1 more"),
    ] {
        expect(
            |s| s.peers = peers,
            &[(Code::S14, &format!("{start}{rest}"))],
        );
    }
}

#[test]
fn s_15_writes_wait() {
    let change = |s: &mut Snapshot| {
        s.outbox.waiting = 3;
        s.outbox.oldest_at = Some("2026-02-02T02:59:00Z".parse().unwrap());
    };
    let line = "⚠️ 3 writes wait in the outbox, oldest 2026-02-02T02:59:00.000Z";
    expect(change, &[(Code::S15, line)]);
}

#[test]
fn findings_and_warnings_are_those_of_the_contract() {
    let of = |severity| {
        [
            Code::S01,
            Code::S02,
            Code::S03,
            Code::S04,
            Code::S05,
            Code::S06,
            Code::S07,
            Code::S08,
            Code::S09,
            Code::S10,
            Code::S11,
            Code::S12,
            Code::S13,
            Code::S14,
            Code::S15,
        ]
        .into_iter()
        .filter(|code| code.severity() == severity)
        .map(|code| code.as_str()[2..].parse::<u8>().unwrap())
        .collect::<Vec<_>>()
    };
    assert_eq!(of(Severity::Error), [1, 2, 3, 4, 5, 6, 8, 9, 11, 13]);
    assert_eq!(of(Severity::Warning), [12, 14, 15]);
    assert_eq!(of(Severity::Info), [7, 10]);
}
