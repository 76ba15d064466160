//! Random histories of writes, drains and crashes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// One step of a random history.
#[derive(Debug, Clone)]
enum Step {
    /// Appends a write for the first or the second database.
    Put(bool),
    /// Drains for one database, sending at most so many of each batch; then it fails or not.
    Drain(bool, usize, bool),
    /// A crash during a drain lost the mark.
    LoseMark,
    /// A crash tore the last record.
    Tear,
    /// From now on nothing can be moved aside, or it can again.
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

/// Sends at most `most` in all; then time runs out or the database fails.
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

    /// Compared with two lists: each write arrives at its own database, in order, at least once,
    /// and twice only where a mark was lost.
    #[test]
    fn whatever_happens_each_database_gets_its_own_in_order(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let dir = tempfile::tempdir().unwrap();
        let outbox = outbox(dir.path());
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
                    let _ = fs::remove_file(dir.path().join("outbox.sent.jsonl"));
                }
                Step::Close => {
                    // A file that was appended to before can still be appended to.
                    let _ = fs::write(outbox.elsewhere_dir(), "");
                }
                Step::Open => drop(fs::remove_file(outbox.elsewhere_dir())),
                Step::Tear => {
                    use std::io::Write as _;
                    let path = dir.path().join("outbox.jsonl");
                    let mut options = fs::OpenOptions::new();
                    let mut file = options.create(true).append(true).open(path).unwrap();
                    file.write_all(b"\n0123456789abcdef {\"op_id\"").unwrap();
                }
            }
        }
        // While a record stays, a drain without time sends again what is behind it.
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
