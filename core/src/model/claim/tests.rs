//! The order of refusal and every way to take over, as a table.

use super::*;
use crate::model::ItemStatus;
use crate::model::fixture::{sample_item, sample_session};

fn build_liveness(alive: LivenessState) -> Liveness {
    Liveness {
        state: alive,
        evidence: "test".to_owned(),
        process: ProcessState::Unknown,
        clock_doubt_seconds: 0,
    }
}

fn describe_verdict(verdict: &Result<ClaimGrant, ClaimRefusal>) -> String {
    match verdict {
        Ok(grant) => match grant.outcome {
            ClaimOutcome::TakenOver(reason) => format!("taken_over: {}", reason.as_str()),
            outcome => outcome.as_str().to_owned(),
        },
        Err(refusal) => refusal.code().to_owned(),
    }
}

#[test]
fn refusals_come_in_the_order_of_the_contract() {
    let me = sample_session("me", SessionStatus::Active, 0);
    let peer = sample_session("peer", SessionStatus::Active, 5);
    let live = build_liveness(LivenessState::Alive);
    let done = sample_item(ItemStatus::Completed, Some("peer"));
    let held = sample_item(ItemStatus::Running, Some("peer"));
    let holder = Some((&peer, &live));
    for (claimant, item, expected) in [
        (None, None, "phantom_session"),
        (None, Some(&done), "phantom_session"),
        (Some(&me), None, "item_not_found"),
        (Some(&me), Some(&done), "item_finished"),
        (Some(&me), Some(&held), "held_by_live_session"),
    ] {
        let facts = ClaimFacts { claimant, item, holder, force: false, new_item: None };
        assert_eq!(describe_verdict(&decide_claim(&facts)), expected);
    }
}

#[test]
fn takeover_needs_proof_or_force_past_a_minute() {
    use SessionStatus::{Active, Ended, Lost};
    let me = sample_session("me", Active, 0);
    let held = sample_item(ItemStatus::Running, Some("peer"));
    for (status, silence, alive, force, expected) in [
        (Active, 5, LivenessState::Alive, false, "held_by_live_session"),
        (Active, 5, LivenessState::Alive, true, "takeover_not_allowed"),
        (Active, 59, LivenessState::Alive, true, "takeover_not_allowed"),
        (Active, 60, LivenessState::Alive, true, "taken_over: forced"),
        (Active, 1000, LivenessState::Unknown, false, "held_by_silent_session"),
        (Active, 1000, LivenessState::Dead, false, "taken_over: holder_dead"),
        (Lost, 1000, LivenessState::Dead, false, "taken_over: holder_dead"),
        (Ended, 100, LivenessState::Dead, false, "held_by_silent_session"),
        (Ended, 1000, LivenessState::Dead, false, "taken_over: holder_dead"),
    ] {
        let peer = sample_session("peer", status, silence);
        let evidence = build_liveness(alive);
        let facts = ClaimFacts {
            claimant: Some(&me),
            item: Some(&held),
            holder: Some((&peer, &evidence)),
            force,
            new_item: None,
        };
        assert_eq!(
            describe_verdict(&decide_claim(&facts)),
            expected,
            "{status:?} silent {silence}, {alive:?}"
        );
    }
}

#[test]
fn ended_session_frees_its_item_once_its_process_is_gone() {
    use ProcessState::{Gone, Running, Unknown};
    let me = sample_session("me", SessionStatus::Active, 0);
    let held = sample_item(ItemStatus::Running, Some("peer"));
    for (silence, span, process, free) in [
        (1, None, Gone, true),
        (1, Some(600), Gone, true),
        (1, None, Running, false),
        (1, None, Unknown, false),
        (899, None, Running, false),
        (900, None, Running, true),
        (900, None, Unknown, true),
        (900, Some(600), Running, false),
        // A lease that a wrong clock granted keeps nothing.
        (-31_536_000, None, Running, true),
    ] {
        let mut peer = sample_session("peer", SessionStatus::Ended, silence);
        peer.silent_until = span.map(crate::model::fixture::seconds_from_now);
        let liveness = crate::model::judge_session(&peer, process, 1_800);
        let facts = ClaimFacts {
            claimant: Some(&me),
            item: Some(&held),
            holder: Some((&peer, &liveness)),
            force: false,
            new_item: None,
        };
        let expected = if free { "taken_over: holder_dead" } else { "held_by_silent_session" };
        assert_eq!(
            describe_verdict(&decide_claim(&facts)),
            expected,
            "{silence} {span:?} {process:?}"
        );
    }
}

#[test]
fn only_silent_holders_become_lost() {
    for (outcome, loses) in [
        (ClaimOutcome::Claimed, false),
        (ClaimOutcome::AlreadyHeld, false),
        (ClaimOutcome::TakenOver(TakeoverReason::HolderDead), true),
        (ClaimOutcome::TakenOver(TakeoverReason::Forced), true),
        (ClaimOutcome::TakenOver(TakeoverReason::Successor), false),
        (ClaimOutcome::TakenOver(TakeoverReason::ParentAuthority), false),
        (ClaimOutcome::TakenOver(TakeoverReason::HolderUnknown), false),
    ] {
        assert_eq!(outcome.loses_holder(), loses, "{outcome:?}");
    }
}

#[test]
fn a_successor_takes_over_at_once_and_a_stranger_does_not() {
    let peer = sample_session("peer", SessionStatus::Ended, 1);
    let dead = build_liveness(LivenessState::Dead);
    let held = sample_item(ItemStatus::Running, Some("peer"));
    let mut me = sample_session("me", SessionStatus::Active, 0);
    let verdict = |me: &Session| {
        let holder = Some((&peer, &dead));
        describe_verdict(&decide_claim(&ClaimFacts {
            claimant: Some(me),
            item: Some(&held),
            holder,
            force: false,
            new_item: None,
        }))
    };
    assert_eq!(verdict(&me), "held_by_silent_session");
    me.predecessor = Some(peer.id.clone());
    assert_eq!(verdict(&me), "taken_over: successor");
}

#[test]
fn a_grant_is_conditional_on_what_was_read() {
    let me = sample_session("me", SessionStatus::Active, 0);
    let free = sample_item(ItemStatus::Queued, None);
    let facts = ClaimFacts {
        claimant: Some(&me),
        item: Some(&free),
        holder: None,
        force: false,
        new_item: None,
    };
    let Ok(grant) = decide_claim(&facts) else { panic!("refused") };
    assert_eq!((grant.expected_holder, grant.expected_epoch), (None, Epoch(3)));
    assert_eq!(grant.outcome, ClaimOutcome::Claimed);
}

#[test]
fn claiming_again_is_the_same_claim() {
    let me = sample_session("me", SessionStatus::Active, 0);
    let mine = sample_item(ItemStatus::Running, Some("me"));
    let facts = ClaimFacts {
        claimant: Some(&me),
        item: Some(&mine),
        holder: None,
        force: false,
        new_item: None,
    };
    assert_eq!(describe_verdict(&decide_claim(&facts)), "already_owned");
}

#[test]
fn the_holder_of_a_parent_may_take_its_children() {
    let peer = sample_session("peer", SessionStatus::Active, 0);
    let mut held = sample_item(ItemStatus::Running, Some("peer"));
    held.parent = Some("SD-002".parse().unwrap());
    for (mine, force, alive, expected) in [
        (Some("SD-002"), false, LivenessState::Alive, "taken_over: parent_authority"),
        (Some("SD-002"), true, LivenessState::Alive, "taken_over: parent_authority"),
        (Some("SD-002"), false, LivenessState::Unknown, "taken_over: parent_authority"),
        (Some("SD-002"), false, LivenessState::Dead, "taken_over: holder_dead"),
        (Some("SD-001"), false, LivenessState::Alive, "held_by_live_session"),
        (None, true, LivenessState::Alive, "takeover_not_allowed"),
    ] {
        let mut me = sample_session("me", SessionStatus::Active, 0);
        me.item = mine.map(|key| key.parse().unwrap());
        let mut peer = peer.clone();
        if alive == LivenessState::Dead {
            peer.status = SessionStatus::Lost;
        }
        let facts = ClaimFacts {
            claimant: Some(&me),
            item: Some(&held),
            holder: Some((&peer, &build_liveness(alive))),
            force,
            new_item: None,
        };
        assert_eq!(describe_verdict(&decide_claim(&facts)), expected, "{mine:?} {alive:?}");
    }
    // Items without a parent are not related.
    held.parent = None;
    let me = sample_session("me", SessionStatus::Active, 0);
    let facts = ClaimFacts {
        claimant: Some(&me),
        item: Some(&held),
        holder: Some((&peer, &build_liveness(LivenessState::Alive))),
        force: false,
        new_item: None,
    };
    assert_eq!(describe_verdict(&decide_claim(&facts)), "held_by_live_session");
}
