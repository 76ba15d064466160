//! What every request to one server needs, whatever the server is.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use reqwest::{Body, Client, Response};
use serde::Deserialize;
use trueup_core::deadline::Deadline;
use trueup_core::settings::{ApiCredentials, DatabaseAddress, TlsRoots};

use super::answer::{explain_error, read_body};
use super::client;
use super::request_body::RequestBody;
use crate::error::{Activity, FailureKind, TransportError};
use crate::net::{NetworkRuntime, Progress};
use crate::tls::PeerCertificate;
use crate::url::HttpsUrl;

/// Where a hub says that it is one.
const HEALTH_PATH: &str = "/healthz";

/// What a hub calls itself there.
const HUB_SERVICE: &str = "trueup-hub";

/// Largest answer of `/healthz` that is looked at, in bytes.
const MAX_HEALTH_BYTES: u64 = 64 * 1024;

const JSON: &str = "application/json";

/// The answer of `/healthz`.
#[derive(Deserialize)]
struct Health {
    service: String,
    #[serde(default)]
    version: String,
}

/// A server, and what it is asked with.
pub(crate) struct HttpsConnection {
    pub(super) url: HttpsUrl,
    client: Client,
    /// The credentials.
    headers: HeaderMap,
    peer: PeerCertificate,
    runtime: NetworkRuntime,
    /// Shared with what looks up names and what sends bodies.
    pub(super) progress: Arc<Progress>,
}

impl HttpsConnection {
    /// Prepares requests without connecting.
    ///
    /// # Errors
    ///
    /// When the trusted authorities or a credential cannot be loaded.
    pub(crate) fn new(
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
        Ok(Self { url, client, headers, peer, runtime, progress })
    }

    /// Returns whether requests are encrypted: all but those to this machine are.
    pub(crate) fn uses_tls(&self) -> bool {
        self.url.is_secure()
    }

    /// Returns how many whole days the server's certificate is still valid, once it was shown.
    pub(crate) fn certificate_days_left(&self) -> Option<i64> {
        self.peer.days_left()
    }

    /// Runs requests until the deadline.
    pub(crate) fn run<T>(
        &self,
        deadline: Deadline,
        requests: impl Future<Output = Result<T, TransportError>>,
    ) -> Result<T, TransportError> {
        self.progress.turn_to(self.url.address());
        self.runtime.run(deadline, &self.progress, requests)
    }

    /// Returns what the server is called in messages.
    pub(crate) fn address(&self) -> DatabaseAddress {
        self.url.address()
    }

    /// How far the request has come.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Returns a failure of the server, or of this program's own part.
    pub(crate) fn failure(&self, kind: FailureKind) -> TransportError {
        self.progress.failure(kind)
    }

    /// Sends JSON with the credentials; returns the answer, whose body is not read yet.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub(crate) async fn post(
        &self,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response, TransportError> {
        self.progress.begin(Activity::Connecting);
        let request = self
            .client
            .post(self.url.join(path))
            .headers(self.headers.clone())
            .headers(headers)
            .header(CONTENT_TYPE, JSON)
            .header(ACCEPT, JSON)
            .body(Body::wrap(RequestBody::new(body, &self.progress)));
        let answer = request.send().await.map_err(|error| explain_error(error, &self.progress))?;
        self.progress.begin(Activity::ReadingAnswer);
        Ok(answer)
    }

    /// Asks for a path with the credentials; returns the answer, whose body is not read yet.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub(crate) async fn get(&self, path: &str) -> Result<Response, TransportError> {
        self.progress.begin(Activity::Connecting);
        let request = self.client.get(self.url.join(path)).headers(self.headers.clone());
        let answer = request.header(ACCEPT, JSON).send().await;
        let answer = answer.map_err(|error| explain_error(error, &self.progress))?;
        self.progress.begin(Activity::ReadingAnswer);
        Ok(answer)
    }

    /// Asks for the version of the hub, if the server is one; no credential is needed for that, so
    /// none is sent.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub(crate) async fn find_hub_version(&self) -> Result<Option<String>, TransportError> {
        let request = self.client.get(self.url.join(HEALTH_PATH)).send().await;
        let mut response = request.map_err(|error| explain_error(error, &self.progress))?;
        if !response.status().is_success() {
            return Ok(None);
        }
        let body = read_body(&mut response, MAX_HEALTH_BYTES, &self.progress).await;
        let health = body.ok().and_then(|body| serde_json::from_slice::<Health>(&body).ok());
        Ok(health.filter(|health| health.service == HUB_SERVICE).map(|health| health.version))
    }
}
