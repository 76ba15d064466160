//! Two stores give equal answers to the same random operations and leave the same events: no answer
//! depends on a random id, the order of a table, the time, or the kind of database.

mod canonical;
mod description;
mod hub_steps;
mod item_steps;
mod outbox_steps;
mod repo_steps;
mod retention_steps;
mod session_steps;
mod work_steps;

use std::collections::BTreeSet;
use std::ops::Range;
use std::panic::catch_unwind;
use std::time::SystemTime;

use trueup_core::store::{Provenance, SessionRegistration, Store};

use crate::fixture::{StoreFixture, new_sqlite};
use crate::hub_fixture::new_hub;
use crate::postgres_fixture::{DIRECT, new_remote};
use crate::requests::{new_item, new_phases, registration};
use crate::strict::OPERATIONS;
use description::describe_store;
use hub_steps::HubStep;
use item_steps::ItemStep;
use outbox_steps::DeliveryStep;
use repo_steps::RepoStep;
use retention_steps::RetentionStep;
use session_steps::SessionStep;
use work_steps::WorkStep;

const STEP_COUNT: usize = 160;
/// So many other steps come between two steps of a hub.
const HUB_STEP_INTERVAL: usize = 4;
/// What tells the random numbers of a hub's steps from those of the others.
const HUB_WALK: u64 = 0x6875_6200;
const SESSIONS: [&str; 3] = ["s1", "s2", "s3"];
const ITEM_COUNT: usize = 9;
const REPOS: [&str; 3] = ["alpha", "Beta", "gamma"];
const MACHINES: [&str; 2] = ["m1", "m2"];

/// Texts that databases might compare or store otherwise than they were given.
const TEXTS: [&str; 6] = ["PLAN", "EXEC", "", "é\u{1f600}\"\\", "1", "null"];

/// How long a walk waits at once, in seconds. No sum of them comes near to one of the limits that
/// the rules have, so that it does not matter how long the steps themselves take.
const WAITS: [u64; 3] = [500, 1_000, 1_500];

/// How much older all events become at once, in seconds: old enough to be removed.
const AGE_SECONDS: u64 = 345 * WAITS[0];

/// A time that is so many seconds ago is far from every sum of waits.
const MARGIN_SECONDS: u64 = WAITS[0] / 2;

/// Pseudo-random numbers that are the same in every run.
struct SeededRandom(u64);

impl SeededRandom {
    fn of_walk(walk: u64) -> Self {
        // A state of zero would stay zero.
        Self(walk.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
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

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }

    fn pick_item(&mut self) -> String {
        format!("i{}", self.roll(ITEM_COUNT))
    }

    fn pick_session(&mut self) -> &'static str {
        self.pick(&SESSIONS)
    }
}

/// One step of a walk, the same with both stores.
#[derive(Debug)]
enum WalkStep {
    Item(ItemStep),
    Session(SessionStep),
    Work(WorkStep),
    Repo(RepoStep),
    Delivery(DeliveryStep),
    Retention(RetentionStep),
    Wait(u64),
    AgeEvents,
}

impl WalkStep {
    fn pick_step(dice: &mut SeededRandom) -> Self {
        match dice.roll(32) {
            0..=8 => Self::Item(ItemStep::pick_step(dice)),
            9..=14 => Self::Session(SessionStep::pick_step(dice)),
            15..=21 => Self::Work(WorkStep::pick_step(dice)),
            22..=24 => Self::Repo(RepoStep::pick_step(dice)),
            25..=27 => Self::Delivery(DeliveryStep::pick_step(dice)),
            28 => Self::Retention(RetentionStep::pick_step(dice)),
            29 | 30 => Self::Wait(dice.pick(&WAITS)),
            _ if dice.roll(3) == 0 => Self::AgeEvents,
            _ => Self::Retention(RetentionStep::pick_step(dice)),
        }
    }

    /// Applies the step and describes its result.
    fn apply_step(&self, fixture: &mut impl StoreFixture, op: &str) -> String {
        match self {
            Self::Item(step) => step.apply_step(fixture.store(), op),
            Self::Session(step) => step.apply_step(fixture.store(), op),
            Self::Work(step) => step.apply_step(fixture.store(), op),
            Self::Repo(step) => step.apply_step(fixture.store(), op),
            Self::Delivery(step) => step.apply_step(fixture.store(), op),
            Self::Retention(step) => step.apply_step(fixture.store(), op),
            Self::Wait(seconds) => {
                fixture.advance_time(*seconds);
                String::new()
            }
            Self::AgeEvents => {
                fixture.age_events(AGE_SECONDS);
                String::new()
            }
        }
    }
}

fn provenance(actor: &str, op: &str) -> Provenance {
    Provenance::new(actor, "why").under_id(op.to_owned())
}

/// A walk with two stores, as far as it was taken.
struct Walk {
    number: u64,
    answers: Vec<String>,
}

impl Walk {
    /// Checks that two descriptions are equal; a failure shows where they begin to differ.
    #[track_caller]
    fn assert_alike(&self, what: &str, one: &str, other: &str) {
        if one == other {
            return;
        }
        let differing = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
        let excerpt = |text: &str| -> String {
            text.chars().skip(differing.saturating_sub(200)).take(400).collect()
        };
        let number = self.number;
        panic!(
            "TRUEUP_WALKS={number}..{}: {what}\n\n one: {}\n\nother: {}\n\nafter {:#?}",
            number + 1,
            excerpt(one),
            excerpt(other),
            self.answers
        );
    }
}

/// Registers the sessions and adds some work, so that the first steps have something to change.
fn set_out(store: &mut dyn Store, number: u64) {
    for who in SESSIONS {
        let by = provenance(who, &format!("walk-{number}-{who}"));
        let registration = SessionRegistration { provenance: by, ..registration(who) };
        store.register_session(&registration).unwrap();
    }
    for item in 0..ITEM_COUNT / 2 {
        let by = provenance("user", &format!("walk-{number}-i{item}"));
        store.add_item(&new_item(&format!("i{item}")), &by).unwrap();
    }
    for item in ["i0", "i1"] {
        let by = provenance("user", &format!("walk-{number}-{item}-phases"));
        store.add_phases(&new_phases(item, &[&[], &[], &[1]]), &by).unwrap();
    }
}

/// Takes a step of a hub with two stores, every third one twice.
fn take_hub_step(
    walk: &mut Walk,
    dice: &mut SeededRandom,
    count: usize,
    first: &mut dyn Store,
    second: &mut dyn Store,
) {
    let step = HubStep::pick_step(dice);
    let op = format!("walk-{}-hub-{count}", walk.number);
    for _ in 0..=usize::from(dice.roll(3) == 0) {
        let (one, other) = (step.apply_step(first, &op), step.apply_step(second, &op));
        walk.assert_alike(&format!("{op} {step:?}"), &one, &other);
        walk.answers.push(format!("{op} {step:?}: {one}"));
    }
}

/// Takes a walk with two stores. Every eighth operation is repeated under its id, at once or later.
fn take_walk(number: u64, first: &mut impl StoreFixture, second: &mut impl StoreFixture) {
    let mut walk = Walk { number, answers: Vec::new() };
    let mut dice = SeededRandom::of_walk(number);
    // Of their own, so that the other steps are the same with them and without.
    let mut hub_dice = SeededRandom::of_walk(number ^ HUB_WALK);
    let mut taken: Vec<(WalkStep, String)> = Vec::new();
    for store in [first.store(), second.store()] {
        set_out(store, number);
    }
    for count in 0..STEP_COUNT {
        if taken.is_empty() || dice.roll(8) > 0 {
            taken.push((WalkStep::pick_step(&mut dice), format!("walk-{number}-{count}")));
        } else {
            let earlier = taken.len() - 1 - dice.roll(taken.len().min(3));
            let again = taken.remove(earlier);
            taken.push(again);
        }
        let (step, op) = taken.last().unwrap();
        let (one, other) = (step.apply_step(first, op), step.apply_step(second, op));
        walk.assert_alike(&format!("{op} {step:?}"), &one, &other);
        walk.answers.push(format!("{op} {step:?}: {one}"));
        if count % HUB_STEP_INTERVAL == 0 {
            take_hub_step(&mut walk, &mut hub_dice, count, first.store(), second.store());
        }
    }
    let (one, other) = (describe_store(first.store()), describe_store(second.store()));
    assert_eq!(one.len(), other.len(), "walk {number}");
    for (one, other) in one.iter().zip(&other) {
        walk.assert_alike("the end", one, other);
    }
}

/// The walks that every run takes.
const FIXED_WALKS: Range<u64> = 1..13;

/// Returns the numbers of other walks than the fixed ones, from `TRUEUP_WALKS=1000..2000`.
fn wanted_walks() -> Option<Range<u64>> {
    let wanted = std::env::var("TRUEUP_WALKS").ok()?;
    let (from, to) = wanted.split_once("..").unwrap();
    Some(from.parse().unwrap()..to.parse().unwrap())
}

/// Returns the number of a walk that hardly a run took before.
#[expect(clippy::print_stderr, reason = "a panic that no comparison raises names no walk")]
fn new_walk() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let walk = since.as_secs() << 10 | u64::from(since.subsec_millis());
    eprintln!("the walk that is new in this run: TRUEUP_WALKS={walk}..{}", walk + 1);
    walk
}

#[test]
fn two_files_take_every_walk_alike() {
    for walk in wanted_walks().unwrap_or(FIXED_WALKS.start..FIXED_WALKS.start + 3) {
        take_walk(walk, &mut new_sqlite(), &mut new_sqlite());
    }
}

#[test]
fn a_file_and_a_hub_take_every_walk_alike() {
    for walk in wanted_walks().unwrap_or(FIXED_WALKS.start..FIXED_WALKS.start + 3) {
        take_walk(walk, &mut new_sqlite(), &mut new_hub());
    }
}

#[test]
fn sqlite_and_postgresql_take_every_walk_alike() {
    let mut answered = BTreeSet::new();
    for walk in wanted_walks().unwrap_or(FIXED_WALKS) {
        let Some(mut remote) = new_remote(&DIRECT) else { return };
        let mut file = new_sqlite();
        take_walk(walk, &mut file, &mut remote);
        answered.extend(file.store.answered_operations().iter().copied());
    }
    if wanted_walks().is_none() {
        let missing: Vec<&&str> =
            OPERATIONS.iter().filter(|name| !answered.contains(*name)).collect();
        assert!(missing.is_empty(), "no walk takes {missing:?}, or always in vain");
        if let Some(mut remote) = new_remote(&DIRECT) {
            take_walk(new_walk(), &mut new_sqlite(), &mut remote);
        }
    }
}

#[test]
fn a_rule_that_one_file_lacks_is_found() {
    let taken = catch_unwind(|| {
        let (mut first, mut second) = (new_sqlite(), new_sqlite());
        second.execute_sql("DROP TRIGGER claude_sessions_changed");
        take_walk(FIXED_WALKS.start, &mut first, &mut second);
    });
    let message = taken.unwrap_err().downcast::<String>().unwrap();
    let (difference, _) = message.split_once("after [").unwrap();
    assert!(difference.starts_with("TRUEUP_WALKS=1..2: "), "{difference}");
    assert!(difference.contains("Revision(1)"), "{difference}");
}
