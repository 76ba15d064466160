//! How often one caller may ask.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Most callers that are counted at a time; those that were quiet longest are forgotten first.
const MAX_CALLERS: usize = 10_000;

/// What one caller has left.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    left: f64,
    as_of: Instant,
}

/// A number of requests a second for each caller, with twice as many at once (a token bucket).
#[derive(Debug)]
pub(super) struct RateLimit<K> {
    per_second: f64,
    at_once: f64,
    callers: HashMap<K, Allowance>,
}

impl<K: Clone + Eq + Hash> RateLimit<K> {
    pub(super) fn new(per_second: f64, at_once: f64) -> Self {
        Self { per_second, at_once, callers: HashMap::new() }
    }

    /// Takes one request off what a caller has left; returns whether there was one.
    pub(super) fn take_request(&mut self, caller: &K, now: Instant) -> bool {
        let left = self.left(caller, now);
        let is_allowed = left >= 1.0;
        let left = if is_allowed { left - 1.0 } else { left };
        if self.callers.len() >= MAX_CALLERS && !self.callers.contains_key(caller) {
            self.forget_quiet(now);
        }
        self.callers.insert(caller.clone(), Allowance { left, as_of: now });
        is_allowed
    }

    /// Whether a caller has a request left.
    pub(super) fn has_left(&self, caller: &K, now: Instant) -> bool {
        self.left(caller, now) >= 1.0
    }

    fn left(&self, caller: &K, now: Instant) -> f64 {
        self.callers.get(caller).map_or(self.at_once, |allowance| {
            let waited = now.saturating_duration_since(allowance.as_of).as_secs_f64();
            self.at_once.min(waited.mul_add(self.per_second, allowance.left))
        })
    }

    /// Forgets who has everything left again, or everybody where nobody has.
    fn forget_quiet(&mut self, now: Instant) {
        let full = Duration::from_secs_f64(self.at_once / self.per_second);
        self.callers.retain(|_, allowance| now.saturating_duration_since(allowance.as_of) < full);
        if self.callers.len() >= MAX_CALLERS {
            self.callers.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_so_many_at_once_and_gets_more_with_time() {
        let mut limit = RateLimit::new(2.0, 4.0);
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let taken = (0..6).filter(|_| limit.take_request(&"a", at(0))).count();
        assert_eq!(taken, 4);
        assert!(limit.take_request(&"b", at(0)), "another caller has its own");
        assert!(!limit.take_request(&"a", at(400)));
        assert!(limit.take_request(&"a", at(600)));
        assert!(!limit.has_left(&"a", at(700)));
        let taken = (0..9).filter(|_| limit.take_request(&"a", at(60_000))).count();
        assert_eq!(taken, 4, "what is left does not grow for ever");
    }

    #[test]
    fn the_number_of_callers_is_bounded() {
        let mut limit = RateLimit::new(1.0, 2.0);
        let start = Instant::now();
        for caller in 0..MAX_CALLERS * 2 {
            limit.take_request(&caller, start);
            assert!(limit.callers.len() <= MAX_CALLERS);
        }
    }
}
