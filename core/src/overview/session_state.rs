//! What a session is doing, in one word.

use serde::Serialize;

use crate::model::{LivenessState, Session, SessionStatus};

/// What a session is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    /// It works.
    Live,
    /// It is between turns, waits for an answer of a person, or has announced its silence.
    Waiting,
    /// Its lease is over, and nothing shows that it is dead.
    Stale,
    /// It was found dead, or everything shows that it is.
    Dead,
    /// It ended.
    Ended,
}

impl SessionState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Live, Self::Waiting, Self::Stale, Self::Dead, Self::Ended];

    /// Returns the word that answers show.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Waiting => "waiting",
            Self::Stale => "stale",
            Self::Dead => "dead",
            Self::Ended => "ended",
        }
    }

    /// Returns whether it may still do something by itself.
    pub const fn is_present(self) -> bool {
        matches!(self, Self::Live | Self::Waiting | Self::Stale)
    }
}

/// Decides what a session is doing; who waits for an answer is silent because of that.
pub fn decide_session_state(
    session: &Session,
    alive: LivenessState,
    waits_for_input: bool,
) -> SessionState {
    match (session.status, alive) {
        (SessionStatus::Ended, _) => SessionState::Ended,
        (SessionStatus::Lost, _) | (_, LivenessState::Dead) => SessionState::Dead,
        _ if waits_for_input => SessionState::Waiting,
        (SessionStatus::Active, LivenessState::Alive) => SessionState::Live,
        (SessionStatus::Idle, LivenessState::Alive) => SessionState::Waiting,
        (_, LivenessState::Unknown) if session.is_in_quiet_period() => SessionState::Waiting,
        (_, LivenessState::Unknown) => SessionState::Stale,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::{sample_session, seconds_from_now};

    #[test]
    fn a_session_is_live_waiting_stale_dead_or_ended() {
        use LivenessState::{Alive, Dead, Unknown};
        use SessionStatus::{Active, Ended, Idle, Lost};
        for (waits, status, alive, silence, announced, expected) in [
            (true, Active, Alive, 10, None, SessionState::Waiting),
            (true, Active, Unknown, 1_000, None, SessionState::Waiting),
            (true, Active, Dead, 1_000, None, SessionState::Dead),
            (true, Lost, Dead, 10, None, SessionState::Dead),
            (true, Ended, Dead, 10, None, SessionState::Ended),
            (false, Active, Alive, 10, None, SessionState::Live),
            (false, Active, Alive, 10, Some(600), SessionState::Live),
            // A running process is evidence, whatever the lease says.
            (false, Active, Alive, 5_000, None, SessionState::Live),
            (false, Idle, Alive, 10, None, SessionState::Waiting),
            (false, Idle, Alive, 5_000, None, SessionState::Waiting),
            (false, Active, Unknown, 1_000, Some(600), SessionState::Waiting),
            (false, Active, Unknown, 1_000, Some(-1), SessionState::Stale),
            (false, Active, Unknown, 1_000, None, SessionState::Stale),
            (false, Idle, Unknown, 1_000, None, SessionState::Stale),
            (false, Active, Dead, 1_000, None, SessionState::Dead),
            (false, Idle, Dead, 5_000, None, SessionState::Dead),
            (false, Lost, Dead, 10, None, SessionState::Dead),
            (false, Lost, Unknown, 1_000, Some(600), SessionState::Dead),
            (false, Ended, Dead, 10, None, SessionState::Ended),
        ] {
            let mut session = sample_session("s", status, silence);
            session.silent_until = announced.map(seconds_from_now);
            assert_eq!(
                decide_session_state(&session, alive, waits),
                expected,
                "{status:?} {alive:?} waits {waits} silent {silence} s, announced {announced:?}"
            );
        }
    }
}
