//! When a claim that is refused now would be granted, and whether it needs force.

use super::{ClaimFacts, FORCE_AFTER_SECONDS, decide_claim};
use crate::model::{
    FOREVER, ProcessState, QUIET_PERIOD_CEILING_SECONDS, Session, Timestamp, judge_session,
};

/// The first time at which a claim will be granted if the holder gives no further sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimForecast {
    /// When the claim will be granted.
    pub at: Timestamp,
    /// Whether it needs `--force`, because the holder's process runs and may run for any length of
    /// time.
    pub by_force: bool,
}

/// Finds the first time at which a refused claim would be granted, by asking the same decision
/// about later times. Returns `None` when the claim is refused for another reason than its holder.
pub fn forecast_claim(
    facts: &ClaimFacts<'_>,
    evidence: ProcessState,
    ceiling_seconds: u64,
) -> Option<ClaimForecast> {
    let (holder, liveness) = facts.holder?;
    // No forecast is made by a clock that is not trusted.
    if liveness.clock_doubt_seconds == FOREVER {
        return None;
    }
    let mut moments = list_decision_times(holder, ceiling_seconds);
    moments.sort_unstable();
    let granted = |at: &Timestamp, force| {
        let then = Session { read_at: *at, ..holder.clone() };
        let liveness = judge_session(&then, evidence, ceiling_seconds);
        let facts = ClaimFacts { holder: Some((&then, &liveness)), force, ..facts.clone() };
        decide_claim(&facts).is_ok()
    };
    // A claim without force is preferred even when it comes much later.
    [false, true].into_iter().find_map(|by_force| {
        let at = moments.iter().find(|at| granted(at, by_force)).copied();
        at.map(|at| ClaimForecast { at, by_force })
    })
}

/// Lists the times, from now on, at which the judgment of a silent holder can change.
fn list_decision_times(holder: &Session, ceiling_seconds: u64) -> Vec<Timestamp> {
    // "Longer than" begins with the next millisecond.
    let after = |seconds: u64, millis: i64| {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        let heartbeat = holder.heartbeat_at.as_millis();
        Timestamp::from_millis(heartbeat.saturating_add(seconds.saturating_mul(1_000) + millis))
    };
    let mut moments = vec![
        holder.read_at,
        holder.lease_expires_at,
        after(FORCE_AFTER_SECONDS, 0),
        after(ceiling_seconds, 1),
        after(QUIET_PERIOD_CEILING_SECONDS, 1),
    ];
    moments.extend(holder.silent_until);
    moments.retain(|at| *at >= holder.read_at);
    moments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Liveness;
    use crate::model::fixture::{sample_item, sample_session, seconds_from_now};
    use crate::model::{ItemStatus, SessionStatus};

    const CEILING: u64 = 1_800;

    fn judge_at(holder: &Session, at: Timestamp, evidence: ProcessState) -> (Session, Liveness) {
        let then = Session { read_at: at, ..holder.clone() };
        let liveness = judge_session(&then, evidence, CEILING);
        (then, liveness)
    }

    fn is_granted(holder: &Session, at: Timestamp, evidence: ProcessState, force: bool) -> bool {
        let me = sample_session("me", SessionStatus::Active, 0);
        let held = sample_item(ItemStatus::Running, Some("peer"));
        let (holder, liveness) = judge_at(holder, at, evidence);
        let facts = ClaimFacts {
            claimant: Some(&me),
            item: Some(&held),
            holder: Some((&holder, &liveness)),
            force,
            new_item: None,
        };
        decide_claim(&facts).is_ok()
    }

    fn forecast_for(holder: &Session, evidence: ProcessState) -> Option<ClaimForecast> {
        let me = sample_session("me", SessionStatus::Active, 0);
        let held = sample_item(ItemStatus::Running, Some("peer"));
        let (holder, liveness) = judge_at(holder, holder.read_at, evidence);
        let facts = ClaimFacts {
            claimant: Some(&me),
            item: Some(&held),
            holder: Some((&holder, &liveness)),
            force: false,
            new_item: None,
        };
        forecast_claim(&facts, evidence, CEILING)
    }

    #[test]
    fn forecast_is_when_the_blocking_condition_ends() {
        use ProcessState::{Gone, Running, Unknown};
        use SessionStatus::{Active, Ended};
        let millis = |seconds: i64, millis| {
            Timestamp::from_millis(seconds_from_now(seconds).as_millis() + millis)
        };
        for (status, silence, span, process, from, by_force) in [
            // The lease of a session whose process is gone.
            (Active, 100, None, Gone, seconds_from_now(800), false),
            // The ceiling, where the process cannot be checked.
            (Active, 100, None, Unknown, millis(1_700, 1), false),
            (Active, 1_000, None, Unknown, millis(800, 1), false),
            // A quiet period.
            (Active, 100, Some(1_000), Gone, seconds_from_now(1_000), false),
            (Active, 1_000, Some(1_780), Gone, millis(1_700, 1), false),
            // A running process yields only to --force.
            (Active, 5, None, Running, seconds_from_now(55), true),
            (Active, 5_000, None, Running, seconds_from_now(0), true),
            // A session that ended may be resumed until its lease expires.
            (Ended, 100, None, Running, seconds_from_now(800), false),
            (Ended, 100, None, Unknown, seconds_from_now(800), false),
            (Ended, 100, None, Gone, seconds_from_now(0), false),
        ] {
            let mut holder = sample_session("peer", status, silence);
            holder.silent_until = span.map(seconds_from_now);
            let expected = Some(ClaimForecast { at: from, by_force });
            assert_eq!(
                forecast_for(&holder, process),
                expected,
                "{status:?} silent {silence}, span {span:?}, {process:?}"
            );
        }
    }

    #[test]
    fn a_claim_is_granted_at_the_forecast_time_and_not_before() {
        use ProcessState::{Gone, Running, Unknown};
        use SessionStatus::{Active, Ended, Idle, Lost};
        for status in [Active, Idle, Ended, Lost] {
            for process in [Gone, Running, Unknown] {
                for silence in [-31_536_000, -61, -5, 0, 59, 100, 899, 900, 1_801, 2_701] {
                    for span in [None, Some(-5), Some(300), Some(1_790), Some(31_536_000)] {
                        let mut holder = sample_session("peer", status, silence);
                        holder.silent_until = span.map(seconds_from_now);
                        let context = format!("{status:?} {process:?} {silence} {span:?}");
                        let forecast = forecast_for(&holder, process).expect(&context);
                        let granted = |at| is_granted(&holder, at, process, forecast.by_force);
                        assert!(forecast.at >= holder.read_at, "{context}");
                        assert!(granted(forecast.at), "{context}: {forecast:?}");
                        let before = Timestamp::from_millis(forecast.at.as_millis() - 1);
                        if before >= holder.read_at {
                            assert!(!granted(before), "{context}: {forecast:?}");
                        }
                    }
                }
            }
        }
    }
}
