//! What must be reached, and whether it was.

use crate::case::{GATE, PUSH, START};
use crate::run::{LARGE, MIDDLE, Run};
use crate::scripts::{NODE_HOOK, PYTHON_HOOK};

/// A figure beside its bound.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// What is bounded.
    pub(crate) what: String,
    /// The bound.
    pub(crate) bound: String,
    /// What was measured; absent when this run did not.
    pub(crate) measured: Option<String>,
    /// Whether it holds.
    pub(crate) holds: bool,
}

/// Largest share of its floor that a session start in step may take.
const START_RATIO: f64 = 1.5;
/// Largest share of its own time in the middle store that it may take in the large one.
const GROWTH: f64 = 1.15;
/// Largest share of their floor that gate and push with nothing to do may take.
const IDLE_RATIO: f64 = 1.3;
/// How much faster than a script a hook is at least.
const SCRIPT_RATIO: f64 = 15.0;
/// Largest peak memory, in megabytes.
const MEGABYTES: f64 = 15.0;

/// Judges a run.
pub(crate) fn verdicts(run: &Run) -> Vec<Verdict> {
    let time = |name: &str, size| run.row(name, size).map(super::run::Row::median);
    let ratio = |one: Option<f64>, other: Option<f64>| Some(one? / other?);
    let mut verdicts = vec![
        at_most(
            format!("{START}, 1,000 items, to floor-write"),
            START_RATIO,
            ratio(time(START, MIDDLE), time("floor-write", MIDDLE)),
        ),
        at_most(
            format!("{START}, 1,000 items, peak MB"),
            MEGABYTES,
            run.row(START, MIDDLE).map(|row| megabytes(row.peak)),
        ),
        at_most(
            format!("{START}, 100,000 items, to itself at 1,000"),
            GROWTH,
            ratio(time(START, LARGE), time(START, MIDDLE)),
        ),
    ];
    for name in [GATE, PUSH] {
        let found = ratio(time(name, MIDDLE), time("floor-read", MIDDLE));
        verdicts.push(at_most(format!("{name}, to floor-read"), IDLE_RATIO, found));
    }
    for script in [NODE_HOOK, PYTHON_HOOK] {
        for name in [START, PUSH, GATE] {
            let found = ratio(time(script, MIDDLE), time(name, MIDDLE));
            verdicts.push(at_least(format!("{script} to {name}"), SCRIPT_RATIO, found));
        }
    }
    verdicts
}

/// Returns megabytes.
#[expect(
    clippy::cast_precision_loss,
    reason = "a memory of 2^52 bytes is not measured here"
)]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn at_most(what: String, bound: f64, measured: Option<f64>) -> Verdict {
    let holds = measured.is_some_and(|measured| measured <= bound);
    Verdict {
        what,
        bound: format!("<= {bound}"),
        measured: measured.map(shown),
        holds,
    }
}

fn at_least(what: String, bound: f64, measured: Option<f64>) -> Verdict {
    let holds = measured.is_some_and(|measured| measured >= bound);
    Verdict {
        what,
        bound: format!(">= {bound}"),
        measured: measured.map(shown),
        holds,
    }
}

fn shown(value: f64) -> String {
    format!("{value:.2}")
}
