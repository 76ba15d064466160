//! An event as clients get it, and which of them a client wants.

use trueup_core::model::{Event, EventFilter, EventOrder, concerns_item};
use trueup_core::views::EventView;

/// An event that was rendered once for all clients.
#[derive(Debug)]
pub(super) struct LiveEvent {
    pub(super) seq: i64,
    entity: String,
    key: String,
    kind: String,
    actor: String,
    /// The object of JSON.
    pub(super) json: Box<str>,
}

impl LiveEvent {
    pub(super) fn render(event: &Event) -> Self {
        let json = serde_json::to_string(&EventView::from(event)).unwrap_or_default();
        Self {
            seq: event.seq,
            entity: event.entity.clone(),
            key: event.key.clone(),
            kind: event.kind.clone(),
            actor: event.actor.clone(),
            json: json.into_boxed_str(),
        }
    }

    /// About the memory that it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        let texts = [&self.entity, &self.key, &self.kind, &self.actor];
        size_of::<Self>() + self.json.len() + texts.iter().map(|text| text.len()).sum::<usize>()
    }
}

/// Which events a client wants; all, where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// Only those of this item and its phases.
    pub(super) item: Option<String>,
    /// Only those that this session made or is the subject of.
    pub(super) session: Option<String>,
    /// Only those of this kind.
    pub(super) kind: Option<String>,
    /// Only those of this kind of thing.
    pub(super) entity: Option<String>,
}

impl Selection {
    /// Whether every event is wanted.
    pub(super) fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an event is wanted. The database says the same of a filter.
    pub(super) fn wants(&self, event: &LiveEvent) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        let is_of_item = |item: &String| concerns_item(&event.entity, &event.key, item);
        let is_of_session = |session: &String| {
            event.actor == *session || event.entity == "session" && event.key == *session
        };
        is(&self.kind, &event.kind)
            && is(&self.entity, &event.entity)
            && self.item.as_ref().is_none_or(is_of_item)
            && self.session.as_ref().is_none_or(is_of_session)
    }

    /// Makes the filter of the first so many after a cursor.
    pub(super) fn filter_after(&self, cursor: i64, limit: u32) -> EventFilter {
        EventFilter {
            after: cursor,
            limit,
            order: EventOrder::Oldest,
            item: self.item.clone(),
            session: self.session.clone(),
            kind: self.kind.clone(),
            entity: self.entity.clone(),
            ..EventFilter::default()
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::Value as Json;

    use super::*;

    /// Makes an event of an item.
    pub(in crate::live) fn event(seq: i64, key: &str) -> Event {
        Event {
            seq,
            at: "2026-01-01T00:00:00Z".parse().unwrap(),
            actor: "tester".to_owned(),
            entity: "item".to_owned(),
            key: key.to_owned(),
            kind: "created".to_owned(),
            before: Json::Null,
            after: Json::Null,
            epoch: None,
            reason: None,
            op_id: None,
            via: None,
        }
    }

    #[test]
    fn a_selection_wants_what_all_its_parts_want() {
        let made = |entity: &str, key: &str, kind: &str, actor: &str| {
            let event = Event {
                entity: entity.to_owned(),
                kind: kind.to_owned(),
                actor: actor.to_owned(),
                ..event(1, key)
            };
            LiveEvent::render(&event)
        };
        let item = made("item", "A", "claimed", "s1");
        let phase = made("phase", "A:3", "moved", "s2");
        let session = made("session", "s1", "started", "sql");
        let some = |text: &str| Some(text.to_owned());
        let nothing = Selection::default();
        for (selection, wanted) in [
            (nothing.clone(), [true, true, true]),
            (Selection { item: some("A"), ..nothing.clone() }, [true, true, false]),
            (Selection { item: some("B"), ..nothing.clone() }, [false, false, false]),
            (Selection { session: some("s1"), ..nothing.clone() }, [true, false, true]),
            (Selection { kind: some("moved"), ..nothing.clone() }, [false, true, false]),
            (Selection { entity: some("item"), ..nothing.clone() }, [true, false, false]),
            (
                Selection { item: some("A"), kind: some("moved"), ..nothing.clone() },
                [false, true, false],
            ),
        ] {
            let found = [&item, &phase, &session].map(|event| selection.wants(event));
            assert_eq!(found, wanted, "{selection:?}");
        }
    }
}
