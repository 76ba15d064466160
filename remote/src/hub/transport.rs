//! One request to a hub.

use std::fmt;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use trueup_core::deadline::Deadline;
use trueup_core::model::{TokenName, TokenRole};
use trueup_core::settings::DatabaseAddress;

use super::reply::{HubReply, read_reply};
use crate::error::{FailureKind, TransportError};
use crate::https::{FlavourMemory, HttpsConnection};

/// Until when the caller waits, in milliseconds.
const DEADLINE: HeaderName = HeaderName::from_static("trueup-deadline-ms");

/// Carries one request at a time to a hub.
///
/// The call waits, so it must not be made on a thread that runs asynchronous tasks.
pub trait HubTransport {
    /// Returns what the hub is called in messages.
    fn address(&self) -> DatabaseAddress;

    /// Sends the arguments of an operation, a JSON object; returns what the hub says.
    ///
    /// # Errors
    ///
    /// When there is no answer by the deadline, or it is not one of the operation. The error tells
    /// whether the request may have been carried out all the same.
    fn call(
        &mut self,
        operation: &str,
        arguments: &[u8],
        deadline: Deadline,
    ) -> Result<HubReply, TransportError>;
}

/// Where a hub says who asks.
const CALLER_PATH: &str = "/api/me";

/// Who asks, as a hub says it.
#[derive(Debug, Deserialize)]
pub(crate) struct HubCaller {
    /// The name of the token.
    pub(crate) name: TokenName,
    /// What its bearer may do.
    pub(crate) role: TokenRole,
}

/// A hub at an `https://` URL.
pub(crate) struct HttpsHub {
    connection: HttpsConnection,
    /// Where it is remembered that a hub answers.
    memory: Option<FlavourMemory>,
}

impl HttpsHub {
    pub(crate) fn new(connection: HttpsConnection, memory: Option<FlavourMemory>) -> Self {
        Self { connection, memory }
    }

    /// Asks for the version of the hub; a server that is none has no version.
    pub(crate) fn ask_version(&self, deadline: Deadline) -> Result<String, TransportError> {
        let version = self.connection.run(deadline, self.connection.find_hub_version())?;
        version.ok_or_else(|| self.connection.failure(FailureKind::NotFound))
    }

    /// Asks whose token the credentials are.
    pub(crate) fn ask_caller(&self, deadline: Deadline) -> Result<HubCaller, TransportError> {
        let connection = &self.connection;
        connection.run(deadline, async {
            let answer = connection.get(CALLER_PATH).await?;
            match read_reply(answer, connection, CALLER_PATH).await? {
                HubReply::Done(body) => serde_json::from_slice(&body).map_err(|error| {
                    connection.progress().failure_from(FailureKind::NotJson, error)
                }),
                HubReply::Failed(error) => {
                    Err(connection.failure(FailureKind::HubDatabase(error.to_string())))
                }
            }
        })
    }

    /// Returns whether requests are encrypted.
    pub(crate) fn uses_tls(&self) -> bool {
        self.connection.uses_tls()
    }

    /// Returns how many whole days the certificate is still valid, once it was shown.
    pub(crate) fn certificate_days_left(&self) -> Option<i64> {
        self.connection.certificate_days_left()
    }
}

impl HubTransport for HttpsHub {
    fn address(&self) -> DatabaseAddress {
        self.connection.address()
    }

    fn call(
        &mut self,
        operation: &str,
        arguments: &[u8],
        deadline: Deadline,
    ) -> Result<HubReply, TransportError> {
        let Self { connection, memory } = self;
        let headers = HeaderMap::from_iter([(DEADLINE, time_for_hub(deadline))]);
        let body = Bytes::copy_from_slice(arguments);
        let outcome = connection.run(deadline, async {
            let answer = connection.post(&format!("/rpc/{operation}"), headers, body).await?;
            read_reply(answer, connection, operation).await
        });
        if let (Some(memory), Err(error)) = (memory, &outcome)
            && error.kind == FailureKind::NotFound
        {
            // Another server answers at the URL now.
            memory.forget();
        }
        outcome
    }
}

/// Leaves a tenth of the time for the way of the answer.
fn time_for_hub(deadline: Deadline) -> HeaderValue {
    let millis = u64::try_from(deadline.remaining().as_millis()).unwrap_or(u64::MAX);
    HeaderValue::from(millis - millis / 10)
}

impl fmt::Debug for HttpsHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpsHub").finish_non_exhaustive()
    }
}
