//! What takes long to read, read once for all who ask.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use trueup_core::store::{CommandStore, Result as StoreResult};

use crate::event_cursor::load_newest_seq;
use crate::problem::HubError;
use crate::store_pool::StorePool;

/// The database is asked at most this often.
const MIN_PAUSE: Duration = Duration::from_millis(100);

/// A reading is followed by a pause so many times as long as it took: a large database is read
/// less often.
const PAUSE_FACTOR: u32 = 3;

/// After this time everything is read again: signs of life are no events, and neither is what
/// others write past the rules.
const MAX_AGE: Duration = Duration::from_secs(5);

/// A reading that everybody gets while nothing happens.
pub(crate) struct SharedReading<T> {
    pool: StorePool,
    /// Whoever has it brings it up to date; the others wait for that.
    last: Mutex<Option<LastReading<T>>>,
}

/// What was read, and when.
struct LastReading<T> {
    value: T,
    /// The newest event when it was read, or one before.
    seq: i64,
    /// When it was read.
    at: Instant,
    /// How long that took.
    took: Duration,
    /// When the database was last asked whether anything happened.
    asked: Instant,
}

/// What has to be done before a reading is given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NextStep {
    /// It is given out as it is.
    Keep,
    /// The database is asked whether anything happened.
    Ask,
    /// Everything is read again, whatever happened.
    Read,
}

impl<T> LastReading<T> {
    fn next_step(&self, now: Instant) -> NextStep {
        let since_asked = now.saturating_duration_since(self.asked);
        if since_asked < (self.took * PAUSE_FACTOR).max(MIN_PAUSE) {
            NextStep::Keep
        } else if now.saturating_duration_since(self.at) < MAX_AGE {
            NextStep::Ask
        } else {
            NextStep::Read
        }
    }
}

impl<T: Clone + Send + 'static> SharedReading<T> {
    pub(crate) fn new(pool: StorePool) -> Self {
        Self { pool, last: Mutex::new(None) }
    }

    /// Returns what was read, reading it again if anything may have changed. `read` gets what it
    /// returned before.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn load(
        &self,
        read: impl FnOnce(&mut dyn CommandStore, Option<T>) -> StoreResult<T> + Send + 'static,
    ) -> Result<T, HubError> {
        let mut last = self.last.lock().await;
        if let Some(reading) = last.as_mut() {
            let now = Instant::now();
            let is_kept = match reading.next_step(now) {
                NextStep::Keep => true,
                NextStep::Ask => {
                    let is_same = self.pool.run(load_newest_seq).await? == reading.seq;
                    reading.asked = now;
                    is_same
                }
                NextStep::Read => false,
            };
            if is_kept {
                return Ok(reading.value.clone());
            }
        }
        let known = last.as_ref().map(|reading| reading.value.clone());
        let at = Instant::now();
        let reading = self.pool.run(move |store| {
            // First: what happens meanwhile is read again.
            let seq = load_newest_seq(store)?;
            Ok((seq, read(store, known)?))
        });
        let (seq, value) = reading.await?;
        let reading = LastReading { value: value.clone(), seq, at, took: at.elapsed(), asked: at };
        *last = Some(reading);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reading_is_kept_longer_and_none_for_ever() {
        for (took, since_asked, since_read, expected) in [
            (1, 0, 0, NextStep::Keep),
            (1, 99, 99, NextStep::Keep),
            (1, 100, 100, NextStep::Ask),
            (1, 99, 9_000, NextStep::Keep),
            (1, 100, 4_999, NextStep::Ask),
            (1, 100, 5_000, NextStep::Read),
            (1_000, 2_999, 2_999, NextStep::Keep),
            (1_000, 3_000, 3_000, NextStep::Ask),
            (3_000, 8_999, 8_999, NextStep::Keep),
            (3_000, 9_000, 9_000, NextStep::Read),
        ] {
            let at = Instant::now();
            let now = at + Duration::from_millis(since_read);
            let asked = now.checked_sub(Duration::from_millis(since_asked)).unwrap();
            let reading =
                LastReading { value: (), seq: 0, at, took: Duration::from_millis(took), asked };
            let step = reading.next_step(now);
            assert_eq!(step, expected, "took {took}, asked {since_asked}, read {since_read}");
        }
    }
}
