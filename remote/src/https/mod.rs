//! An exchange as one POST, to Supabase, PostgREST or a hub.

mod answer;
mod client;
mod flavour;
mod flavour_memory;
mod request_body;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
pub use flavour_memory::FlavourMemory;
use reqwest::Client;
use reqwest::header::HeaderMap;
use trueup_core::deadline::Deadline;
use trueup_core::settings::{ApiCredentials, TlsRoots};

use crate::error::{FailureKind, TransportError};
use crate::net::{NetworkRuntime, Progress};
use crate::tls::PeerCertificate;
use crate::transport::Transport;
use crate::url::{Flavour, HttpsUrl};

/// Carries exchanges by HTTPS.
pub struct HttpsTransport {
    url: HttpsUrl,
    client: Client,
    /// The credentials.
    headers: HeaderMap,
    peer: PeerCertificate,
    runtime: NetworkRuntime,
    /// Shared with what looks up names and what sends bodies.
    progress: Arc<Progress>,
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
        let progress = Arc::new(Progress::new(url.address()));
        let headers = client::load_headers(credentials, &progress)?;
        let (client, peer) = client::build_client(&url, roots, &progress)?;
        let runtime = NetworkRuntime::new().map_err(|error| {
            progress.failure_from(FailureKind::Local(error.kind().to_string()), error)
        })?;
        let (flavour, memory) = (url.flavour, None);
        Ok(Self { url, client, headers, peer, runtime, progress, flavour, memory })
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
        self.url.is_secure()
    }

    /// Returns how many whole days the server's certificate is still valid, once it was shown.
    pub fn certificate_days_left(&self) -> Option<i64> {
        self.peer.days_left()
    }
}

impl Transport for HttpsTransport {
    fn exchange(&mut self, request: &str, deadline: Deadline) -> Result<String, TransportError> {
        let Self { url, client, headers, runtime, progress, flavour, memory, .. } = self;
        progress.turn_to(url.address());
        let body = serde_json::to_vec(&serde_json::json!({ "request": request }))
            .map_err(|error| progress.failure_from(FailureKind::Local(error.to_string()), error))?;
        let server = flavour::Server { url, client, headers, progress };
        runtime.run(deadline, progress, async {
            let body = Bytes::from(body);
            if let Some(known) = *flavour {
                let outcome = server.call(known, body.clone()).await;
                let Some(memory) = memory.as_ref().filter(|_| is_gone(&outcome)) else {
                    return outcome;
                };
                // Another server answers at the URL now.
                memory.forget();
            }
            let (found, outcome) = server.discover(body).await?;
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
    let is_gone = |error: &TransportError| error.kind == FailureKind::NotFound;
    outcome.as_ref().is_err_and(is_gone)
}

impl fmt::Debug for HttpsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpsTransport").field("url", &self.url).finish_non_exhaustive()
    }
}
