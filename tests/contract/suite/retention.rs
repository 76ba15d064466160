//! What is old and done goes, in batches, and is noted; what anybody needs stays.

use std::collections::BTreeSet;

use serde_json::json;
use trueup_core::model::{
    EventRemains, ItemStatus, Kept, PruneTally, Retention, SessionRemains, Subject, Tie, Timestamp,
};
use trueup_core::store::{NewRun, PortRequest, Registration, Store};

use crate::fixture::Fixture;
use crate::request::{
    add, by, claim, complete, cursor, events, id, kinds, moved, note, queue, register,
    registration, release, run, session, start, step, step_of,
};

on_every_store! {
    sessions_that_ended_are_listed_the_youngest_first_and_in_pages
    an_ended_session_goes_with_its_tasks
    a_session_is_looked_at_again_in_the_transaction_that_removes_it
    a_session_that_holds_or_was_parked_is_tied
    who_gave_an_item_up_is_tied_until_another_takes_it
    ports_and_runs_tie_a_session
    a_phase_at_work_ties_a_session
    predecessors_go_with_their_successors_in_one_batch
    events_are_about_what_stands_now
    old_events_of_what_is_done_go_and_others_stay
    what_went_is_noted_once
    numbers_of_events_are_never_given_again
}

fn later(f: &mut impl Fixture) -> Timestamp {
    let now = f.store().now().unwrap();
    Timestamp::from_millis(now.as_millis() + 1000)
}

/// Lets everything up to now count as old.
fn all_is_old(f: &mut impl Fixture) -> Retention {
    Retention {
        before: later(f),
        named: BTreeSet::new(),
    }
}

fn end(store: &mut dyn Store, name: &str) {
    store.end(&id(name), "x", &by(name)).unwrap();
}

fn ended(f: &mut impl Fixture) -> Vec<SessionRemains> {
    let before = later(f);
    f.store().ended_sessions(before, None, 100).unwrap()
}

fn names(found: &[SessionRemains]) -> Vec<&str> {
    found.iter().map(|s| s.id.as_str()).collect()
}

fn remains(f: &mut impl Fixture, name: &str) -> SessionRemains {
    let found = ended(f);
    found.into_iter().find(|s| s.id == id(name)).unwrap()
}

fn sessions_that_ended_are_listed_the_youngest_first_and_in_pages(f: &mut impl Fixture) {
    for name in ["a", "b", "c"] {
        register(f.store(), name);
        end(f.store(), name);
        f.advance(10);
    }
    register(f.store(), "lives");
    let all = ended(f);
    assert_eq!(names(&all), ["c", "b", "a"]);
    let (mut paged, mut cursor) = (Vec::new(), None);
    let before = later(f);
    while let Some(one) = f
        .store()
        .ended_sessions(before, cursor.as_ref(), 1)
        .unwrap()
        .pop()
    {
        cursor = Some((one.heartbeat_at, one.id.clone()));
        paged.push(one);
    }
    assert_eq!(paged, all);
    let old = f
        .store()
        .ended_sessions(all[1].heartbeat_at, None, 9)
        .unwrap();
    assert_eq!(names(&old), ["a"]);
}

fn an_ended_session_goes_with_its_tasks(f: &mut impl Fixture) {
    register(f.store(), "s1");
    register(f.store(), "s2");
    for session in ["s1", "s2"] {
        f.store().note_task(&id(session), &note("1", "t")).unwrap();
    }
    f.store().note_task(&id("s1"), &note("2", "t")).unwrap();
    end(f.store(), "s1");
    assert_eq!(remains(f, "s1").tasks, 2);
    let before = cursor(f.store());
    let rule = all_is_old(f);
    let removed = f.store().remove_sessions(&[id("s1")], &rule).unwrap();
    assert_eq!(removed, [id("s1")]);
    assert_eq!(f.store().session(&id("s1")).unwrap(), None);
    assert_eq!(f.store().task(&id("s1"), "1").unwrap(), None);
    assert!(f.store().task(&id("s2"), "1").unwrap().is_some());
    assert_eq!(
        kinds(f.store(), before),
        Vec::<String>::new(),
        "noted later, as one"
    );
}

fn a_session_is_looked_at_again_in_the_transaction_that_removes_it(f: &mut impl Fixture) {
    for name in ["lives", "young", "named", "parked"] {
        register(f.store(), name);
    }
    add(f.store(), "A");
    claim(f.store(), "parked", "A");
    for name in ["named", "parked"] {
        end(f.store(), name);
    }
    f.advance(100);
    let rule = Retention {
        before: f.store().now().unwrap(),
        named: [id("named")].into(),
    };
    register(f.store(), "young");
    end(f.store(), "young");
    let all = ["lives", "young", "named", "parked", "unknown"].map(id);
    let removed = f.store().remove_sessions(&all, &rule).unwrap();
    assert_eq!(removed, []);
    for name in &all[..4] {
        assert!(f.store().session(name).unwrap().is_some(), "{name}");
    }
}

fn a_session_that_holds_or_was_parked_is_tied(f: &mut impl Fixture) {
    register(f.store(), "s1");
    add(f.store(), "A");
    claim(f.store(), "s1", "A");
    end(f.store(), "s1");
    assert_eq!(remains(f, "s1").ties, [Tie::Holder].into());
    let me = session(f.store(), "s1");
    f.store().park(&me, &by("sweep")).unwrap();
    assert_eq!(remains(f, "s1").ties, [Tie::Parked].into());
    let rule = all_is_old(f);
    let kept = rule.keeps(&remains(f, "s1"), &BTreeSet::new());
    assert_eq!(kept, Some(Kept::Tied(Tie::Parked)));
}

fn who_gave_an_item_up_is_tied_until_another_takes_it(f: &mut impl Fixture) {
    for name in ["s1", "s2"] {
        register(f.store(), name);
    }
    add(f.store(), "A");
    claim(f.store(), "s1", "A");
    f.store().release(&release("s1", "A")).unwrap();
    end(f.store(), "s1");
    assert_eq!(remains(f, "s1").ties, [Tie::Parked].into());
    claim(f.store(), "s2", "A");
    assert_eq!(remains(f, "s1").ties, BTreeSet::new());
    f.store().release(&release("s2", "A")).unwrap();
    assert_eq!(remains(f, "s1").ties, BTreeSet::new(), "the last one alone");
}

fn ports_and_runs_tie_a_session(f: &mut impl Fixture) {
    for name in ["p", "r"] {
        register(f.store(), name);
        end(f.store(), name);
    }
    let owner = trueup_core::model::PortOwner {
        session: Some(id("p")),
        process: None,
    };
    let ports = PortRequest {
        id: "w".parse().unwrap(),
        host: "h".to_owned(),
        slot: trueup_core::model::Slot::all().next().unwrap(),
        owner,
        provenance: by("p"),
    };
    f.store().reserve_port(&ports).unwrap();
    let run = NewRun {
        session: Some(id("r")),
        ..run("o1", "plan")
    };
    f.store().register_orchestrator(&run).unwrap();
    assert_eq!(remains(f, "p").ties, [Tie::Ports].into());
    assert_eq!(remains(f, "r").ties, [Tie::Run].into());
}

fn a_phase_at_work_ties_a_session(f: &mut impl Fixture) {
    register(f.store(), "s1");
    queue(f.store(), "A", &[&[]]);
    moved(f.store(), &step_of("s1", "A:1", start()));
    end(f.store(), "s1");
    assert_eq!(remains(f, "s1").ties, [Tie::Task].into());
    moved(f.store(), &step("A:1", complete()));
    assert_eq!(remains(f, "s1").ties, BTreeSet::new());
}

fn predecessors_go_with_their_successors_in_one_batch(f: &mut impl Fixture) {
    register(f.store(), "first");
    f.advance(10);
    for (name, before) in [("second", "first"), ("third", "second")] {
        let next = Registration {
            predecessor: Some(id(before)),
            ..registration(name)
        };
        f.store().register(&next).unwrap();
        f.advance(10);
    }
    for name in ["first", "second"] {
        end(f.store(), name);
    }
    let rule = all_is_old(f);
    let all = ["second", "first"].map(id);
    let removed = f.store().remove_sessions(&all, &rule).unwrap();
    assert_eq!(removed, [], "the third goes on");
    end(f.store(), "third");
    let found = ended(f);
    assert_eq!(names(&found), ["third", "second", "first"]);
    assert_eq!(found[2].successors, [id("second")].into());
    let all: Vec<_> = found.into_iter().map(|s| s.id).collect();
    let removed = f.store().remove_sessions(&all, &rule).unwrap();
    assert_eq!(removed, all);
}

fn subjects(f: &mut impl Fixture) -> Vec<EventRemains> {
    f.store().event_remains(0, 1000).unwrap()
}

fn events_are_about_what_stands_now(f: &mut impl Fixture) {
    register(f.store(), "s1");
    add(f.store(), "A");
    claim(f.store(), "s1", "A");
    let held = Subject::Item {
        status: ItemStatus::Running,
        held: true,
    };
    let session = Subject::Session(id("s1"));
    let found: Vec<Subject> = subjects(f).into_iter().map(|e| e.subject).collect();
    assert_eq!(found, [session.clone(), held.clone(), held, session]);
    let all = events(f.store());
    let seqs: Vec<i64> = subjects(f).iter().map(|e| e.seq).collect();
    assert_eq!(seqs, all.iter().map(|e| e.seq).collect::<Vec<_>>());
    assert_eq!(f.store().event_remains(seqs[1], 1).unwrap()[0].seq, seqs[2]);
    f.store().release(&release("s1", "A")).unwrap();
    end(f.store(), "s1");
    // Its item is unfinished; so the session stays, and the events of both.
    let rule = all_is_old(f);
    let none = BTreeSet::new();
    assert!(subjects(f).iter().all(|event| !rule.lets_go(event, &none)));
    assert_eq!(f.store().remove_events(&seqs, &rule).unwrap(), 0);
    assert_eq!(events(f.store())[..all.len()], all);
}

fn old_events_of_what_is_done_go_and_others_stay(f: &mut impl Fixture) {
    for name in ["s1", "s2"] {
        register(f.store(), name);
        end(f.store(), name);
    }
    f.age_events(2 * 24 * 3_600);
    register(f.store(), "s3");
    let rule = all_is_old(f);
    f.store().remove_sessions(&[id("s1")], &rule).unwrap();
    let all = subjects(f);
    let young = f.store().now().unwrap().as_millis() - 24 * 3_600 * 1000;
    let rule = Retention {
        before: Timestamp::from_millis(young),
        ..rule
    };
    let seqs: Vec<i64> = all.iter().map(|e| e.seq).collect();
    assert_eq!(f.store().remove_events(&seqs, &rule).unwrap(), 2);
    let left = ["s2 registered", "s2 ended", "s3 registered"];
    assert_eq!(kinds(f.store(), 0), left);
}

fn what_went_is_noted_once(f: &mut impl Fixture) {
    let before = later(f);
    assert_eq!(f.store().note_removed(before, &by("user")).unwrap(), None);
    register(f.store(), "s1");
    end(f.store(), "s1");
    f.store().note_task(&id("s1"), &note("1", "t")).unwrap();
    f.age_events(2 * 24 * 3_600);
    let rule = all_is_old(f);
    f.store().remove_sessions(&[id("s1")], &rule).unwrap();
    let rule = Retention {
        before: Timestamp::from_millis(rule.before.as_millis() - 24 * 3_600 * 1000),
        ..rule
    };
    let seqs: Vec<i64> = subjects(f).iter().map(|e| e.seq).collect();
    for seq in &seqs {
        f.store().remove_events(&[*seq], &rule).unwrap();
    }
    let tally = PruneTally {
        sessions: 1,
        tasks: 1,
        events: 2,
    };
    let noted = f.store().note_removed(rule.before, &by("user")).unwrap();
    assert_eq!(noted, Some(tally));
    assert_eq!(
        f.store().note_removed(rule.before, &by("user")).unwrap(),
        None
    );
    let all = events(f.store());
    assert_eq!(all.len(), 1);
    assert_eq!(
        (all[0].entity.as_str(), all[0].kind.as_str()),
        ("database", "pruned")
    );
    assert_eq!(all[0].actor, "user");
    let after = json!({"sessions": 1, "tasks": 1, "events": 2, "before": rule.before});
    assert_eq!(all[0].after, after);
}

fn numbers_of_events_are_never_given_again(f: &mut impl Fixture) {
    register(f.store(), "s1");
    end(f.store(), "s1");
    f.age_events(2 * 24 * 3_600);
    let rule = all_is_old(f);
    let last = cursor(f.store());
    f.store().remove_sessions(&[id("s1")], &rule).unwrap();
    f.store()
        .remove_events(
            &[1, 2],
            &Retention {
                before: Timestamp::from_millis(rule.before.as_millis() - 25 * 3_600 * 1000),
                ..rule
            },
        )
        .unwrap();
    assert_eq!(events(f.store()), []);
    add(f.store(), "A");
    assert_eq!(cursor(f.store()), last + 1);
}
