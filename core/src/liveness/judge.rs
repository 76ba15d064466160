//! The judgement: pure.

use crate::model::{Session, SessionStatus};

/// What is known about a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessEvidence {
    /// The same incarnation runs.
    Running,
    /// It is gone, or its number was reused.
    Gone,
    /// It cannot be asked: another machine, boot or namespace, no permission, never recorded.
    Unknown,
}

impl ProcessEvidence {
    /// Returns the answer in words for a person, to follow the process.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Running => "runs",
            Self::Gone => "is gone",
            Self::Unknown => "cannot be checked",
        }
    }
}

/// Three answers to "does it live?".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alive {
    /// A witness says so.
    Alive,
    /// Two witnesses say it does not.
    Dead,
    /// Cannot tell.
    Unknown,
}

impl Alive {
    /// Returns the word of the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Dead => "dead",
            Self::Unknown => "unknown",
        }
    }
}

/// How alive a session looks, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vitality {
    /// The answer.
    pub alive: Alive,
    /// The witness, in words for a person.
    pub witness: String,
    /// What is known of its process.
    pub process: ProcessEvidence,
    /// How far, in seconds, the clock may be ahead that the silence is measured by.
    pub doubt_seconds: u64,
}

/// Judges a session by its lease, its process and its declared silence.
///
/// `ceiling_seconds` bounds how long silence is endured where the process cannot be asked.
pub fn judge(session: &Session, evidence: ProcessEvidence, ceiling_seconds: u64) -> Vitality {
    judge_despite(session, evidence, ceiling_seconds, 0)
}

/// Judges a session while the clock may be so many seconds ahead of the right time: what silence
/// alone tells must hold by the right time as well.
pub fn judge_despite(
    session: &Session,
    evidence: ProcessEvidence,
    ceiling_seconds: u64,
    doubt_seconds: u64,
) -> Vitality {
    let ceiling_seconds = ceiling_seconds.saturating_add(doubt_seconds);
    let say = |alive, witness: String| Vitality {
        alive,
        witness,
        process: evidence,
        doubt_seconds,
    };
    match session.status {
        SessionStatus::Lost => return say(Alive::Dead, "marked lost".to_owned()),
        // Its process may well run on under another session id, so it is no witness.
        SessionStatus::Ended => {
            let reason = session.ended_reason.as_deref().unwrap_or("no reason given");
            return say(Alive::Dead, format!("ended: {reason}"));
        }
        SessionStatus::Active | SessionStatus::Idle => {}
    }
    if !session.lease_expired() {
        return say(
            Alive::Alive,
            format!("lease until {}", session.lease_expires_at),
        );
    }
    let pid = session
        .process
        .as_ref()
        .map_or_else(|| "?".to_owned(), |p| p.pid.to_string());
    if evidence == ProcessEvidence::Running {
        return say(Alive::Alive, format!("process {pid} is running"));
    }
    if let Some(until) = session.silent_until.filter(|_| session.in_declared_span()) {
        return say(
            Alive::Unknown,
            format!("announced quiet period until {until}"),
        );
    }
    match evidence {
        ProcessEvidence::Gone => say(
            Alive::Dead,
            format!("lease expired and process {pid} is gone"),
        ),
        _ if session.silent_longer_than(ceiling_seconds) => say(
            Alive::Dead,
            format!(
                "lease expired and {}, over the ceiling",
                session.silence_in_words()
            ),
        ),
        _ => say(
            Alive::Unknown,
            format!(
                "{}, process {pid} cannot be checked",
                session.silence_in_words()
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::{at, session};

    #[test]
    fn what_silence_alone_tells_must_hold_by_the_right_time_too() {
        use ProcessEvidence::{Gone, Unknown};
        for (silence, process, doubt, expected) in [
            (1_801, Unknown, 0, Alive::Dead),
            (1_801, Unknown, 60, Alive::Unknown),
            (1_861, Unknown, 60, Alive::Dead),
            (31_536_000, Unknown, u64::MAX, Alive::Unknown),
            // What is dated ahead may be right where the present is not.
            (-31_536_000, Unknown, u64::MAX, Alive::Unknown),
            // A process that is gone needs no clock.
            (1_801, Gone, 31_536_000, Alive::Dead),
        ] {
            let session = session("s", SessionStatus::Active, silence);
            let vitality = judge_despite(&session, process, 1_800, doubt);
            assert_eq!(vitality.alive, expected, "{silence} {process:?} {doubt}");
        }
    }

    #[test]
    fn one_witness_for_life_two_for_death() {
        use ProcessEvidence::{Gone, Running, Unknown};
        use SessionStatus::{Active, Ended, Idle, Lost};
        for (status, silence, span, process, expected) in [
            // A valid lease is a witness, whatever the process says.
            (Active, 10, None, Gone, Alive::Alive),
            (Idle, 899, None, Unknown, Alive::Alive),
            // A running process is a witness, whatever the lease says.
            (Active, 5000, None, Running, Alive::Alive),
            // Lease and process together prove death.
            (Active, 900, None, Gone, Alive::Dead),
            (Idle, 901, None, Gone, Alive::Dead),
            // "Cannot ask" is not death before the ceiling, which itself still endures.
            (Active, 901, None, Unknown, Alive::Unknown),
            (Active, 1800, None, Unknown, Alive::Unknown),
            (Active, 1801, None, Unknown, Alive::Dead),
            // Declared silence postpones both.
            (Active, 1801, Some(60), Unknown, Alive::Unknown),
            (Active, 1801, Some(60), Gone, Alive::Unknown),
            (Active, 1801, Some(-1), Gone, Alive::Dead),
            // No announcement is honoured past its own ceiling.
            (Active, 2700, Some(60), Gone, Alive::Unknown),
            (Active, 2701, Some(60), Gone, Alive::Dead),
            (Active, 2701, Some(60), Unknown, Alive::Dead),
            (Active, 2701, Some(60), Running, Alive::Alive),
            // What a wrong clock dated is no sign of life, and the process is asked.
            (Active, -60, None, Unknown, Alive::Alive),
            (Active, -61, None, Gone, Alive::Dead),
            (Active, -31_536_000, None, Gone, Alive::Dead),
            (Active, -31_536_000, None, Unknown, Alive::Dead),
            (Active, -31_536_000, None, Running, Alive::Alive),
            (Active, -31_536_000, Some(60), Gone, Alive::Dead),
            (Active, 901, Some(31_536_000), Gone, Alive::Dead),
            // A goodbye and a sweep have spoken already.
            (Ended, 1, None, Running, Alive::Dead),
            (Lost, 1, None, Running, Alive::Dead),
        ] {
            let mut session = session("s", status, silence);
            session.silent_until = span.map(at);
            let vitality = judge(&session, process, 1800);
            assert_eq!(
                vitality.alive, expected,
                "{status:?} silent {silence} s, span {span:?}, {process:?}: {}",
                vitality.witness
            );
        }
    }
}
