//! The transaction that an operation works on while nothing of it is in the database yet.

mod settle;

use serde_json::Value as Json;
use trueup_core::store::sql::{Arg, Row, Statement, Tx};
use trueup_core::store::{Provenance, ReadTime, Result, StoreError};

use super::ending::{Progress, Rerun, SearchState, Trust};
use super::engine::{Link, SendError, is_doubtful};
use super::protocol::{Mode, RequestStep, StepResult, incomplete_answer};
use super::read_ahead::{Query, ReadAhead};
use super::remembered_rows::{Moment, ReadMoments};
use super::rows::{Fetched, JsonRow, Rows, digest_of_no};
use super::steps::{Call, Recording, Step, StepKind, to_json_args};

/// Reads that are fetched as they are asked for, and writes that are collected.
#[derive(Debug)]
pub struct ExchangeTx<'e> {
    link: &'e Link,
    trust: Trust,
    /// Whether the operation only reads: each request checks the reads before it, so that the last
    /// one sees what all of them saw.
    is_read_only: bool,
    search: SearchState,
    progress: Progress,
    steps: Vec<Step>,
    ahead: ReadAhead,
    /// When it was read.
    moments: ReadMoments,
    /// How many of the steps are known to be allowed.
    tried: usize,
    /// How many attempts the operation is within.
    attempts: usize,
    /// Whether an attempt ended before the database looked at its writes.
    has_untried_attempt: bool,
    recording: Recording,
    /// Whether the commit found later rows than the operation was answered with.
    is_outdated: bool,
    rerun: Option<Rerun>,
}

impl<'e> ExchangeTx<'e> {
    pub(super) fn new(link: &'e Link, trust: Trust, is_read_only: bool) -> Self {
        Self {
            link,
            trust,
            is_read_only,
            progress: Progress::Open,
            steps: Vec::new(),
            ahead: ReadAhead::default(),
            moments: ReadMoments::default(),
            tried: 0,
            attempts: 0,
            search: SearchState::None,
            has_untried_attempt: false,
            recording: Recording::default(),
            is_outdated: false,
            rerun: None,
        }
    }

    /// A transaction that answers from what was recorded, and sends nothing.
    pub(super) fn replaying(link: &'e Link, recording: Recording) -> Self {
        Self { recording: recording.into_replay(), ..Self::new(link, Trust::Assume, false) }
    }

    /// Returns the reads that were announced and not made.
    pub(super) fn into_announced(mut self) -> Vec<Query> {
        self.ahead.take_announced()
    }

    /// Whether a replay asked for something else than the run that was recorded.
    pub(super) const fn has_diverged(&self) -> bool {
        self.recording.has_diverged()
    }

    fn has_writes(&self) -> bool {
        self.steps.iter().any(Step::is_write)
    }

    /// Sends what the mode needs of the steps so far, and `queries`; returns the results of all.
    ///
    /// A read needs those that it checks, a trial the writes, and a commit everything.
    fn send(&mut self, mode: Mode, queries: &[Query]) -> Result<Vec<StepResult>> {
        let needed = |step: &&Step| match mode {
            Mode::Read => self.is_read_only,
            Mode::Try => step.is_write(),
            Mode::Commit => true,
        };
        let mut request: Vec<RequestStep<'_>> =
            self.steps.iter().filter(needed).map(Step::to_request).collect();
        let digests: Vec<String> = queries.iter().map(|query| query.statement.digest()).collect();
        request.extend(queries.iter().zip(&digests).map(|(query, digest)| RequestStep {
            digest,
            args: &query.args,
            seen: None,
            expected: None,
        }));
        let sent = self.link.send(mode, &request);
        drop(request);
        sent.map_err(|error| self.note_rerun(mode, error))
    }

    /// Turns a conflict or a lost connection into a reason to run again.
    fn note_rerun(&mut self, mode: Mode, error: SendError) -> StoreError {
        let rerun = match error {
            SendError::Conflict { step } => {
                // What the search found was taken meanwhile: the next one finds something else.
                if self.search == SearchState::Done
                    && self.steps.get(step).is_some_and(Step::is_write)
                {
                    return self.begin_rerun(Rerun::after_lost_race(self.trust));
                }
                // A trial has no readings that could have changed, so an assumption was wrong.
                let step = self.steps.get(step).filter(|_| mode != Mode::Try);
                let was_read = step.is_some_and(|step| !step.is_write() && !step.is_assumed());
                if was_read {
                    Rerun::after_lost_race(self.trust)
                } else {
                    Rerun::without_assumptions()
                }
            }
            // Which attempt the rules refuse is not known.
            SendError::Store(StoreError::Denied { .. }) if self.has_untried_attempt => {
                Rerun::without_assumptions()
            }
            SendError::Broken(error) => Rerun {
                is_doubtful: mode == Mode::Commit && is_doubtful(&error),
                error,
                trust: Trust::Ask,
                should_wait: true,
            },
            SendError::Store(error) => return error,
        };
        self.begin_rerun(rerun)
    }

    /// Keeps the reason to run again; returns the error that ends this run.
    fn begin_rerun(&mut self, rerun: Rerun) -> StoreError {
        let message = rerun.error.to_string();
        self.link.forget_rows();
        self.rerun = Some(rerun);
        StoreError::Contended { message, source: None }
    }

    /// Reads rows: at once while nothing was written, else behind the writes so far.
    fn fetch(&mut self, statement: &'static Statement, args: &[Arg<'_>]) -> Result<Rows> {
        let args = to_json_args(statement, args)?;
        if let Some(call) = self.recording.replay(statement, &args) {
            return call.map(Call::into_rows);
        }
        let known =
            self.ahead.find(statement, &args).or_else(|| self.recall_rows(statement, &args));
        let fetched = match known {
            Some(fetched) => fetched,
            None => self.fetch_with_announced(statement, &args)?,
        };
        let Fetched { rows, digest } = fetched;
        let call = self.recording.next_index();
        match self.reading_mode() {
            Mode::Read
                if self.search == SearchState::Running || self.progress == Progress::Committed => {}
            Mode::Read => {
                let kind = StepKind::Read { digest, is_assumed: false };
                self.steps.push(Step::new(statement, args.clone(), kind));
            }
            Mode::Try | Mode::Commit => {
                let kind = StepKind::LaterRead { digest, call };
                self.steps.push(Step::new(statement, args.clone(), kind));
            }
        }
        self.recording.add(statement, args, Call::Rows(rows.clone()));
        Ok(rows)
    }

    /// How rows are read now.
    fn reading_mode(&self) -> Mode {
        match self.progress {
            Progress::Open | Progress::Finishing if !self.has_writes() => Mode::Read,
            Progress::Open => Mode::Try,
            Progress::Finishing => Mode::Commit,
            Progress::Committed => Mode::Read,
        }
    }

    /// Returns the rows that an earlier operation read.
    fn recall_rows(&mut self, statement: &'static Statement, args: &[Json]) -> Option<Fetched> {
        if self.reading_mode() != Mode::Read {
            return None;
        }
        let (fetched, moment) = self.link.recall_rows(statement, args)?;
        self.moments.add(moment);
        Some(fetched)
    }

    /// Reads rows, and those that were announced, in one request.
    fn fetch_with_announced(
        &mut self,
        statement: &'static Statement,
        args: &[Json],
    ) -> Result<Fetched> {
        let mode = self.reading_mode();
        let expected = match mode {
            Mode::Read => self.link.take_expected(ReadTime::BeforeWrite),
            Mode::Try => Vec::new(),
            Mode::Commit => self.link.take_expected(ReadTime::AfterWrite),
        };
        let mut queries = self.ahead.take_queries(expected, statement, args);
        if mode == Mode::Read {
            queries.retain(|query| self.link.recall_rows(query.statement, &query.args).is_none());
        }
        let mut results = self.send(mode, &queries)?;
        let found = results.split_off(results.len().saturating_sub(queries.len()));
        let moment = self.link.begin_moment();
        match mode {
            Mode::Read => self.note_request(moment, &results)?,
            Mode::Try => self.tried = self.steps.len(),
            Mode::Commit => {
                self.progress = Progress::Committed;
                self.is_outdated = self.recording.refresh(&self.steps, results);
            }
        }
        for (query, result) in queries.into_iter().zip(found) {
            let fetched = result.into_fetched()?;
            // What a trial finds is undone.
            if mode != Mode::Try {
                self.link.remember_rows(&query, &fetched, moment);
            }
            self.ahead.keep(query, fetched);
        }
        self.ahead.find(statement, args).ok_or_else(|| incomplete_answer("rows"))
    }

    /// Notes a request that read rows and checked the reads before it.
    fn note_request(&mut self, moment: Moment, checked: &[StepResult]) -> Result<()> {
        self.check_same(checked)?;
        if self.is_read_only {
            self.ahead.forget_rows();
            self.moments.replace_all(moment);
        } else {
            self.moments.add(moment);
        }
        Ok(())
    }

    /// Checks that earlier reads still find the same rows.
    fn check_same(&mut self, results: &[StepResult]) -> Result<()> {
        match results.iter().position(|result| !matches!(result, StepResult::Same)) {
            None => Ok(()),
            Some(step) => Err(self.note_rerun(Mode::Read, SendError::Conflict { step })),
        }
    }

    /// Collects a write. With `expected`, the commit demands that so many rows change.
    fn collect_write(
        &mut self,
        statement: &'static Statement,
        args: Vec<Json>,
        expected: Option<u64>,
        is_assumed: bool,
    ) -> Result<()> {
        if self.progress != Progress::Open {
            return Err(StoreError::invalid(format!(
                "{} writes behind the end of its operation",
                statement.name()
            )));
        }
        if !self.has_writes() {
            // What was to be read before the writes, and was not, turned out not to be needed.
            self.ahead.take_announced();
        }
        self.ahead.forget_rows();
        let kind = StepKind::Write { expected, is_assumed };
        self.steps.push(Step::new(statement, args, kind));
        Ok(())
    }

    /// Asks how many rows a write would change, and collects it.
    fn ask_for_count(&mut self, statement: &'static Statement, args: &[Arg<'_>]) -> Result<u64> {
        let args = to_json_args(statement, args)?;
        if let Some(call) = self.recording.replay(statement, &args) {
            return call.map(Call::into_count);
        }
        let query = Query { statement, args: args.clone() };
        let last = self.send(Mode::Try, &[query])?.pop();
        let Some(StepResult::Changed(count)) = last else {
            return Err(incomplete_answer("a count"));
        };
        self.collect_write(statement, args.clone(), Some(count), false)?;
        self.tried = self.steps.len();
        self.recording.add(statement, args, Call::Count(count));
        Ok(count)
    }

    /// Ends an attempt whose steps begin at `start`.
    fn end_attempt(&mut self, start: usize) -> Result<()> {
        if self.trust == Trust::Ask {
            return self.try_writes();
        }
        self.has_untried_attempt |= self.steps.iter().skip(start).any(Step::is_write);
        Ok(())
    }

    /// Lets the database look at the writes that it has not seen, without keeping them.
    fn try_writes(&mut self) -> Result<()> {
        if !self.steps.iter().skip(self.tried).any(Step::is_write) {
            return Ok(());
        }
        self.send(Mode::Try, &[])?;
        self.tried = self.steps.len();
        Ok(())
    }
}

impl Tx for ExchangeTx<'_> {
    fn for_each_row(
        &mut self,
        statement: &'static Statement,
        args: &[Arg<'_>],
        mut visit: impl FnMut(&dyn Row) -> Result<()>,
    ) -> Result<()> {
        let rows = self.fetch(statement, args)?;
        rows.iter().try_for_each(|row| visit(&JsonRow(row)))
    }

    fn row<T>(
        &mut self,
        statement: &'static Statement,
        args: &[Arg<'_>],
        read: impl FnOnce(&dyn Row) -> Result<T>,
    ) -> Result<Option<T>> {
        let rows = self.fetch(statement, args)?;
        rows.first().map(|row| read(&JsonRow(row))).transpose()
    }

    fn execute(&mut self, statement: &'static Statement, args: &[Arg<'_>]) -> Result<()> {
        let args = to_json_args(statement, args)?;
        if let Some(call) = self.recording.replay(statement, &args) {
            return call.map(drop);
        }
        self.collect_write(statement, args.clone(), None, false)?;
        self.recording.add(statement, args, Call::Write);
        Ok(())
    }

    fn count_changes(&mut self, statement: &'static Statement, args: &[Arg<'_>]) -> Result<u64> {
        self.ask_for_count(statement, args)
    }

    fn try_change(&mut self, statement: &'static Statement, args: &[Arg<'_>]) -> Result<bool> {
        if self.trust == Trust::Ask {
            return Ok(self.ask_for_count(statement, args)? > 0);
        }
        let args = to_json_args(statement, args)?;
        if let Some(call) = self.recording.replay(statement, &args) {
            return Ok(!matches!(call?, Call::Count(0)));
        }
        self.collect_write(statement, args.clone(), Some(1), true)?;
        self.recording.add(statement, args, Call::Write);
        Ok(true)
    }

    fn attempt<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let start = self.steps.len();
        self.attempts += 1;
        let outcome = part(self).and_then(|value| self.end_attempt(start).map(|()| value));
        self.attempts -= 1;
        if outcome.is_err() && self.rerun.is_none() {
            let mut index = 0;
            self.steps.retain(|step| {
                index += 1;
                index <= start || step.is_first_read()
            });
            self.tried = self.tried.min(self.steps.len());
            self.ahead.forget_rows();
            self.recording.forbid_replay();
        }
        outcome
    }

    fn finish(&mut self) {
        if self.attempts == 0 {
            self.progress = Progress::Finishing;
            if self.has_writes() {
                self.ahead.forget_rows();
            }
        }
    }

    fn prefetch(&mut self, statement: &'static Statement, args: &[Arg<'_>]) {
        // A value that cannot be sent is an error of the read itself.
        if let Ok(args) = to_json_args(statement, args) {
            self.ahead.announce(statement, args);
        }
    }

    fn search<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.search = SearchState::Running;
        let outcome = part(self);
        self.search = SearchState::Done;
        outcome
    }

    fn is_usually_false(
        &mut self,
        statement: &'static Statement,
        args: &[Arg<'_>],
    ) -> Result<bool> {
        if self.trust == Trust::Ask || self.has_writes() {
            return self.one_row(statement, args, |row| row.get(0));
        }
        let args = to_json_args(statement, args)?;
        if let Some(call) = self.recording.replay(statement, &args) {
            return match call?.into_rows().first() {
                Some(row) => <dyn Row>::get(&JsonRow(row), 0),
                None => Ok(false),
            };
        }
        let kind = StepKind::Read { digest: digest_of_no(), is_assumed: true };
        self.steps.push(Step::new(statement, args.clone(), kind));
        self.recording.add(statement, args, Call::Write);
        Ok(false)
    }

    fn has_costly_later_reads(&self) -> bool {
        true
    }

    /// What was sent from here and got no answer may have been carried out under a new id.
    fn is_certainly_new(&self, provenance: &Provenance) -> bool {
        provenance.is_new() && self.trust == Trust::Assume && !self.link.has_lost_answer()
    }
}
