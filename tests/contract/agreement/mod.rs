//! Two stores give equal answers to the same random operations and leave the same events: no answer
//! depends on a random id, the order of a table, the time, or the kind of database.

mod canonical;
mod item_steps;
mod session_steps;
mod work_steps;

use trueup_core::store::{
    HandoffFilter, ItemFilter, NextItemQuery, PhaseFilter, Provenance, SessionFilter,
    SessionRegistration, Store,
};

use crate::fixture::{StoreFixture, new_sqlite};
use crate::postgres_fixture::{DIRECT, new_remote};
use crate::requests::{list_events, registration, session_id};
use canonical::describe;
use item_steps::ItemStep;
use session_steps::SessionStep;
use work_steps::WorkStep;

const STEP_COUNT: usize = 150;
const SESSIONS: [&str; 3] = ["s1", "s2", "s3"];
const ITEM_COUNT: usize = 9;

/// How long a walk waits at once, in seconds. No sum of them comes near to one of the limits that
/// the rules have, so that it does not matter how long the steps themselves take.
const WAITS: [u64; 2] = [500, 1_000];

/// Pseudo-random numbers that are the same in every run.
struct SeededRandom(u64);

impl SeededRandom {
    fn of_walk(walk: u64) -> Self {
        Self(walk.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next_number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn roll(&mut self, sides: usize) -> usize {
        usize::try_from(self.next_number() % sides as u64).unwrap()
    }

    fn pick_item(&mut self) -> String {
        format!("i{}", self.roll(ITEM_COUNT))
    }

    fn pick_session(&mut self) -> &'static str {
        SESSIONS[self.roll(SESSIONS.len())]
    }
}

/// One step of a walk, the same with both stores.
#[derive(Debug)]
enum WalkStep {
    Item(ItemStep),
    Session(SessionStep),
    Work(WorkStep),
    Wait(u64),
}

impl WalkStep {
    fn pick_step(dice: &mut SeededRandom) -> Self {
        match dice.roll(20) {
            0..=8 => Self::Item(ItemStep::pick_step(dice)),
            9..=13 => Self::Session(SessionStep::pick_step(dice)),
            14..=18 => Self::Work(WorkStep::pick_step(dice)),
            _ => Self::Wait(WAITS[dice.roll(WAITS.len())]),
        }
    }

    /// Applies the step and describes its result.
    fn apply_step(&self, fixture: &mut impl StoreFixture, op: &str) -> String {
        match self {
            Self::Item(step) => step.apply_step(fixture.store(), op),
            Self::Session(step) => step.apply_step(fixture.store(), op),
            Self::Work(step) => step.apply_step(fixture.store(), op),
            Self::Wait(seconds) => {
                fixture.advance_time(*seconds);
                String::new()
            }
        }
    }
}

fn provenance(actor: &str, op: &str) -> Provenance {
    Provenance { actor: actor.to_owned(), reason: Some("why".into()), op_id: op.to_owned() }
}

/// Describes everything that a store holds. Events have the numbers of their order, since those of
/// a database may have gaps; who called is the database's own, as is the id of a sign of life.
fn describe_store(store: &mut dyn Store) -> Vec<String> {
    let mut description = vec![
        describe(store.list_items(&ItemFilter::default())),
        describe(store.list_phases(&PhaseFilter::default())),
        describe(store.load_plan(&"p".parse().unwrap())),
        describe(store.list_reservations(None)),
        describe(store.list_repos()),
        describe(store.load_workplan_rows("alpha")),
        describe(store.find_pending_matters()),
    ];
    let mut sessions = store.list_sessions(&SessionFilter::default()).unwrap();
    sessions.sort_by_key(|session| session.id.clone());
    description.push(describe(Ok(sessions)));
    let mut handoffs = store.list_handoffs(HandoffFilter::default()).unwrap();
    handoffs.sort_by_key(|handoff| handoff.id.to_string());
    description.push(describe(Ok(handoffs)));
    let mut runs = store.list_orchestrators(0).unwrap();
    runs.sort_by_key(|run| run.id.to_string());
    description.push(describe(Ok(runs)));
    for who in SESSIONS {
        let query = NextItemQuery { session: Some(session_id(who)), ..NextItemQuery::default() };
        description.push(describe(store.find_next_item(&query)));
        description.push(describe(store.find_next_phase(Some(&session_id(who)))));
    }
    for (number, mut event) in (1..).zip(list_events(store)) {
        event.seq = number;
        event.via = None;
        event.op_id = event.op_id.filter(|op| op.starts_with("walk-"));
        description.push(describe(Ok(event)));
    }
    description
}

/// Takes a walk with two stores. Every eighth operation is repeated under its id, at once or later.
fn take_walk(walk: u64, first: &mut impl StoreFixture, second: &mut impl StoreFixture) {
    let mut dice = SeededRandom::of_walk(walk);
    let mut taken: Vec<(WalkStep, String)> = Vec::new();
    let mut answers = Vec::new();
    for who in SESSIONS {
        let by = provenance(who, &format!("walk-{walk}-{who}"));
        let registration = SessionRegistration { provenance: by, ..registration(who) };
        for store in [first.store(), second.store()] {
            store.register_session(&registration).unwrap();
        }
    }
    for number in 0..STEP_COUNT {
        if taken.is_empty() || dice.roll(8) > 0 {
            taken.push((WalkStep::pick_step(&mut dice), format!("walk-{walk}-{number}")));
        } else {
            let earlier = taken.len() - 1 - dice.roll(taken.len().min(3));
            let again = taken.remove(earlier);
            taken.push(again);
        }
        let (step, op) = taken.last().unwrap();
        let (one, other) = (step.apply_step(first, op), step.apply_step(second, op));
        answers.push(format!("{op} {step:?}: {one}"));
        assert_eq!(one, other, "walk {walk}: {answers:#?}");
    }
    let (one, other) = (describe_store(first.store()), describe_store(second.store()));
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other, "walk {walk}: {answers:#?}");
    }
    assert_eq!(one.len(), other.len(), "walk {walk}");
}

/// Returns the numbers of the walks: `TRUEUP_WALKS=1000..2000` for others than these.
fn walks(count: u64) -> std::ops::Range<u64> {
    let wanted = std::env::var("TRUEUP_WALKS").ok();
    let bounds = wanted.as_deref().and_then(|text| text.split_once(".."));
    bounds.map_or(1..1 + count, |(from, to)| from.parse().unwrap()..to.parse().unwrap())
}

#[test]
fn two_files_take_every_walk_alike() {
    for walk in walks(3) {
        take_walk(walk, &mut new_sqlite(), &mut new_sqlite());
    }
}

#[test]
fn sqlite_and_postgresql_take_every_walk_alike() {
    for walk in walks(12) {
        let Some(mut remote) = new_remote(&DIRECT) else { return };
        take_walk(walk, &mut new_sqlite(), &mut remote);
    }
}
