//! One overview for all who ask.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use trueup_core::liveness::host_name;
use trueup_core::model::EventFilter;
use trueup_core::overview::{
    Need, Overview, OverviewChanges, OverviewHistory, OverviewSite, build_overview, read_overview,
};
use trueup_core::store::{CommandStore, Result as StoreResult};
use uuid::Uuid;

use crate::problem::HubError;
use crate::store_pool::StorePool;

/// The database is asked at most this often.
const MIN_PAUSE: Duration = Duration::from_millis(100);

/// A reading is followed by a pause so many times as long as it took: a large database is read
/// less often.
const PAUSE_FACTOR: u32 = 5;

/// After this time everything is read again: signs of life are no events, and whether a session
/// lives changes without any.
const MAX_AGE: Duration = Duration::from_secs(5);

/// The overview that everybody gets.
pub(crate) struct OverviewCache {
    site: OverviewSite,
    /// Whoever has it brings it up to date; the others wait for that.
    reading: tokio::sync::Mutex<Option<LastReading>>,
}

/// What was read, and when.
#[derive(Clone)]
struct LastReading {
    history: SharedHistory,
    /// When everything was read.
    at: Instant,
    /// How long that took.
    took: Duration,
    /// When the database was last asked whether anything happened.
    asked: Instant,
}

impl LastReading {
    /// Tells whether nothing needs to be asked yet.
    fn is_fresh(&self) -> bool {
        self.asked.elapsed() < (self.took * PAUSE_FACTOR).max(MIN_PAUSE)
    }

    /// Tells whether everything has to be read, whatever happened.
    fn is_old(&self) -> bool {
        self.at.elapsed() >= MAX_AGE
    }
}

impl OverviewCache {
    /// A cache for a hub on this machine; `ceiling_seconds` is the longest silence accepted of a
    /// session whose process cannot be checked.
    pub(crate) fn new(ceiling_seconds: u64) -> Self {
        let site = OverviewSite { host: host_name(), ceiling_seconds };
        Self { site, reading: tokio::sync::Mutex::new(None) }
    }

    /// Returns the overview as it is now, reading what has to be read.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(super) async fn load(&self, pool: &StorePool) -> Result<SharedHistory, HubError> {
        let mut last = self.reading.lock().await;
        if let Some(reading) = last.as_mut() {
            if reading.is_fresh() {
                return Ok(reading.history.clone());
            }
            let asked = Instant::now();
            if !reading.is_old() && pool.run(newest_event).await? == reading.history.lock().seq() {
                reading.asked = asked;
                return Ok(reading.history.clone());
            }
        }
        let known = last.as_ref().map(|reading| reading.history.clone());
        let reading = self.read(pool, known).await?;
        let history = reading.history.clone();
        *last = Some(reading);
        Ok(history)
    }

    /// Returns what needs a person now.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn load_needs(&self, pool: &StorePool) -> Result<Vec<Need>, HubError> {
        Ok(self.load(pool).await?.changes_since(None).needs_me.rows)
    }

    async fn read(
        &self,
        pool: &StorePool,
        known: Option<SharedHistory>,
    ) -> Result<LastReading, HubError> {
        let site = self.site.clone();
        let at = Instant::now();
        let reading = pool.run(move |store| {
            let overview = build_overview(&read_overview(store, &site)?);
            Ok(SharedHistory::of_next(known, overview))
        });
        let history = reading.await?;
        Ok(LastReading { history, at, took: at.elapsed(), asked: at })
    }
}

/// Returns the cursor of the newest event.
fn newest_event(store: &mut dyn CommandStore) -> StoreResult<i64> {
    let newest = store.list_events(&EventFilter { limit: 1, ..EventFilter::default() })?;
    Ok(newest.last().map_or(0, |event| event.seq))
}

/// The history of the overview, which threads of the database write.
#[derive(Clone)]
pub(super) struct SharedHistory(Arc<Mutex<OverviewHistory>>);

impl SharedHistory {
    /// Records an overview, or begins with it. Another hub, or this one after a restart, numbers
    /// other versions.
    fn of_next(known: Option<Self>, overview: Overview) -> Self {
        if let Some(known) = known {
            known.lock().record(overview);
            known
        } else {
            let name = Uuid::new_v4().simple().to_string();
            Self(Arc::new(Mutex::new(OverviewHistory::begin(name, overview))))
        }
    }

    /// Returns what changed since a version, or everything.
    pub(super) fn changes_since(&self, version: Option<&str>) -> OverviewChanges {
        self.lock().changes_since(version)
    }

    fn lock(&self) -> MutexGuard<'_, OverviewHistory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
