//! How long an operation waits for a server that cannot be used at the moment, and how often it
//! asks.

use std::cell::Cell;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::thread;
use std::time::{Duration, Instant};

use trueup_core::deadline::Deadline;

use crate::error::{FailureKind, TransportError};

/// The pause between two looks at the newest event: a reader sees a change within half a second,
/// and a database serves hundreds of them beside its work.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// How long a reader that follows goes on without an answer before it gives up: a server that is
/// restarted, or replaced by its standby, is back by then.
pub(crate) const OUTAGE_PATIENCE: Duration = Duration::from_mins(2);

/// How long the only server of a URL may refuse connections if it never answered: a restart is
/// over by then, and a user who named the wrong port should not wait for the whole deadline.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(3);

/// The longest pause before an operation runs again, in milliseconds.
const MAX_PAUSE_MS: u64 = 200;

/// The longest pause while there is no server for the operation, in milliseconds. Each attempt
/// costs such a server a connection.
const MAX_OUTAGE_PAUSE_MS: u64 = 1000;

/// What is known of a server that cannot be used.
#[derive(Debug, Default)]
pub(crate) struct OutageWatch {
    /// Whether to wait at all: a hook has an outbox and the agent waits for it.
    is_waited_for: bool,
    has_answered: Cell<bool>,
    refused_since: Cell<Option<Instant>>,
}

impl OutageWatch {
    pub(crate) fn wait_for_server(&mut self) {
        self.is_waited_for = true;
    }

    pub(crate) fn note_answer(&self) {
        self.has_answered.set(true);
    }

    /// Returns whether the same request may succeed once the server, or another one of its cluster,
    /// takes it.
    pub(crate) fn may_end(&self, error: &TransportError, has_alternatives: bool) -> bool {
        match error.kind {
            FailureKind::Refused => {
                let since = self.refused_since.get().unwrap_or_else(Instant::now);
                self.refused_since.set(Some(since));
                let is_expected_back = has_alternatives || self.has_answered.get();
                self.is_waited_for && (is_expected_back || since.elapsed() < REFUSAL_PATIENCE)
            }
            FailureKind::ReadOnly | FailureKind::WrongSessionAttributes(_) => {
                self.note_answer();
                self.is_waited_for
            }
            FailureKind::NotReady | FailureKind::OutOfConnections => {
                self.note_answer();
                true
            }
            _ => error.is_retryable(),
        }
    }
}

/// The deadline leaves no time for another run.
pub(crate) struct OutOfTime;

/// Waits a moment before a run, which differs between processes, or as long as the server asks for.
/// A first run that need not wait is made at once.
pub(crate) fn pause_before_run(
    deadline: Deadline,
    error: Option<&TransportError>,
    should_wait: bool,
    runs: u64,
) -> Result<(), OutOfTime> {
    let left = deadline.remaining();
    let asked = error.and_then(TransportError::retry_after);
    if left.is_zero() || asked.is_some_and(|asked| asked >= left) {
        return Err(OutOfTime);
    }
    if let Some(asked) = asked {
        thread::sleep(asked);
    } else if should_wait && runs > 1 {
        let random = RandomState::new().build_hasher().finish();
        thread::sleep(choose_pause(error, runs, random).min(left));
    }
    Ok(())
}

/// Returns the pause before a run, given how many there were. Pauses grow up to a limit, and differ
/// between processes, which would otherwise all come back at the same moment.
fn choose_pause(error: Option<&TransportError>, runs: u64, random: u64) -> Duration {
    let doubled = |first: u64| first << runs.min(8);
    let millis = if error.is_some_and(TransportError::is_outage) {
        let longest = doubled(32).min(MAX_OUTAGE_PAUSE_MS);
        longest / 2 + random % (longest / 2)
    } else {
        random % doubled(8).min(MAX_PAUSE_MS)
    };
    Duration::from_millis(millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trueup_core::settings::DatabaseAddress;

    fn error(kind: FailureKind) -> TransportError {
        let (host, database) = ("db".to_owned(), Some("work".to_owned()));
        TransportError::new(
            DatabaseAddress { scheme: "postgres", host, port: None, database },
            kind,
        )
    }

    fn waiting() -> OutageWatch {
        OutageWatch { is_waited_for: true, ..OutageWatch::default() }
    }

    #[test]
    fn the_only_server_may_refuse_for_some_seconds_unless_it_answered() {
        let refused = error(FailureKind::Refused);
        let watch = waiting();
        assert!(watch.may_end(&refused, false));
        watch.refused_since.set(Instant::now().checked_sub(REFUSAL_PATIENCE));
        assert!(!watch.may_end(&refused, false));
        assert!(watch.may_end(&refused, true));
        assert!(watch.may_end(&error(FailureKind::NotReady), false));
        assert!(watch.may_end(&refused, false));
    }

    #[test]
    fn what_no_waiting_ends_is_reported_at_once() {
        for kind in [
            FailureKind::WrongPassword,
            FailureKind::NameNotFound,
            FailureKind::NoSuchDatabase,
            FailureKind::NotAdmitted,
            FailureKind::PermissionDenied,
            FailureKind::Tls(crate::error::TlsFailure::Expired),
        ] {
            assert!(!waiting().may_end(&error(kind.clone()), true), "{kind}");
        }
        let standby = error(FailureKind::ReadOnly);
        assert!(
            waiting().may_end(&standby, false) && !OutageWatch::default().may_end(&standby, true)
        );
    }

    #[test]
    fn pauses_grow_up_to_a_limit() {
        let refused = error(FailureKind::Refused);
        let pauses = [1, 2, 5, 90].map(|runs| choose_pause(Some(&refused), runs, 0).as_millis());
        assert_eq!(pauses, [32, 64, 500, 500]);
        assert!(choose_pause(Some(&refused), 90, 499) < Duration::from_secs(1));
        assert!(choose_pause(None, 90, 199) < Duration::from_millis(200));
    }
}
