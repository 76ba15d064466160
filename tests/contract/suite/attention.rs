//! What needs a person: reported once, refreshed, ended, and open again.

use serde_json::json;
use trueup_core::model::{
    Attention, AttentionId, AttentionKind, NewAttention, RetentionRules, SessionStatus,
};
use trueup_core::outbox::{JournalEntry, PendingChange, PendingWrite, RefusedWrite};
use trueup_core::store::{AttentionFilter, DeliveryOutcome, DeliverySource, Store};
use trueup_core::sync::{resend_dead_letter, restore_journal_entry};

use crate::fixture::{StoreFixture, test_deadline};
use crate::requests::{
    LEASE_SECONDS, expect_refusal, last_event_id, list_event_kinds, list_events, load_session,
    new_provenance, phase_push, provenance_because, register_session, session_id,
};

on_every_store! {
    what_is_reported_is_open_until_it_ends
    the_same_report_again_is_no_news
    another_line_refreshes_what_is_open
    what_has_ended_is_open_again_when_it_is_reported
    what_is_not_open_ends_without_a_trace
    lists_are_filtered_and_the_oldest_comes_first
    a_report_is_stored_without_its_secrets_and_within_its_bounds
    a_waiting_report_is_delivered_once_and_needs_no_session
    an_edit_that_comes_too_late_is_reported_with_its_delivery
    what_has_ended_goes_with_what_is_old
    an_entry_of_a_journal_is_restored_by_its_copy
    a_refused_write_is_sent_again_by_its_copy
}

pub(crate) fn attention_id(text: &str) -> AttentionId {
    text.parse().unwrap()
}

pub(crate) fn new_attention(id: &str, kind: AttentionKind) -> NewAttention {
    NewAttention {
        session: Some(session_id("s1")),
        item: Some("A".parse().unwrap()),
        repo: Some("repo".to_owned()),
        host: Some("h".to_owned()),
        command: Some("trueup claim A".to_owned()),
        content: json!({"z": 1, "a": ["é\u{1f600}\"\\", null]}),
        ..NewAttention::new(attention_id(id), kind, "⚠️ something".to_owned())
    }
}

fn raise(store: &mut dyn Store, new: &NewAttention) {
    store.raise_attention(new, &new_provenance("s1")).unwrap();
}

fn end(store: &mut dyn Store, id: &str) {
    store.end_attention(&attention_id(id), &provenance_because("ann", "done")).unwrap();
}

fn load(store: &mut dyn Store, id: &str) -> Attention {
    store.load_attention(&attention_id(id)).unwrap().unwrap()
}

fn list_ids(store: &mut dyn Store, filter: &AttentionFilter) -> Vec<String> {
    store.list_attention(filter).unwrap().into_iter().map(|it| it.id.to_string()).collect()
}

fn what_is_reported_is_open_until_it_ends(f: &mut impl StoreFixture) {
    let new = new_attention("gate_refusal:s1", AttentionKind::GateRefusal);
    raise(f.store(), &new);
    let open = load(f.store(), "gate_refusal:s1");
    assert!(open.is_open());
    assert_eq!((open.kind, &open.session, &open.item), (new.kind, &new.session, &new.item));
    assert_eq!((&open.repo, &open.host, &open.line), (&new.repo, &new.host, &new.line));
    assert_eq!((&open.command, &open.content), (&new.command, &new.content));
    end(f.store(), "gate_refusal:s1");
    let ended = load(f.store(), "gate_refusal:s1");
    assert!(!ended.is_open() && ended.ended_at >= Some(open.raised_at));
    assert_eq!(ended.ended_by.as_deref(), Some("ann"));
    assert_eq!(ended.ended_reason.as_deref(), Some("done"));
    assert_eq!(
        list_event_kinds(f.store(), 0),
        ["gate_refusal:s1 raised", "gate_refusal:s1 settled"]
    );
    let events = list_events(f.store());
    assert!(events.iter().all(|event| event.entity == "attention"));
    assert_eq!((events[0].actor.as_str(), events[1].actor.as_str()), ("s1", "ann"));
    assert_eq!(events[0].after["line"], json!("⚠️ something"));
    assert_eq!(events[0].after.get("content"), None, "it may be large");
    assert_eq!((&events[1].before, &events[1].after), (&events[0].after, &json!(null)));
}

fn the_same_report_again_is_no_news(f: &mut impl StoreFixture) {
    let new = new_attention("divergence:s1", AttentionKind::Divergence);
    raise(f.store(), &new);
    let first = load(f.store(), "divergence:s1");
    raise(f.store(), &new);
    assert_eq!(load(f.store(), "divergence:s1"), first);
    assert_eq!(list_event_kinds(f.store(), 0), ["divergence:s1 raised"]);
}

fn another_line_refreshes_what_is_open(f: &mut impl StoreFixture) {
    let new = new_attention("divergence:s1", AttentionKind::Divergence);
    raise(f.store(), &new);
    let first = load(f.store(), "divergence:s1");
    let other = NewAttention { line: "another".to_owned(), content: json!(null), ..new };
    raise(f.store(), &other);
    let second = load(f.store(), "divergence:s1");
    assert_eq!((second.line.as_str(), second.raised_at), ("another", first.raised_at));
    assert_eq!(second.content, json!(null));
    let kinds = ["divergence:s1 raised", "divergence:s1 changed"];
    assert_eq!(list_event_kinds(f.store(), 0), kinds);
}

fn what_has_ended_is_open_again_when_it_is_reported(f: &mut impl StoreFixture) {
    let new = new_attention("divergence:s1", AttentionKind::Divergence);
    raise(f.store(), &new);
    end(f.store(), "divergence:s1");
    let ended = load(f.store(), "divergence:s1");
    raise(f.store(), &new);
    let open = load(f.store(), "divergence:s1");
    assert!(open.is_open() && Some(open.raised_at) >= ended.ended_at);
    assert_eq!((&open.ended_by, &open.ended_reason), (&None, &None));
    assert_eq!(list_event_kinds(f.store(), 0).last().unwrap(), "divergence:s1 raised");
}

fn what_is_not_open_ends_without_a_trace(f: &mut impl StoreFixture) {
    end(f.store(), "divergence:s1");
    assert_eq!(f.store().load_attention(&attention_id("divergence:s1")).unwrap(), None);
    raise(f.store(), &new_attention("divergence:s1", AttentionKind::Divergence));
    end(f.store(), "divergence:s1");
    let (ended, last) = (load(f.store(), "divergence:s1"), last_event_id(f.store()));
    f.store().end_attention(&ended.id, &new_provenance("ben")).unwrap();
    assert_eq!(load(f.store(), "divergence:s1"), ended);
    assert_eq!(last_event_id(f.store()), last);
}

fn lists_are_filtered_and_the_oldest_comes_first(f: &mut impl StoreFixture) {
    for (id, kind, session) in [
        ("z", AttentionKind::JournalEntry, "s1"),
        ("y", AttentionKind::DeadLetter, "s2"),
        ("x", AttentionKind::JournalEntry, "s2"),
    ] {
        let session = Some(session_id(session));
        raise(f.store(), &NewAttention { session, ..new_attention(id, kind) });
        // Times are told apart by milliseconds.
        let raised_at = load(f.store(), id).raised_at;
        while f.store().database_time().unwrap() == raised_at {}
    }
    end(f.store(), "z");
    let all = AttentionFilter::default();
    assert_eq!(list_ids(f.store(), &all), ["z", "y", "x"]);
    let open = AttentionFilter { only_open: true, ..all.clone() };
    assert_eq!(list_ids(f.store(), &open), ["y", "x"]);
    let first = AttentionFilter { limit: 1, ..open.clone() };
    assert_eq!(list_ids(f.store(), &first), ["y"]);
    let kinds = vec![AttentionKind::JournalEntry, AttentionKind::GateRefusal];
    assert_eq!(list_ids(f.store(), &AttentionFilter { kinds, ..all.clone() }), ["z", "x"]);
    let of_s2 = AttentionFilter { session: Some(session_id("s2")), ..open };
    assert_eq!(list_ids(f.store(), &of_s2), ["y", "x"]);
}

fn a_report_is_stored_without_its_secrets_and_within_its_bounds(f: &mut impl StoreFixture) {
    let secret = format!("ghp_{}", "a1B2".repeat(9));
    let new = NewAttention {
        line: format!("{secret} {}", "x".repeat(NewAttention::MAX_LINE_CHARS)),
        command: Some(format!("run {secret}")),
        content: json!({"text": format!("token {secret}")}),
        ..new_attention("divergence:s1", AttentionKind::Divergence)
    };
    raise(f.store(), &new);
    raise(f.store(), &new);
    let stored = load(f.store(), "divergence:s1");
    assert!(!format!("{stored:?}").contains(&secret), "{stored:?}");
    assert!(stored.line.chars().count() <= NewAttention::MAX_LINE_CHARS + 100);
    let large = json!("y".repeat(NewAttention::MAX_CONTENT_BYTES + 1));
    raise(
        f.store(),
        &NewAttention { content: large, ..new_attention("l", AttentionKind::DeadLetter) },
    );
    assert_eq!(load(f.store(), "l").content, json!(null));
    let events = list_events(f.store());
    assert!(!format!("{events:?}").contains(&secret));
    assert_eq!(events.len(), 2, "what differs by its secrets alone says the same");
}

fn waiting(op_id: &str, change: PendingChange) -> PendingWrite {
    PendingWrite {
        op_id: op_id.to_owned(),
        at: trueup_core::model::Timestamp::from_millis(0),
        session: session_id("s9"),
        origin: None,
        write: change,
    }
}

fn deliver(store: &mut dyn Store, write: &PendingWrite) -> DeliveryOutcome {
    let source = DeliverySource {
        outbox: None,
        host: Some("machine".to_owned()),
        lease_seconds: LEASE_SECONDS,
    };
    store.deliver_pending(&[write], &source, test_deadline()).unwrap().remove(0)
}

fn a_waiting_report_is_delivered_once_and_needs_no_session(f: &mut impl StoreFixture) {
    let attention = Box::new(new_attention("waits_for_input:s9", AttentionKind::WaitsForInput));
    let raised = PendingChange::AttentionRaised { attention, reason: "notified".to_owned() };
    let raised = waiting("op-raised", raised);
    let ended = PendingChange::AttentionEnded {
        attention: attention_id("waits_for_input:s9"),
        reason: "prompt".to_owned(),
    };
    let ended = waiting("op-ended", ended);
    for write in [&raised, &ended, &raised, &ended] {
        assert_eq!(deliver(f.store(), write), DeliveryOutcome::Written);
    }
    let attention = load(f.store(), "waits_for_input:s9");
    assert_eq!(attention.ended_reason.as_deref(), Some("prompt"));
    let kinds = ["waits_for_input:s9 raised", "waits_for_input:s9 settled"];
    assert_eq!(list_event_kinds(f.store(), 0), kinds);
}

fn an_edit_that_comes_too_late_is_reported_with_its_delivery(f: &mut impl StoreFixture) {
    let session = register_session(f.store(), "s1");
    let mut late = crate::suite::attention::late_write(f.store());
    late.session = session.id.clone();
    f.store().push_state(&phase_push(&session, "PLAN")).unwrap();
    for _ in 0..2 {
        let DeliveryOutcome::Superseded(lost) = deliver(f.store(), &late) else {
            panic!("it must not overwrite what others changed");
        };
        let id = JournalEntry::attention_id(&lost.id());
        let attention = f.store().load_attention(&id).unwrap().unwrap();
        assert_eq!((attention.kind, attention.is_open()), (AttentionKind::JournalEntry, true));
        assert_eq!(attention.host.as_deref(), Some("machine"));
        let entry: JournalEntry = serde_json::from_value(attention.content).unwrap();
        assert_eq!((entry.lost, entry.id), (lost.clone(), lost.id()));
    }
    let raised = list_events(f.store()).into_iter().filter(|event| event.kind == "raised");
    assert_eq!(raised.count(), 1);
    assert_eq!(load_session(f.store(), "s1").status, SessionStatus::Active);
}

/// A write that was made before anything else was known of its session.
pub(crate) fn late_write(store: &mut dyn Store) -> PendingWrite {
    crate::round_trips::pending_task(store, "s1", "late")
}

fn what_has_ended_goes_with_what_is_old(f: &mut impl StoreFixture) {
    raise(f.store(), &new_attention("open", AttentionKind::DeadLetter));
    raise(f.store(), &new_attention("ended", AttentionKind::DeadLetter));
    end(f.store(), "ended");
    f.age_events(2 * 86_400);
    let now = f.store().database_time().unwrap().plus_seconds(1);
    let rules = RetentionRules { before: now, named: std::collections::BTreeSet::new() };
    let events: Vec<i64> =
        f.store().list_event_remains(0, 10).unwrap().iter().map(|event| event.seq).collect();
    assert_eq!(
        f.store().remove_events(&events, &rules).unwrap(),
        2,
        "the open one keeps its event"
    );
    f.store().record_pruned(now, &new_provenance("user")).unwrap().unwrap();
    assert_eq!(list_ids(f.store(), &AttentionFilter::default()), ["open"]);
}

fn an_entry_of_a_journal_is_restored_by_its_copy(f: &mut impl StoreFixture) {
    let session = register_session(f.store(), "s1");
    let late = late_write(f.store());
    f.store().push_state(&phase_push(&session, "PLAN")).unwrap();
    deliver(f.store(), &late);
    let open = AttentionFilter { only_open: true, ..AttentionFilter::default() };
    let attention = f.store().list_attention(&open).unwrap().remove(0);
    let restored = restore_journal_entry(f.store(), &attention, &new_provenance("lead")).unwrap();
    let work = restored.session.execution_state().work;
    assert_eq!((work.task.as_deref(), work.phase.as_deref()), (Some("late"), Some("PLAN")));
    assert!(restored.before.is_some());
    let ended = f.store().load_attention(&attention.id).unwrap().unwrap();
    assert_eq!(ended.ended_by.as_deref(), Some("lead"));
    assert_eq!(ended.ended_reason.as_deref(), Some("restored"));
    let other = Attention { kind: AttentionKind::DeadLetter, ..attention.clone() };
    let by = new_provenance("lead");
    expect_refusal(restore_journal_entry(f.store(), &other, &by).map(drop), "invalid");
    f.store().end_session(&session.id, "other", &new_provenance("s1")).unwrap();
    let by = new_provenance("lead");
    expect_refusal(restore_journal_entry(f.store(), &attention, &by).map(drop), "denied");
}

fn a_refused_write_is_sent_again_by_its_copy(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let record = late_write(f.store());
    let refused = RefusedWrite { reason: "once".to_owned(), record };
    f.store().raise_attention(&refused.as_attention(Some("h")), &new_provenance("s1")).unwrap();
    let id = RefusedWrite::attention_id(&refused.record.op_id);
    let attention = f.store().load_attention(&id).unwrap().unwrap();
    let outcome = resend_dead_letter(f.store(), &attention, &new_provenance("lead")).unwrap();
    assert_eq!(outcome, DeliveryOutcome::Written);
    let work = load_session(f.store(), "s1").execution_state().work;
    assert_eq!(work.task.as_deref(), Some("late"));
    assert!(!f.store().load_attention(&id).unwrap().unwrap().is_open());
    let lost = Attention { content: json!(null), ..attention };
    let by = new_provenance("lead");
    expect_refusal(resend_dead_letter(f.store(), &lost, &by).map(drop), "invalid");
}

#[test]
fn a_refused_write_names_what_sends_it_again() {
    let write = waiting("op-12345678", PendingChange::Resumed);
    let refused = RefusedWrite { reason: "the database refuses: x".to_owned(), record: write };
    let attention = refused.as_attention(Some("h"));
    assert_eq!(attention.id, RefusedWrite::attention_id("op-12345678"));
    assert_eq!(attention.command.as_deref(), Some("trueup outbox retry op-12345678"));
    let read: RefusedWrite = serde_json::from_value(attention.content).unwrap();
    assert_eq!(read, refused);
}
