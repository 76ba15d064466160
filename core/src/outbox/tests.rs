//! What waits goes in order, once, and to its own database, whatever a crash left.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;

use super::{
    DrainCounts, DrainLimits, DrainTarget, Outbox, PendingChange, PendingWrite, SendVerdict,
    WriteOrigin,
};
use crate::deadline::Deadline;
use crate::model::{Lineage, Timestamp};

fn target(name: &str) -> DrainTarget {
    DrainTarget {
        lineage: Lineage(format!("lineage-of-{name}")),
        database: format!("address-of-{name}"),
    }
}

/// A write made on a database that was known.
fn pending(n: usize, database: &str) -> PendingWrite {
    let DrainTarget { lineage, database } = target(database);
    PendingWrite {
        op_id: format!("op-{n}"),
        // The later, the earlier by the clock: no order may come of it.
        at: Timestamp::from_millis(-i64::try_from(n).unwrap()),
        session: "s1".parse().unwrap(),
        origin: Some(WriteOrigin {
            database,
            lineage: Some(lineage),
            base: None,
            claim: None,
        }),
        write: PendingChange::End {
            reason: "other".to_owned(),
        },
    }
}

fn bounds() -> DrainLimits {
    let long = Deadline::after(Duration::from_mins(10));
    DrainLimits {
        patience: Duration::from_mins(1),
        share: long,
        deadline: long,
    }
}

/// Drains into a list, as a database that takes everything.
fn drain_into(outbox: &Outbox, database: &str, sent: &mut Vec<String>) -> DrainCounts {
    let take = |batch: &[&PendingWrite]| {
        sent.extend(batch.iter().map(|pending| pending.op_id.clone()));
        Ok::<_, String>(vec![SendVerdict::Sent; batch.len()])
    };
    outbox.drain(&target(database), &bounds(), take).unwrap()
}

fn drained(outbox: &Outbox, database: &str) -> Vec<String> {
    let mut sent = Vec::new();
    drain_into(outbox, database, &mut sent);
    sent
}

fn operations(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(|n| format!("op-{n}")).collect()
}

fn outbox(folder: &Path) -> Outbox {
    Outbox::new(folder.join("outbox.jsonl"))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<String> = entries.map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

#[test]
fn what_is_not_taken_stays_in_order_and_nothing_stays_of_what_is() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = outbox(folder.path());
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
    assert_eq!(names(folder.path()), ["outbox.lock"]);
}

#[test]
fn a_failure_loses_nothing_and_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = outbox(folder.path());
    outbox.put(&pending(1, "a")).unwrap();
    let fail = |_: &[&PendingWrite]| Err::<Vec<SendVerdict>, _>("locked");
    let tally = outbox.drain(&target("a"), &bounds(), fail).unwrap();
    assert_eq!(tally.problem.as_deref(), Some("locked"));
    assert!(tally.is_waiting);
    assert_eq!(drained(&outbox, "a"), operations([1]));
}

#[test]
fn what_is_put_in_while_a_drain_sends_is_sent_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = outbox(folder.path());
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
    let folder = tempfile::tempdir().unwrap();
    let outbox = outbox(folder.path());
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
    let folder = tempfile::tempdir().unwrap();
    let outbox = outbox(folder.path());
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
    // What came later comes later.
    outbox.put(&pending(5, "a")).unwrap();
    assert_eq!(drained(&outbox, "a"), operations([1, 3, 5]));
    assert!(outbox.is_idle());
}

#[test]
fn what_knows_an_address_alone_is_bound_at_the_first_contact_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = outbox(folder.path());
    let mut record = pending(1, "a");
    record.origin.as_mut().unwrap().lineage = None;
    outbox.put(&record).unwrap();
    assert!(drained(&outbox, "b").is_empty());
    let moved = DrainTarget {
        lineage: Lineage("whatever".to_owned()),
        ..target("a")
    };
    let take = |batch: &[&PendingWrite]| Ok::<_, String>(vec![SendVerdict::Sent; batch.len()]);
    assert_eq!(outbox.drain(&moved, &bounds(), take).unwrap().sent, 1);
}

#[test]
fn a_new_file_at_the_address_of_an_old_one_swallows_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = outbox(folder.path());
    outbox.put(&pending(1, "a")).unwrap();
    let new = DrainTarget {
        lineage: Lineage("made anew".to_owned()),
        ..target("a")
    };
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

/// What may stand in the place of a file after a crash, or by a hand.
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
            let folder = tempfile::tempdir().unwrap();
            let outbox = outbox(folder.path());
            leave(what, &folder.path().join(file));
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
    let folder = tempfile::tempdir().unwrap();
    let outbox = outbox(folder.path());
    outbox.put(&pending(1, "a")).unwrap();
    let path = folder.path().join("outbox.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend(b"garbage\n\0\0\0\0\n");
    fs::write(&path, bytes).unwrap();
    assert_eq!(outbox.count_damaged().unwrap(), 2);
    let mut sent = Vec::new();
    assert_eq!(drain_into(&outbox, "a", &mut sent).damaged, 2);
    assert_eq!(sent, operations([1]));
    assert_eq!(outbox.count_damaged().unwrap(), 2);
    let aside = fs::read_to_string(folder.path().join("outbox.damaged")).unwrap();
    assert_eq!(aside, "garbage\n(4 zero bytes)\n");
    assert!(outbox.is_idle());
}

#[test]
fn a_mark_of_another_file_says_nothing_of_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = outbox(folder.path());
    for n in 1..=2 {
        outbox.put(&pending(n, "a")).unwrap();
    }
    let first = |_: &[&PendingWrite]| Ok::<_, String>(vec![SendVerdict::Sent]);
    outbox.drain(&target("a"), &bounds(), first).unwrap();
    // Killed after the file was removed and before its mark was.
    fs::remove_file(folder.path().join("outbox.taken.jsonl")).unwrap();
    for n in 3..=4 {
        outbox.put(&pending(n, "a")).unwrap();
    }
    let taken = folder.path().join("outbox.taken.jsonl");
    fs::rename(folder.path().join("outbox.jsonl"), taken).unwrap();
    assert_eq!(drained(&outbox, "a"), operations(3..=4));
}

#[test]
fn a_drain_that_has_little_time_gets_on_by_a_batch_and_goes_on_there() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = outbox(folder.path());
    let many = 5_000;
    let records: Vec<PendingWrite> = (0..many).map(|n| pending(n, "a")).collect();
    super::checksummed_lines::append_records(&folder.path().join("outbox.jsonl"), &records)
        .unwrap();
    let hurried = DrainLimits {
        share: Deadline::after(Duration::ZERO),
        ..bounds()
    };
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
    // With no time at all nothing is begun.
    outbox.put(&pending(0, "a")).unwrap();
    let late = DrainLimits {
        deadline: Deadline::after(Duration::ZERO),
        ..hurried
    };
    let never =
        |_: &[&PendingWrite]| -> Result<Vec<SendVerdict>, String> { panic!("there is no time") };
    assert!(outbox.drain(&target("a"), &late, never).unwrap().is_waiting);
}

#[test]
fn a_batch_of_the_longest_records_is_sent_whole() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = outbox(folder.path());
    let batch = crate::bounds::OUTBOX_BATCH.len();
    let reason = "\u{1f600}".repeat(crate::bounds::TASK.len());
    let long = |n| PendingWrite {
        write: PendingChange::End {
            reason: reason.clone(),
        },
        ..pending(n, "a")
    };
    let records: Vec<PendingWrite> = (0..2 * batch).map(long).collect();
    super::checksummed_lines::append_records(&folder.path().join("outbox.jsonl"), &records)
        .unwrap();
    let hurried = DrainLimits {
        share: Deadline::after(Duration::ZERO),
        ..bounds()
    };
    let take = |sent: &[&PendingWrite]| Ok::<_, String>(vec![SendVerdict::Sent; sent.len()]);
    for _ in 0..2 {
        let tally = outbox.drain(&target("a"), &hurried, take).unwrap();
        assert_eq!(tally.sent, batch);
    }
    assert!(outbox.is_idle());
}

/// A step of a life.
#[derive(Debug, Clone)]
enum Step {
    /// Something is put in, for the first or the second database.
    Put(bool),
    /// A drain for one of them sends at most so many of each batch, then fails or not.
    Drain(bool, usize, bool),
    /// What a crash during a drain leaves undone: the mark is gone.
    LoseMark,
    /// A crash tears what was being put in.
    Tear,
    /// Nothing can be put aside from now on, or it can again.
    Close,
    Open,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<bool>().prop_map(Step::Put),
        3 => (any::<bool>(), 0..5_usize, any::<bool>()).prop_map(|(a, n, f)| Step::Drain(a, n, f)),
        1 => Just(Step::LoseMark),
        1 => Just(Step::Tear),
        1 => Just(Step::Close),
        1 => Just(Step::Open),
    ]
}

fn name(first: bool) -> &'static str {
    if first { "a" } else { "b" }
}

/// Sends at most `most` in all; then there is no time left, or the database fails.
fn drain_some(outbox: &Outbox, database: &str, most: usize, fails: bool, sent: &mut Vec<String>) {
    let mut left = most;
    let take = |batch: &[&PendingWrite]| {
        let count = left.min(batch.len());
        left -= count;
        if count == 0 && fails {
            return Err("no");
        }
        sent.extend(batch[..count].iter().map(|p| p.op_id.clone()));
        Ok(vec![SendVerdict::Sent; count])
    };
    outbox.drain(&target(database), &bounds(), take).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Against two lists: each write arrives at its own database, in order, and at least once;
    /// twice only where a mark was lost.
    #[test]
    fn whatever_happens_each_database_gets_its_own_in_order(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let outbox = outbox(folder.path());
        let mut put: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut sent: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (n, step) in steps.iter().enumerate() {
            match *step {
                Step::Put(first) => {
                    outbox.put(&pending(n, name(first))).unwrap();
                    put.entry(name(first)).or_default().push(format!("op-{n}"));
                }
                Step::Drain(first, most, fails) => {
                    let to = sent.entry(name(first)).or_default();
                    drain_some(&outbox, name(first), most, fails, to);
                }
                Step::LoseMark => {
                    let _ = fs::remove_file(folder.path().join("outbox.sent.jsonl"));
                }
                Step::Close => {
                    // Where something was put aside already, it can be.
                    let _ = fs::write(outbox.elsewhere_dir(), "");
                }
                Step::Open => drop(fs::remove_file(outbox.elsewhere_dir())),
                Step::Tear => {
                    use std::io::Write as _;
                    let path = folder.path().join("outbox.jsonl");
                    let mut options = fs::OpenOptions::new();
                    let mut file = options.create(true).append(true).open(path).unwrap();
                    file.write_all(b"\n0123456789abcdef {\"op_id\"").unwrap();
                }
            }
        }
        // While something stays, a drain that has no time sends again what is behind it.
        let lossless = !steps.iter().any(|step| matches!(step, Step::LoseMark | Step::Close));
        let _ = fs::remove_file(outbox.elsewhere_dir());
        for database in ["a", "b"] {
            let to = sent.entry(database).or_default();
            drain_into(&outbox, database, to);
            let mut seen = std::collections::BTreeSet::new();
            let all = to.len();
            to.retain(|op| seen.insert(op.clone()));
            prop_assert_eq!(&*to, put.entry(database).or_default());
            if lossless {
                prop_assert_eq!(all, to.len());
            }
        }
        prop_assert!(outbox.is_idle());
    }
}

/// What keeps a file from taking more.
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
        let folder = tempfile::tempdir().unwrap();
        let outbox = outbox(folder.path());
        let closed = of_another(&outbox);
        close(what, &closed);
        for (n, database) in [(1, "a"), (2, "b"), (3, "a"), (4, "b")] {
            outbox.put(&pending(n, database)).unwrap();
        }
        let mut sent = Vec::new();
        let tally = drain_into(&outbox, "b", &mut sent);
        assert_eq!(sent, operations([2, 4]), "{what}");
        assert_eq!(
            (tally.unmovable, tally.elsewhere, tally.is_waiting),
            (2, 0, false)
        );
        assert!(tally.problem.is_some());
        // What lands later is sent, and what stays is not sent again.
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
    let folder = tempfile::tempdir().unwrap();
    let outbox = outbox(folder.path());
    close("full", &of_another(&outbox));
    let many = 1_000;
    let database = |n: usize| if n.is_multiple_of(3) { "a" } else { "b" };
    let records: Vec<PendingWrite> = (0..many).map(|n| pending(n, database(n))).collect();
    super::checksummed_lines::append_records(&folder.path().join("outbox.jsonl"), &records)
        .unwrap();
    let hurried = DrainLimits {
        share: Deadline::after(Duration::ZERO),
        ..bounds()
    };
    let mut sent = Vec::new();
    for _ in 0..many {
        let take = |batch: &[&PendingWrite]| {
            sent.extend(batch.iter().map(|pending| pending.op_id.clone()));
            Ok::<_, String>(vec![SendVerdict::Sent; batch.len()])
        };
        if !outbox
            .drain(&target("b"), &hurried, take)
            .unwrap()
            .is_waiting
        {
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
        let folder = tempfile::tempdir().unwrap();
        let outbox = outbox(folder.path());
        let put = |file: &str, numbers: &[usize]| {
            let records: Vec<PendingWrite> = numbers.iter().map(|n| pending(*n, "a")).collect();
            super::checksummed_lines::append_records(&folder.path().join(file), &records).unwrap();
        };
        put("outbox.taken.jsonl", taken);
        put("outbox.next.jsonl", &[2, 3]);
        put("outbox.jsonl", &[4]);
        let all: Vec<usize> = taken.iter().copied().chain([2, 3, 4]).collect();
        assert_eq!(outbox.count_backlog().unwrap().waiting, all.len());
        assert_eq!(drained(&outbox, "a"), operations(all));
        assert_eq!(names(folder.path()), ["outbox.lock"]);
    }
}

#[test]
fn what_a_database_refuses_and_cannot_be_kept_stays_and_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = outbox(folder.path());
    let full = folder.path().join("outbox.dead.jsonl");
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
    assert_eq!(
        (tally.refused, tally.unmovable, tally.is_waiting),
        (1, 0, false)
    );
    assert_eq!(sent, operations([1, 3]));
    assert!(outbox.is_idle());
}

#[test]
fn what_cannot_be_read_is_kept_in_two_files_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = outbox(folder.path());
    close("full", &folder.path().join("outbox.damaged"));
    fs::write(folder.path().join("outbox.jsonl"), "garbage\n").unwrap();
    outbox.put(&pending(1, "a")).unwrap();
    assert_eq!(drained(&outbox, "a"), operations([1]));
    let aside = fs::read_to_string(folder.path().join("outbox.damaged")).unwrap();
    assert_eq!(aside, "garbage\n");
    let old = fs::metadata(folder.path().join("outbox.damaged.1")).unwrap();
    assert_eq!(old.len(), crate::bounds::OUTBOX.most);
}
