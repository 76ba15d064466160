//! The order of refusal, and what a move brings with it, as tables.

use serde_json::json;

use super::*;
use crate::model::SessionStatus;
use crate::model::fixture::{sample_item, sample_session};

fn own_session() -> Session {
    sample_session("me", SessionStatus::Active, 0)
}

fn move_facts<'a>(mover: MoveActor<'a>, item: &'a Item, to: ItemStatus) -> MoveFacts<'a> {
    MoveFacts {
        actor: mover,
        item: Some(item),
        target: MoveTarget::Status(to),
        evidence: None,
        reason: None,
    }
}

#[track_caller]
fn refusal_code(facts: &MoveFacts<'_>) -> &'static str {
    decide_move(facts).unwrap_err().code()
}

#[test]
fn refusals_come_in_order() {
    let me = own_session();
    let mut guarded = sample_item(ItemStatus::Queued, Some("peer"));
    guarded.requires_evidence = true;
    let none = |mover| MoveFacts { item: None, ..move_facts(mover, &guarded, ItemStatus::Running) };
    assert_eq!(refusal_code(&none(MoveActor::Session(None))), "phantom_session");
    assert_eq!(refusal_code(&none(MoveActor::Session(Some(&me)))), "item_not_found");
    assert_eq!(refusal_code(&none(MoveActor::Person)), "item_not_found");
    for mover in [MoveActor::Session(Some(&me)), MoveActor::Person] {
        assert_eq!(refusal_code(&move_facts(mover, &guarded, ItemStatus::Completed)), "not_holder");
    }
    guarded.holder = None;
    guarded.status = ItemStatus::Completed;
    let mover = MoveActor::Session(Some(&me));
    assert_eq!(
        refusal_code(&move_facts(mover, &guarded, ItemStatus::Running)),
        "illegal_transition"
    );
    guarded.status = ItemStatus::Queued;
    assert_eq!(
        refusal_code(&move_facts(mover, &guarded, ItemStatus::Completed)),
        "evidence_required"
    );
    guarded.open_dependencies = 1;
    assert_eq!(refusal_code(&move_facts(mover, &guarded, ItemStatus::Ready)), "dependencies_open");
}

#[test]
fn who_lost_an_item_without_a_word_is_told_so() {
    let mut me = own_session();
    let held = sample_item(ItemStatus::Running, Some("peer"));
    let verdict = |me: &Session| {
        decide_move(&move_facts(MoveActor::Session(Some(me)), &held, ItemStatus::Completed))
    };
    let peer: SessionId = "peer".parse().unwrap();
    assert_eq!(verdict(&me), Err(MoveRefusal::NotHolder(peer.clone())));
    me.metadata.insert("execution_state".to_owned(), json!({"currentSd": "SD-002C"}));
    assert_eq!(verdict(&me), Err(MoveRefusal::StaleEpoch(peer)));
}

#[test]
fn a_refused_edge_names_where_it_may_go() {
    let done = sample_item(ItemStatus::Completed, None);
    let error =
        decide_move(&move_facts(MoveActor::Person, &done, ItemStatus::Running)).unwrap_err();
    assert_eq!(
        error,
        MoveRefusal::IllegalTransition {
            from: ItemStatus::Completed,
            to: ItemStatus::Running,
            legal: vec![],
        }
    );
    let running = sample_item(ItemStatus::Running, None);
    // Going back has a command of its own.
    let error =
        decide_move(&move_facts(MoveActor::Person, &running, ItemStatus::Queued)).unwrap_err();
    let MoveRefusal::IllegalTransition { legal, .. } = error else { panic!("{error:?}") };
    assert_eq!(legal, ["blocked", "cancelled", "completed", "failed"]);
}

#[test]
fn finishing_gives_the_item_up_and_the_rest_does_not() {
    let me = own_session();
    for (to, releases) in [
        (ItemStatus::Blocked, false),
        (ItemStatus::Running, false),
        (ItemStatus::Completed, true),
        (ItemStatus::Failed, true),
        (ItemStatus::Cancelled, true),
    ] {
        let mine = sample_item(ItemStatus::Running, Some("me"));
        let grant = decide_move(&move_facts(MoveActor::Session(Some(&me)), &mine, to)).unwrap();
        assert_eq!((grant.to, grant.releases_holder), (to, releases));
        assert_eq!((grant.expected_holder, grant.expected_epoch), (mine.holder, mine.epoch));
        let free = sample_item(ItemStatus::Running, None);
        assert!(
            !decide_move(&move_facts(MoveActor::Person, &free, to)).unwrap().releases_holder,
            "nobody held it"
        );
    }
}

#[test]
fn a_reason_is_kept_of_what_is_blocked_failed_or_cancelled() {
    let mut blocked = sample_item(ItemStatus::Blocked, None);
    blocked.error_message = Some("no key".to_owned());
    for (to, reason, expected) in [
        (ItemStatus::Blocked, None, Some("no key")),
        (ItemStatus::Blocked, Some("no disk"), Some("no disk")),
        (ItemStatus::Failed, None, None),
        (ItemStatus::Failed, Some("gave up"), Some("gave up")),
        (ItemStatus::Running, Some("key found"), None),
        (ItemStatus::Cancelled, Some("not wanted"), Some("not wanted")),
        (ItemStatus::Cancelled, None, None),
    ] {
        let facts = MoveFacts { reason, ..move_facts(MoveActor::Person, &blocked, to) };
        let grant = decide_move(&facts).unwrap();
        assert_eq!(grant.error_message.as_deref(), expected, "{to} {reason:?}");
    }
}

#[test]
fn evidence_stays_until_the_completion_is_taken_back() {
    let mut guarded = sample_item(ItemStatus::Running, None);
    guarded.requires_evidence = true;
    let completed = |item: &Item, evidence| {
        decide_move(&MoveFacts {
            evidence,
            ..move_facts(MoveActor::Person, item, ItemStatus::Completed)
        })
    };
    for nothing in [None, Some(""), Some("  ")] {
        assert_eq!(completed(&guarded, nothing), Err(MoveRefusal::EvidenceRequired));
    }
    let grant = completed(&guarded, Some("run 7")).unwrap();
    assert_eq!(grant.evidence.as_deref(), Some("run 7"));
    guarded.evidence = Some("run 6".to_owned());
    let grant = completed(&guarded, None).unwrap();
    assert_eq!(grant.evidence.as_deref(), Some("run 6"), "named before");

    guarded.status = ItemStatus::Completed;
    let back = MoveFacts {
        target: MoveTarget::BackToStart,
        ..move_facts(MoveActor::Person, &guarded, ItemStatus::Queued)
    };
    assert_eq!(decide_move(&back).unwrap().evidence, None);
}

#[test]
fn a_reopening_leads_to_the_start_from_wherever_something_was_begun() {
    let me = own_session();
    for (status, depends, open, expected) in [
        (ItemStatus::Completed, false, 0, Some(ItemStatus::Queued)),
        (ItemStatus::Failed, true, 0, Some(ItemStatus::Ready)),
        (ItemStatus::Cancelled, true, 1, Some(ItemStatus::Queued)),
        (ItemStatus::Running, false, 0, Some(ItemStatus::Queued)),
        (ItemStatus::Blocked, false, 0, Some(ItemStatus::Queued)),
        (ItemStatus::Queued, false, 0, None),
        (ItemStatus::Ready, false, 0, None),
    ] {
        let holder = Some("me").filter(|_| !status.is_finished());
        let mut item = sample_item(status, holder);
        if depends {
            item.depends_on.push("SD-002A".parse().unwrap());
        }
        item.open_dependencies = open;
        let facts = MoveFacts {
            target: MoveTarget::BackToStart,
            ..move_facts(MoveActor::Session(Some(&me)), &item, ItemStatus::Queued)
        };
        match (decide_move(&facts), expected) {
            (Ok(grant), Some(to)) => {
                assert_eq!((grant.to, grant.is_reopening), (to, true), "{status}");
                assert_eq!(grant.releases_holder, item.holder.is_some(), "{status}");
            }
            (Err(MoveRefusal::IllegalTransition { .. }), None) => {}
            (verdict, _) => panic!("{status}: {verdict:?}"),
        }
    }
}
