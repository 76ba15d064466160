//! Snapshots biased to what goes wrong.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::btree_set;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{
    BranchReading, BranchTarget, CacheReading, ClaimReading, DatabaseReading, LostClaim,
    OutboxReading, Peer, Policy, Reading, Snapshot,
};
use crate::model::{
    Epoch, Field, History, ItemKey, Kind, Lineage, Revision, SessionId, Timestamp, Value, WorkState,
};

pub(super) const OURS: &str = "11112222-aaaa";

/// Texts of the wild, and of an attacker.
const NASTY: [&str; 9] = [
    "LEAD",
    "PLAN",
    "EXEC",
    "none",
    "SD-002B",
    "SD-002C",
    "two\r\nlines\t\u{1b}[31mred\u{1b}]0;title\u{7}",
    "over\u{202e}ride \u{200b}\0 \"quoted\" $(rm -rf /) `x`",
    "⚠️ SD mismatch: file=a, db_claim=b",
];

fn text() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        2 => Just(None),
        8 => select(&NASTY[..]).prop_map(|t| Some(t.to_owned())),
        1 => ".{0,40}".prop_map(|t| Some(t).filter(|t| !t.is_empty())),
        1 => Just(Some("long ".repeat(2_001))),
    ]
}

fn value(field: Field) -> BoxedStrategy<Value> {
    match field.kind() {
        Kind::Flag => any::<bool>().prop_map(Value::Flag).boxed(),
        Kind::Text => text().prop_map(Value::Text).boxed(),
    }
}

fn work() -> impl Strategy<Value = WorkState> {
    let flags = any::<(bool, bool, bool, bool)>();
    (text(), text(), text(), flags).prop_map(|(item, phase, task, flags)| WorkState {
        item,
        phase,
        task,
        is_active: flags.0,
        was_interrupted: flags.1,
        auto_proceed: flags.2,
        chain_orchestrators: flags.3,
    })
}

fn key() -> impl Strategy<Value = ItemKey> {
    select(&["SD-002B", "SD-002C", "issue#170"][..]).prop_map(|k| k.parse().unwrap())
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(|t| Timestamp::from_millis(t / 4))
}

fn session() -> impl Strategy<Value = SessionId> {
    select(&["me", "other"][..]).prop_map(|s| s.parse().unwrap())
}

fn lineage() -> impl Strategy<Value = Lineage> {
    prop_oneof![
        8 => Just(OURS),
        2 => select(&["", "99998888-bbbb", "1111222é-\u{1b}[2Jx"][..]),
    ]
    .prop_map(|l| Lineage(l.to_owned()))
}

fn database() -> impl Strategy<Value = DatabaseReading> {
    let claim = (key(), 0u64..9, of(time())).prop_map(|(item, epoch, since)| ClaimReading {
        item,
        epoch: Epoch(epoch),
        since,
    });
    let lost = (key(), of(session()), any::<bool>(), of(time()))
        .prop_map(|(item, holder, is_finished, since)| LostClaim {
            item,
            holder,
            is_finished,
            since,
        })
        // On the heap: the whole case is larger than a test thread's stack.
        .boxed();
    (lineage(), 1u64..6, of(claim), weighted(0.3, lost), work()).prop_map(
        |(lineage, revision, claim, lost_claim, work)| DatabaseReading {
            lineage,
            revision: Revision(revision),
            claim,
            lost_claim,
            work,
            history: History::default(),
        },
    )
}

/// Fields that differ from what trueup would have written.
fn changes() -> impl Strategy<Value = BTreeMap<Field, Option<Value>>> {
    btree_set(select(&Field::ALL[..]), 0..4).prop_flat_map(|fields| {
        fields
            .into_iter()
            .map(|f| (Just(f), weighted(0.9, value(f))))
            .collect::<Vec<_>>()
            .prop_map(|pairs| pairs.into_iter().collect())
    })
}

/// A cache of a database: what trueup wrote, then changed by hand, by age or by origin.
///
/// On the heap, as the whole case is larger than a test thread's stack.
fn cache(database: DatabaseReading) -> BoxedStrategy<CacheReading> {
    let ours = database.lineage.clone();
    let now = database.revision.0;
    let lineage = prop_oneof![
        8 => Just(Some(ours)),
        1 => lineage().prop_map(Some),
        1 => Just(None),
    ];
    let revision = prop_oneof![
        6 => Just(Some(now)),
        3 => (0..now).prop_map(Some),
        3 => (now + 1..now + 4).prop_map(Some),
        1 => Just(Some(u64::MAX)),
        1 => Just(None),
    ];
    let owner = prop_oneof![7 => Just(Some("me")), 2 => Just(Some("other")), 1 => Just(None)];
    let hand = (
        changes(),
        btree_set(select(&Field::ALL[..]), 0..3),
        any::<bool>(),
    );
    let rest = (of(time()), of(select(&["main", "feat/SD-002B-x"][..])));
    let problem = weighted(0.2, Just("_trueup.digest is missing"));
    let stamp = (lineage, revision, problem, of(0u64..9)).boxed();
    (stamp, owner, hand, rest)
        .prop_map(
            move |(stamp, owner, (changes, touched, noticed), (synced_at, branch))| {
                let (lineage, revision, stamp_problem, owner_revision) = stamp;
                let session: SessionId = "me".parse().unwrap();
                let mut cache = super::world::written(&database, &session, branch);
                let mut edited: BTreeSet<Field> = touched;
                for (field, value) in changes {
                    match value {
                        Some(value) => cache.fields.insert(field, value),
                        None => cache.fields.remove(&field),
                    };
                    if noticed {
                        edited.insert(field);
                    }
                }
                CacheReading {
                    lineage,
                    revision: revision.map(Revision),
                    synced_at,
                    session: owner.map(|s| s.parse().unwrap()),
                    edited,
                    stamp_problem,
                    owner_revision: owner_revision.map(Revision),
                    ..cache
                }
            },
        )
        .boxed()
}

fn reason() -> impl Strategy<Value = String> {
    text().prop_map(Option::unwrap_or_default)
}

fn reading<T: std::fmt::Debug + Clone + 'static>(
    fresh: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Reading<T>> {
    prop_oneof![
        12 => fresh.prop_map(Reading::Fresh),
        1 => Just(Reading::Missing),
        1 => reason().prop_map(Reading::Corrupt),
        1 => reason().prop_map(Reading::Unavailable),
    ]
}

fn branch() -> impl Strategy<Value = BranchReading> {
    let name = select(&["main", "feat/SD-002B-x", "x;rm${IFS}-rf", "-b\u{1b}[2J"][..]);
    let name = name.prop_map(str::to_owned);
    (name, text(), any::<bool>()).prop_map(|(name, names_other, other_is_free)| BranchReading {
        name,
        names_other,
        other_is_free,
        way_back: BranchTarget::Existing("feat/SD-002C".to_owned()),
    })
}

fn peers() -> impl Strategy<Value = Vec<Peer>> {
    let peer = (session(), of(key())).prop_map(|(session, item)| Peer { session, item });
    proptest::collection::vec(peer, 0..3)
}

pub(super) fn snapshot() -> impl Strategy<Value = Snapshot> {
    let both = database().prop_flat_map(|d| (reading(Just(d.clone())), reading(cache(d)).boxed()));
    let outbox = (0usize..3, of(time())).prop_map(|(waiting, oldest_at)| OutboxReading {
        waiting,
        elsewhere: waiting / 2,
        oldest_at,
    });
    (both, of(branch()), peers(), outbox, time()).prop_map(
        |((database, cache), branch, peers, outbox, now)| Snapshot {
            session: "me".parse().unwrap(),
            database,
            cache,
            branch,
            peers,
            outbox,
            now,
        },
    )
}

pub(super) fn policy() -> impl Strategy<Value = Policy> {
    any::<bool>().prop_map(|create_cache| Policy { create_cache })
}
