//! Two stores give equal answers to the same random operations: no answer depends on a random id,
//! the order of a table or the time.

use trueup_core::model::{
    Item, ItemStatus, MoveActor, MoveFacts, MoveTarget, NewItem, NextItem, RepoScope, decide_move,
};
use trueup_core::store::{
    ClaimNextRequest, DependencyChange, GrantedMove, ItemFilter, NextItemQuery, Provenance, Store,
};

use crate::fixture::new_sqlite;
use crate::requests::{
    LEASE_SECONDS, claim_request, item_key, list_events, new_item, registration, release_request,
    session_id,
};

const WALK_COUNT: u64 = 24;
const STEP_COUNT: usize = 120;
const SESSIONS: [&str; 3] = ["s1", "s2", "s3"];
const ITEM_COUNT: usize = 9;

/// Pseudo-random numbers that are the same in every run.
struct SeededRandom(u64);

impl SeededRandom {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn pick_name(&mut self) -> String {
        format!("i{}", self.roll(ITEM_COUNT))
    }

    fn pick_session(&mut self) -> &'static str {
        SESSIONS[self.roll(SESSIONS.len())]
    }
}

/// One operation, the same in both stores.
#[derive(Debug)]
enum WalkStep {
    Add(NewItem),
    Next(&'static str, Option<String>),
    Claim(&'static str, String),
    Release(&'static str, String),
    Move(&'static str, String, MoveTarget),
    Depend(String, String, bool),
    Chain(&'static str, bool),
}

impl WalkStep {
    fn pick_step(dice: &mut SeededRandom) -> Self {
        let who = dice.pick_session();
        let what = dice.pick_name();
        match dice.roll(12) {
            0..=2 => Self::Add(NewItem {
                parent: Some(item_key(&dice.pick_name())).filter(|_| dice.roll(3) > 0),
                position: i64::try_from(dice.roll(3)).ok().filter(|n| *n > 0),
                kind: Some("orchestrator".to_owned()).filter(|_| dice.roll(4) == 0),
                depends_on: vec![item_key(&dice.pick_name())]
                    .into_iter()
                    .filter(|_| dice.roll(3) == 0)
                    .collect(),
                ..new_item(&what)
            }),
            3 | 4 => Self::Next(who, Some(what).filter(|_| dice.roll(3) == 0)),
            5 => Self::Claim(who, what),
            6 => Self::Release(who, what),
            7..=9 => {
                let statuses = ItemStatus::ALL;
                let to = statuses[dice.roll(statuses.len())];
                let goals = [
                    MoveTarget::Status(to),
                    MoveTarget::Status(ItemStatus::Completed),
                    MoveTarget::BackToStart,
                ];
                Self::Move(who, what, goals[dice.roll(goals.len())])
            }
            10 => Self::Depend(what, dice.pick_name(), dice.roll(3) == 0),
            _ => Self::Chain(who, dice.roll(2) == 0),
        }
    }

    /// Applies the step and describes its result.
    fn apply_step(&self, store: &mut dyn Store, op: &str) -> String {
        let by = |actor: &str| Provenance {
            actor: actor.to_owned(),
            reason: Some("why".into()),
            op_id: op.to_owned(),
        };
        let answer = match self {
            Self::Add(new) => store.add_item(new, &by("user")).map(|item| describe_item(&item)),
            Self::Next(who, parent) => {
                let request = ClaimNextRequest {
                    session: session_id(who),
                    parent: parent.as_deref().map(item_key),
                    scope: RepoScope::All,
                    may_release_unfinished: true,
                    lease_seconds: LEASE_SECONDS,
                    provenance: by(who),
                };
                store.claim_next_item(&request).map(|taken| {
                    let released = taken.released.as_ref().map(describe_item);
                    format!("{}, released {released:?}", describe_next(&taken.next))
                })
            }
            Self::Claim(who, what) => {
                if store.load_item(&item_key(what)).unwrap().is_none() {
                    return "nothing".to_owned();
                }
                let mut request = claim_request(store, who, what);
                request.provenance = by(who);
                store.claim(&request).map(|taken| describe_item(&taken.item))
            }
            Self::Release(who, what) => {
                let mut release = release_request(who, what);
                release.provenance = by(who);
                store.release(&release).map(|item| describe_item(&item))
            }
            Self::Move(who, what, goal) => move_item(store, who, what, *goal, by(who)),
            Self::Depend(what, on, remove) => store
                .change_dependencies(&DependencyChange {
                    item: item_key(what),
                    dependencies: vec![item_key(on)],
                    remove: *remove,
                    provenance: by("user"),
                })
                .map(|item| describe_item(&item)),
            Self::Chain(who, on) => {
                let patch = serde_json::json!({"chain_orchestrators": on});
                let patch = patch.as_object().unwrap();
                let merged = store.merge_metadata(&session_id(who), patch, &by(who));
                merged.map(|session| session.revision.to_string())
            }
        };
        answer.unwrap_or_else(|error| error.to_string())
    }
}

/// Moves an item by the rules; returns its description, or the refusal.
fn move_item(
    store: &mut dyn Store,
    who: &str,
    what: &str,
    goal: MoveTarget,
    provenance: Provenance,
) -> trueup_core::store::Result<String> {
    let session = store.load_session(&session_id(who)).unwrap();
    let item = store.load_item(&item_key(what)).unwrap();
    let facts = MoveFacts {
        actor: MoveActor::Session(session.as_ref()),
        item: item.as_ref(),
        target: goal,
        evidence: None,
        reason: Some("why"),
    };
    let grant = match decide_move(&facts) {
        Ok(grant) => grant,
        Err(refusal) => return Ok(format!("{refusal:?}")),
    };
    let request = GrantedMove { grant, provenance };
    let moved_item = store.move_item(&request);
    moved_item.map(|moved_item| {
        format!("{}, {:?}", describe_item(&moved_item.item), moved_item.moved_dependents)
    })
}

fn describe_item(item: &Item) -> String {
    format!(
        "{} {} {:?} {:?} {:?} {:?} {} {:?} {}",
        item.key,
        item.status,
        item.parent,
        item.position,
        item.holder,
        item.depends_on,
        item.open_dependencies,
        item.error_message,
        item.revision
    )
}

fn describe_next(next: &NextItem) -> String {
    match next {
        NextItem::Offer { item, reason } => format!("offer {} {reason:?}", describe_item(item)),
        NextItem::Held { item, reason } => format!("held {} {reason:?}", describe_item(item)),
        NextItem::KeepHeld { held, item } => format!("{} kept, not {}", held.key, item.key),
        NextItem::Nothing { reason: lack, blockers: hindrances, has_more: more } => {
            format!("{lack:?} {hindrances:?} {more}")
        }
    }
}

/// Describes all items, sessions and events of a store.
fn describe_store(store: &mut dyn Store) -> Vec<String> {
    let items = store.list_items(&ItemFilter::default()).unwrap();
    let mut description: Vec<String> = items.iter().map(describe_item).collect();
    for who in SESSIONS {
        let session = store.load_session(&session_id(who)).unwrap().unwrap();
        let query = NextItemQuery { session: Some(session_id(who)), ..NextItemQuery::default() };
        description.push(format!(
            "{who} {} {:?} {:?} next {}",
            session.revision,
            session.item,
            session.execution_state().work,
            describe_next(&store.find_next_item(&query).unwrap())
        ));
    }
    for mut event in list_events(store) {
        event.before.sort_all_objects();
        event.after.sort_all_objects();
        description.push(format!(
            "{} {} {} {:?} {} {} {:?}",
            event.actor,
            event.key,
            event.kind,
            event.reason,
            event.before,
            event.after,
            event.epoch
        ));
    }
    // Two databases never change at the same moment.
    for line in &mut description {
        *line = support::home::without_times(line);
    }
    description
}

#[test]
fn both_stores_take_every_walk_alike() {
    for walk in 1..=WALK_COUNT {
        let mut dice = SeededRandom(walk.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut file = new_sqlite();
        let mut other = new_sqlite();
        for who in SESSIONS {
            other.store.register_session(&registration(who)).unwrap();
            file.store.register_session(&registration(who)).unwrap();
        }
        let mut taken = Vec::new();
        for n in 0..STEP_COUNT {
            let step = WalkStep::pick_step(&mut dice);
            let op = format!("walk-{walk}-{n}");
            let theirs = step.apply_step(&mut other.store, &op);
            let ours = step.apply_step(&mut file.store, &op);
            taken.push(format!("{step:?}: {ours}"));
            assert_eq!(ours, theirs, "walk {walk}: {taken:#?}");
        }
        let (ours, theirs) = (describe_store(&mut file.store), describe_store(&mut other.store));
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours, theirs, "walk {walk}: {taken:#?}");
        }
        assert_eq!(ours.len(), theirs.len(), "walk {walk}");
    }
}
