//! `GET /stream`: the stream as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc::{self, error::SendTimeoutError};

use super::Live;
use super::query::StreamQuery;
use super::subscription::{Occurrence, SEND_PATIENCE, Subscription};
use crate::access::Caller;
use crate::parameters::Parameters;
use crate::problem::HubError;

/// What a browser sends when it comes back.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What tells a proxy to keep nothing back.
const NO_BUFFERING: (&str, &str) = ("x-accel-buffering", "no");

/// Follows the events, as server-sent events; `id` is the `seq` of the last event of a message.
#[cfg_attr(test, utoipa::path(
    get, path = "/stream", params(StreamQuery),
    responses((
        status = 200, description = "Messages of events", body = String,
        content_type = "text/event-stream",
    )),
))]
pub(super) async fn open_stream(
    State(live): State<Arc<Live>>,
    caller: Caller,
    headers: HeaderMap,
    Parameters(query): Parameters<StreamQuery>,
) -> Result<Response, HubError> {
    let last = headers.get(LAST_EVENT_ID).filter(|last| !last.is_empty());
    let last = last.map(|last| last.to_str().unwrap_or("?").to_owned());
    let subscription = query.subscribe(live, caller, &headers, last).await?;
    let (frames, mut sent) = mpsc::channel(1);
    tokio::spawn(send_events(subscription, frames));
    let body = stream::poll_fn(move |context| sent.poll_recv(context));
    let body = Body::from_stream(futures_util::StreamExt::map(body, Ok::<_, Infallible>));
    Ok(([(CONTENT_TYPE.as_str(), "text/event-stream"), NO_BUFFERING], body).into_response())
}

/// Hands frames over until one side ends it. A client that does not take them ends its stream; the
/// bound on stalled writes ends its connection.
async fn send_events(mut subscription: Subscription, frames: mpsc::Sender<Bytes>) {
    loop {
        let frame = tokio::select! {
            () = frames.closed() => return,
            occurrence = subscription.wait() => match occurrence {
                Occurrence::Message(message) | Occurrence::Beat(message) => message.frame(),
                Occurrence::End(_) => return,
            },
        };
        match frames.send_timeout(frame, SEND_PATIENCE).await {
            Ok(()) => {}
            Err(SendTimeoutError::Closed(_)) => return,
            Err(SendTimeoutError::Timeout(_)) => return subscription.count_slow(),
        }
    }
}
