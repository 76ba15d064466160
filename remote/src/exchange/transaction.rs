//! The transaction that an operation works on while nothing of it is in the database yet.

use serde_json::Value as Json;
use trueup_core::store::sql::{Arg, Row, Statement, Tx};
use trueup_core::store::{Result, StoreError};

use super::engine::{Link, SendError};
use super::protocol::{Mode, RequestStep, StepResult};
use super::row::JsonRow;
use super::steps::{Call, Recording, Rows, Step, StepKind, to_json_args};

/// The digest of the answer "no" to a question with one column: MD5 of its only value, 0.
const DIGEST_OF_NO: &str = "cfcd208495d565ef66e7dff9f98764da";

/// Whether an operation may go on before the usual outcome of a step is certain. The commit checks
/// what was assumed, so that the usual case needs no request of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// A conditional write changes its row, and the operation was not carried out before.
    Assume,
    /// Every step is asked for.
    Ask,
}

/// How far a transaction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Open,
    /// Only reads follow: the first of them commits.
    Finishing,
    Committed,
}

/// Why an operation has to run again.
#[derive(Debug)]
pub(super) struct Rerun {
    /// What to return when there is no time left.
    pub(super) error: StoreError,
    /// What the next run may assume.
    pub(super) trust: Trust,
    /// Whether waiting a moment may help.
    pub(super) should_wait: bool,
}

/// How a run of an operation ended.
#[derive(Debug)]
pub(super) enum Ending<T> {
    /// With its result.
    Done(Result<T>),
    /// Committed, but the result was made from rows as they were before: their times differ.
    Replay(T, Recording),
    /// Without effect.
    Again(Rerun),
}

/// Reads that are fetched as they are asked for, and writes that are collected.
#[derive(Debug)]
pub struct ExchangeTx<'e> {
    link: &'e Link,
    trust: Trust,
    progress: Progress,
    steps: Vec<Step>,
    /// How many of the steps are known to be allowed.
    tried: usize,
    /// How many attempts the operation is within.
    attempts: usize,
    recording: Recording,
    /// Whether the commit found later rows than the operation was answered with.
    is_outdated: bool,
    rerun: Option<Rerun>,
}

impl<'e> ExchangeTx<'e> {
    pub(super) fn new(link: &'e Link, trust: Trust) -> Self {
        Self {
            link,
            trust,
            progress: Progress::Open,
            steps: Vec::new(),
            tried: 0,
            attempts: 0,
            recording: Recording::default(),
            is_outdated: false,
            rerun: None,
        }
    }

    /// A transaction that answers from what was recorded, and sends nothing.
    pub(super) fn replaying(link: &'e Link, recording: Recording) -> Self {
        Self { recording: recording.into_replay(), ..Self::new(link, Trust::Assume) }
    }

    /// Whether a replay asked for something else than the run that was recorded.
    pub(super) const fn has_diverged(&self) -> bool {
        self.recording.has_diverged()
    }

    fn has_writes(&self) -> bool {
        self.steps.iter().any(Step::is_write)
    }

    fn has_assumptions(&self) -> bool {
        self.steps.iter().any(Step::is_assumed)
    }

    /// Sends what the mode needs of the steps so far, and one more; returns the results of all.
    ///
    /// A read needs none of them, a trial the writes, and a commit everything.
    fn send(
        &mut self,
        mode: Mode,
        last: Option<(&'static Statement, &[Json])>,
    ) -> Result<Vec<StepResult>> {
        let needed = |step: &&Step| match mode {
            Mode::Read => false,
            Mode::Try => step.is_write(),
            Mode::Commit => true,
        };
        let mut request: Vec<RequestStep<'_>> =
            self.steps.iter().filter(needed).map(Step::to_request).collect();
        let last_digest = last.map(|(statement, _)| statement.digest()).unwrap_or_default();
        request.extend(last.map(|(_, args)| RequestStep {
            digest: &last_digest,
            args,
            seen: None,
            expected: None,
        }));
        let sent = self.link.send(mode, &request);
        drop(request);
        sent.map_err(|error| self.note_rerun(mode, error))
    }

    /// Sends one more step behind those so far; returns its result.
    fn send_last(
        &mut self,
        mode: Mode,
        statement: &'static Statement,
        args: &[Json],
    ) -> Result<StepResult> {
        Ok(self.send(mode, Some((statement, args)))?.pop().unwrap_or_default())
    }

    /// Turns a conflict or a lost connection into a reason to run again.
    fn note_rerun(&mut self, mode: Mode, error: SendError) -> StoreError {
        let rerun = match error {
            SendError::Conflict { step } => {
                // A trial has no readings that could have changed, so an assumption was wrong.
                let step = self.steps.get(step).filter(|_| mode != Mode::Try);
                let was_read = step.is_some_and(|step| !step.is_write() && !step.is_assumed());
                Rerun {
                    error: StoreError::Contended {
                        message: "others kept changing what the operation reads".to_owned(),
                        source: None,
                    },
                    trust: if was_read { self.trust } else { Trust::Ask },
                    should_wait: was_read,
                }
            }
            SendError::Broken(error) => Rerun { error, trust: Trust::Ask, should_wait: true },
            SendError::Store(error) => return error,
        };
        let message = rerun.error.to_string();
        self.rerun = Some(rerun);
        StoreError::Contended { message, source: None }
    }

    /// Reads rows: at once while nothing was written, else behind the writes so far.
    fn fetch(&mut self, statement: &'static Statement, args: &[Arg<'_>]) -> Result<Rows> {
        let args = to_json_args(statement, args)?;
        if let Some(call) = self.recording.replay(statement, &args) {
            return call.map(Call::into_rows);
        }
        let (rows, kind) = match self.progress {
            Progress::Committed => {
                (read_rows(self.send_last(Mode::Read, statement, &args)?)?.0, None)
            }
            Progress::Finishing if self.has_writes() => {
                (self.commit_and_read(statement, &args)?, None)
            }
            _ if !self.has_writes() => {
                let (rows, digest) = read_rows(self.send_last(Mode::Read, statement, &args)?)?;
                (rows, Some(StepKind::Read { digest, is_assumed: false }))
            }
            _ => {
                let (rows, digest) = read_rows(self.send_last(Mode::Try, statement, &args)?)?;
                self.tried = self.steps.len();
                let call = self.recording.next_index();
                (rows, Some(StepKind::LaterRead { digest, call }))
            }
        };
        if let Some(kind) = kind {
            self.steps.push(Step::new(statement, args.clone(), kind));
        }
        self.recording.add(statement, args, Call::Rows(rows.clone()));
        Ok(rows)
    }

    /// Commits, and reads rows in the same request.
    fn commit_and_read(&mut self, statement: &'static Statement, args: &[Json]) -> Result<Rows> {
        let mut results = self.send(Mode::Commit, Some((statement, args)))?;
        self.progress = Progress::Committed;
        let last = results.pop().unwrap_or_default();
        self.is_outdated = self.recording.refresh(&self.steps, results);
        Ok(read_rows(last)?.0)
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
        let last = self.send_last(Mode::Try, statement, &args)?;
        let count = last.changed.ok_or_else(|| incomplete_answer("a count"))?;
        self.collect_write(statement, args.clone(), Some(count), false)?;
        self.tried = self.steps.len();
        self.recording.add(statement, args, Call::Count(count));
        Ok(count)
    }

    /// Lets the database look at the writes that it has not seen, without keeping them.
    fn try_writes(&mut self) -> Result<()> {
        if !self.steps.iter().skip(self.tried).any(Step::is_write) {
            return Ok(());
        }
        self.send(Mode::Try, None)?;
        self.tried = self.steps.len();
        Ok(())
    }

    /// Ends a run: commits what an operation wrote, and checks what it assumed.
    pub(super) fn settle<T>(mut self, result: Result<T>) -> Ending<T> {
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
        match self.send(Mode::Commit, None) {
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

    fn end_with<T>(&mut self, error: StoreError) -> Ending<T> {
        match self.rerun.take() {
            Some(rerun) => Ending::Again(rerun),
            None => Ending::Done(Err(error)),
        }
    }

    /// Checks that the rows that were read are one state of the database. A single read is.
    fn check_readings(&mut self) -> Result<()> {
        let assumed = self.has_assumptions();
        if assumed {
            self.rerun = Some(Rerun {
                error: StoreError::Contended {
                    message: "the outcome of a step is not certain".to_owned(),
                    source: None,
                },
                trust: Trust::Ask,
                should_wait: false,
            });
            return Err(StoreError::invalid("an assumption was not checked"));
        }
        self.steps.retain(Step::is_first_read);
        if self.steps.len() < 2 {
            return Ok(());
        }
        let reads: Vec<RequestStep<'_>> = self.steps.iter().map(Step::to_request).collect();
        let sent = self.link.send(Mode::Read, &reads);
        drop(reads);
        let results = sent.map_err(|error| self.note_rerun(Mode::Read, error))?;
        match results.iter().position(|result| !result.same) {
            None => Ok(()),
            Some(step) => Err(self.note_rerun(Mode::Read, SendError::Conflict { step })),
        }
    }
}

/// Returns the rows of a read, with their digest.
fn read_rows(result: StepResult) -> Result<(Rows, String)> {
    match (result.rows, result.digest) {
        (Some(rows), Some(digest)) => Ok((rows, digest)),
        _ => Err(incomplete_answer("rows")),
    }
}

fn incomplete_answer(what: &str) -> StoreError {
    StoreError::unavailable(format!("the answer of the database lacks {what}"))
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
        let outcome = part(self).and_then(|value| self.try_writes().map(|()| value));
        self.attempts -= 1;
        if outcome.is_err() && self.rerun.is_none() {
            let mut index = 0;
            self.steps.retain(|step| {
                index += 1;
                index <= start || step.is_first_read()
            });
            self.tried = self.tried.min(self.steps.len());
            self.recording.forbid_replay();
        }
        outcome
    }

    fn finish(&mut self) {
        if self.attempts == 0 {
            self.progress = Progress::Finishing;
        }
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
        let kind = StepKind::Read { digest: DIGEST_OF_NO.to_owned(), is_assumed: true };
        self.steps.push(Step::new(statement, args.clone(), kind));
        self.recording.add(statement, args, Call::Write);
        Ok(false)
    }
}
