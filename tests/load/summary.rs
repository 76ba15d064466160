//! What a load came to: counts, rates, and the longest time without an answer.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::record::{Operation, Outcome, Record};

/// The figures of one kind of operation.
#[derive(Debug, Serialize)]
pub(crate) struct OperationFigures {
    acknowledged: usize,
    median_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    requests_each: f64,
}

/// The figures of a load.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    sessions: usize,
    acknowledged: usize,
    refused: usize,
    given_up: usize,
    /// Operations that were begun again because a deadline had passed or nothing could be reached.
    repeated: usize,
    /// Operations of which a request may have been carried out although there was no answer.
    doubtful: usize,
    events: usize,
    seconds: f64,
    operations_per_second: f64,
    /// The longest time in which no worker was given an answer.
    outage_seconds: f64,
    operations: BTreeMap<Operation, OperationFigures>,
    violations: usize,
}

impl Summary {
    pub(crate) fn new(records: &[Record], events: usize, violations: usize) -> Self {
        let count = |holds: &dyn Fn(&Record) -> bool| records.iter().filter(|it| holds(it)).count();
        let acknowledged = count(&Record::is_acknowledged);
        let began = records.iter().map(|record| record.began).min().unwrap_or_default();
        let mut ends: Vec<u64> =
            records.iter().filter(|it| it.is_acknowledged()).map(|record| record.ended).collect();
        ends.sort_unstable();
        let seconds = to_seconds(ends.last().copied().unwrap_or(began).saturating_sub(began));
        let gaps = ends.iter().zip(ends.iter().skip(1)).map(|(one, next)| next - one);
        let mut kinds: BTreeMap<Operation, Vec<&Record>> = BTreeMap::new();
        let mut sessions: Vec<&str> = records.iter().map(|it| it.session.as_str()).collect();
        sessions.sort_unstable();
        sessions.dedup();
        for record in records.iter().filter(|record| record.is_acknowledged()) {
            kinds.entry(record.operation).or_default().push(record);
        }
        Self {
            sessions: sessions.len(),
            acknowledged,
            refused: count(&|it| matches!(it.outcome, Outcome::Refused(_))),
            given_up: count(&|it| matches!(it.outcome, Outcome::GivenUp(_))),
            repeated: count(&|it| it.attempts > 1),
            doubtful: count(&|it| it.doubtful_requests > 0),
            events,
            seconds,
            operations_per_second: to_float(acknowledged) / seconds,
            outage_seconds: to_seconds(gaps.max().unwrap_or_default()),
            operations: kinds.into_iter().map(|(kind, all)| (kind, figures_of(&all))).collect(),
            violations,
        }
    }
}

fn figures_of(records: &[&Record]) -> OperationFigures {
    let mut times: Vec<u64> = records.iter().map(|it| it.ended.saturating_sub(it.began)).collect();
    times.sort_unstable();
    let at = |share: usize| {
        let index = times.len().saturating_sub(1) * share / 100;
        times.get(index).map_or(f64::NAN, |micros| to_seconds(*micros) * 1000.0)
    };
    let requests: u64 = records.iter().map(|record| record.requests).sum();
    OperationFigures {
        acknowledged: records.len(),
        median_ms: at(50),
        p99_ms: at(99),
        max_ms: at(100),
        requests_each: to_float(usize::try_from(requests).unwrap_or_default())
            / to_float(records.len()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "no load lasts 2^52 microseconds")]
fn to_seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "no load has 2^52 operations")]
fn to_float(count: usize) -> f64 {
    count as f64
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} sessions, {} operations acknowledged in {:.1} s ({:.0} a second), {} events",
            self.sessions, self.acknowledged, self.seconds, self.operations_per_second, self.events
        )?;
        writeln!(
            f,
            "{} refused, {} given up, {} repeated, {} doubtful; longest time without an answer \
             {:.1} s",
            self.refused, self.given_up, self.repeated, self.doubtful, self.outage_seconds
        )?;
        for (operation, figures) in &self.operations {
            writeln!(
                f,
                "  {:<10} {:>6}   median {:>7.1} ms   p99 {:>8.1} ms   max {:>8.1} ms   \
                 {:.2} requests",
                format!("{operation:?}").to_lowercase(),
                figures.acknowledged,
                figures.median_ms,
                figures.p99_ms,
                figures.max_ms,
                figures.requests_each
            )?;
        }
        writeln!(f, "{} promises broken", self.violations)
    }
}
