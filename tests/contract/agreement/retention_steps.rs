//! Steps that remove what is old and done.

use std::collections::{BTreeMap, BTreeSet};

use trueup_core::model::{RetentionRules, Timestamp};
use trueup_core::store::Store;

use super::canonical::describe;
use super::{AGE_SECONDS, MARGIN_SECONDS, SESSIONS, SeededRandom};
use crate::requests::session_id;

/// One operation of a prune, the same in both stores.
#[derive(Debug)]
pub(super) enum RetentionStep {
    RemoveSessions(Limit),
    /// Removes one of so many events.
    RemoveEvents(Limit, usize),
    Record,
}

/// What counts as old.
#[derive(Debug)]
pub(super) struct Limit {
    seconds: u64,
    /// A session that a local file names.
    named: Option<&'static str>,
}

impl RetentionStep {
    pub(super) fn pick_step(dice: &mut SeededRandom) -> Self {
        let limit = Limit {
            seconds: dice.pick(&[MARGIN_SECONDS, 5 * MARGIN_SECONDS, AGE_SECONDS - MARGIN_SECONDS]),
            named: Some(dice.pick_session()).filter(|_| dice.roll(3) == 0),
        };
        match dice.roll(5) {
            0 | 1 => Self::RemoveSessions(limit),
            2 | 3 => Self::RemoveEvents(limit, 1 + dice.roll(3)),
            _ => Self::Record,
        }
    }

    /// Applies the step and describes its result.
    pub(super) fn apply_step(&self, store: &mut dyn Store, op: &str) -> String {
        match self {
            Self::RemoveSessions(limit) => {
                let rules = limit.rules(store);
                let ended = store.list_ended_sessions(rules.before, None, 100);
                // Two sessions may have ended in one millisecond.
                let ended = ended.map(|mut ended| {
                    ended.sort_by_key(|session| session.id.clone());
                    ended
                });
                let all: Vec<_> = SESSIONS.into_iter().chain(["s4"]).map(session_id).collect();
                let removed = store.remove_sessions(&all, &rules);
                format!("{}, {}", describe(ended), describe(removed))
            }
            Self::RemoveEvents(limit, step) => {
                let rules = limit.rules(store);
                let events = store.list_event_remains(0, 1_000).unwrap();
                let mut subjects: BTreeMap<String, usize> = BTreeMap::new();
                for event in &events {
                    *subjects.entry(format!("{:?}", event.subject)).or_default() += 1;
                }
                let some: Vec<i64> = events.iter().step_by(*step).map(|event| event.seq).collect();
                format!("{subjects:?}, {}", describe(store.remove_events(&some, &rules)))
            }
            Self::Record => {
                let now = store.database_time().unwrap();
                describe(store.record_pruned(now, &super::provenance("pruner", op)))
            }
        }
    }
}

impl Limit {
    fn rules(&self, store: &mut dyn Store) -> RetentionRules {
        let now = store.database_time().unwrap().as_millis();
        let age = i64::try_from(self.seconds * 1_000).unwrap();
        RetentionRules {
            before: Timestamp::from_millis(now - age),
            named: self.named.map(session_id).into_iter().collect::<BTreeSet<_>>(),
        }
    }
}
