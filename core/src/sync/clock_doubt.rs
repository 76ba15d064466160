//! How far the present reading of the clock is trusted.

use super::run_context::RunContext;
use crate::liveness::{self, Liveness, LivenessState, ProcessState};
use crate::model::{Session, clock_doubt_seconds};
use crate::store::{Result, Store};

/// How far apart, in seconds, two readings are of which both must say that something has been
/// silent for too long.
pub const CLOCK_READINGS_APART_SECONDS: u64 = 60;

/// What must be added to a limit of silence so that it is over by another reading of the clock
/// as well; asked when it is needed, and once.
#[derive(Debug, Default)]
pub struct ClockDoubt(Option<u64>);

impl ClockDoubt {
    /// Returns a limit with the doubt added to it.
    ///
    /// # Errors
    ///
    /// When the database cannot be asked.
    pub fn extend_limit(&mut self, limit: u64, store: &mut (impl Store + ?Sized)) -> Result<u64> {
        Ok(limit.saturating_add(self.seconds(store)?))
    }

    fn seconds(&mut self, store: &mut (impl Store + ?Sized)) -> Result<u64> {
        match self.0 {
            Some(doubt) => Ok(doubt),
            None => Ok(*self
                .0
                .insert(estimate_clock_doubt(store, CLOCK_READINGS_APART_SECONDS)?)),
        }
    }

    /// Judges whoever holds, or held, something: what silence alone tells counts only where
    /// another reading of the clock tells it as well. A process that is gone needs no clock.
    ///
    /// # Errors
    ///
    /// When the database cannot be asked.
    pub fn judge_session(
        &mut self,
        session: &Session,
        context: &RunContext,
        store: &mut (impl Store + ?Sized),
    ) -> Result<Liveness> {
        let evidence = liveness::check_session_process(session, &context.host);
        let ceiling = context.settings.ceiling_seconds;
        let liveness = liveness::judge_session(session, evidence, ceiling);
        if evidence != ProcessState::Unknown || liveness.state == LivenessState::Alive {
            return Ok(liveness);
        }
        let doubt = self.seconds(store)?;
        Ok(liveness::judge_session_with_doubt(
            session, evidence, ceiling, doubt,
        ))
    }
}

/// Returns how much older than it looks a thing must be, in seconds, so that a reading of the
/// clock at least `apart` seconds from the present one says the same.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn estimate_clock_doubt(store: &mut (impl Store + ?Sized), apart: u64) -> Result<u64> {
    let earlier = store.find_differing_clock_reading(apart)?;
    Ok(match earlier {
        None => 0,
        earlier => clock_doubt_seconds(store.database_time()?, earlier),
    })
}
