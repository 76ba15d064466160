//! The parameters of a request.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::HubError;

/// The parameters of a request, parsed; what does not parse is the caller's mistake.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = HubError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HubError> {
        let parsed = Query::try_from_uri(&parts.uri);
        parsed
            .map(|Query(parameters)| Self(parameters))
            .map_err(|problem| HubError::bad_request("bad_parameter", problem.body_text()))
    }
}
