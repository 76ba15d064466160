//! The cursor of events: the `seq` of the last one that a client has.

use trueup_core::model::EventFilter;
use trueup_core::store::{CommandStore, Result as StoreResult};

use crate::problem::HubError;

/// The place behind an event, or before all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct EventCursor(i64);

impl EventCursor {
    /// Parses a cursor.
    ///
    /// # Errors
    ///
    /// When it is no number of an event.
    pub(crate) fn parse(text: &str) -> Result<Self, HubError> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = is_number.then(|| text.parse().ok()).flatten().map(Self);
        number.ok_or_else(|| {
            let message = "since takes the seq of an event, or next of an answer or a message";
            HubError::bad_request("bad_cursor", message)
        })
    }

    /// The `seq` behind which it is.
    pub(crate) const fn seq(self) -> i64 {
        self.0
    }

    /// Refuses a cursor that no event has reached: it is of another database, or of one that was
    /// replaced by an older copy, where a client would wait in silence.
    ///
    /// # Errors
    ///
    /// When the newest event comes before it.
    pub(crate) fn check_reached(self, newest: i64) -> Result<(), HubError> {
        if self.0 <= newest {
            return Ok(());
        }
        let message = format!("the newest event is {newest}: begin again without since");
        Err(HubError::bad_request("cursor_ahead", message))
    }
}

/// Reads the `seq` of the newest event, or 0 where there is none.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn load_newest_seq(store: &mut dyn CommandStore) -> StoreResult<i64> {
    let events = store.list_events(&EventFilter { limit: 1, ..EventFilter::default() })?;
    Ok(events.last().map_or(0, |newest| newest.seq))
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
            let parsed = EventCursor::parse(text);
            assert_eq!(parsed.as_ref().ok().map(|cursor| cursor.seq()), expected, "{text:?}");
            if let Err(error) = parsed {
                assert_eq!(error.code(), "bad_cursor");
            }
        }
    }

    #[test]
    fn a_cursor_that_no_event_has_reached_is_refused() {
        assert!(EventCursor(7).check_reached(7).is_ok());
        assert_eq!(EventCursor(8).check_reached(7).unwrap_err().code(), "cursor_ahead");
    }
}
