//! Two stores answer alike, whatever is asked of them in whatever order: nothing in an answer
//! depends on a random id, the order of a table or the moment.

use trueup_core::model::{
    Goal, Item, ItemStatus, MoveFacts, Mover, NewItem, Next, RepoScope, advance,
};
use trueup_core::store::{Depend, ItemFilter, ItemMove, NextRequest, NextWish, Provenance, Store};

use crate::fixture::sqlite;
use crate::request::{LEASE, events, id, key, new_item, registration, release, wish};

const WALKS: u64 = 24;
const STEPS: usize = 120;
const SESSIONS: [&str; 3] = ["s1", "s2", "s3"];
const ITEMS: usize = 9;

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn name(&mut self) -> String {
        format!("i{}", self.throw(ITEMS))
    }

    fn session(&mut self) -> &'static str {
        SESSIONS[self.throw(SESSIONS.len())]
    }
}

/// One thing to do, the same in both stores.
#[derive(Debug)]
enum Step {
    Add(NewItem),
    Next(&'static str, Option<String>),
    Claim(&'static str, String),
    Release(&'static str, String),
    Move(&'static str, String, Goal),
    Depend(String, String, bool),
    Chain(&'static str, bool),
}

impl Step {
    fn any(dice: &mut Dice) -> Self {
        let who = dice.session();
        let what = dice.name();
        match dice.throw(12) {
            0..=2 => Self::Add(NewItem {
                parent: Some(key(&dice.name())).filter(|_| dice.throw(3) > 0),
                position: i64::try_from(dice.throw(3)).ok().filter(|n| *n > 0),
                kind: Some("orchestrator".to_owned()).filter(|_| dice.throw(4) == 0),
                depends_on: vec![key(&dice.name())]
                    .into_iter()
                    .filter(|_| dice.throw(3) == 0)
                    .collect(),
                ..new_item(&what)
            }),
            3 | 4 => Self::Next(who, Some(what).filter(|_| dice.throw(3) == 0)),
            5 => Self::Claim(who, what),
            6 => Self::Release(who, what),
            7..=9 => {
                let statuses = ItemStatus::ALL;
                let to = statuses[dice.throw(statuses.len())];
                let goals = [
                    Goal::Status(to),
                    Goal::Status(ItemStatus::Completed),
                    Goal::Start,
                ];
                Self::Move(who, what, goals[dice.throw(goals.len())])
            }
            10 => Self::Depend(what, dice.name(), dice.throw(3) == 0),
            _ => Self::Chain(who, dice.throw(2) == 0),
        }
    }

    /// Takes the step; says in short what came of it.
    fn take(&self, store: &mut dyn Store, op: &str) -> String {
        let by = |actor: &str| Provenance {
            actor: actor.to_owned(),
            reason: Some("why".into()),
            op_id: op.to_owned(),
        };
        let answer = match self {
            Self::Add(new) => store.add_item(new, &by("user")).map(|item| line(&item)),
            Self::Next(who, parent) => {
                let request = NextRequest {
                    session: id(who),
                    parent: parent.as_deref().map(key),
                    scope: RepoScope::All,
                    give_up: true,
                    lease_seconds: LEASE,
                    provenance: by(who),
                };
                store.claim_next(&request).map(|taken| {
                    let released = taken.released.as_ref().map(line);
                    format!("{}, released {released:?}", said(&taken.next))
                })
            }
            Self::Claim(who, what) => {
                if store.item(&key(what)).unwrap().is_none() {
                    return "nothing".to_owned();
                }
                let mut wish = wish(store, who, what);
                wish.provenance = by(who);
                store.claim(&wish).map(|taken| line(&taken.item))
            }
            Self::Release(who, what) => {
                let mut release = release(who, what);
                release.provenance = by(who);
                store.release(&release).map(|item| line(&item))
            }
            Self::Move(who, what, goal) => {
                let session = store.session(&id(who)).unwrap();
                let item = store.item(&key(what)).unwrap();
                let facts = MoveFacts {
                    mover: Mover::Session(session.as_ref()),
                    item: item.as_ref(),
                    goal: *goal,
                    evidence: None,
                    reason: Some("why"),
                };
                let grant = match advance(&facts) {
                    Ok(grant) => grant,
                    Err(refusal) => return format!("{refusal:?}"),
                };
                let request = ItemMove {
                    grant,
                    provenance: by(who),
                };
                let moved = store.move_item(&request);
                moved.map(|moved| format!("{}, {:?}", line(&moved.item), moved.followed))
            }
            Self::Depend(what, on, remove) => store
                .depend(&Depend {
                    item: key(what),
                    on: vec![key(on)],
                    remove: *remove,
                    provenance: by("user"),
                })
                .map(|item| line(&item)),
            Self::Chain(who, on) => {
                let patch = serde_json::json!({"chain_orchestrators": on});
                let patch = patch.as_object().unwrap();
                let merged = store.merge_metadata(&id(who), patch, &by(who));
                merged.map(|session| session.revision.to_string())
            }
        };
        answer.unwrap_or_else(|error| error.to_string())
    }
}

fn line(item: &Item) -> String {
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

fn said(next: &Next) -> String {
    match next {
        Next::Offer { item, reason } => format!("offer {} {reason:?}", line(item)),
        Next::Held { item, reason } => format!("held {} {reason:?}", line(item)),
        Next::Kept { held, item } => format!("{} kept, not {}", held.key, item.key),
        Next::Nothing {
            lack,
            hindrances,
            more,
        } => format!("{lack:?} {hindrances:?} {more}"),
    }
}

/// Everything a store says of its items, sessions and events.
fn picture(store: &mut dyn Store) -> Vec<String> {
    let items = store.items(&ItemFilter::default()).unwrap();
    let mut picture: Vec<String> = items.iter().map(line).collect();
    for who in SESSIONS {
        let session = store.session(&id(who)).unwrap().unwrap();
        let wish = NextWish {
            session: Some(id(who)),
            ..NextWish::default()
        };
        picture.push(format!(
            "{who} {} {:?} {:?} next {}",
            session.revision,
            session.item,
            session.execution_state().work,
            said(&store.next_item(&wish).unwrap())
        ));
    }
    for mut event in events(store) {
        event.before.sort_all_objects();
        event.after.sort_all_objects();
        picture.push(format!(
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
    for line in &mut picture {
        *line = support::home::without_times(line);
    }
    picture
}

#[test]
fn both_stores_take_every_walk_alike() {
    for walk in 1..=WALKS {
        let mut dice = Dice(walk.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut file = sqlite();
        let mut other = sqlite();
        for who in SESSIONS {
            other.store.register(&registration(who)).unwrap();
            file.store.register(&registration(who)).unwrap();
        }
        let mut taken = Vec::new();
        for n in 0..STEPS {
            let step = Step::any(&mut dice);
            let op = format!("walk-{walk}-{n}");
            let theirs = step.take(&mut other.store, &op);
            let ours = step.take(&mut file.store, &op);
            taken.push(format!("{step:?}: {ours}"));
            assert_eq!(ours, theirs, "walk {walk}: {taken:#?}");
        }
        let (ours, theirs) = (picture(&mut file.store), picture(&mut other.store));
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours, theirs, "walk {walk}: {taken:#?}");
        }
        assert_eq!(ours.len(), theirs.len(), "walk {walk}");
    }
}
