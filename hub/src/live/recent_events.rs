//! The events of the last minutes, so that clients who come back do not ask the database.

use std::collections::VecDeque;

use super::live_event::{LiveEvent, Selection};
use super::message::{Message, MessageWriter};

/// Most bytes of events that are kept.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Most bytes of messages that are kept: clients that keep up all want the same ones.
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// What there is behind a cursor.
#[derive(Debug)]
pub(super) enum Found {
    /// Events; or none that are wanted up to the cursor of the message.
    Message(Message),
    /// Nothing yet.
    UpToDate,
    /// Older events than those that are kept.
    TooOld,
}

/// The newest events without a gap.
#[derive(Debug)]
pub(super) struct RecentEvents {
    events: VecDeque<LiveEvent>,
    bytes: usize,
    /// Every event behind this cursor is kept.
    floor: i64,
    newest: i64,
    messages: VecDeque<Message>,
    message_bytes: usize,
}

impl RecentEvents {
    /// Begins behind a cursor.
    pub(super) const fn new(floor: i64) -> Self {
        Self {
            events: VecDeque::new(),
            bytes: 0,
            floor,
            newest: floor,
            messages: VecDeque::new(),
            message_bytes: 0,
        }
    }

    /// The cursor behind everything.
    pub(super) const fn newest(&self) -> i64 {
        self.newest
    }

    /// Adds the events that follow.
    pub(super) fn extend(&mut self, events: Vec<LiveEvent>) {
        for event in events {
            self.newest = event.seq;
            self.bytes += event.size();
            self.events.push_back(event);
        }
        while self.bytes > MAX_BYTES
            && let Some(oldest) = self.events.pop_front()
        {
            self.bytes -= oldest.size();
            self.floor = oldest.seq;
        }
    }

    /// Finds the next message for a client at a cursor.
    pub(super) fn find_after(&mut self, cursor: i64, selection: &Selection) -> Found {
        if cursor < self.floor {
            return Found::TooOld;
        }
        if cursor >= self.newest {
            return Found::UpToDate;
        }
        if !selection.is_everything() {
            return Found::Message(self.write_after(cursor, selection));
        }
        if let Some(kept) = self.messages.iter().rev().find(|kept| kept.after == cursor) {
            return Found::Message(kept.clone());
        }
        let message = self.write_after(cursor, selection);
        self.keep(message.clone());
        Found::Message(message)
    }

    fn write_after(&self, cursor: i64, selection: &Selection) -> Message {
        let first = self.events.partition_point(|event| event.seq <= cursor);
        let mut writer = MessageWriter::new(cursor);
        for event in self.events.range(first..) {
            if !selection.wants(event) {
                writer.skip_to(event.seq);
            } else if !writer.add(event) {
                break;
            }
        }
        writer.finish()
    }

    fn keep(&mut self, message: Message) {
        self.message_bytes += message.size();
        self.messages.push_back(message);
        while self.message_bytes > MAX_MESSAGE_BYTES
            && let Some(oldest) = self.messages.pop_front()
        {
            self.message_bytes -= oldest.size();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::live_event::tests::event;
    use super::*;

    fn seqs(message: &Message) -> Vec<i64> {
        let object: serde_json::Value = serde_json::from_str(message.object().as_str()).unwrap();
        let events = object["events"].as_array().unwrap();
        events.iter().map(|event| event["seq"].as_i64().unwrap()).collect()
    }

    fn rendered(seqs: impl IntoIterator<Item = i64>, key: &str) -> Vec<LiveEvent> {
        seqs.into_iter().map(|seq| LiveEvent::render(&event(seq, key))).collect()
    }

    #[test]
    fn each_client_gets_what_follows_its_cursor() {
        let mut recent = RecentEvents::new(10);
        let everything = Selection::default();
        assert!(matches!(recent.find_after(10, &everything), Found::UpToDate));
        recent.extend(rendered([12, 13], "A"));
        recent.extend(rendered([20], "B"));
        let only_b = Selection { item: Some("B".to_owned()), ..Selection::default() };
        let only_c = Selection { item: Some("C".to_owned()), ..Selection::default() };
        for (cursor, selection, expected) in [
            (10, &everything, vec![12, 13, 20]),
            (11, &everything, vec![12, 13, 20]),
            (12, &everything, vec![13, 20]),
            (10, &only_b, vec![20]),
            (10, &only_c, vec![]),
        ] {
            let Found::Message(message) = recent.find_after(cursor, selection) else {
                panic!("nothing after {cursor}");
            };
            assert_eq!((seqs(&message), message.next), (expected, 20), "after {cursor}");
        }
        assert!(matches!(recent.find_after(20, &everything), Found::UpToDate));
        assert!(matches!(recent.find_after(9, &everything), Found::TooOld));
    }

    #[test]
    fn a_message_that_was_made_before_is_followed_by_what_came_since() {
        let mut recent = RecentEvents::new(0);
        let everything = Selection::default();
        recent.extend(rendered([1], "A"));
        assert!(matches!(recent.find_after(0, &everything), Found::Message(_)));
        recent.extend(rendered([2], "A"));
        let mut cursor = 0;
        let mut seen = Vec::new();
        while let Found::Message(message) = recent.find_after(cursor, &everything) {
            seen.extend(seqs(&message));
            cursor = message.next;
        }
        assert_eq!(seen, [1, 2]);
    }

    #[test]
    fn what_is_kept_is_bounded_and_has_no_gap() {
        let mut recent = RecentEvents::new(0);
        let long = "x".repeat(100_000);
        for seq in 1..=200 {
            recent.extend(rendered([seq], &long));
            assert!(recent.bytes <= MAX_BYTES);
            let found = recent.find_after(seq - 1, &Selection::default());
            assert!(matches!(found, Found::Message(_)));
            assert!(recent.message_bytes <= MAX_MESSAGE_BYTES);
        }
        let floor = recent.floor;
        assert!(floor > 0);
        assert!(matches!(recent.find_after(floor - 1, &Selection::default()), Found::TooOld));
        let Found::Message(message) = recent.find_after(floor, &Selection::default()) else {
            panic!("nothing");
        };
        assert_eq!(seqs(&message), [floor + 1]);
    }
}
