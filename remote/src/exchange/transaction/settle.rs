//! How a run ends: its writes are committed, or what it read is checked.

use trueup_core::store::{ReadTime, Result, StoreError};

use super::ExchangeTx;
use crate::exchange::ending::{Ending, Progress, Rerun};
use crate::exchange::protocol::{Mode, RequestStep, StepResult};
use crate::exchange::steps::Step;

impl ExchangeTx<'_> {
    /// Ends a run: commits what an operation wrote, and checks what it assumed.
    pub(in crate::exchange) fn settle<T>(mut self, result: Result<T>) -> Ending<T> {
        if let Some(rerun) = self.rerun.take() {
            return Ending::Again(rerun);
        }
        let writes = self.has_writes() && self.progress != Progress::Committed;
        let value = match result {
            Ok(value) if writes => value,
            Ok(value) if self.progress == Progress::Committed => {
                return if self.is_outdated {
                    Ending::Replay(value, self.recording)
                } else {
                    Ending::Done(Ok(value))
                };
            }
            // Nothing is committed that would check the readings, so they are checked here: they
            // were taken at several moments, and some were assumed.
            other => {
                return match self.check_readings() {
                    Ok(()) => Ending::Done(other),
                    Err(error) => self.end_with(error),
                };
            }
        };
        match self.commit_steps() {
            Ok(results) => {
                if self.recording.refresh(&self.steps, results) {
                    Ending::Replay(value, self.recording)
                } else {
                    Ending::Done(Ok(value))
                }
            }
            Err(error) => self.end_with(error),
        }
    }

    /// Commits the steps; returns their results. What is expected to be read then is remembered.
    fn commit_steps(&mut self) -> Result<Vec<StepResult>> {
        let expected = self.link.take_expected(ReadTime::AfterWrite);
        let mut results = self.send(Mode::Commit, &expected)?;
        let moment = self.link.begin_moment();
        let found = results.split_off(self.steps.len().min(results.len()));
        for (query, result) in expected.iter().zip(found) {
            self.link.remember_rows(query, &result.into_fetched()?, moment);
        }
        Ok(results)
    }

    fn end_with<T>(&mut self, error: StoreError) -> Ending<T> {
        match self.rerun.take() {
            Some(rerun) => Ending::Again(rerun),
            None => Ending::Done(Err(error)),
        }
    }

    /// Checks that the rows that were read are one state of the database. What one request read is.
    fn check_readings(&mut self) -> Result<()> {
        if self.steps.iter().any(|step| step.is_write() && step.is_assumed()) {
            self.rerun = Some(Rerun::without_assumptions());
            return Err(StoreError::invalid("an assumption was not checked"));
        }
        self.steps.retain(Step::is_first_read);
        let is_assumed = self.steps.iter().any(Step::is_assumed);
        if !is_assumed && !self.moments.are_several() {
            return Ok(());
        }
        let reads: Vec<RequestStep<'_>> = self.steps.iter().map(Step::to_request).collect();
        let sent = self.link.send(Mode::Read, &reads);
        drop(reads);
        let results = sent.map_err(|error| self.note_rerun(Mode::Read, error))?;
        self.check_same(&results)
    }
}
