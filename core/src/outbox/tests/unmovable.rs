//! Records that can neither be sent nor moved aside.

use super::*;

/// Keeps a file from being appended to.
fn close(what: &str, path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    match what {
        "full" => fs::write(path, "\n".repeat(crate::bounds::OUTBOX.len())).unwrap(),
        "no folder" => {
            fs::remove_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path.parent().unwrap(), "").unwrap();
        }
        other => panic!("{other}"),
    }
}

fn of_another(outbox: &Outbox) -> std::path::PathBuf {
    let origin = pending(0, "a").origin.unwrap();
    outbox.queue_for(&origin).landing_path().to_owned()
}

#[test]
fn what_cannot_be_put_aside_stays_in_order_and_is_counted() {
    for what in ["full", "no folder"] {
        let dir = tempfile::tempdir().unwrap();
        let outbox = outbox(dir.path());
        let closed = of_another(&outbox);
        close(what, &closed);
        for (n, database) in [(1, "a"), (2, "b"), (3, "a"), (4, "b")] {
            outbox.put(&pending(n, database)).unwrap();
        }
        let mut sent = Vec::new();
        let tally = drain_into(&outbox, "b", &mut sent);
        assert_eq!(sent, operations([2, 4]), "{what}");
        assert_eq!((tally.unmovable, tally.elsewhere, tally.is_waiting), (2, 0, false));
        assert!(tally.problem.is_some());
        // Later writes are sent, and the ones that stay are not sent again.
        for (n, database) in [(5, "b"), (6, "a"), (7, "b")] {
            outbox.put(&pending(n, database)).unwrap();
        }
        let tally = drain_into(&outbox, "b", &mut sent);
        assert_eq!(sent, operations([2, 4, 5, 7]), "{what}");
        assert_eq!((tally.unmovable, tally.is_waiting), (3, false));
        assert_eq!(drain_into(&outbox, "b", &mut sent).unmovable, 3);
        let waiting = outbox.list_waiting().unwrap();
        let waiting: Vec<String> = waiting.into_iter().map(|p| p.op_id).collect();
        assert_eq!(waiting, operations([1, 3, 6]), "{what}");
        if what == "full" {
            fs::remove_file(closed).unwrap();
        } else {
            fs::remove_file(closed.parent().unwrap()).unwrap();
        }
        assert_eq!(drain_into(&outbox, "b", &mut Vec::new()).elsewhere, 3);
        outbox.put(&pending(8, "a")).unwrap();
        assert_eq!(drained(&outbox, "a"), operations([1, 3, 6, 8]), "{what}");
        assert!(outbox.is_idle());
    }
}

#[test]
fn what_stays_is_still_there_after_a_drain_without_time() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    close("full", &of_another(&outbox));
    let many = 1_000;
    let database = |n: usize| if n.is_multiple_of(3) { "a" } else { "b" };
    let records: Vec<PendingWrite> = (0..many).map(|n| pending(n, database(n))).collect();
    checksummed_lines::append_records(&dir.path().join("outbox.jsonl"), &records).unwrap();
    let hurried = DrainLimits { share: Deadline::after(Duration::ZERO), ..bounds() };
    let mut sent = Vec::new();
    for _ in 0..many {
        let take = |batch: &[&PendingWrite]| {
            sent.extend(batch.iter().map(|pending| pending.op_id.clone()));
            Ok::<_, String>(vec![SendVerdict::Sent; batch.len()])
        };
        if !outbox.drain(&target("b"), &hurried, take).unwrap().is_waiting {
            break;
        }
    }
    assert_eq!(sent, operations((0..many).filter(|n| database(*n) == "b")));
    let own = (0..many).filter(|n| database(*n) == "a");
    assert_eq!(drained(&outbox, "a"), operations(own));
}

#[test]
fn what_was_not_joined_before_a_crash_is_sent() {
    for taken in [&[][..], &[1]] {
        let dir = tempfile::tempdir().unwrap();
        let outbox = outbox(dir.path());
        let put = |file: &str, numbers: &[usize]| {
            let records: Vec<PendingWrite> = numbers.iter().map(|n| pending(*n, "a")).collect();
            checksummed_lines::append_records(&dir.path().join(file), &records).unwrap();
        };
        put("outbox.taken.jsonl", taken);
        put("outbox.next.jsonl", &[2, 3]);
        put("outbox.jsonl", &[4]);
        let all: Vec<usize> = taken.iter().copied().chain([2, 3, 4]).collect();
        assert_eq!(outbox.count_backlog().unwrap().waiting, all.len());
        assert_eq!(drained(&outbox, "a"), operations(all));
        assert_eq!(names(dir.path()), ["outbox.lock"]);
    }
}

#[test]
fn what_a_database_refuses_and_cannot_be_kept_stays_and_holds_nobody_up() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    let full = dir.path().join("outbox.dead.jsonl");
    close("full", &full);
    for n in 1..=3 {
        outbox.put(&pending(n, "a")).unwrap();
    }
    let mut sent = Vec::new();
    let mut drain = || {
        let take = |batch: &[&PendingWrite]| {
            let verdict = |p: &&PendingWrite| match p.op_id.as_str() {
                "op-2" => SendVerdict::Refused("no such thing".to_owned()),
                op => {
                    sent.push(op.to_owned());
                    SendVerdict::Sent
                }
            };
            Ok::<_, String>(batch.iter().map(verdict).collect())
        };
        outbox.drain(&target("a"), &bounds(), take).unwrap()
    };
    let tally = drain();
    assert_eq!((tally.sent, tally.refused, tally.unmovable), (2, 0, 1));
    fs::remove_file(full).unwrap();
    let tally = drain();
    assert_eq!((tally.refused, tally.unmovable, tally.is_waiting), (1, 0, false));
    assert_eq!(sent, operations([1, 3]));
    assert!(outbox.is_idle());
}

#[test]
fn what_cannot_be_read_is_kept_in_two_files_at_most() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path());
    close("full", &dir.path().join("outbox.damaged"));
    fs::write(dir.path().join("outbox.jsonl"), "garbage\n").unwrap();
    outbox.put(&pending(1, "a")).unwrap();
    assert_eq!(drained(&outbox, "a"), operations([1]));
    let aside = fs::read_to_string(dir.path().join("outbox.damaged")).unwrap();
    assert_eq!(aside, "garbage\n");
    let old = fs::metadata(dir.path().join("outbox.damaged.1")).unwrap();
    assert_eq!(old.len(), crate::bounds::OUTBOX.most);
}
