//! What answers at a URL, and calling it.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use reqwest::{Body, Client};
use serde::Deserialize;

use super::answer::{explain_error, explain_status, read_body};
use super::request_body::RequestBody;
use crate::error::{Activity, FailureKind, TransportError};
use crate::net::Progress;
use crate::transport::MAX_ANSWER_BYTES;
use crate::url::{Flavour, HttpsUrl};

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
}

/// A server, for the length of one exchange.
pub(super) struct Server<'a> {
    pub(super) url: &'a HttpsUrl,
    pub(super) client: &'a Client,
    pub(super) headers: &'a HeaderMap,
    pub(super) progress: &'a Arc<Progress>,
}

impl Server<'_> {
    /// Finds out what the server is while making the first call; returns what was found and the
    /// outcome of the call.
    ///
    /// # Errors
    ///
    /// When it cannot be found out.
    pub(super) async fn discover(
        &self,
        body: Bytes,
    ) -> Result<(Flavour, Result<String, TransportError>), TransportError> {
        if self.is_hub().await? {
            return Ok((Flavour::Hub, self.call(Flavour::Hub, body).await));
        }
        // A path that does not exist carries nothing out, so the next one can be tried.
        for flavour in [Flavour::Supabase, Flavour::Postgrest] {
            match self.call(flavour, body.clone()).await {
                Ok(answer) => return Ok((flavour, Ok(answer))),
                Err(error) if error.kind == FailureKind::NotTrueup => {
                    return Ok((flavour, Err(error)));
                }
                Err(error) if error.kind == FailureKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(self.progress.failure(FailureKind::NotFound))
    }

    /// Asks whether the server is a hub; no credential is needed for that, so none is sent.
    async fn is_hub(&self) -> Result<bool, TransportError> {
        let request = self.client.get(self.url.join(HEALTH_PATH)).send().await;
        let mut response = request.map_err(|error| explain_error(error, self.progress))?;
        if !response.status().is_success() {
            return Ok(false);
        }
        let body = read_body(&mut response, MAX_HEALTH_BYTES, self.progress).await;
        let health = body.ok().and_then(|body| serde_json::from_slice::<Health>(&body).ok());
        Ok(health.is_some_and(|health| health.service == HUB_SERVICE))
    }

    /// Calls the function; its result is a JSON string that contains the answer.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub(super) async fn call(
        &self,
        flavour: Flavour,
        body: Bytes,
    ) -> Result<String, TransportError> {
        self.progress.begin(Activity::Connecting);
        let request = self
            .client
            .post(self.url.join(flavour.function_path()))
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, JSON)
            .header(ACCEPT, JSON)
            .body(Body::wrap(RequestBody::new(body, self.progress)));
        let mut response =
            request.send().await.map_err(|error| explain_error(error, self.progress))?;
        self.progress.begin(Activity::ReadingAnswer);
        if !response.status().is_success() {
            return Err(explain_status(response, self.progress).await);
        }
        let answer = read_body(&mut response, MAX_ANSWER_BYTES, self.progress).await?;
        serde_json::from_slice(&answer)
            .map_err(|error| self.progress.failure_from(FailureKind::NotJson, error))
    }
}
