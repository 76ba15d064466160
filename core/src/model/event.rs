//! Events: the append-only record of every change.

use serde_json::Value;

use super::{Epoch, Timestamp};

/// A row of `events`.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The cursor: grows by every event.
    pub seq: i64,
    /// When, by the database's clock.
    pub at: Timestamp,
    /// Who: a session id, a command's user, or `sql` for a change made behind trueup's back.
    pub actor: String,
    /// What kind of thing: `session`, `item`, `phase`, `port` …
    pub entity: String,
    /// Which one.
    pub key: String,
    /// What happened.
    pub kind: String,
    /// What it was.
    pub before: Value,
    /// What it became.
    pub after: Value,
    /// Under which claim.
    pub epoch: Option<Epoch>,
    /// Why.
    pub reason: Option<String>,
    /// Which write made it.
    pub op_id: Option<String>,
}

/// Which events to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only later than this cursor.
    pub after: i64,
    /// Only of this item and its phases.
    pub item: Option<String>,
    /// Only of this session, as actor or as subject.
    pub session: Option<String>,
    /// Only of this kind of thing.
    pub entity: Option<String>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only by this one.
    pub actor: Option<String>,
    /// Only of this operation.
    pub op_id: Option<String>,
    /// Only since this time.
    pub since: Option<Timestamp>,
    /// At most so many, the newest; 0 is no limit.
    pub limit: u32,
}

/// Tells whether a thing is an item or one of its phases, whose keys are the item's with a
/// number behind a colon.
pub fn concerns_item(entity: &str, key: &str, item: &str) -> bool {
    match entity {
        "item" => key == item,
        "phase" => key
            .strip_prefix(item)
            .and_then(|rest| rest.strip_prefix(':'))
            .is_some_and(|number| {
                !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
            }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_belong_to_their_item_alone() {
        for (entity, key, concerned) in [
            ("item", "A", true),
            ("item", "A:1", false),
            ("phase", "A:1", true),
            ("phase", "A:10", true),
            ("phase", "A:1:2", false),
            ("phase", "A:", false),
            ("phase", "AB:1", false),
            ("phase", "A", false),
            ("session", "A", false),
        ] {
            assert_eq!(concerns_item(entity, key, "A"), concerned, "{entity} {key}");
        }
        assert!(concerns_item("phase", "A:1:2", "A:1"));
    }
}
