//! One overview for all who ask.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use trueup_core::liveness::host_name;
use trueup_core::overview::{
    Need, Overview, OverviewChanges, OverviewHistory, OverviewSite, build_overview, read_overview,
};
use uuid::Uuid;

use crate::problem::HubError;
use crate::shared_reading::SharedReading;
use crate::store_pool::StorePool;

/// The overview that everybody gets.
pub(crate) struct OverviewCache {
    site: OverviewSite,
    reading: SharedReading<SharedHistory>,
}

impl OverviewCache {
    /// A cache for a hub on this machine; `ceiling_seconds` is the longest silence accepted of a
    /// session whose process cannot be checked.
    pub(crate) fn new(pool: StorePool, ceiling_seconds: u64) -> Self {
        let site = OverviewSite { host: host_name(), ceiling_seconds };
        Self { site, reading: SharedReading::new(pool) }
    }

    /// Returns the overview as it is now, reading what has to be read.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(super) async fn load(&self) -> Result<SharedHistory, HubError> {
        let site = self.site.clone();
        let reading = self.reading.load(move |store, known| {
            let overview = build_overview(&read_overview(store, &site)?);
            Ok(SharedHistory::of_next(known, overview))
        });
        reading.await
    }

    /// Returns what needs a person now.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn load_needs(&self) -> Result<Vec<Need>, HubError> {
        Ok(self.load().await?.changes_since(None).needs_me.rows)
    }
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
