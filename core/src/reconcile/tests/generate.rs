//! Snapshots biased to what goes wrong.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::btree_set;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{
    BranchReading, CacheReading, ClaimReading, DatabaseReading, LostClaim, OutboxReading,
    PeerSession, Policy, Reading, Snapshot,
};
use crate::diagnostic::BranchTarget;
use crate::model::{
    Epoch, FieldKind, FieldValue, ItemKey, Lineage, Revision, SessionId, StateField, Timestamp,
    WorkHistory, WorkState,
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

fn any_text() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        2 => Just(None),
        8 => select(&NASTY[..]).prop_map(|t| Some(t.to_owned())),
        1 => ".{0,40}".prop_map(|t| Some(t).filter(|t| !t.is_empty())),
        1 => Just(Some("long ".repeat(2_001))),
    ]
}

fn any_value(field: StateField) -> BoxedStrategy<FieldValue> {
    match field.kind() {
        FieldKind::Flag => any::<bool>().prop_map(FieldValue::Flag).boxed(),
        FieldKind::Text => any_text().prop_map(FieldValue::Text).boxed(),
    }
}

fn any_work_state() -> impl Strategy<Value = WorkState> {
    let flags = any::<(bool, bool, bool, bool)>();
    (any_text(), any_text(), any_text(), flags).prop_map(|(item, phase, task, flags)| WorkState {
        item,
        phase,
        task,
        is_active: flags.0,
        was_interrupted: flags.1,
        auto_proceed: flags.2,
        chain_orchestrators: flags.3,
    })
}

fn any_key() -> impl Strategy<Value = ItemKey> {
    select(&["SD-002B", "SD-002C", "issue#170"][..]).prop_map(|k| k.parse().unwrap())
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(|t| Timestamp::from_millis(t / 4))
}

fn any_session() -> impl Strategy<Value = SessionId> {
    select(&["me", "other"][..]).prop_map(|s| s.parse().unwrap())
}

fn any_lineage() -> impl Strategy<Value = Lineage> {
    prop_oneof![
        8 => Just(OURS),
        2 => select(&["", "99998888-bbbb", "1111222é-\u{1b}[2Jx"][..]),
    ]
    .prop_map(|l| Lineage(l.to_owned()))
}

fn any_database() -> impl Strategy<Value = DatabaseReading> {
    let claim = (any_key(), 0u64..9, of(any_time()))
        .prop_map(|(item, epoch, since)| ClaimReading { item, epoch: Epoch(epoch), since });
    let lost = (any_key(), of(any_session()), any::<bool>(), of(any_time()))
        .prop_map(|(item, holder, is_finished, since)| LostClaim {
            item,
            holder,
            is_finished,
            since,
        })
        // On the heap: the whole case is larger than a test thread's stack.
        .boxed();
    (any_lineage(), 1u64..6, of(claim), weighted(0.3, lost), any_work_state()).prop_map(
        |(lineage, revision, claim, lost_claim, work)| DatabaseReading {
            lineage,
            revision: Revision(revision),
            claim,
            lost_claim,
            work,
            history: WorkHistory::default(),
            may_lack_changes: false,
        },
    )
}

/// Fields that differ from what trueup would have written.
fn any_changes() -> impl Strategy<Value = BTreeMap<StateField, Option<FieldValue>>> {
    btree_set(select(&StateField::ALL[..]), 0..4).prop_flat_map(|fields| {
        fields
            .into_iter()
            .map(|f| (Just(f), weighted(0.9, any_value(f))))
            .collect::<Vec<_>>()
            .prop_map(|pairs| pairs.into_iter().collect())
    })
}

/// A cache of a database: what trueup wrote, then changed by hand, by age or by origin.
///
/// On the heap, as the whole case is larger than a test thread's stack.
fn any_cache(database: DatabaseReading) -> BoxedStrategy<CacheReading> {
    let ours = database.lineage.clone();
    let now = database.revision.0;
    let lineage = prop_oneof![
        8 => Just(Some(ours)),
        1 => any_lineage().prop_map(Some),
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
    let hand = (any_changes(), btree_set(select(&StateField::ALL[..]), 0..3), any::<bool>());
    let rest = (of(any_time()), of(select(&["main", "feat/SD-002B-x"][..])));
    let problem = weighted(0.2, Just("_trueup.digest is missing"));
    let stamp = (lineage, revision, problem, of(0u64..9)).boxed();
    (stamp, owner, hand, rest)
        .prop_map(move |(stamp, owner, (changes, touched, noticed), (synced_at, branch))| {
            let (lineage, revision, stamp_problem, owner_revision) = stamp;
            let session: SessionId = "me".parse().unwrap();
            let mut cache = super::world::written_cache(&database, &session, branch);
            let mut edited: BTreeSet<StateField> = touched;
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
        })
        .boxed()
}

fn any_reason() -> impl Strategy<Value = String> {
    any_text().prop_map(Option::unwrap_or_default)
}

fn any_reading<T: std::fmt::Debug + Clone + 'static>(
    fresh: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Reading<T>> {
    prop_oneof![
        12 => fresh.prop_map(Reading::Fresh),
        1 => Just(Reading::Missing),
        1 => any_reason().prop_map(Reading::Corrupt),
        1 => any_reason().prop_map(Reading::Unavailable),
    ]
}

fn any_branch() -> impl Strategy<Value = BranchReading> {
    let name = select(&["main", "feat/SD-002B-x", "x;rm${IFS}-rf", "-b\u{1b}[2J"][..]);
    let name = name.prop_map(str::to_owned);
    (name, any_text(), any::<bool>()).prop_map(|(name, names_other, other_is_free)| BranchReading {
        name,
        other_item: names_other,
        other_is_free,
        switch_target: BranchTarget::Existing("feat/SD-002C".to_owned()),
    })
}

fn any_peers() -> impl Strategy<Value = Vec<PeerSession>> {
    let peer =
        (any_session(), of(any_key())).prop_map(|(session, item)| PeerSession { session, item });
    proptest::collection::vec(peer, 0..3)
}

pub(super) fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let both = any_database()
        .prop_flat_map(|d| (any_reading(Just(d.clone())), any_reading(any_cache(d)).boxed()));
    let outbox = (0usize..3, of(any_time())).prop_map(|(waiting, oldest_at)| OutboxReading {
        waiting,
        for_other_databases: waiting / 2,
        oldest_at,
    });
    (both, of(any_branch()), any_peers(), outbox, any_time()).prop_map(
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

pub(super) fn any_policy() -> impl Strategy<Value = Policy> {
    any::<bool>().prop_map(|create_cache| Policy { create_cache })
}
