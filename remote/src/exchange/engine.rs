//! Runs an operation until it is committed or the deadline has passed.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::thread;
use std::time::{Duration, Instant};

use trueup_core::deadline::Deadline;
use trueup_core::store::sql::{
    CommandEngine, Engine, SqlStore, find_row_violations, load_postgres_schema_status,
    read_newest_event_mark,
};
use trueup_core::store::{ChangeMark, Result, RetryAdvice, SchemaStatus, StoreError, Violation};

use super::ending::{Ending, Rerun, Trust};
use super::protocol::{Answer, Mode, Request, RequestStep, StepResult};
use super::transaction::ExchangeTx;
use crate::transport::Transport;

/// A store over a database that other machines share.
pub type RemoteStore = SqlStore<ExchangeEngine>;

/// The longest wait before an operation runs again, in milliseconds.
const MAX_WAIT_MS: u64 = 200;

/// The pause between two looks at the newest event: a reader sees a change within half a second,
/// and a database serves hundreds of them beside its work.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// How long a reader that follows goes on without an answer before it gives up: a server that is
/// restarted, or replaced by its standby, is back by then.
const OUTAGE_PATIENCE: Duration = Duration::from_mins(2);

/// Carries out the operations of the store by exchanges.
#[derive(Debug)]
pub struct ExchangeEngine {
    link: Link,
    /// How long one operation may take where the work consists of many.
    patience: Duration,
}

impl ExchangeEngine {
    /// An engine over a transport to a database of this schema.
    pub fn new(transport: Box<dyn Transport>, schema: i64, deadline: Deadline) -> Self {
        Self {
            link: Link {
                transport: RefCell::new(transport),
                schema,
                deadline: Cell::new(deadline),
            },
            patience: deadline.remaining(),
        }
    }
}

/// The way to the database, and until when it may be used.
pub(super) struct Link {
    transport: RefCell<Box<dyn Transport>>,
    schema: i64,
    deadline: Cell<Deadline>,
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

impl Link {
    /// Sends steps; returns the result of each.
    pub(super) fn send(
        &self,
        mode: Mode,
        steps: &[RequestStep<'_>],
    ) -> std::result::Result<Vec<StepResult>, SendError> {
        let invalid = |error: serde_json::Error| {
            SendError::Store(StoreError::unavailable(format!(
                "the answer of the database cannot be read: {error}"
            )))
        };
        let request =
            serde_json::to_string(&Request::new(mode, self.schema, steps)).map_err(invalid)?;
        let sent = self.transport.borrow_mut().exchange(&request, self.deadline.get());
        let text = sent.map_err(|error| {
            let may_help = error.is_retryable() || error.may_have_committed();
            let error = StoreError::from(error);
            if may_help { SendError::Broken(error) } else { SendError::Store(error) }
        })?;
        let answer: Answer = serde_json::from_str(&text).map_err(invalid)?;
        self.take_results(answer, steps.len())
    }

    fn take_results(
        &self,
        answer: Answer,
        steps: usize,
    ) -> std::result::Result<Vec<StepResult>, SendError> {
        if answer.ok && answer.results.len() == steps {
            return Ok(answer.results);
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

    fn read<T>(&self, operation: impl Fn(&mut ExchangeTx<'_>) -> Result<T>) -> Result<T> {
        self.run(true, operation)
    }

    fn snapshot<T>(&mut self, operation: impl Fn(&mut ExchangeTx<'_>) -> Result<T>) -> Result<T> {
        self.run(true, operation)
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

    fn change_mark(&mut self) -> Result<ChangeMark> {
        read_newest_event_mark(self)
    }

    /// Looks at the newest event again and again; every look, and whatever is read after the wait,
    /// has a deadline of its own.
    fn wait_for_change(
        &mut self,
        seen: ChangeMark,
        patience: Duration,
    ) -> Result<Option<ChangeMark>> {
        let end = Deadline::after(patience);
        let mut last_answer = Instant::now();
        loop {
            self.link.deadline.set(Deadline::after(self.patience));
            match read_newest_event_mark(self) {
                Ok(current) if current != seen => return Ok(Some(current)),
                Ok(_) => last_answer = Instant::now(),
                Err(error) => {
                    let may_pass = error.retry_advice() == RetryAdvice::Retry;
                    if !may_pass || last_answer.elapsed() > OUTAGE_PATIENCE {
                        return Err(error);
                    }
                }
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
    fn run<T>(
        &self,
        is_read_only: bool,
        operation: impl Fn(&mut ExchangeTx<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut trust = Trust::Assume;
        let mut runs = 0;
        loop {
            let mut tx = ExchangeTx::new(&self.link, trust, is_read_only);
            let outcome = operation(&mut tx);
            match tx.settle(outcome) {
                Ending::Done(result) => return result,
                Ending::Replay(value, recording) => {
                    let mut tx = ExchangeTx::replaying(&self.link, recording);
                    return match operation(&mut tx) {
                        Ok(replayed) if !tx.has_diverged() => Ok(replayed),
                        _ => Ok(value),
                    };
                }
                Ending::Again(rerun) => {
                    runs += 1;
                    trust = rerun.trust;
                    self.wait_before_rerun(rerun, runs)?;
                }
            }
        }
    }

    /// Waits a moment, which differs between processes, or fails once there is no time left.
    fn wait_before_rerun(&self, rerun: Rerun, runs: u64) -> Result<()> {
        let deadline = self.link.deadline.get();
        if deadline.has_passed() {
            return Err(rerun.error);
        }
        if rerun.should_wait && runs > 1 {
            let random = RandomState::new().build_hasher().finish();
            let longest = (8 << runs.min(8)).min(MAX_WAIT_MS);
            let wait = Duration::from_millis(random % longest);
            thread::sleep(wait.min(deadline.remaining()));
        }
        Ok(())
    }
}
