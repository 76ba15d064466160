//! How far the local clock can be trusted.

use super::run_context::RunContext;
use crate::liveness;
use crate::model::{
    Liveness, LivenessState, ProcessState, Session, clock_doubt_seconds, judge_session,
    judge_session_with_doubt,
};
use crate::store::{ClockStore, Result};

/// How far apart two clock readings must be, in seconds, before both together prove that something
/// was silent for too long.
pub const CLOCK_READINGS_APART_SECONDS: u64 = 60;

/// Extra seconds that must be added to a limit of silence so that the limit has also passed by an
/// earlier clock reading. Read from the database on first use, once.
#[derive(Debug, Default)]
pub struct ClockDoubt(Option<u64>);

impl ClockDoubt {
    /// Returns `limit` with the doubt added.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn extend_limit(
        &mut self,
        limit: u64,
        store: &mut (impl ClockStore + ?Sized),
    ) -> Result<u64> {
        Ok(limit.saturating_add(self.seconds(store)?))
    }

    fn seconds(&mut self, store: &mut (impl ClockStore + ?Sized)) -> Result<u64> {
        match self.0 {
            Some(doubt) => Ok(doubt),
            None => Ok(*self.0.insert(estimate_clock_doubt(store, CLOCK_READINGS_APART_SECONDS)?)),
        }
    }

    /// Judges whether a session lives. Silence counts as death only if another clock reading
    /// confirms it; a process that is gone needs no clock.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn judge_session(
        &mut self,
        session: &Session,
        context: &RunContext,
        store: &mut (impl ClockStore + ?Sized),
    ) -> Result<Liveness> {
        let evidence = liveness::check_session_process(session, &context.host);
        let ceiling = context.settings.ceiling_seconds;
        let liveness = judge_session(session, evidence, ceiling);
        if evidence != ProcessState::Unknown || liveness.state == LivenessState::Alive {
            return Ok(liveness);
        }
        let doubt = self.seconds(store)?;
        Ok(judge_session_with_doubt(session, evidence, ceiling, doubt))
    }
}

/// Returns how many seconds the current clock may be ahead, judged by the latest reading that is at
/// least `apart` seconds old; zero without such a reading.
///
/// # Errors
///
/// When the database cannot be read.
pub fn estimate_clock_doubt(store: &mut (impl ClockStore + ?Sized), apart: u64) -> Result<u64> {
    let earlier = store.find_differing_clock_reading(apart)?;
    Ok(match earlier {
        None => 0,
        earlier => clock_doubt_seconds(store.database_time()?, earlier),
    })
}
