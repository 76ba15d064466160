//! Sends an operation until it is answered or the deadline has passed.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use trueup_core::deadline::Deadline;
use trueup_core::store::{Result, StoreError};

use super::reply::HubReply;
use super::transport::HubTransport;
use crate::error::{FailureKind, TransportError, with_doubt};
use crate::outage::{OUTAGE_PATIENCE, OutageWatch, POLL_INTERVAL, pause_before_run};

/// The arguments of an operation.
#[derive(Debug, Default)]
pub(super) struct Arguments(Map<String, Json>);

impl Arguments {
    /// Adds an argument.
    pub(super) fn add(&mut self, name: &str, value: &impl Serialize) -> Result<()> {
        let value = serde_json::to_value(value).map_err(|error| {
            StoreError::invalid(format!("the argument {name} cannot be sent: {error}"))
        })?;
        self.0.insert(name.to_owned(), value);
        Ok(())
    }
}

/// Whether an operation changes anything, so that it matters if its answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    None,
    Write,
}

/// The body of an answer.
#[derive(Deserialize)]
struct Answer<T> {
    ok: T,
}

/// The way to a hub, and until when it may be used.
pub(super) struct HubLink {
    transport: Box<dyn HubTransport>,
    deadline: Deadline,
    /// How long one operation may take where the work consists of many.
    patience: Duration,
    /// Whether a reader follows the changes, who goes on when the hub is back.
    is_following: bool,
    outages: OutageWatch,
}

impl fmt::Debug for HubLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubLink").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl HubLink {
    pub(super) fn new(transport: Box<dyn HubTransport>, deadline: Deadline) -> Self {
        let patience = deadline.remaining();
        let outages = OutageWatch::default();
        Self { transport, deadline, patience, is_following: false, outages }
    }

    pub(super) fn wait_for_server(&mut self) {
        self.outages.wait_for_server();
    }

    pub(super) fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    /// Lets each reading from now on have a deadline of its own and outlast an outage of the hub.
    pub(super) fn follow(&mut self) {
        self.is_following = true;
    }

    /// Carries an operation out.
    pub(super) fn call<T: DeserializeOwned>(
        &mut self,
        operation: &str,
        effect: Effect,
        arguments: &Arguments,
    ) -> Result<T> {
        let body = serde_json::to_vec(&arguments.0)
            .map_err(|error| StoreError::invalid(format!("{operation} cannot be sent: {error}")))?;
        let answer = if self.is_following && effect == Effect::None {
            self.send_through_outage(operation, &body)?
        } else {
            self.send(operation, effect, &body)?.map_err(|error| explain(error, effect))?
        };
        match serde_json::from_slice::<Answer<T>>(&answer) {
            Ok(answer) => Ok(answer.ok),
            Err(error) => {
                let address = self.transport.address();
                let error = TransportError::caused_by(address, FailureKind::NotJson, error);
                Err(explain(error, effect))
            }
        }
    }

    /// Reads until the hub answers, unless the error is one that no waiting ends.
    fn send_through_outage(&mut self, operation: &str, body: &[u8]) -> Result<Vec<u8>> {
        let begun = Instant::now();
        loop {
            self.deadline = Deadline::after(self.patience);
            match self.send(operation, Effect::None, body)? {
                Err(error) if error.may_pass() && begun.elapsed() < OUTAGE_PATIENCE => {
                    thread::sleep(POLL_INTERVAL);
                }
                outcome => return outcome.map_err(|error| explain(error, Effect::None)),
            }
        }
    }

    /// Sends an operation again where that may help: it names itself, so that the hub does not carry
    /// it out twice. The outer error is that of the hub's store.
    fn send(
        &mut self,
        operation: &str,
        effect: Effect,
        body: &[u8],
    ) -> Result<std::result::Result<Vec<u8>, TransportError>> {
        let mut runs = 0;
        // After this error nobody knows whether it was carried out until the hub answers.
        let mut doubt: Option<TransportError> = None;
        // What the run before met says more than that there was no time for another one.
        let mut met_before: Option<TransportError> = None;
        loop {
            let error = match self.transport.call(operation, body, self.deadline) {
                Ok(reply) => {
                    self.outages.note_answer();
                    return match reply {
                        HubReply::Done(answer) => Ok(Ok(answer)),
                        HubReply::Failed(error) => Err(error),
                    };
                }
                Err(error) => error,
            };
            let is_doubtful = effect == Effect::Write && error.may_have_committed();
            let may_help = is_doubtful
                || self.outages.may_end(&error, false)
                || (doubt.is_some() && error.may_pass());
            if matches!(error.kind, FailureKind::TimedOut(_)) {
                let met = met_before.filter(|_| !is_doubtful);
                return Ok(Err(doubt.or(met).unwrap_or(error)));
            }
            runs += 1;
            if !may_help || pause_before_run(self.deadline, Some(&error), true, runs).is_err() {
                return Ok(Err(doubt.unwrap_or(error)));
            }
            if is_doubtful {
                doubt = Some(error);
            } else {
                met_before = Some(error);
            }
        }
    }
}

/// Returns what a failure is for the operation.
fn explain(error: TransportError, effect: Effect) -> StoreError {
    match effect {
        Effect::None => error.into_reading_error(),
        Effect::Write if error.may_have_committed() => with_doubt(StoreError::from(error)),
        Effect::Write => StoreError::from(error),
    }
}
