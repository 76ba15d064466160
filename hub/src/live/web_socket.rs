//! `GET /ws`: the stream by WebSocket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message as Frame, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use tokio::time::timeout;

use super::Live;
use super::query::StreamQuery;
use super::subscription::{Occurrence, SEND_PATIENCE, StreamEnd, Subscription};
use crate::access::Caller;
use crate::parameters::Parameters;
use crate::problem::HubError;

/// The longest frame of a client: it has nothing to say.
const MAX_RECEIVED_BYTES: usize = 4 * 1024;

/// Most frames of a client between two of our pings.
const MAX_RECEIVED_FRAMES: u32 = 200;

/// The buffers of a connection, in bytes.
const BUFFER_BYTES: usize = 4 * 1024;

/// How long a client may leave our pings unanswered: so far is it behind at most.
const PONG_PATIENCE: Duration = Duration::from_secs(30);

/// How often a client is pinged.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// How long the other side has to take leave.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// The codes with which a connection is closed (RFC 6455 and its registry).
mod code {
    pub(super) const GOING_AWAY: u16 = 1001;
    pub(super) const POLICY: u16 = 1008;
    pub(super) const SERVICE_RESTART: u16 = 1012;
    pub(super) const TRY_AGAIN_LATER: u16 = 1013;
}

/// Follows the events, by WebSocket. A message is `{"events": [EVENT...], "next": SEQ}`.
#[cfg_attr(test, utoipa::path(
    get, path = "/ws", params(StreamQuery),
    responses((status = 101, description = "The connection becomes a WebSocket")),
))]
pub(super) async fn open_socket(
    State(live): State<Arc<Live>>,
    caller: Caller,
    headers: HeaderMap,
    Parameters(query): Parameters<StreamQuery>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, HubError> {
    let upgrade = upgrade.map_err(|rejection| {
        HubError::bad_request("not_a_web_socket", format!("{rejection}; /stream needs none"))
    })?;
    let subscription = query.subscribe(live, caller, &headers, None).await?;
    let upgrade = upgrade
        .max_message_size(MAX_RECEIVED_BYTES)
        .max_frame_size(MAX_RECEIVED_BYTES)
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(0);
    Ok(upgrade.on_upgrade(|socket| Conversation::new(socket, subscription).hold()))
}

/// Why a connection is left without a word.
struct Gone;

/// A connection while it is open.
struct Conversation {
    socket: WebSocket,
    subscription: Subscription,
    pinged_at: Instant,
    heard_at: Instant,
    received: u32,
}

impl Conversation {
    fn new(socket: WebSocket, subscription: Subscription) -> Self {
        let now = Instant::now();
        Self { socket, subscription, pinged_at: now, heard_at: now, received: 0 }
    }

    /// Sends events until one side ends it.
    async fn hold(mut self) {
        // Whoever is gone is told nothing.
        if let Ok((code, reason)) = self.send_events().await {
            self.close(code, reason).await;
        }
    }

    async fn send_events(&mut self) -> Result<(u16, Utf8Bytes), Gone> {
        loop {
            tokio::select! {
                received = self.socket.recv() => {
                    let Some(Ok(frame)) = received else {
                        return Err(Gone);
                    };
                    if matches!(frame, Frame::Pong(_)) {
                        self.heard_at = Instant::now();
                    }
                    self.received += 1;
                    if self.received > MAX_RECEIVED_FRAMES {
                        return Ok((code::POLICY, "nothing is expected here".into()));
                    }
                }
                occurrence = self.subscription.wait() => match occurrence {
                    Occurrence::End(end) => return Ok(name_end(end)),
                    Occurrence::Message(message) | Occurrence::Beat(message) => {
                        let is_sent = self.send(Frame::Text(message.object())).await?;
                        if !is_sent || !self.ping().await? {
                            self.subscription.count_slow();
                            let since = self.subscription.cursor();
                            let reason = format!("too slow: resume with since={since}");
                            return Ok((code::TRY_AGAIN_LATER, reason.into()));
                        }
                    }
                },
            }
        }
    }

    /// Pings when it is time; says whether the client keeps up.
    async fn ping(&mut self) -> Result<bool, Gone> {
        if self.pinged_at.elapsed() < PING_INTERVAL {
            return Ok(true);
        }
        self.pinged_at = Instant::now();
        self.received = 0;
        let keeps_up = self.heard_at.elapsed() < PONG_PATIENCE + PING_INTERVAL;
        Ok(keeps_up && self.send(Frame::Ping(Bytes::new())).await?)
    }

    /// Sends a frame; says whether the client took it in time.
    async fn send(&mut self, frame: Frame) -> Result<bool, Gone> {
        match timeout(SEND_PATIENCE, self.socket.send(frame)).await {
            Ok(Ok(())) => Ok(true),
            Ok(Err(_)) => Err(Gone),
            Err(_) => Ok(false),
        }
    }

    async fn close(mut self, code: u16, reason: Utf8Bytes) {
        let farewell = Frame::Close(Some(CloseFrame { code, reason }));
        let leave = async {
            // What is read meanwhile is thrown away; a connection that is closed with something
            // unread would lose what was sent last.
            if self.socket.send(farewell).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        let _ = timeout(CLOSE_PATIENCE, leave).await;
    }
}

const fn name_end(end: StreamEnd) -> (u16, Utf8Bytes) {
    match end {
        StreamEnd::Stopping => {
            (code::GOING_AWAY, Utf8Bytes::from_static("the hub is shutting down"))
        }
        StreamEnd::Revoked => (code::POLICY, Utf8Bytes::from_static("the token was revoked")),
        StreamEnd::Restarted => (
            code::SERVICE_RESTART,
            Utf8Bytes::from_static("the database was restored: begin without since"),
        ),
    }
}
