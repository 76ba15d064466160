//! What happens to one stream, whichever way it is sent.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use super::Live;
use super::follower::{Follower, Next};
use super::message::Message;
use super::places::Place;
use crate::access::TokenDigest;

/// The longest silence: a message without events ends it.
const SILENCE: Duration = Duration::from_secs(10);

/// How often the token is looked at again.
const TOKEN_CHECK: Duration = Duration::from_secs(2);

/// How long a client may take for one message.
pub(super) const SEND_PATIENCE: Duration = Duration::from_secs(5);

/// Why a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamEnd {
    /// The hub is being stopped.
    Stopping,
    /// The token is not valid any more.
    Revoked,
    /// The database was replaced by an older one.
    Restarted,
}

/// What happens next.
#[derive(Debug)]
pub(super) enum Occurrence {
    /// There is a message to send.
    Message(Message),
    /// There was none for a while; this one tells the client that it is not behind.
    Beat(Message),
    /// The stream ends.
    End(StreamEnd),
}

/// One stream.
pub(super) struct Subscription {
    live: Arc<Live>,
    follower: Follower,
    token: TokenDigest,
    shutdown: watch::Receiver<bool>,
    token_checks: Interval,
    beat_at: Instant,
    _place: Place,
}

impl Subscription {
    pub(super) fn new(
        live: Arc<Live>,
        follower: Follower,
        token: TokenDigest,
        place: Place,
    ) -> Self {
        let shutdown = live.shutdown();
        let mut token_checks = interval_at(Instant::now() + TOKEN_CHECK, TOKEN_CHECK);
        token_checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first message tells at once where the stream begins.
        let beat_at = Instant::now();
        Self { live, follower, token, shutdown, token_checks, beat_at, _place: place }
    }

    /// Waits for what happens next. A wait that is given up loses nothing.
    pub(super) async fn wait(&mut self) -> Occurrence {
        // A timer may be a millisecond late, and the first message must be the first.
        if self.beat_at <= Instant::now() {
            return self.beat();
        }
        loop {
            tokio::select! {
                biased;
                () = wait_for_stop(&mut self.shutdown) => {
                    return Occurrence::End(StreamEnd::Stopping);
                }
                () = sleep_until(self.beat_at) => return self.beat(),
                _ = self.token_checks.tick() => {
                    if self.live.is_revoked(&self.token).await {
                        return Occurrence::End(StreamEnd::Revoked);
                    }
                }
                next = self.follower.find_next() => {
                    return match next {
                        Next::Message(message) => {
                            self.beat_at = Instant::now() + SILENCE;
                            Occurrence::Message(message)
                        }
                        Next::Restarted => Occurrence::End(StreamEnd::Restarted),
                    };
                }
            }
        }
    }

    fn beat(&mut self) -> Occurrence {
        self.beat_at = Instant::now() + SILENCE;
        Occurrence::Beat(Message::without_events(self.follower.cursor()))
    }

    /// The cursor behind everything that was given out.
    pub(super) const fn cursor(&self) -> i64 {
        self.follower.cursor()
    }

    /// Counts the client as one that does not keep up.
    pub(super) fn count_slow(&self) {
        self.live.count_slow_client();
    }
}

async fn wait_for_stop(shutdown: &mut watch::Receiver<bool>) {
    // A sender that is gone is the end of the hub as well.
    let _ = shutdown.wait_for(|stopped| *stopped).await;
}
