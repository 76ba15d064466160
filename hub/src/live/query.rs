//! What a client asks for when it opens a stream.

use std::sync::Arc;

use axum::http::HeaderMap;
use serde::Deserialize;
use trueup_core::model::{ItemKey, SessionId};

use super::Live;
use super::live_event::Selection;
use super::subscription::Subscription;
use crate::access::{Caller, TokenDigest};
use crate::event_cursor::EventCursor;
use crate::problem::HubError;

/// The parameters of a stream.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub(super) struct StreamQuery {
    /// The cursor behind which the stream begins; without it, at the newest event.
    #[cfg_attr(test, param(value_type = Option<i64>, minimum = 0))]
    since: Option<String>,
    /// Only events of this item and its phases.
    item: Option<ItemKey>,
    /// Only events that this session made or is the subject of.
    session: Option<SessionId>,
    /// Only events of this kind.
    kind: Option<String>,
    /// Only events of this kind of thing.
    entity: Option<String>,
}

impl StreamQuery {
    /// Opens a stream; `last` is a cursor that counts more than the one of the parameters, which a
    /// browser repeats when it comes back.
    pub(super) async fn subscribe(
        self,
        live: Arc<Live>,
        caller: Caller,
        headers: &HeaderMap,
        last: Option<String>,
    ) -> Result<Subscription, HubError> {
        let since = last.or(self.since).map(|text| EventCursor::parse(&text)).transpose()?;
        if let Some(since) = since {
            live.check_cursor(since).await?;
        }
        let token = TokenDigest::of_request(headers).ok_or(HubError::Unauthorized)?;
        let place = live.take_place(caller.name)?;
        let selection = Selection {
            item: self.item.map(String::from),
            session: self.session.map(String::from),
            kind: self.kind,
            entity: self.entity,
        };
        let follower = live.follow_events(selection, since.map(EventCursor::seq));
        Ok(Subscription::new(live, follower, token, place))
    }
}
