//! Tokens that were looked up a moment ago, so that not every request asks the database for its
//! token.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::Caller;

/// How long an answer is used: so long may a token be used that was revoked.
const MAX_AGE: Duration = Duration::from_secs(1);

/// Most tokens that are remembered.
const MAX_TOKENS: usize = 4_096;

/// What is known of tokens, by their digests.
#[derive(Debug, Default)]
pub(super) struct TokenCache {
    known: HashMap<String, (Caller, Instant)>,
}

impl TokenCache {
    /// Returns whose token it is, if that was found out a moment ago.
    pub(super) fn find(&self, digest: &str, now: Instant) -> Option<Caller> {
        let (caller, as_of) = self.known.get(digest)?;
        (now.saturating_duration_since(*as_of) < MAX_AGE).then(|| caller.clone())
    }

    /// Remembers whose token it is. An unknown one is not remembered: anybody can make those up.
    pub(super) fn remember(&mut self, digest: String, caller: Caller, now: Instant) {
        if self.known.len() >= MAX_TOKENS {
            self.known.clear();
        }
        self.known.insert(digest, (caller, now));
    }
}
