//! Judges whether a session lives.

use serde::Serialize;

use crate::model::{Session, SessionStatus};

/// The state of a recorded process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessState {
    /// The recorded process runs.
    Running,
    /// It is gone, or its number belongs to another process now.
    Gone,
    /// It cannot be checked: another machine, boot or namespace, no permission, or never recorded.
    Unknown,
}

impl ProcessState {
    /// Describes the state in a phrase that follows the name of the process.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Running => "runs",
            Self::Gone => "is gone",
            Self::Unknown => "cannot be checked",
        }
    }
}

/// The answer to "does it live?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LivenessState {
    /// There is evidence that it lives.
    Alive,
    /// Two pieces of evidence show that it is dead.
    Dead,
    /// The evidence does not tell.
    Unknown,
}

impl LivenessState {
    /// Returns the word that answers show.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Dead => "dead",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether a session, an orchestrator or the owner of ports lives, and the evidence for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Liveness {
    /// The judgement.
    pub state: LivenessState,
    /// The evidence, in a phrase for a person.
    pub evidence: String,
    /// The state of its process.
    pub process: ProcessState,
    /// How far ahead, in seconds, the clock may be that the silence was measured by.
    pub clock_doubt_seconds: u64,
}

/// Judges a session by its lease, its process and its announced silence.
///
/// `ceiling_seconds` is the longest silence accepted where the process cannot be checked.
pub fn judge_session(session: &Session, process: ProcessState, ceiling_seconds: u64) -> Liveness {
    judge_session_with_doubt(session, process, ceiling_seconds, 0)
}

/// Judges a session while the clock may be up to `doubt_seconds` ahead of the right time. What is
/// concluded from silence alone then also has to hold by the right time.
pub fn judge_session_with_doubt(
    session: &Session,
    process: ProcessState,
    ceiling_seconds: u64,
    clock_doubt_seconds: u64,
) -> Liveness {
    let ceiling_seconds = ceiling_seconds.saturating_add(clock_doubt_seconds);
    let answer =
        |alive, evidence: String| Liveness { state: alive, evidence, process, clock_doubt_seconds };
    match session.status {
        SessionStatus::Lost => return answer(LivenessState::Dead, "marked lost".to_owned()),
        // Its process may run on under another session id, so it is no evidence.
        SessionStatus::Ended => {
            let reason = session.ended_reason.as_deref().unwrap_or("no reason given");
            return answer(LivenessState::Dead, format!("ended: {reason}"));
        }
        SessionStatus::Active | SessionStatus::Idle => {}
    }
    if !session.is_lease_expired() {
        return answer(LivenessState::Alive, format!("lease until {}", session.lease_expires_at));
    }
    let client = session
        .process
        .as_ref()
        .map_or_else(|| "client process".to_owned(), |process| format!("process {}", process.pid));
    if process == ProcessState::Running {
        return answer(LivenessState::Alive, format!("{client} is running"));
    }
    if let Some(until) = session.silent_until.filter(|_| session.is_in_quiet_period()) {
        return answer(LivenessState::Unknown, format!("announced quiet period until {until}"));
    }
    match process {
        ProcessState::Gone => {
            answer(LivenessState::Dead, format!("lease expired and {client} is gone"))
        }
        _ if session.is_silent_longer_than(ceiling_seconds) => answer(
            LivenessState::Dead,
            format!("lease expired and {}, over the ceiling", session.describe_silence()),
        ),
        _ => answer(
            LivenessState::Unknown,
            match session.process {
                Some(_) => format!("{}, {client} cannot be checked", session.describe_silence()),
                None => format!("{}, client process unknown", session.describe_silence()),
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::{sample_session, seconds_from_now};

    #[test]
    fn conclusions_from_silence_allow_for_clock_doubt() {
        use ProcessState::{Gone, Unknown};
        for (silence, process, doubt, expected) in [
            (1_801, Unknown, 0, LivenessState::Dead),
            (1_801, Unknown, 60, LivenessState::Unknown),
            (1_861, Unknown, 60, LivenessState::Dead),
            (31_536_000, Unknown, u64::MAX, LivenessState::Unknown),
            // A date ahead of the clock may be right when the clock is wrong.
            (-31_536_000, Unknown, u64::MAX, LivenessState::Unknown),
            // A process that is gone needs no clock.
            (1_801, Gone, 31_536_000, LivenessState::Dead),
        ] {
            let session = sample_session("s", SessionStatus::Active, silence);
            let liveness = judge_session_with_doubt(&session, process, 1_800, doubt);
            assert_eq!(liveness.state, expected, "{silence} {process:?} {doubt}");
        }
    }

    #[test]
    fn one_witness_for_life_two_for_death() {
        use ProcessState::{Gone, Running, Unknown};
        use SessionStatus::{Active, Ended, Idle, Lost};
        for (status, silence, span, process, expected) in [
            // A valid lease proves life, whatever the process says.
            (Active, 10, None, Gone, LivenessState::Alive),
            (Idle, 899, None, Unknown, LivenessState::Alive),
            // A running process proves life, whatever the lease says.
            (Active, 5000, None, Running, LivenessState::Alive),
            // Lease and process together prove death.
            (Active, 900, None, Gone, LivenessState::Dead),
            (Idle, 901, None, Gone, LivenessState::Dead),
            // "Cannot check" does not mean dead up to and including the ceiling.
            (Active, 901, None, Unknown, LivenessState::Unknown),
            (Active, 1800, None, Unknown, LivenessState::Unknown),
            (Active, 1801, None, Unknown, LivenessState::Dead),
            // An announced quiet period postpones both.
            (Active, 1801, Some(60), Unknown, LivenessState::Unknown),
            (Active, 1801, Some(60), Gone, LivenessState::Unknown),
            (Active, 1801, Some(-1), Gone, LivenessState::Dead),
            // An announcement counts no longer than its limit.
            (Active, 2700, Some(60), Gone, LivenessState::Unknown),
            (Active, 2701, Some(60), Gone, LivenessState::Dead),
            (Active, 2701, Some(60), Unknown, LivenessState::Dead),
            (Active, 2701, Some(60), Running, LivenessState::Alive),
            // A date from a wrong clock proves no life, and the process decides.
            (Active, -60, None, Unknown, LivenessState::Alive),
            (Active, -61, None, Gone, LivenessState::Dead),
            (Active, -31_536_000, None, Gone, LivenessState::Dead),
            (Active, -31_536_000, None, Unknown, LivenessState::Dead),
            (Active, -31_536_000, None, Running, LivenessState::Alive),
            (Active, -31_536_000, Some(60), Gone, LivenessState::Dead),
            (Active, 901, Some(31_536_000), Gone, LivenessState::Dead),
            // An ended or lost session was judged before.
            (Ended, 1, None, Running, LivenessState::Dead),
            (Lost, 1, None, Running, LivenessState::Dead),
        ] {
            let mut session = sample_session("s", status, silence);
            session.silent_until = span.map(seconds_from_now);
            let liveness = judge_session(&session, process, 1800);
            assert_eq!(
                liveness.state, expected,
                "{status:?} silent {silence} s, span {span:?}, {process:?}: {}",
                liveness.evidence
            );
        }
    }
}
