//! How far the present reading of the clock is trusted.

use super::site::Site;
use crate::liveness::{self, Alive, ProcessEvidence, Vitality};
use crate::model::{Session, doubt_seconds};
use crate::store::{Result, Store};

/// How far apart, in seconds, two readings are of which both must say that something has been
/// silent for too long.
pub const READINGS_APART_SECONDS: u64 = 60;

/// What must be added to a limit of silence so that it is over by another reading of the clock
/// as well; asked when it is needed, and once.
#[derive(Debug, Default)]
pub struct Doubt(Option<u64>);

impl Doubt {
    /// Returns a limit with the doubt added to it.
    ///
    /// # Errors
    ///
    /// When the database cannot be asked.
    pub fn added_to(&mut self, limit: u64, store: &mut (impl Store + ?Sized)) -> Result<u64> {
        Ok(limit.saturating_add(self.seconds(store)?))
    }

    fn seconds(&mut self, store: &mut (impl Store + ?Sized)) -> Result<u64> {
        match self.0 {
            Some(doubt) => Ok(doubt),
            None => Ok(*self.0.insert(doubt(store, READINGS_APART_SECONDS)?)),
        }
    }

    /// Judges whoever holds, or held, something: what silence alone tells counts only where
    /// another reading of the clock tells it as well. A process that is gone needs no clock.
    ///
    /// # Errors
    ///
    /// When the database cannot be asked.
    pub fn judge(
        &mut self,
        session: &Session,
        site: &Site,
        store: &mut (impl Store + ?Sized),
    ) -> Result<Vitality> {
        let evidence = liveness::evidence(session, &site.host);
        let ceiling = site.settings.ceiling_seconds;
        let vitality = liveness::judge(session, evidence, ceiling);
        if evidence != ProcessEvidence::Unknown || vitality.alive == Alive::Alive {
            return Ok(vitality);
        }
        let doubt = self.seconds(store)?;
        Ok(liveness::judge_despite(session, evidence, ceiling, doubt))
    }
}

/// Returns how much older than it looks a thing must be, in seconds, so that a reading of the
/// clock at least `apart` seconds from the present one says the same.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn doubt(store: &mut (impl Store + ?Sized), apart: u64) -> Result<u64> {
    let earlier = store.other_reading(apart)?;
    Ok(match earlier {
        None => 0,
        earlier => doubt_seconds(store.now()?, earlier),
    })
}
