//! Single records are taken out by hand.

use super::*;

const PATIENCE: Duration = Duration::from_mins(1);

fn list_waiting_ids(outbox: &Outbox) -> Vec<String> {
    outbox.list_waiting().unwrap().into_iter().map(|pending| pending.op_id).collect()
}

fn list_refused_ids(outbox: &Outbox) -> Vec<String> {
    outbox.list_refused().unwrap().into_iter().map(|refused| refused.record.op_id).collect()
}

/// Refuses some records and takes the others.
fn refuse(outbox: &Outbox, database: &str, numbers: &[usize]) {
    let refused = operations(numbers.iter().copied());
    let answer = |batch: &[&PendingWrite]| {
        let verdict = |pending: &&PendingWrite| {
            if refused.contains(&pending.op_id) {
                SendVerdict::Refused("no such item".to_owned())
            } else {
                SendVerdict::Sent
            }
        };
        Ok::<_, String>(batch.iter().map(verdict).collect())
    };
    outbox.drain(&target(database), &bounds(), answer).unwrap();
}

#[test]
fn a_dropped_record_is_never_sent_and_the_others_keep_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    let put = |numbers: std::ops::RangeInclusive<usize>| {
        let all: Vec<PendingWrite> = numbers.map(|n| pending(n, "a")).collect();
        outbox.put_all(&all.iter().collect::<Vec<_>>()).unwrap();
    };
    put(1..=400);
    // The database was gone after the first batch.
    let mut batches = 0;
    let take = |batch: &[&PendingWrite]| {
        batches += 1;
        if batches > 1 { Err("gone") } else { Ok(vec![SendVerdict::Sent; batch.len()]) }
    };
    outbox.drain(&target("a"), &bounds(), take).unwrap();
    let left = list_waiting_ids(&outbox);
    assert!(left.len() < 400 && left.len() > 4, "{}", left.len());
    put(401..=401);
    for op_id in [&left[3], "op-401", &left[0]] {
        assert!(outbox.drop_record(op_id, PATIENCE).unwrap(), "{op_id}");
        assert!(!outbox.drop_record(op_id, PATIENCE).unwrap(), "{op_id}");
    }
    put(402..=402);
    let mut expected: Vec<String> = left[1..].to_vec();
    expected.remove(2);
    expected.push("op-402".to_owned());
    assert_eq!(list_waiting_ids(&outbox), expected);
    assert_eq!(drained(&outbox, "a"), expected);
    assert!(outbox.is_idle());
}

#[test]
fn the_last_record_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    outbox.put(&pending(1, "a")).unwrap();
    outbox.put(&pending(2, "b")).unwrap();
    // The drain of one database moves the record of the other aside.
    assert_eq!(drained(&outbox, "b"), operations([2]));
    assert_eq!(list_waiting_ids(&outbox), operations([1]));
    assert!(outbox.drop_record("op-1", PATIENCE).unwrap());
    assert!(outbox.is_idle());
    assert!(!outbox.drop_record("op-2", PATIENCE).unwrap());
}

#[test]
fn damaged_lines_stay_where_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    outbox.put(&pending(1, "a")).unwrap();
    checksummed_lines::append_bytes(&dir.path().join("outbox.jsonl"), b"torn\n").unwrap();
    outbox.put(&pending(2, "a")).unwrap();
    assert!(outbox.drop_record("op-1", PATIENCE).unwrap());
    assert_eq!((list_waiting_ids(&outbox), outbox.count_damaged().unwrap()), (operations([2]), 1));
}

#[test]
fn a_refused_record_is_sent_once_more_or_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    for n in 1..=4 {
        outbox.put(&pending(n, "a")).unwrap();
    }
    refuse(&outbox, "a", &[1, 2, 4]);
    assert_eq!(list_refused_ids(&outbox), operations([1, 2, 4]));
    assert!(!outbox.retry_refused("op-3", PATIENCE).unwrap());
    assert!(outbox.retry_refused("op-2", PATIENCE).unwrap());
    assert_eq!(
        (list_waiting_ids(&outbox), list_refused_ids(&outbox)),
        (operations([2]), operations([1, 4]))
    );
    assert!(outbox.drop_record("op-1", PATIENCE).unwrap());
    assert!(outbox.drop_record("op-4", PATIENCE).unwrap());
    assert_eq!(drained(&outbox, "a"), operations([2]));
    assert_eq!(names(dir.path()), ["outbox.lock"]);
}

#[test]
fn nothing_is_taken_out_beside_a_drain() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    outbox.put(&pending(1, "a")).unwrap();
    let take = |batch: &[&PendingWrite]| {
        let refused = outbox.drop_record("op-1", Duration::ZERO).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::WouldBlock);
        Ok::<_, String>(vec![SendVerdict::Sent; batch.len()])
    };
    assert_eq!(outbox.drain(&target("a"), &bounds(), take).unwrap().sent, 1);
}
