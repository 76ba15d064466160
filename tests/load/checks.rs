//! What must hold after a load, whatever happened to the database meanwhile.
//!
//! - What was acknowledged is in the database, once. What was not may be there, once.
//! - An item has one holder at a time: it is claimed again only after it was released or finished,
//!   and each claim has an epoch of its own.
//! - A follower's cursor skips no event.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use trueup_core::model::EventKind;

use crate::record::{Operation, Outcome, Record};

/// An event as the table has it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct StoredEvent {
    pub(crate) seq: i64,
    pub(crate) entity: String,
    pub(crate) key: String,
    pub(crate) kind: String,
    pub(crate) epoch: Option<u64>,
    pub(crate) op_id: Option<String>,
    pub(crate) actor: String,
}

/// What a follower saw.
#[derive(Debug)]
pub(crate) struct FollowedEvents {
    pub(crate) name: String,
    /// The cursor it began at.
    pub(crate) after: i64,
    pub(crate) seen: Vec<i64>,
}

/// Everything that is compared.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) records: Vec<Record>,
    pub(crate) followers: Vec<FollowedEvents>,
    /// All events, by number.
    pub(crate) events: Vec<StoredEvent>,
    /// The task of each simulated session.
    pub(crate) tasks: BTreeMap<String, String>,
    /// When each simulated session last gave a sign of life, in microseconds since the Unix epoch.
    pub(crate) heartbeats: BTreeMap<String, u64>,
    /// The status of each item.
    pub(crate) statuses: BTreeMap<String, String>,
}

/// Finds the promises that were broken; a line for each.
pub(crate) fn find_violations(evidence: &Evidence) -> Vec<String> {
    let mut violations = Vec::new();
    check_writes(evidence, &mut violations);
    check_holders(evidence, &mut violations);
    check_cursors(evidence, &mut violations);
    check_rows(evidence, &mut violations);
    violations
}

/// Returns the event that an operation leaves: what it is about, and its kind.
const fn event_of(operation: Operation) -> Option<(&'static str, EventKind)> {
    match operation {
        Operation::Register => Some(("session", EventKind::Registered)),
        Operation::Add => Some(("item", EventKind::Added)),
        Operation::Claim => Some(("item", EventKind::Claimed)),
        Operation::Push => Some(("session", EventKind::State)),
        Operation::Complete => Some(("item", EventKind::Status)),
        Operation::Release => Some(("item", EventKind::Released)),
        Operation::Load | Operation::Heartbeat => None,
    }
}

fn check_writes(evidence: &Evidence, violations: &mut Vec<String>) {
    let mut events: HashMap<&str, Vec<&StoredEvent>> = HashMap::new();
    for event in &evidence.events {
        if let Some(op_id) = &event.op_id {
            events.entry(op_id).or_default().push(event);
        }
    }
    for record in &evidence.records {
        let (Some(op_id), Some((entity, kind))) = (&record.op_id, event_of(record.operation))
        else {
            continue;
        };
        let written = events.get(op_id.as_str()).map_or(&[] as &[_], Vec::as_slice);
        let key = if entity == "session" { Some(&record.session) } else { record.item.as_ref() };
        let count = written
            .iter()
            .filter(|event| event.entity == entity && event.kind == kind.as_str())
            .filter(|event| key.is_none_or(|key| *key == event.key))
            .filter(|event| record.operation != Operation::Claim || event.epoch == record.epoch)
            .count();
        let name = format!("{:?} {op_id} of {}", record.operation, record.session);
        // A claim that found nothing writes nothing.
        let must_be_there =
            record.is_acknowledged() && (record.operation != Operation::Claim || key.is_some());
        match (&record.outcome, count) {
            (_, 2..) => violations.push(format!("{name} was carried out {count} times")),
            (_, 0) if must_be_there => violations.push(format!("{name} was acknowledged and lost")),
            (Outcome::Refused(why), 1) => {
                violations.push(format!("{name} was refused and carried out: {why}"));
            }
            _ => {}
        }
    }
}

fn check_holders(evidence: &Evidence, violations: &mut Vec<String>) {
    let mut holders: HashMap<&str, (&str, i64)> = HashMap::new();
    for event in evidence.events.iter().filter(|event| event.entity == "item") {
        let epoch = event.epoch.unwrap_or_default();
        if event.kind == EventKind::Claimed.as_str() {
            if let Some((holder, at)) = holders.insert(&event.key, (&event.actor, event.seq)) {
                violations.push(format!(
                    "{} was claimed by {} (event {}) while {holder} held it (event {at})",
                    event.key, event.actor, event.seq
                ));
            }
        } else if event.kind == EventKind::Released.as_str()
            || event.kind == EventKind::Status.as_str() && epoch > 0
        {
            holders.remove(event.key.as_str());
        }
    }
    let mut claims: HashMap<(&str, u64), &str> = HashMap::new();
    let acknowledged = evidence.records.iter().filter(|record| record.is_acknowledged());
    for record in acknowledged.filter(|record| record.operation == Operation::Claim) {
        let (Some(item), Some(epoch)) = (&record.item, record.epoch) else {
            continue;
        };
        if let Some(other) = claims.insert((item, epoch), &record.session) {
            let session = &record.session;
            violations.push(format!("{other} and {session} were both given {item} {epoch}"));
        }
    }
}

fn check_cursors(evidence: &Evidence, violations: &mut Vec<String>) {
    for follower in &evidence.followers {
        let name = &follower.name;
        if !follower.seen.is_sorted_by(|earlier, later| earlier < later) {
            violations.push(format!("{name} saw events out of order, or twice"));
        }
        let seen: BTreeSet<i64> = follower.seen.iter().copied().collect();
        let stored = evidence.events.iter().map(|event| event.seq);
        let stored: BTreeSet<i64> = stored.filter(|seq| *seq > follower.after).collect();
        if let Some(skipped) = stored.difference(&seen).next() {
            let count = stored.difference(&seen).count();
            violations.push(format!("{name} skipped {count} events, the first is {skipped}"));
        }
        if let Some(vanished) = seen.difference(&stored).next() {
            violations.push(format!("{name} saw event {vanished}, which is gone"));
        }
    }
}

/// Compares the rows with what the last operations on them were told.
fn check_rows(evidence: &Evidence, violations: &mut Vec<String>) {
    let mut last_writes: BTreeMap<&str, &Record> = BTreeMap::new();
    for record in evidence.records.iter().filter(|record| record.is_acknowledged()) {
        let session = record.session.as_str();
        if record.operation == Operation::Heartbeat {
            let at = evidence.heartbeats.get(session);
            // The database keeps milliseconds.
            if at.is_none_or(|at| at / 1000 < record.began / 1000) {
                violations.push(format!("a heartbeat of {session} was acknowledged and lost"));
            }
        }
        if record.operation == Operation::Complete {
            let item = record.item.as_deref().unwrap_or_default();
            let status = evidence.statuses.get(item);
            if status.is_none_or(|status| status != "completed") {
                violations.push(format!("{item} was completed and is {status:?}"));
            }
        }
        if event_of(record.operation).is_some() {
            last_writes.insert(session, record);
        }
    }
    for (session, record) in last_writes {
        let task = evidence.tasks.get(session);
        if record.task.as_ref().is_some_and(|pushed| task != Some(pushed)) {
            violations.push(format!("{session} pushed {:?} last and has {task:?}", record.task));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_record(operation: Operation, session: &str, op_id: &str) -> Record {
        Record {
            operation,
            session: session.to_owned(),
            op_id: Some(op_id.to_owned()),
            item: Some("A".to_owned()),
            epoch: Some(1),
            task: None,
            outcome: Outcome::Acknowledged,
            attempts: 1,
            requests: 1,
            failed_requests: 0,
            doubtful_requests: 0,
            began: 1_000_000,
            ended: 2_000_000,
        }
    }

    fn new_event(seq: i64, kind: EventKind, session: &str, op_id: &str) -> StoredEvent {
        StoredEvent {
            seq,
            entity: "item".to_owned(),
            key: "A".to_owned(),
            kind: kind.as_str().to_owned(),
            epoch: Some(1),
            op_id: Some(op_id.to_owned()),
            actor: session.to_owned(),
        }
    }

    fn claim_evidence() -> Evidence {
        Evidence {
            records: vec![new_record(Operation::Claim, "s1", "c1")],
            events: vec![new_event(7, EventKind::Claimed, "s1", "c1")],
            followers: vec![FollowedEvents { name: "f".to_owned(), after: 6, seen: vec![7] }],
            ..Evidence::default()
        }
    }

    #[track_caller]
    fn assert_broken(evidence: &Evidence, part: &str) {
        let violations = find_violations(evidence);
        assert!(violations.iter().any(|line| line.contains(part)), "{violations:?}");
    }

    #[test]
    fn a_claim_that_is_there_once_breaks_nothing() {
        assert_eq!(find_violations(&claim_evidence()), Vec::<String>::new());
    }

    #[test]
    fn a_write_that_is_lost_or_there_twice_is_found() {
        let mut evidence = claim_evidence();
        evidence.events.push(new_event(8, EventKind::Claimed, "s1", "c1"));
        assert_broken(&evidence, "carried out 2 times");
        evidence.events.clear();
        assert_broken(&evidence, "acknowledged and lost");
        let mut evidence = claim_evidence();
        evidence.records[0].epoch = Some(2);
        assert_broken(&evidence, "acknowledged and lost");
        let mut evidence = claim_evidence();
        evidence.records[0].outcome = Outcome::Refused("no".to_owned());
        assert_broken(&evidence, "refused and carried out");
    }

    #[test]
    fn a_write_without_an_answer_may_be_there_or_not() {
        let mut evidence = claim_evidence();
        evidence.records[0].outcome = Outcome::GivenUp("timed out".to_owned());
        assert_eq!(find_violations(&evidence), Vec::<String>::new());
        evidence.events.clear();
        evidence.followers.clear();
        assert_eq!(find_violations(&evidence), Vec::<String>::new());
    }

    #[test]
    fn two_holders_at_once_are_found() {
        let mut evidence = claim_evidence();
        evidence.events.push(new_event(8, EventKind::Claimed, "s2", "c2"));
        assert_broken(&evidence, "while s1 held it");
        let released = new_event(8, EventKind::Released, "s1", "r1");
        let claimed = new_event(9, EventKind::Claimed, "s2", "c2");
        evidence.events.splice(1.., [released, claimed]);
        evidence.followers.clear();
        assert_eq!(find_violations(&evidence), Vec::<String>::new());
        evidence.records.push(new_record(Operation::Claim, "s2", "c2"));
        assert_broken(&evidence, "were both given A 1");
    }

    #[test]
    fn an_event_that_a_cursor_skips_or_that_is_gone_is_found() {
        let mut evidence = claim_evidence();
        evidence.followers[0].seen = vec![];
        assert_broken(&evidence, "skipped 1 events, the first is 7");
        evidence.followers[0].seen = vec![7, 8];
        assert_broken(&evidence, "saw event 8, which is gone");
        evidence.followers[0].seen = vec![7, 7];
        assert_broken(&evidence, "out of order, or twice");
    }

    #[test]
    fn rows_that_differ_from_what_was_acknowledged_are_found() {
        let mut evidence = Evidence::default();
        let mut push = new_record(Operation::Push, "s1", "p1");
        push.task = Some("t".to_owned());
        evidence.records = vec![
            new_record(Operation::Heartbeat, "s1", "h1"),
            new_record(Operation::Complete, "s1", "m1"),
            push,
        ];
        assert_broken(&evidence, "a heartbeat of s1");
        assert_broken(&evidence, "A was completed and is None");
        assert_broken(&evidence, "s1 pushed");
    }
}
