//! Runs an operation until it is committed or the deadline has passed.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use trueup_core::deadline::Deadline;
use trueup_core::store::sql::{
    CommandEngine, Engine, SqlStore, Statement, find_row_violations, load_postgres_schema_status,
    read_newest_event_mark,
};
use trueup_core::store::{ChangeMark, ReadTime, Result, SchemaStatus, StoreError, Violation};

use super::ending::{Ending, Rerun, Trust};
use super::protocol::{Answer, Mode, Request, RequestStep, StepResult};
use super::read_ahead::{ExpectedReads, Query};
use super::remembered_rows::{Moment, RememberedRows};
use super::rows::Fetched;
use super::transaction::ExchangeTx;
use crate::error::{FailureKind, TransportError, with_doubt};
use crate::outage::{OUTAGE_PATIENCE, OutOfTime, OutageWatch, POLL_INTERVAL, pause_before_run};
use crate::transport::Transport;

/// A store over a database that other machines share.
pub type RemoteStore = SqlStore<ExchangeEngine>;

/// Carries out the operations of the store by exchanges.
#[derive(Debug)]
pub struct ExchangeEngine {
    link: Link,
    /// How long one operation may take where the work consists of many.
    patience: Duration,
    /// Whether a reader follows the changes, who goes on when the server is back.
    is_following: bool,
}

impl ExchangeEngine {
    /// An engine over a transport to a database of this schema.
    pub fn new(transport: Box<dyn Transport>, schema: i64, deadline: Deadline) -> Self {
        Self {
            link: Link {
                transport: RefCell::new(transport),
                schema,
                deadline: Cell::new(deadline),
                remembered: RefCell::default(),
                expected: RefCell::default(),
                memory: None,
                outages: OutageWatch::default(),
                has_lost_answer: Cell::new(false),
            },
            patience: deadline.remaining(),
            is_following: false,
        }
    }

    /// Lets an operation use what the operations before it read so long ago at most, for a process
    /// that carries out one command. Whoever serves others must not: what they changed in between
    /// has to be seen.
    #[must_use]
    pub fn remembering_rows(mut self, max_age: Duration) -> Self {
        self.link.memory = Some(max_age);
        self
    }

    /// Lets an operation wait until its deadline for a server that refuses connections or takes no
    /// writes, because it is restarted or another one takes over.
    #[must_use]
    pub fn waiting_for_server(mut self) -> Self {
        self.link.outages.wait_for_server();
        self
    }
}

/// The way to the database, and until when it may be used.
pub(super) struct Link {
    transport: RefCell<Box<dyn Transport>>,
    schema: i64,
    deadline: Cell<Deadline>,
    remembered: RefCell<RememberedRows>,
    expected: RefCell<ExpectedReads>,
    /// How long rows are remembered.
    memory: Option<Duration>,
    outages: OutageWatch,
    /// Whether a commit got no answer, and so may have been made.
    has_lost_answer: Cell<bool>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// Why steps were not carried out.
#[derive(Debug)]
pub(super) enum SendError {
    /// A step found something else than was expected.
    Conflict {
        /// Its index in the request.
        step: usize,
    },
    /// Sending the operation again may help; whether it was carried out is not known.
    Broken(StoreError),
    /// It would not help.
    Store(StoreError),
}

impl From<serde_json::Error> for SendError {
    fn from(error: serde_json::Error) -> Self {
        let message = format!("the answer of the database cannot be read: {error}");
        Self::Store(StoreError::unavailable(message))
    }
}

impl Link {
    /// Sends steps; returns the result of each.
    pub(super) fn send(
        &self,
        mode: Mode,
        steps: &[RequestStep<'_>],
    ) -> std::result::Result<Vec<StepResult>, SendError> {
        let request = serde_json::to_string(&Request::new(mode, self.schema, steps))?;
        if mode == Mode::Commit {
            self.forget_rows();
        }
        let mut transport = self.transport.borrow_mut();
        let sent = transport.exchange(&request, self.deadline.get());
        let has_alternatives = transport.has_alternatives();
        drop(transport);
        let text = sent.map_err(|error| {
            let is_retryable = self.outages.may_end(&error, has_alternatives);
            let (error, may_help) = match mode {
                // Whether it was carried out is found out by the next run.
                Mode::Commit if error.may_have_committed() => {
                    self.has_lost_answer.set(true);
                    (with_doubt(StoreError::from(error)), true)
                }
                Mode::Commit => (StoreError::from(error), is_retryable),
                Mode::Read | Mode::Try => (error.into_reading_error(), is_retryable),
            };
            if may_help { SendError::Broken(error) } else { SendError::Store(error) }
        })?;
        self.outages.note_answer();
        let answer: Answer<'_> = serde_json::from_str(&text)?;
        self.take_results(answer, steps.len())
    }

    /// Begins the moment of the request that was answered last.
    pub(super) fn begin_moment(&self) -> Moment {
        self.remembered.borrow_mut().begin_moment(Instant::now())
    }

    /// Keeps rows for the next operation.
    pub(super) fn remember_rows(&self, query: &Query, fetched: &Fetched, moment: Moment) {
        if self.memory.is_some() {
            self.remembered.borrow_mut().remember_rows(query.clone(), fetched.clone(), moment);
        }
    }

    /// Returns the rows of a read that an earlier operation made.
    pub(super) fn recall_rows(
        &self,
        statement: &'static Statement,
        args: &[Json],
    ) -> Option<(Fetched, Moment)> {
        let oldest = Instant::now().checked_sub(self.memory?);
        self.remembered.borrow().find_rows(statement, args, oldest)
    }

    /// Whether a commit got no answer.
    pub(super) fn has_lost_answer(&self) -> bool {
        self.has_lost_answer.get()
    }

    /// Takes the reads that were said to follow.
    pub(super) fn take_expected(&self, time: ReadTime) -> Vec<Query> {
        self.expected.borrow_mut().take(time)
    }

    pub(super) fn forget_rows(&self) {
        self.remembered.borrow_mut().forget_rows();
    }

    fn take_results(
        &self,
        answer: Answer<'_>,
        steps: usize,
    ) -> std::result::Result<Vec<StepResult>, SendError> {
        if answer.ok && answer.results.len() == steps {
            let results = answer.results.into_iter().map(|result| StepResult::parse(result.get()));
            return Ok(results.collect::<serde_json::Result<_>>()?);
        }
        if let Some(step) = answer.conflict {
            return Err(SendError::Conflict { step });
        }
        let error = match (answer.denied, answer.refused) {
            (Some(denial), _) => StoreError::denied(denial.message),
            (None, Some(reason)) => self.refusal_error(&reason, answer.schema),
            (None, None) => {
                StoreError::unavailable("the answer of the database is not complete".to_owned())
            }
        };
        Err(SendError::Store(error))
    }

    fn refusal_error(&self, reason: &str, schema: Option<i64>) -> StoreError {
        match schema {
            Some(found) if found > self.schema => {
                StoreError::SchemaTooNew { found, known: self.schema }
            }
            Some(found) if found < self.schema => {
                StoreError::SchemaTooOld { found, needed: self.schema }
            }
            _ => StoreError::unavailable(format!("the database refuses the request: {reason}")),
        }
    }
}

impl Engine for ExchangeEngine {
    type Tx<'t> = ExchangeTx<'t>;

    /// All of them wait for their turn among the writers once. If one is refused, or something was
    /// different from what was predicted, each is a trial of all before it.
    const WRITES_PER_DELIVERY: usize = 32;

    fn read<T>(&self, operation: impl Fn(&mut ExchangeTx<'_>) -> Result<T>) -> Result<T> {
        if self.is_following {
            self.read_through_outage(operation)
        } else {
            self.run(true, operation)
        }
    }

    fn forget_reads(&self) {
        self.link.forget_rows();
    }

    fn snapshot<T>(&mut self, operation: impl Fn(&mut ExchangeTx<'_>) -> Result<T>) -> Result<T> {
        self.read(operation)
    }

    fn write<T>(&mut self, operation: impl Fn(&mut ExchangeTx<'_>) -> Result<T>) -> Result<T> {
        self.run(false, operation)
    }

    fn write_until<T>(
        &mut self,
        deadline: Deadline,
        operation: impl Fn(&mut ExchangeTx<'_>) -> Result<T>,
    ) -> Result<T> {
        let own_deadline = self.link.deadline.replace(deadline);
        let outcome = self.run(false, operation);
        self.link.deadline.set(own_deadline);
        outcome
    }
}

impl CommandEngine for ExchangeEngine {
    fn set_deadline(&mut self, deadline: Deadline) {
        self.link.deadline.set(deadline);
    }

    fn expect_reads(&mut self, time: ReadTime, announce: impl FnOnce(&mut ExchangeTx<'_>)) {
        // Without memory the operation that reads would ask once more.
        if self.link.memory.is_some() {
            let mut tx = ExchangeTx::new(&self.link, Trust::Assume, true);
            announce(&mut tx);
            self.link.expected.borrow_mut().add(time, tx.into_announced());
        }
    }

    fn change_mark(&mut self) -> Result<ChangeMark> {
        read_newest_event_mark(self)
    }

    /// Looks at the newest event again and again; every look, and whatever is read after the wait,
    /// has a deadline of its own and outlasts an outage of the server.
    fn wait_for_change(
        &mut self,
        seen: ChangeMark,
        patience: Duration,
    ) -> Result<Option<ChangeMark>> {
        self.is_following = true;
        self.link.memory = None;
        self.link.forget_rows();
        let end = Deadline::after(patience);
        loop {
            let current = read_newest_event_mark(self)?;
            if current != seen {
                return Ok(Some(current));
            }
            let left = end.remaining();
            if left.is_zero() {
                return Ok(None);
            }
            thread::sleep(POLL_INTERVAL.min(left));
        }
    }

    fn load_schema_status(&mut self) -> Result<SchemaStatus> {
        load_postgres_schema_status(self)
    }

    fn find_violations(&mut self) -> Result<Vec<Violation>> {
        find_row_violations(self)
    }
}

impl ExchangeEngine {
    /// Reads until the server answers, unless the error is one that no waiting ends.
    fn read_through_outage<T>(
        &self,
        operation: impl Fn(&mut ExchangeTx<'_>) -> Result<T>,
    ) -> Result<T> {
        let begun = Instant::now();
        loop {
            self.link.deadline.set(Deadline::after(self.patience));
            match self.run(true, &operation) {
                Err(error) if may_pass(&error) && begun.elapsed() < OUTAGE_PATIENCE => {
                    thread::sleep(POLL_INTERVAL);
                }
                outcome => return outcome,
            }
        }
    }

    fn run<T>(
        &self,
        is_read_only: bool,
        operation: impl Fn(&mut ExchangeTx<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut trust = Trust::Assume;
        let mut runs = 0;
        // After this error nobody knows whether the writes were made until a server answers.
        let mut doubt: Option<StoreError> = None;
        // What the run before met says more than that there was no time for another one.
        let mut met_before: Option<StoreError> = None;
        loop {
            let mut tx = ExchangeTx::new(&self.link, trust, is_read_only);
            let outcome = operation(&mut tx);
            let rerun = match tx.settle(outcome) {
                Ending::Done(Err(error)) if is_timeout(&error) => {
                    return Err(doubt.or(met_before).unwrap_or(error));
                }
                Ending::Done(Err(error)) if doubt.is_some() && may_pass(&error) => {
                    Rerun { error, trust, should_wait: true, is_doubtful: false }
                }
                Ending::Done(result) => return result,
                Ending::Replay(value, recording) => {
                    let mut tx = ExchangeTx::replaying(&self.link, recording);
                    return match operation(&mut tx) {
                        Ok(replayed) if !tx.has_diverged() => Ok(replayed),
                        _ => Ok(value),
                    };
                }
                Ending::Again(rerun) => rerun,
            };
            runs += 1;
            trust = rerun.trust;
            let deadline = self.link.deadline.get();
            let met = find_transport_error(&rerun.error);
            match pause_before_run(deadline, met, rerun.should_wait, runs) {
                Ok(()) if rerun.is_doubtful => doubt = Some(rerun.error),
                Ok(()) => met_before = Some(rerun.error),
                Err(OutOfTime) if is_timeout(&rerun.error) => {
                    let cause =
                        met_before.map(|it| if rerun.is_doubtful { with_doubt(it) } else { it });
                    return Err(doubt.or(cause).unwrap_or(rerun.error));
                }
                Err(OutOfTime) => return Err(doubt.unwrap_or(rerun.error)),
            }
        }
    }
}

/// Returns whether a reading may succeed once the server is back.
fn may_pass(error: &StoreError) -> bool {
    find_transport_error(error).is_some_and(TransportError::may_pass)
}

/// Returns whether a commit may have been carried out although there is no answer.
pub(super) fn is_doubtful(error: &StoreError) -> bool {
    find_transport_error(error).is_some_and(TransportError::may_have_committed)
}

fn is_timeout(error: &StoreError) -> bool {
    let error = find_transport_error(error);
    error.is_some_and(|error| matches!(error.kind, FailureKind::TimedOut(_)))
}

fn find_transport_error(error: &StoreError) -> Option<&TransportError> {
    let (StoreError::Unavailable { source, .. } | StoreError::Contended { source, .. }) = error
    else {
        return None;
    };
    source.as_ref()?.downcast_ref()
}
