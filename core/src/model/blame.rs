//! Which event gave each field of an item its present value.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use super::{Event, Item};

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $word:literal;)+) => {
        /// A field of an item that events record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum BlamedField {
            $($(#[$doc])* $variant,)+
        }

        impl BlamedField {
            /// Every field, in the order in which answers list them.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// Returns the key of the field in events and answers.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

fields! {
    /// The title.
    Title = "title";
    /// The kind, such as `task`.
    Kind = "kind";
    /// The parent item.
    Parent = "parent";
    /// The position among its siblings.
    Position = "position";
    /// The name of the repository.
    Repo = "repo";
    /// The status.
    Status = "status";
    /// The phase that a holder pushed last.
    Phase = "phase";
    /// The session that holds it.
    Holder = "holder";
    /// The reason why it is blocked, failed or cancelled.
    ErrorMessage = "error_message";
    /// The evidence of completion.
    Evidence = "evidence";
    /// How urgent it is.
    Priority = "priority";
    /// What is to be done.
    Description = "description";
    /// What an import brought that has no place of its own.
    Extra = "extra";
}

/// The error for a word that names no field of an item.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown item field {found:?}; known are {}", BlamedField::ALL.map(BlamedField::as_str).join(", "))]
pub struct UnknownField {
    found: String,
}

impl FromStr for BlamedField {
    type Err = UnknownField;

    fn from_str(text: &str) -> Result<Self, UnknownField> {
        let named = Self::ALL.into_iter().find(|field| field.as_str() == text);
        named.ok_or_else(|| UnknownField { found: text.chars().take(40).collect() })
    }
}

impl fmt::Display for BlamedField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A field with its present value, and the event that set it.
#[derive(Debug, Clone, PartialEq)]
pub struct Blame<'e> {
    /// The field.
    pub field: BlamedField,
    /// The present value.
    pub value: Value,
    /// The event, or `None` when the events that remain do not show it.
    pub event: Option<&'e Event>,
}

/// Finds for each field of an item the event that set its present value.
///
/// `events` are the events of this item, oldest first. When the newest event that set a field left
/// another value than the present one, the real change was not recorded, and the field has no
/// event.
pub fn blame_item<'e>(item: &Item, events: &'e [Event]) -> Vec<Blame<'e>> {
    let now = item.event_facts();
    BlamedField::ALL
        .into_iter()
        .map(|field| {
            let value = now[field.as_str()].clone();
            let newest = events.iter().rfind(|event| event_sets_field(event, field));
            Blame {
                field,
                event: newest.filter(|event| event.after[field.as_str()] == value),
                value,
            }
        })
        .collect()
}

/// Returns whether an event set a field. The first event of an item sets all of them; one without a
/// value after it, such as a refused claim, sets none.
fn event_sets_field(event: &Event, field: BlamedField) -> bool {
    let (before, after) = (&event.before, &event.after);
    after.is_object() && (before.is_null() || before[field.as_str()] != after[field.as_str()])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::fixture::{sample_item, seconds_from_now};
    use crate::model::{Epoch, ItemStatus};

    fn build_event(seq: i64, before: Value, after: Value) -> Event {
        Event {
            seq,
            at: seconds_from_now(seq),
            actor: format!("actor-{seq}"),
            entity: "item".to_owned(),
            key: "SD-002C".to_owned(),
            kind: "changed".to_owned(),
            before,
            after,
            epoch: Some(Epoch(3)),
            reason: None,
            op_id: None,
            via: None,
        }
    }

    fn blamed_seqs(item: &Item, events: &[Event]) -> Vec<Option<i64>> {
        let blamed = blame_item(item, events);
        blamed.iter().map(|b| b.event.map(|e| e.seq)).collect()
    }

    fn build_history() -> (Item, Vec<Event>) {
        let queued = sample_item(ItemStatus::Queued, None);
        let running = sample_item(ItemStatus::Running, Some("s1"));
        let titled = Item { title: Some("t".to_owned()), ..running.clone() };
        let free = Item { holder: None, ..titled.clone() };
        let events = vec![
            build_event(1, Value::Null, queued.event_facts()),
            build_event(2, queued.event_facts(), running.event_facts()),
            build_event(3, running.event_facts(), titled.event_facts()),
            build_event(4, titled.event_facts(), free.event_facts()),
        ];
        (free, events)
    }

    #[test]
    fn each_field_has_its_newest_change() {
        let (item, events) = build_history();
        let expected = [3, 1, 1, 1, 1, 2, 1, 4, 1, 1, 1, 1, 1].map(Some);
        assert_eq!(blamed_seqs(&item, &events), expected);
        let status = &blame_item(&item, &events)[5];
        assert_eq!((status.field, &status.value), (BlamedField::Status, &json!("running")));
        assert_eq!(status.event.unwrap().actor, "actor-2");
    }

    #[test]
    fn a_refused_claim_sets_nothing() {
        let (item, mut events) = build_history();
        let expected = blamed_seqs(&item, &events);
        events.push(build_event(5, Value::Null, Value::Null));
        assert_eq!(blamed_seqs(&item, &events), expected);
    }

    #[test]
    fn what_no_event_shows_is_blamed_on_nobody() {
        let (item, events) = build_history();
        assert_eq!(blamed_seqs(&item, &[]), [None; BlamedField::ALL.len()]);
        // Title, status and holder changed since; nothing shows by whom.
        let expected =
            [0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1].map(|seq| Some(seq).filter(|s| *s > 0));
        assert_eq!(blamed_seqs(&item, &events[..1]), expected);
    }

    #[test]
    fn a_field_is_named_as_answers_name_it() {
        for field in BlamedField::ALL {
            assert_eq!(field.as_str().parse(), Ok(field));
            assert!(
                sample_item(ItemStatus::Queued, None).event_facts().get(field.as_str()).is_some()
            );
        }
        let error = "colour".parse::<BlamedField>().unwrap_err().to_string();
        assert!(error.contains("\"colour\"") && error.contains("title, kind"), "{error}");
    }
}
