//! Sending one message.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use trueup_core::model::Timestamp;
use trueup_core::settings::Secret;
use trueup_remote::{PostClient, PostError};

use super::delivery::Delivery;
use super::signature::sign_body;

/// When and by whom it was signed.
const SIGNATURE: HeaderName = HeaderName::from_static("trueup-signature");

/// The id of the delivery.
const DELIVERY: HeaderName = HeaderName::from_static("trueup-delivery");

/// Where messages go, and the secret that they are signed with.
#[derive(Debug, Clone)]
pub(super) struct Receiver {
    pub(super) client: PostClient,
    pub(super) secret: Secret,
}

impl Receiver {
    /// Sends a message, signed as of now.
    pub(super) async fn send(&self, delivery: &Delivery, now: Timestamp) -> Result<(), PostError> {
        let signature = sign_body(&self.secret, now.as_millis() / 1_000, &delivery.body);
        let mut headers = HeaderMap::new();
        for (name, text) in [(SIGNATURE, &signature), (DELIVERY, &delivery.id)] {
            let value =
                HeaderValue::from_str(text).map_err(|error| PostError::Local(error.to_string()))?;
            headers.insert(name, value);
        }
        self.client.post_json(headers, delivery.body.clone()).await
    }
}
