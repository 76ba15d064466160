//! Waiting writes are sent in order, once, and to their own database, whatever a crash left behind.

mod drain;
mod history;
mod removal;
mod unmovable;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{
    DrainCounts, DrainLimits, DrainTarget, Outbox, PendingChange, PendingWrite, SendVerdict,
    WriteOrigin, checksummed_lines,
};
use crate::deadline::Deadline;
use crate::model::{Lineage, Timestamp};

fn address(name: &str) -> String {
    format!("address-of-{name}")
}

fn target(name: &str) -> DrainTarget {
    DrainTarget {
        lineage: Lineage(format!("lineage-of-{name}")),
        addresses: [address(name)].into(),
        adopted: BTreeSet::new(),
    }
}

/// A write made on a database whose lineage was known.
fn pending(n: usize, database: &str) -> PendingWrite {
    let (database, lineage) = (address(database), target(database).lineage);
    PendingWrite {
        op_id: format!("op-{n}"),
        // Clocks run backwards here, so that no order can come from them.
        at: Timestamp::from_millis(-i64::try_from(n).unwrap()),
        session: "s1".parse().unwrap(),
        origin: Some(WriteOrigin {
            database,
            address: None,
            lineage: Some(lineage),
            base: None,
            base_lineage: None,
            claim: None,
        }),
        write: PendingChange::End { reason: "other".to_owned() },
    }
}

fn bounds() -> DrainLimits {
    let long = Deadline::after(Duration::from_mins(10));
    DrainLimits { patience: Duration::from_mins(1), share: long, deadline: long }
}

/// Drains into a list, like a database that accepts everything.
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

fn outbox(dir: &Path) -> Outbox {
    Outbox::new(dir.join("outbox.jsonl"))
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<String> = entries.map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}
