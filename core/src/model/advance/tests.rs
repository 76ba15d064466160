//! The order of refusal, and what a move brings with it, as tables.

use serde_json::json;

use super::*;
use crate::model::SessionStatus;
use crate::model::fixture::{item, session};

fn me() -> Session {
    session("me", SessionStatus::Active, 0)
}

fn facts<'a>(mover: Mover<'a>, item: &'a Item, to: ItemStatus) -> MoveFacts<'a> {
    MoveFacts {
        mover,
        item: Some(item),
        goal: Goal::Status(to),
        evidence: None,
        reason: None,
    }
}

#[track_caller]
fn refused(facts: &MoveFacts<'_>) -> &'static str {
    advance(facts).unwrap_err().code()
}

#[test]
fn refusals_come_in_order() {
    let me = me();
    let mut guarded = item(ItemStatus::Queued, Some("peer"));
    guarded.requires_evidence = true;
    let none = |mover| MoveFacts {
        item: None,
        ..facts(mover, &guarded, ItemStatus::Running)
    };
    assert_eq!(refused(&none(Mover::Session(None))), "phantom_session");
    assert_eq!(refused(&none(Mover::Session(Some(&me)))), "item_not_found");
    assert_eq!(refused(&none(Mover::Person)), "item_not_found");
    for mover in [Mover::Session(Some(&me)), Mover::Person] {
        assert_eq!(
            refused(&facts(mover, &guarded, ItemStatus::Completed)),
            "not_holder"
        );
    }
    guarded.holder = None;
    guarded.status = ItemStatus::Completed;
    let mover = Mover::Session(Some(&me));
    assert_eq!(
        refused(&facts(mover, &guarded, ItemStatus::Running)),
        "illegal_transition"
    );
    guarded.status = ItemStatus::Queued;
    assert_eq!(
        refused(&facts(mover, &guarded, ItemStatus::Completed)),
        "evidence_required"
    );
    guarded.open_dependencies = 1;
    assert_eq!(
        refused(&facts(mover, &guarded, ItemStatus::Ready)),
        "dependencies_open"
    );
}

#[test]
fn who_lost_an_item_without_a_word_is_told_so() {
    let mut me = me();
    let held = item(ItemStatus::Running, Some("peer"));
    let verdict = |me: &Session| {
        advance(&facts(
            Mover::Session(Some(me)),
            &held,
            ItemStatus::Completed,
        ))
    };
    let peer: SessionId = "peer".parse().unwrap();
    assert_eq!(verdict(&me), Err(MoveRefusal::NotHolder(peer.clone())));
    me.metadata.insert(
        "execution_state".to_owned(),
        json!({"currentSd": "SD-002C"}),
    );
    assert_eq!(verdict(&me), Err(MoveRefusal::StaleEpoch(peer)));
}

#[test]
fn a_refused_edge_names_where_it_may_go() {
    let done = item(ItemStatus::Completed, None);
    let error = advance(&facts(Mover::Person, &done, ItemStatus::Running)).unwrap_err();
    assert_eq!(
        error,
        MoveRefusal::IllegalTransition {
            from: ItemStatus::Completed,
            to: ItemStatus::Running,
            legal: vec![],
        }
    );
    let running = item(ItemStatus::Running, None);
    // Going back has a command of its own.
    let error = advance(&facts(Mover::Person, &running, ItemStatus::Queued)).unwrap_err();
    let MoveRefusal::IllegalTransition { legal, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(legal, ["blocked", "cancelled", "completed", "failed"]);
}

#[test]
fn finishing_gives_the_item_up_and_the_rest_does_not() {
    let me = me();
    for (to, releases) in [
        (ItemStatus::Blocked, false),
        (ItemStatus::Running, false),
        (ItemStatus::Completed, true),
        (ItemStatus::Failed, true),
        (ItemStatus::Cancelled, true),
    ] {
        let mine = item(ItemStatus::Running, Some("me"));
        let grant = advance(&facts(Mover::Session(Some(&me)), &mine, to)).unwrap();
        assert_eq!((grant.to, grant.releases), (to, releases));
        assert_eq!(
            (grant.expected_holder, grant.expected_epoch),
            (mine.holder, mine.epoch)
        );
        let free = item(ItemStatus::Running, None);
        assert!(
            !advance(&facts(Mover::Person, &free, to)).unwrap().releases,
            "nobody held it"
        );
    }
}

#[test]
fn a_reason_is_kept_of_what_is_blocked_or_failed_alone() {
    let mut blocked = item(ItemStatus::Blocked, None);
    blocked.error_message = Some("no key".to_owned());
    for (to, reason, expected) in [
        (ItemStatus::Blocked, None, Some("no key")),
        (ItemStatus::Blocked, Some("no disk"), Some("no disk")),
        (ItemStatus::Failed, None, None),
        (ItemStatus::Failed, Some("gave up"), Some("gave up")),
        (ItemStatus::Running, Some("key found"), None),
        (ItemStatus::Cancelled, Some("not wanted"), None),
    ] {
        let facts = MoveFacts {
            reason,
            ..facts(Mover::Person, &blocked, to)
        };
        let grant = advance(&facts).unwrap();
        assert_eq!(grant.error_message.as_deref(), expected, "{to} {reason:?}");
    }
}

#[test]
fn evidence_stays_until_the_completion_is_taken_back() {
    let mut guarded = item(ItemStatus::Running, None);
    guarded.requires_evidence = true;
    let completed = |item: &Item, evidence| {
        advance(&MoveFacts {
            evidence,
            ..facts(Mover::Person, item, ItemStatus::Completed)
        })
    };
    for nothing in [None, Some(""), Some("  ")] {
        assert_eq!(
            completed(&guarded, nothing),
            Err(MoveRefusal::EvidenceRequired)
        );
    }
    let grant = completed(&guarded, Some("run 7")).unwrap();
    assert_eq!(grant.evidence.as_deref(), Some("run 7"));
    guarded.evidence = Some("run 6".to_owned());
    let grant = completed(&guarded, None).unwrap();
    assert_eq!(grant.evidence.as_deref(), Some("run 6"), "named before");

    guarded.status = ItemStatus::Completed;
    let back = MoveFacts {
        goal: Goal::Start,
        ..facts(Mover::Person, &guarded, ItemStatus::Queued)
    };
    assert_eq!(advance(&back).unwrap().evidence, None);
}

#[test]
fn a_reopening_leads_to_the_start_from_wherever_something_was_begun() {
    let me = me();
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
        let mut item = item(status, holder);
        if depends {
            item.depends_on.push("SD-002A".parse().unwrap());
        }
        item.open_dependencies = open;
        let facts = MoveFacts {
            goal: Goal::Start,
            ..facts(Mover::Session(Some(&me)), &item, ItemStatus::Queued)
        };
        match (advance(&facts), expected) {
            (Ok(grant), Some(to)) => {
                assert_eq!((grant.to, grant.back), (to, true), "{status}");
                assert_eq!(grant.releases, item.holder.is_some(), "{status}");
            }
            (Err(MoveRefusal::IllegalTransition { .. }), None) => {}
            (verdict, _) => panic!("{status}: {verdict:?}"),
        }
    }
}
