//! What clients get: some events, and the cursor behind them.

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;

use super::live_event::LiveEvent;

/// Most bytes of events in a message, unless one event alone has more: so much may wait for each
/// client.
const MAX_BYTES: usize = 64 * 1024;

/// What stands before and behind the object in a stream of server-sent events.
const FRAME_END: &str = "\n\n";

/// Some events in order, and the cursor behind them. A copy shares the bytes.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// The cursor before the first event.
    pub(super) after: i64,
    /// The cursor behind the last event.
    pub(super) next: i64,
    has_events: bool,
    /// The frame of a server-sent event, in which the object of JSON stands.
    frame: Bytes,
    object: Utf8Bytes,
}

impl Message {
    /// A message without events: a client that gets it is not behind.
    pub(super) fn without_events(cursor: i64) -> Self {
        Self::write(cursor, cursor, "")
    }

    /// Whether there is an event in it.
    pub(super) const fn has_events(&self) -> bool {
        self.has_events
    }

    /// The object of JSON.
    pub(super) fn object(&self) -> Utf8Bytes {
        self.object.clone()
    }

    /// The frame of a server-sent event.
    pub(super) fn frame(&self) -> Bytes {
        self.frame.clone()
    }

    /// How many bytes it has.
    pub(super) fn size(&self) -> usize {
        self.frame.len()
    }

    fn write(after: i64, next: i64, events: &str) -> Self {
        let head = format!("id: {next}\ndata: ");
        let object = format!("{{\"events\":[{events}],\"next\":{next}}}");
        let frame = Bytes::from([&head, &object, FRAME_END].concat());
        let inner = frame.slice(head.len()..head.len() + object.len());
        // It was a text before.
        let object = Utf8Bytes::try_from(inner).unwrap_or_default();
        Self { after, next, has_events: !events.is_empty(), frame, object }
    }
}

/// Writes a message event by event, until it is full.
#[derive(Debug)]
pub(super) struct MessageWriter {
    after: i64,
    next: i64,
    events: String,
}

impl MessageWriter {
    /// Begins a message for a client at a cursor.
    pub(super) const fn new(after: i64) -> Self {
        Self { after, next: after, events: String::new() }
    }

    /// Adds an event; says whether there was room.
    pub(super) fn add(&mut self, event: &LiveEvent) -> bool {
        if !self.events.is_empty() {
            if self.events.len() + event.json.len() > MAX_BYTES {
                return false;
            }
            self.events.push(',');
        }
        self.events.push_str(&event.json);
        self.next = event.seq;
        true
    }

    /// Moves the cursor past events that the client does not want.
    pub(super) fn skip_to(&mut self, seq: i64) {
        self.next = self.next.max(seq);
    }

    pub(super) fn finish(self) -> Message {
        Message::write(self.after, self.next, &self.events)
    }
}

#[cfg(test)]
mod tests {
    use super::super::live_event::tests::event;
    use super::*;

    #[test]
    fn both_forms_hold_the_same_object() {
        let mut writer = MessageWriter::new(4);
        for seq in [5, 7] {
            assert!(writer.add(&LiveEvent::render(&event(seq, "A"))));
        }
        writer.skip_to(9);
        let message = writer.finish();
        let object: serde_json::Value = serde_json::from_str(message.object().as_str()).unwrap();
        assert_eq!(object["next"], 9);
        assert_eq!(object["events"][1]["seq"], 7);
        let frame = String::from_utf8(message.frame().to_vec()).unwrap();
        assert_eq!(frame, format!("id: 9\ndata: {}\n\n", message.object().as_str()));
        assert_eq!(frame.lines().count(), 3, "no line break in the data");
    }

    #[test]
    fn a_message_is_bounded_but_holds_at_least_one_event() {
        let long = "x".repeat(MAX_BYTES);
        let mut writer = MessageWriter::new(0);
        assert!(writer.add(&LiveEvent::render(&event(1, &long))));
        assert!(!writer.add(&LiveEvent::render(&event(2, "A"))));
        assert_eq!(writer.finish().next, 1);
    }

    #[test]
    fn a_message_without_events_tells_the_cursor() {
        let message = Message::without_events(3);
        assert_eq!(message.object().as_str(), r#"{"events":[],"next":3}"#);
        assert!(!message.has_events());
    }
}
