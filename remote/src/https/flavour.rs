//! Which function answers an exchange at a URL, and calling it.

use bytes::Bytes;
use reqwest::header::HeaderMap;

use super::answer::{explain_status, read_body};
use super::connection::HttpsConnection;
use crate::error::{FailureKind, TransportError};
use crate::transport::MAX_ANSWER_BYTES;
use crate::url::Flavour;

impl HttpsConnection {
    /// Finds out what the server is while making the first call; returns what was found and the
    /// outcome of the call.
    ///
    /// # Errors
    ///
    /// When it cannot be found out, and when it is a hub, which takes no exchanges.
    pub(super) async fn discover(
        &self,
        body: Bytes,
    ) -> Result<(Flavour, Result<String, TransportError>), TransportError> {
        if self.find_hub_version().await?.is_some() {
            return Err(self.failure(FailureKind::HubAnswers));
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
        Err(self.failure(FailureKind::NotFound))
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
        let path = flavour.function_path().ok_or_else(|| self.failure(FailureKind::HubAnswers))?;
        let mut response = self.post(path, HeaderMap::new(), body).await?;
        if !response.status().is_success() {
            return Err(explain_status(response, &self.progress).await);
        }
        let answer = read_body(&mut response, MAX_ANSWER_BYTES, &self.progress).await?;
        serde_json::from_slice(&answer)
            .map_err(|error| self.progress.failure_from(FailureKind::NotJson, error))
    }
}
