//! Requests by HTTPS: the client, and an exchange as one POST to Supabase or PostgREST.

mod answer;
mod client;
mod connection;
mod flavour;
mod flavour_memory;
mod request_body;

use std::fmt;

use bytes::Bytes;
pub use flavour_memory::FlavourMemory;
use trueup_core::deadline::Deadline;
use trueup_core::settings::{ApiCredentials, TlsRoots};

pub(crate) use answer::{classify_status, read_body};
pub(crate) use connection::HttpsConnection;

use crate::error::{FailureKind, TransportError};
use crate::transport::Transport;
use crate::url::{Flavour, HttpsUrl};

/// Carries exchanges by HTTPS.
pub struct HttpsTransport {
    connection: HttpsConnection,
    flavour: Option<Flavour>,
    /// Where the flavour is remembered, if the URL does not say it.
    memory: Option<FlavourMemory>,
}

impl HttpsTransport {
    /// Prepares the transport without connecting.
    ///
    /// # Errors
    ///
    /// When the trusted authorities or a credential cannot be loaded.
    pub fn new(
        url: HttpsUrl,
        credentials: &ApiCredentials,
        roots: TlsRoots,
    ) -> Result<Self, TransportError> {
        let flavour = url.flavour;
        let connection = HttpsConnection::new(url, credentials, roots)?;
        Ok(Self { connection, flavour, memory: None })
    }

    /// Remembers what answers at the URL, and starts with what was remembered.
    #[must_use]
    pub fn with_memory(mut self, memory: FlavourMemory) -> Self {
        if self.flavour.is_none() {
            self.flavour = memory.recall();
            self.memory = Some(memory);
        }
        self
    }

    /// Returns what answers at the URL, once it is known: what the URL says, or what was found at
    /// the first exchange. It can be remembered and put into [`HttpsUrl::flavour`].
    pub fn flavour(&self) -> Option<Flavour> {
        self.flavour
    }

    /// Returns whether requests are encrypted: all but those to this machine are.
    pub fn uses_tls(&self) -> bool {
        self.connection.uses_tls()
    }

    /// Returns how many whole days the server's certificate is still valid, once it was shown.
    pub fn certificate_days_left(&self) -> Option<i64> {
        self.connection.certificate_days_left()
    }
}

impl Transport for HttpsTransport {
    fn exchange(&mut self, request: &str, deadline: Deadline) -> Result<String, TransportError> {
        let Self { connection, flavour, memory } = self;
        let body = serde_json::to_vec(&serde_json::json!({ "request": request }))
            .map_err(|error| connection.failure(FailureKind::Local(error.to_string())))?;
        connection.run(deadline, async {
            let body = Bytes::from(body);
            if let Some(known) = *flavour {
                let outcome = connection.call(known, body.clone()).await;
                let Some(memory) = memory.as_ref().filter(|_| is_gone(&outcome)) else {
                    return outcome;
                };
                // Another server answers at the URL now.
                memory.forget();
            }
            let (found, outcome) = connection.discover(body).await?;
            *flavour = Some(found);
            if let Some(memory) = memory.as_ref().filter(|_| outcome.is_ok()) {
                memory.remember(found);
            }
            outcome
        })
    }
}

/// Returns whether nothing was called, because the server has no such path.
fn is_gone(outcome: &Result<String, TransportError>) -> bool {
    let is_gone = |error: &TransportError| {
        matches!(error.kind, FailureKind::NotFound | FailureKind::HubAnswers)
    };
    outcome.as_ref().is_err_and(is_gone)
}

impl fmt::Debug for HttpsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpsTransport").field("url", &self.connection.url).finish_non_exhaustive()
    }
}
