//! Required bounds, and whether they were met.

use crate::case::{CHECKPOINT_PUSH, HANDOFF_GUARD, SESSION_START};
use crate::run::{HookRun, LARGE, MIDDLE};
use crate::scripts::{NODE_HOOK, PYTHON_HOOK};

/// A figure beside its bound.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// What is bounded.
    pub(crate) subject: String,
    /// The bound.
    pub(crate) bound: String,
    /// What was measured; absent when this run did not.
    pub(crate) measured: Option<String>,
    /// Whether it holds.
    pub(crate) holds: bool,
}

/// Largest ratio of a session start in step to its floor.
const MAX_START_RATIO: f64 = 1.5;
/// Largest ratio of its time with the large store to that with the middle one.
const MAX_GROWTH: f64 = 1.15;
/// Largest ratio of guard and push with nothing to do to their floor.
const MAX_IDLE_RATIO: f64 = 1.3;
/// Least ratio of a script to a hook.
const MIN_SCRIPT_RATIO: f64 = 15.0;
/// Largest peak memory, in megabytes.
const MAX_MEGABYTES: f64 = 15.0;

/// Compares a run with the bounds.
pub(crate) fn judge_run(run: &HookRun) -> Vec<Verdict> {
    let time = |name: &str, size| run.find_row(name, size).map(super::run::Row::median);
    let ratio = |one: Option<f64>, other: Option<f64>| Some(one? / other?);
    let mut verdicts = vec![
        at_most(
            format!("{SESSION_START}, 1,000 items, to floor-write"),
            MAX_START_RATIO,
            ratio(time(SESSION_START, MIDDLE), time("floor-write", MIDDLE)),
        ),
        at_most(
            format!("{SESSION_START}, 1,000 items, peak MB"),
            MAX_MEGABYTES,
            run.find_row(SESSION_START, MIDDLE).map(|row| to_megabytes(row.peak)),
        ),
        at_most(
            format!("{SESSION_START}, 100,000 items, to itself at 1,000"),
            MAX_GROWTH,
            ratio(time(SESSION_START, LARGE), time(SESSION_START, MIDDLE)),
        ),
    ];
    for name in [HANDOFF_GUARD, CHECKPOINT_PUSH] {
        let found = ratio(time(name, MIDDLE), time("floor-read", MIDDLE));
        verdicts.push(at_most(format!("{name}, to floor-read"), MAX_IDLE_RATIO, found));
    }
    for script in [NODE_HOOK, PYTHON_HOOK] {
        for name in [SESSION_START, CHECKPOINT_PUSH, HANDOFF_GUARD] {
            let found = ratio(time(script, MIDDLE), time(name, MIDDLE));
            verdicts.push(at_least(format!("{script} to {name}"), MIN_SCRIPT_RATIO, found));
        }
    }
    verdicts
}

/// Returns megabytes.
#[expect(clippy::cast_precision_loss, reason = "a memory of 2^52 bytes is not measured here")]
pub(crate) fn to_megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn at_most(what: String, bound: f64, measured: Option<f64>) -> Verdict {
    let holds = measured.is_some_and(|measured| measured <= bound);
    Verdict {
        subject: what,
        bound: format!("<= {bound}"),
        measured: measured.map(render_ratio),
        holds,
    }
}

fn at_least(what: String, bound: f64, measured: Option<f64>) -> Verdict {
    let holds = measured.is_some_and(|measured| measured >= bound);
    Verdict {
        subject: what,
        bound: format!(">= {bound}"),
        measured: measured.map(render_ratio),
        holds,
    }
}

fn render_ratio(value: f64) -> String {
    format!("{value:.2}")
}
