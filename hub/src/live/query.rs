//! What a client asks for when it opens a stream.

use axum::http::HeaderMap;
use serde::Deserialize;
use trueup_core::model::{ItemKey, SessionId};

use super::follower::Follower;
use super::live_event::Selection;
use super::pump::load_newest;
use super::subscription::Subscription;
use crate::access::{Caller, TokenDigest};
use crate::hub_state::HubState;
use crate::problem::HubError;

/// The parameters of a stream.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StreamQuery {
    /// The cursor behind which the stream begins; without it, at the newest event.
    since: Option<String>,
    item: Option<ItemKey>,
    session: Option<SessionId>,
    kind: Option<String>,
    entity: Option<String>,
}

impl StreamQuery {
    /// Opens a stream; `last` is a cursor that counts more than the one of the parameters, which a
    /// browser repeats when it comes back.
    pub(super) async fn subscribe(
        self,
        state: HubState,
        caller: Caller,
        headers: &HeaderMap,
        last: Option<String>,
    ) -> Result<Subscription, HubError> {
        let since = last.or(self.since).map(|text| parse_cursor(&text)).transpose()?;
        if let Some(since) = since {
            check_cursor(&state, since).await?;
        }
        let token = TokenDigest::of_request(headers).ok_or(HubError::Unauthorized)?;
        let place = state.live().take_place(caller.name)?;
        let selection = Selection {
            item: self.item.map(String::from),
            session: self.session.map(String::from),
            kind: self.kind,
            entity: self.entity,
        };
        let follower: Follower = state.live().follow_events(selection, since);
        Ok(Subscription::new(state, follower, token, place))
    }
}

fn parse_cursor(text: &str) -> Result<i64, HubError> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_number.then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| {
        HubError::bad_request("bad_cursor", "since takes the seq of an event, or next of a message")
    })
}

/// Refuses a cursor that no event has reached: it is of another database, or of one that was
/// replaced by an older copy, where a client would wait in silence.
async fn check_cursor(state: &HubState, since: i64) -> Result<(), HubError> {
    if since <= state.live().newest() {
        return Ok(());
    }
    // Another hub of the same database may have been a moment quicker.
    let newest = state.pool().run(load_newest).await?;
    if since <= newest {
        return Ok(());
    }
    Err(HubError::bad_request(
        "cursor_ahead",
        format!("the newest event is {newest}: begin again without since"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_number_of_an_event() {
        for (text, expected) in [
            ("0", Some(0)),
            ("12", Some(12)),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.0", None),
            ("x", None),
            ("99999999999999999999", None),
        ] {
            let parsed = parse_cursor(text);
            assert_eq!(parsed.as_ref().ok().copied(), expected, "{text:?}");
            if let Err(error) = parsed {
                assert_eq!(error.code(), "bad_cursor");
            }
        }
    }
}
