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
const PAUSE_FACTOR: u32 = 5;

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

impl<T> LastReading<T> {
    /// Tells whether nothing needs to be asked yet.
    fn is_fresh(&self) -> bool {
        self.asked.elapsed() < (self.took * PAUSE_FACTOR).max(MIN_PAUSE)
    }

    /// Tells whether everything has to be read, whatever happened.
    fn is_old(&self) -> bool {
        self.at.elapsed() >= MAX_AGE
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
            if reading.is_fresh() {
                return Ok(reading.value.clone());
            }
            let asked = Instant::now();
            if !reading.is_old() && self.pool.run(load_newest_seq).await? == reading.seq {
                reading.asked = asked;
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
