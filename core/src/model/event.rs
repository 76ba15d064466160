//! Events: the append-only record of every change.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Epoch, RepoScope, Timestamp};

/// Makes [`EventKind`] from rows of name and stored text.
macro_rules! event_kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What an event says happened.
        ///
        /// The texts are stored in the column `kind`, and triggers of the schema write them too:
        /// they never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EventKind {
            $($(#[$doc])* $name,)*
        }

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Returns the stored text.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

event_kinds! {
    /// A session registered.
    Registered = "registered";
    /// A session ended.
    Ended = "ended";
    /// Fields without a kind of their own changed.
    Changed = "changed";
    /// Something was added.
    Added = "added";
    /// A session claimed an item that nobody held.
    Claimed = "claimed";
    /// A session took an item from its holder.
    TakenOver = "taken_over";
    /// A holder gave something up, or a sweep freed it.
    Released = "released";
    /// A claim was refused.
    Refused = "refused";
    /// A status moved forward.
    Status = "status";
    /// A status moved back.
    Reopened = "reopened";
    /// The dependencies of an item changed.
    Dependencies = "dependencies";
    /// Something was removed.
    Removed = "removed";
    /// A hand-off was made.
    Created = "created";
    /// A hand-off was accepted.
    Accepted = "accepted";
    /// A hand-off was rejected.
    Rejected = "rejected";
    /// Ports were reserved.
    Reserved = "reserved";
    /// A run of a plan began.
    Started = "started";
    /// A run of a plan was asked to stop.
    Stopping = "stopping";
    /// A run of a plan ended as it should.
    Stopped = "stopped";
    /// A run of a plan was found dead.
    Crashed = "crashed";
    /// `checkpoint-push` recorded the number of operations so far.
    Checkpoint = "checkpoint";
    /// Old rows were removed.
    Pruned = "pruned";
    /// The execution state of a session, or the state file of a repository, changed.
    State = "state";
    /// Other metadata of a session changed.
    Metadata = "metadata";
    /// A session works again.
    Active = "active";
    /// A session is between turns.
    Idle = "idle";
    /// A session was found dead.
    Lost = "lost";
    /// An item was linked to a workplan file.
    Linked = "linked";
    /// The text of an item changed in its workplan file.
    Described = "described";
    /// Fields of a metadata file were set.
    Set = "set";
    /// Fields that the database owns were removed from a metadata file.
    Fixed = "fixed";
    /// A token was revoked.
    Revoked = "revoked";
    /// Something needs a person.
    Raised = "raised";
    /// What needed a person does no more.
    Settled = "settled";
}

/// A row of `events`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The cursor, which grows with every event.
    pub seq: i64,
    /// When, by the database's clock.
    pub at: Timestamp,
    /// The actor: a session id, the user of a command, or `sql` for a change that plain SQL made.
    pub actor: String,
    /// The kind of thing that changed: `session`, `item`, `phase`, `port` and so on.
    pub entity: String,
    /// The key of that thing.
    pub key: String,
    /// What happened: the text of an [`EventKind`], or of a kind that a newer trueup wrote.
    pub kind: String,
    /// The value before; null for something new.
    pub before: Value,
    /// The value after; null for something removed.
    pub after: Value,
    /// The epoch of the claim under which it changed.
    pub epoch: Option<Epoch>,
    /// The reason.
    pub reason: Option<String>,
    /// The id of the operation that made it.
    pub op_id: Option<String>,
    /// Who called: the token by which a hub was called, or else the user of a shared database as
    /// the server knows it; an embedded one has none.
    pub via: Option<String>,
}

impl Event {
    /// Returns whether the event is of a kind.
    pub fn is_kind(&self, kind: EventKind) -> bool {
        self.kind == kind.as_str()
    }
}

/// Which of the events that a filter allows are listed, where there are more than its limit. They
/// are listed in the order in which they happened in either case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventOrder {
    /// The newest ones.
    #[default]
    Newest,
    /// The first ones after the cursor, for reading on page by page.
    Oldest,
}

/// Which events to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventFilter {
    /// Only events after this cursor.
    pub after: i64,
    /// Only events of this item and its phases.
    pub item: Option<String>,
    /// Only events that this session made or is the subject of.
    pub session: Option<String>,
    /// Only events of this kind of thing.
    pub entity: Option<String>,
    /// Only events of this kind.
    pub kind: Option<String>,
    /// Only events of this actor.
    pub actor: Option<String>,
    /// Only events of this operation.
    pub op_id: Option<String>,
    /// Only events since this time.
    pub since: Option<Timestamp>,
    /// At most this many; 0 means no limit.
    pub limit: u32,
    /// Which ones, where there are more.
    #[serde(default)]
    pub order: EventOrder,
    /// Without events of items and sessions that are of other repositories than these. Events of
    /// what is of no repository, and of what is gone, stay.
    #[serde(default)]
    pub scope: RepoScope,
}

impl EventFilter {
    /// Makes the filter of what one operation changed.
    pub fn of_operation(op_id: &str) -> Self {
        Self { op_id: Some(op_id.to_owned()), ..Self::default() }
    }
}

/// Returns whether a thing is an item or one of its phases. The key of a phase is the key of its
/// item, a colon and a number.
pub fn concerns_item(entity: &str, key: &str, item: &str) -> bool {
    match entity {
        "item" => key == item,
        "phase" => {
            key.strip_prefix(item).and_then(|rest| rest.strip_prefix(':')).is_some_and(|number| {
                !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
            })
        }
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
