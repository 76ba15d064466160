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
    /// It is between turns, or has announced its silence.
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

/// Decides what a session is doing.
pub fn decide_session_state(session: &Session, alive: LivenessState) -> SessionState {
    match (session.status, alive) {
        (SessionStatus::Ended, _) => SessionState::Ended,
        (SessionStatus::Lost, _) | (_, LivenessState::Dead) => SessionState::Dead,
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
        for (status, alive, silence, announced, expected) in [
            (Active, Alive, 10, None, SessionState::Live),
            (Active, Alive, 10, Some(600), SessionState::Live),
            // A running process is evidence, whatever the lease says.
            (Active, Alive, 5_000, None, SessionState::Live),
            (Idle, Alive, 10, None, SessionState::Waiting),
            (Idle, Alive, 5_000, None, SessionState::Waiting),
            (Active, Unknown, 1_000, Some(600), SessionState::Waiting),
            (Active, Unknown, 1_000, Some(-1), SessionState::Stale),
            (Active, Unknown, 1_000, None, SessionState::Stale),
            (Idle, Unknown, 1_000, None, SessionState::Stale),
            (Active, Dead, 1_000, None, SessionState::Dead),
            (Idle, Dead, 5_000, None, SessionState::Dead),
            (Lost, Dead, 10, None, SessionState::Dead),
            (Lost, Unknown, 1_000, Some(600), SessionState::Dead),
            (Ended, Dead, 10, None, SessionState::Ended),
        ] {
            let mut session = sample_session("s", status, silence);
            session.silent_until = announced.map(seconds_from_now);
            assert_eq!(
                decide_session_state(&session, alive),
                expected,
                "{status:?} {alive:?} silent {silence} s, announced {announced:?}"
            );
        }
    }
}
