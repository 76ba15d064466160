//! One drain: order, batches, damaged lines and databases.

use super::*;

#[test]
fn what_is_not_taken_stays_in_order_and_nothing_stays_of_what_is() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    for n in 1..=3 {
        outbox.put(&pending(n, "a")).unwrap();
    }
    let first = |_: &[&PendingWrite]| Ok::<_, String>(vec![SendVerdict::Sent]);
    let tally = outbox.drain(&target("a"), &bounds(), first).unwrap();
    assert_eq!((tally.sent, tally.is_waiting), (1, true));
    outbox.put(&pending(4, "a")).unwrap();
    let waiting = outbox.list_waiting().unwrap();
    let waiting: Vec<&str> = waiting.iter().map(|p| p.op_id.as_str()).collect();
    assert_eq!(waiting, ["op-2", "op-3", "op-4"]);
    assert_eq!(outbox.count_backlog().unwrap().waiting, 3);
    assert_eq!(drained(&outbox, "a"), operations(2..=4));
    assert!(outbox.is_idle());
    assert_eq!(names(dir.path()), ["outbox.lock"]);
}

#[test]
fn a_failure_loses_nothing_and_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    outbox.put(&pending(1, "a")).unwrap();
    let fail = |_: &[&PendingWrite]| Err::<Vec<SendVerdict>, _>("locked");
    let tally = outbox.drain(&target("a"), &bounds(), fail).unwrap();
    assert_eq!(tally.problem.as_deref(), Some("locked"));
    assert!(tally.is_waiting);
    assert_eq!(drained(&outbox, "a"), operations([1]));
}

#[test]
fn what_is_put_in_while_a_drain_sends_is_sent_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    outbox.put(&pending(1, "a")).unwrap();
    let mut sent = Vec::new();
    let take = |batch: &[&PendingWrite]| {
        if sent.is_empty() {
            outbox.put(&pending(2, "a")).unwrap();
        }
        sent.extend(batch.iter().map(|pending| pending.op_id.clone()));
        Ok::<_, String>(vec![SendVerdict::Sent; batch.len()])
    };
    outbox.drain(&target("a"), &bounds(), take).unwrap();
    assert_eq!(sent, operations([1, 2]));
}

#[test]
fn one_that_is_refused_holds_nobody_up_and_is_kept_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    for n in 1..=3 {
        outbox.put(&pending(n, "a")).unwrap();
    }
    let take = |batch: &[&PendingWrite]| {
        let refuse = |p: &&PendingWrite| match p.op_id.as_str() {
            "op-2" => SendVerdict::Refused("no such thing".to_owned()),
            _ => SendVerdict::Sent,
        };
        Ok::<_, String>(batch.iter().map(refuse).collect())
    };
    let tally = outbox.drain(&target("a"), &bounds(), take).unwrap();
    assert_eq!((tally.sent, tally.refused, tally.is_waiting), (2, 1, false));
    let dead = outbox.list_refused().unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].reason, "no such thing");
    assert_eq!(dead[0].record, pending(2, "a"));
}

#[test]
fn a_write_waits_for_its_own_database_and_goes_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    for (n, database) in [(1, "a"), (2, "b"), (3, "a"), (4, "b")] {
        outbox.put(&pending(n, database)).unwrap();
    }
    let mut sent = Vec::new();
    let tally = drain_into(&outbox, "b", &mut sent);
    assert_eq!(sent, operations([2, 4]));
    assert_eq!((tally.elsewhere, tally.is_waiting), (2, false));
    let backlog = outbox.count_backlog().unwrap();
    assert_eq!((backlog.waiting, backlog.elsewhere), (2, 2));
    assert_eq!(backlog.oldest_at, Some(Timestamp::from_millis(-1)));
    assert!(drained(&outbox, "b").is_empty());
    // Later writes come later.
    outbox.put(&pending(5, "a")).unwrap();
    assert_eq!(drained(&outbox, "a"), operations([1, 3, 5]));
    assert!(outbox.is_idle());
}

#[test]
fn what_knows_an_address_alone_is_bound_at_the_first_contact_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    let mut record = pending(1, "a");
    record.origin.as_mut().unwrap().lineage = None;
    outbox.put(&record).unwrap();
    assert!(drained(&outbox, "b").is_empty());
    let moved = DrainTarget { lineage: Lineage("whatever".to_owned()), ..target("a") };
    let take = |batch: &[&PendingWrite]| Ok::<_, String>(vec![SendVerdict::Sent; batch.len()]);
    assert_eq!(outbox.drain(&moved, &bounds(), take).unwrap().sent, 1);
}

#[test]
fn what_knows_an_address_alone_goes_with_its_session() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    let mut record = pending(1, "other name");
    record.origin.as_mut().unwrap().lineage = None;
    outbox.put(&record).unwrap();
    let found = outbox.list_sessions_without_lineage().unwrap();
    assert_eq!(found, [(address("other name"), record.session.clone())].into());
    assert!(drained(&outbox, "a").is_empty());
    // Set aside, it is still found.
    assert_eq!(outbox.list_sessions_without_lineage().unwrap(), found);
    let adopting = DrainTarget { adopted: found, ..target("a") };
    let take = |batch: &[&PendingWrite]| Ok::<_, String>(vec![SendVerdict::Sent; batch.len()]);
    assert_eq!(outbox.drain(&adopting, &bounds(), take).unwrap().sent, 1);
    assert!(outbox.is_idle());
}

#[test]
fn a_new_file_at_the_address_of_an_old_one_swallows_nothing_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    outbox.put(&pending(1, "a")).unwrap();
    let new = DrainTarget { lineage: Lineage("made anew".to_owned()), ..target("a") };
    let send = |_: &[&PendingWrite]| Ok::<_, String>(Vec::new());
    assert_eq!(outbox.drain(&new, &bounds(), send).unwrap().elsewhere, 1);
    assert_eq!(drained(&outbox, "a"), operations([1]));
}

#[test]
fn a_line_of_an_older_version_is_read() {
    let line = r#"{"op_id":"o","at":"2026-01-02T03:04:05.000Z","session":"s1","write":"task","task":"1","subject":"x"}"#;
    let record: PendingWrite = serde_json::from_str(line).unwrap();
    assert_eq!(record.origin, None);
    assert!(target("a").owns(&record));
    assert_eq!(serde_json::to_string(&record).unwrap(), line);
}

/// What may be in place of a file after a crash or a manual change.
fn leave(what: &str, path: &Path) {
    match what {
        "empty" => fs::write(path, "").unwrap(),
        "half a line" => fs::write(path, "0123456789abcdef {\"op_id\":\"op-1\",\"at").unwrap(),
        "zeros" => fs::write(path, vec![0; 70_000]).unwrap(),
        "a line without end" => fs::write(path, vec![b'x'; 700_000]).unwrap(),
        "empty lines" => fs::write(path, vec![b'\n'; 700_000]).unwrap(),
        "a directory" => fs::create_dir(path).unwrap(),
        "a link to nowhere" => std::os::unix::fs::symlink("/nowhere/at/all", path).unwrap(),
        "a pipe" => nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap(),
        other => panic!("{other}"),
    }
}

#[test]
fn nothing_that_is_found_in_place_of_a_file_keeps_later_writes_from_being_sent() {
    let files = [
        "outbox.jsonl",
        "outbox.taken.jsonl",
        "outbox.taken.draft",
        "outbox.sent.jsonl",
        "outbox.lock",
        "outbox.append.lock",
        "outbox.dead.jsonl",
    ];
    let left = [
        "empty",
        "half a line",
        "zeros",
        "a line without end",
        "empty lines",
        "a directory",
        "a link to nowhere",
        "a pipe",
    ];
    for file in files {
        for what in left {
            let dir = tempfile::tempdir().unwrap();
            let outbox = outbox(dir.path());
            leave(what, &dir.path().join(file));
            for n in 1..=2 {
                outbox.put(&pending(n, "a")).unwrap();
            }
            assert_eq!(drained(&outbox, "a"), operations(1..=2), "{file}: {what}");
            outbox.put(&pending(3, "a")).unwrap();
            assert_eq!(drained(&outbox, "a"), operations([3]), "{file}: {what}");
            assert!(outbox.is_idle(), "{file}: {what}");
        }
    }
}

#[test]
fn what_is_damaged_is_kept_aside_and_counted_once() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    outbox.put(&pending(1, "a")).unwrap();
    let path = dir.path().join("outbox.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend(b"garbage\n\0\0\0\0\n");
    fs::write(&path, bytes).unwrap();
    assert_eq!(outbox.count_damaged().unwrap(), 2);
    let mut sent = Vec::new();
    assert_eq!(drain_into(&outbox, "a", &mut sent).damaged, 2);
    assert_eq!(sent, operations([1]));
    assert_eq!(outbox.count_damaged().unwrap(), 2);
    let aside = fs::read_to_string(dir.path().join("outbox.damaged")).unwrap();
    assert_eq!(aside, "garbage\n(4 zero bytes)\n");
    assert!(outbox.is_idle());
}

#[test]
fn a_mark_of_another_file_says_nothing_of_this_one() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    for n in 1..=2 {
        outbox.put(&pending(n, "a")).unwrap();
    }
    let first = |_: &[&PendingWrite]| Ok::<_, String>(vec![SendVerdict::Sent]);
    outbox.drain(&target("a"), &bounds(), first).unwrap();
    // Killed after the file was removed and before its mark was.
    fs::remove_file(dir.path().join("outbox.taken.jsonl")).unwrap();
    for n in 3..=4 {
        outbox.put(&pending(n, "a")).unwrap();
    }
    let taken = dir.path().join("outbox.taken.jsonl");
    fs::rename(dir.path().join("outbox.jsonl"), taken).unwrap();
    assert_eq!(drained(&outbox, "a"), operations(3..=4));
}

#[test]
fn a_drain_that_has_little_time_gets_on_by_a_batch_and_goes_on_there() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    let many = 5_000;
    let records: Vec<PendingWrite> = (0..many).map(|n| pending(n, "a")).collect();
    checksummed_lines::append_records(&dir.path().join("outbox.jsonl"), &records).unwrap();
    let hurried = DrainLimits { share: Deadline::after(Duration::ZERO), ..bounds() };
    let mut sent = Vec::new();
    let mut drains = 0;
    while !outbox.is_idle() {
        let take = |batch: &[&PendingWrite]| {
            sent.extend(batch.iter().map(|pending| pending.op_id.clone()));
            Ok::<_, String>(vec![SendVerdict::Sent; batch.len()])
        };
        outbox.drain(&target("a"), &hurried, take).unwrap();
        assert_eq!(outbox.count_backlog().unwrap().waiting, many - sent.len());
        drains += 1;
    }
    assert_eq!(sent, operations(0..many));
    assert!(drains <= 40, "{drains}");
    // Without time, nothing is started.
    outbox.put(&pending(0, "a")).unwrap();
    let late = DrainLimits { deadline: Deadline::after(Duration::ZERO), ..hurried };
    let never =
        |_: &[&PendingWrite]| -> Result<Vec<SendVerdict>, String> { panic!("there is no time") };
    assert!(outbox.drain(&target("a"), &late, never).unwrap().is_waiting);
}

#[test]
fn a_batch_of_the_longest_records_is_sent_whole() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    let batch = crate::bounds::OUTBOX_BATCH.len();
    let reason = "\u{1f600}".repeat(crate::bounds::TASK.len());
    let long = |n| PendingWrite {
        write: PendingChange::End { reason: reason.clone() },
        ..pending(n, "a")
    };
    let records: Vec<PendingWrite> = (0..2 * batch).map(long).collect();
    checksummed_lines::append_records(&dir.path().join("outbox.jsonl"), &records).unwrap();
    let hurried = DrainLimits { share: Deadline::after(Duration::ZERO), ..bounds() };
    let take = |sent: &[&PendingWrite]| Ok::<_, String>(vec![SendVerdict::Sent; sent.len()]);
    for _ in 0..2 {
        let tally = outbox.drain(&target("a"), &hurried, take).unwrap();
        assert_eq!(tally.sent, batch);
    }
    assert!(outbox.is_idle());
}
