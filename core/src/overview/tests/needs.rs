//! What needs a person.

use super::{Scene, event, with_work};
use crate::model::fixture::{sample_handoff, sample_item, sample_session, seconds_from_now};
use crate::model::{Attention, AttentionKind, Epoch, HandoffStatus, ItemStatus, SessionStatus};
use crate::overview::{Need, NeedAction};
use crate::text::CommandLine;

/// Renders a need as `id | command | actions`.
fn render(need: &Need) -> String {
    let command = need.command.as_deref().unwrap_or("-");
    let action = match need.actions[..] {
        [NeedAction::Release] => " | release",
        [NeedAction::Reopen] => " | reopen",
        [NeedAction::Reject] => " | reject",
        [NeedAction::DropJournal] => " | drop_journal",
        _ => "",
    };
    format!("{} | {command}{action}", need.id)
}

fn needs_of(scene: Scene) -> Vec<String> {
    scene.overview().needs_me.iter().map(render).collect()
}

#[test]
fn an_item_needs_a_person_once_its_session_is_away() {
    use ItemStatus::{Completed, Queued, Ready, Running};
    use SessionStatus::{Active, Ended, Idle, Lost};
    let stale = "stale_claim:SD-002C | trueup release SD-002C --session s | release";
    let ended = "stale_claim:SD-002C | trueup sessions sweep | release";
    let dead = "lost_session:s | trueup sessions sweep && trueup item reopen SD-002C \
                --reason 'its session was lost' | release";
    let idle = "lost_session:s | trueup sessions sweep | release";
    let lost =
        "lost_session:s | trueup item reopen SD-002C --reason 'its session was lost' | reopen";
    for (status, silence, announced, item_status, is_held, expected) in [
        (Active, 10, None, Running, true, None),
        (Idle, 10, None, Running, true, None),
        (Active, 1_000, Some(600), Running, true, None),
        (Active, 1_000, None, Running, true, Some(stale)),
        (Idle, 1_000, None, Running, true, Some(stale)),
        (Active, 1_900, None, Running, true, Some(dead)),
        (Active, 1_900, None, Queued, true, Some(idle)),
        (Active, 1_900, None, Completed, true, None),
        // A session that died with nothing needs nobody.
        (Active, 1_900, None, Running, false, None),
        (Lost, 1_900, None, Running, false, Some(lost)),
        (Lost, 10, None, Running, false, Some(lost)),
        (Lost, 1_900, None, Completed, false, None),
        // It is offered to whoever asks next.
        (Lost, 1_900, None, Queued, false, None),
        (Lost, 1_900, None, Ready, false, None),
        // A session that ended may come back for its item while its lease lasts.
        (Ended, 10, None, Running, true, None),
        (Ended, 1_000, None, Running, true, Some(ended)),
        (Ended, 1_000, None, Running, false, None),
    ] {
        let mut session = with_work(sample_session("s", status, silence), "SD-002C");
        session.silent_until = announced.map(seconds_from_now);
        let item = sample_item(item_status, is_held.then_some("s"));
        let scene = Scene { sessions: vec![session], items: vec![item], ..Scene::default() };
        let expected: Vec<&str> = expected.into_iter().collect();
        assert_eq!(needs_of(scene), expected, "{status:?} {silence} {item_status} {is_held}");
    }
}

#[test]
fn only_the_session_that_was_lost_last_is_told_of_an_item() {
    let lost = |id, silence| with_work(sample_session(id, SessionStatus::Lost, silence), "SD-002C");
    let elsewhere = with_work(sample_session("s4", SessionStatus::Lost, 1), "OTHER");
    let sessions = vec![lost("s1", 50), lost("s2", 40), lost("s3", 60), elsewhere];
    let items = vec![sample_item(ItemStatus::Running, None)];
    let scene = Scene { sessions, items, ..Scene::default() };
    let expected =
        "lost_session:s2 | trueup item reopen SD-002C --reason 'its session was lost' | reopen";
    assert_eq!(needs_of(scene), [expected]);
}

#[test]
fn a_hand_off_needs_a_person_while_nobody_can_be_expected_to_take_it() {
    use SessionStatus::{Active, Ended, Lost};
    let free = "open_handoff:h-1 | trueup handoff reject h-1 --reason 'nobody takes it' | reject";
    let orphan =
        "open_handoff:h-1 | trueup handoff reject h-1 --reason 'its receiver is gone' | reject";
    let receiver = |status, silence| sample_session("to", status, silence);
    let mut successor = sample_session("next", Active, 10);
    successor.predecessor = Some("to".parse().unwrap());
    for (to, others, expected) in [
        (None, vec![], Some(free)),
        (None, vec![receiver(Active, 10)], Some(free)),
        (Some("to"), vec![receiver(Active, 10)], None),
        (Some("to"), vec![receiver(Active, 1_000)], None),
        (Some("to"), vec![receiver(Active, 1_900)], Some(orphan)),
        (Some("to"), vec![receiver(Ended, 10)], Some(orphan)),
        (Some("to"), vec![receiver(Lost, 10)], Some(orphan)),
        (Some("to"), vec![receiver(Ended, 10), successor], None),
        (Some("to"), vec![], Some(orphan)),
    ] {
        let mut sessions = vec![sample_session("from", Active, 10)];
        sessions.extend(others);
        let scene = Scene {
            sessions,
            items: vec![sample_item(ItemStatus::Running, Some("from"))],
            handoffs: vec![sample_handoff(HandoffStatus::PendingAcceptance, to)],
            ..Scene::default()
        };
        let expected: Vec<&str> = expected.into_iter().collect();
        assert_eq!(needs_of(scene), expected, "{to:?}");
    }
}

#[test]
fn a_hand_off_that_nobody_could_accept_needs_nobody() {
    let sender = || sample_session("from", SessionStatus::Active, 10);
    let handoff = || sample_handoff(HandoffStatus::PendingAcceptance, None);
    let running = || sample_item(ItemStatus::Running, Some("from"));
    let later_claim = crate::model::Item { epoch: Epoch(4), ..running() };
    for (item, needs) in [
        (running(), 1),
        (sample_item(ItemStatus::Running, None), 1),
        (sample_item(ItemStatus::Completed, None), 0),
        (sample_item(ItemStatus::Running, Some("another")), 0),
        (later_claim, 0),
    ] {
        let scene = Scene {
            sessions: vec![sender()],
            items: vec![item.clone()],
            handoffs: vec![handoff()],
            ..Scene::default()
        };
        assert_eq!(needs_of(scene).len(), needs, "{item:?}");
    }
}

#[test]
fn one_cause_is_one_need() {
    for (to, expected) in [(None, vec!["open_handoff:h-1"]), (Some("to"), vec![])] {
        let scene = Scene {
            sessions: vec![
                with_work(sample_session("from", SessionStatus::Active, 1_900), "SD-002C"),
                sample_session("to", SessionStatus::Active, 10),
            ],
            items: vec![sample_item(ItemStatus::Running, Some("from"))],
            handoffs: vec![sample_handoff(HandoffStatus::PendingAcceptance, to)],
            ..Scene::default()
        };
        let ids: Vec<String> = scene.overview().needs_me.into_iter().map(|need| need.id).collect();
        assert_eq!(ids, expected, "the dead sender of a hand-off to {to:?}");
    }
}

fn report(kind: AttentionKind, session: Option<&str>) -> Attention {
    let subject = session.unwrap_or("repo");
    Attention {
        id: format!("{}:{subject}", kind.as_str()).parse().unwrap(),
        kind,
        session: session.map(|id| id.parse().unwrap()),
        item: None,
        repo: Some("app".to_owned()),
        host: Some("here".to_owned()),
        line: "what a person reads".to_owned(),
        command: Some("trueup validate".to_owned()),
        content: serde_json::Value::Null,
        raised_at: seconds_from_now(-30),
        ended_at: None,
        ended_by: None,
        ended_reason: None,
    }
}

#[test]
fn a_report_is_a_need_with_what_can_be_done_about_it() {
    for (kind, actions) in [
        (AttentionKind::GateRefusal, vec![]),
        (AttentionKind::Divergence, vec![]),
        (AttentionKind::JournalEntry, vec![NeedAction::RestoreJournal, NeedAction::DropJournal]),
        (AttentionKind::DeadLetter, vec![NeedAction::Resend, NeedAction::DropDeadLetter]),
        (AttentionKind::WaitsForInput, vec![]),
        (AttentionKind::RepoBehind, vec![]),
        (AttentionKind::RepoUnpushed, vec![]),
    ] {
        let reported = report(kind, Some("s"));
        let id = reported.id.to_string();
        let scene = Scene {
            sessions: vec![sample_session("s", SessionStatus::Active, 10)],
            attention: vec![reported.clone()],
            events: vec![event(9, "attention", &id, "raised")],
            ..Scene::default()
        };
        let needs = scene.overview().needs_me;
        assert_eq!(needs.len(), 1, "{kind}");
        let need = &needs[0];
        assert_eq!((need.kind.as_str(), &need.id), (kind.as_str(), &id));
        assert_eq!((need.since, &need.line), (reported.raised_at, &reported.line));
        assert_eq!((&need.command, &need.actions), (&reported.command, &actions));
        assert_eq!(need.why.as_ref().map(|event| event.seq), Some(9));
    }
}

#[test]
fn an_edit_of_a_session_that_has_ended_can_only_be_dropped() {
    use SessionStatus::{Active, Ended, Lost};
    for (status, session, is_restorable) in
        [(Active, "s", true), (Lost, "s", true), (Ended, "s", false), (Active, "t", false)]
    {
        let mut edit = report(AttentionKind::JournalEntry, Some(session));
        edit.id = "journal_entry:j-1".parse().unwrap();
        let scene = Scene {
            sessions: vec![sample_session("s", status, 10)],
            attention: vec![edit],
            ..Scene::default()
        };
        let expected = if is_restorable {
            "journal_entry:j-1 | trueup validate"
        } else {
            "journal_entry:j-1 | trueup journal drop j-1 --yes | drop_journal"
        };
        assert_eq!(needs_of(scene), [expected], "{status:?} {session}");
    }
}

#[test]
fn a_report_that_something_else_tells_is_none() {
    use AttentionKind::{Divergence, GateRefusal, WaitsForInput};
    use SessionStatus::{Active, Ended};
    for (reports, status, silence, expected) in [
        (vec![(Divergence, "s")], Active, 10, vec!["divergence:s"]),
        (vec![(Divergence, "s"), (GateRefusal, "s")], Active, 10, vec!["gate_refusal:s"]),
        (vec![(Divergence, "s"), (GateRefusal, "t")], Active, 10, vec!["divergence:s"]),
        (vec![(WaitsForInput, "s")], Active, 10, vec!["waits_for_input:s"]),
        // Whose claim looks stale then.
        (vec![(WaitsForInput, "s")], Active, 1_000, vec!["waits_for_input:s"]),
        (vec![(WaitsForInput, "t")], Active, 1_000, vec!["stale_claim:SD-002C"]),
        // The dead and the gone wait for nobody, and hand nothing off.
        (vec![(Divergence, "s"), (GateRefusal, "s")], Active, 1_900, vec!["lost_session:s"]),
        (vec![(WaitsForInput, "s")], Active, 1_900, vec!["lost_session:s"]),
        (vec![(WaitsForInput, "s")], Ended, 10, vec![]),
        (vec![(GateRefusal, "s")], Ended, 10, vec![]),
        (vec![(Divergence, "s")], Ended, 10, vec![]),
    ] {
        let scene = Scene {
            sessions: vec![sample_session("s", status, silence)],
            items: vec![sample_item(ItemStatus::Running, Some("s"))],
            attention: reports.iter().map(|(kind, id)| report(*kind, Some(id))).collect(),
            ..Scene::default()
        };
        let ids: Vec<String> = scene.overview().needs_me.into_iter().map(|need| need.id).collect();
        assert_eq!(ids, expected, "{reports:?} {status:?} {silence}");
    }
}

#[test]
fn the_oldest_comes_first_with_its_newest_event() {
    let item = |key: &str, holder| {
        let key = key.parse().unwrap();
        crate::model::Item { key, ..sample_item(ItemStatus::Running, holder) }
    };
    let scene = Scene {
        sessions: vec![
            sample_session("s1", SessionStatus::Active, 1_000),
            sample_session("s2", SessionStatus::Active, 1_500),
            sample_session("s3", SessionStatus::Active, 1_900),
        ],
        items: vec![item("A", Some("s1")), item("B", Some("s2")), item("C", Some("s3"))],
        events: vec![
            event(3, "item", "A", "claimed"),
            event(4, "item", "B", "changed"),
            event(5, "session", "s3", "state"),
            event(6, "item", "C", "changed"),
        ],
        ..Scene::default()
    };
    let told: Vec<(String, i64)> = scene
        .overview()
        .needs_me
        .into_iter()
        .map(|need| (need.id, need.why.unwrap().seq))
        .collect();
    let expected = [("lost_session:s3", 5), ("stale_claim:B", 4), ("stale_claim:A", 3)];
    assert_eq!(told, expected.map(|(id, seq)| (id.to_owned(), seq)));
}

#[test]
fn a_command_is_one_line_that_a_shell_reads_as_it_was_meant() {
    let key = "a#b:c_d";
    let item = crate::model::Item {
        key: key.parse().unwrap(),
        ..sample_item(ItemStatus::Running, Some("s"))
    };
    let session = sample_session("s", SessionStatus::Active, 1_000);
    let scene = Scene { sessions: vec![session], items: vec![item], ..Scene::default() };
    let expected = CommandLine::new("trueup release").with_word(key).with_words("--session s");
    assert_eq!(scene.overview().needs_me[0].command, Some(expected.to_string()));
    assert!(expected.to_string().contains("'a#b:c_d'"), "{expected}");
}
