//! What the client sends a hook: whatever is a JSON object of a session is understood or is
//! nothing for trueup, and what stands around it makes no difference.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use trueup_core::hook::{Event, Parsed, PayloadError, parse};
use trueup_core::model::SessionId;

/// Checks a payload.
pub fn check(bytes: &[u8]) {
    let parsed = parse(bytes);
    if let Ok(Some(parsed)) = &parsed {
        usable(parsed);
    }
    let spaced = [b" \r\n\t", bytes, b"\n"].concat();
    match (&parsed, parse(&spaced)) {
        (Ok(before), Ok(after)) => assert_eq!(*before, after),
        (Err(_), Err(_)) => {}
        (before, after) => panic!("{before:?} became {after:?}"),
    }
    let Ok(map) = serde_json::from_slice::<Map<String, Value>>(bytes) else {
        return;
    };
    lenient(&parsed, &map);
}

fn usable(parsed: &Parsed) {
    let id: Result<SessionId, _> = parsed.session.as_str().parse();
    assert_eq!(id.as_ref(), Ok(&parsed.session));
    assert_ne!(parsed.cwd.as_deref(), Some(""));
    if let Event::SessionEnd(reason) = &parsed.event {
        assert!(!reason.is_empty());
    }
}

/// Only a session id that is none is an error in an object; every field may be of any kind.
fn lenient(parsed: &Result<Option<Parsed>, PayloadError>, map: &Map<String, Value>) {
    let text = |map: &Map<String, Value>| Value::Object(map.clone()).to_string();
    let plain = parse(text(map).as_bytes());
    match &plain {
        Ok(_) => {}
        Err(PayloadError::Session(_)) => {
            let id = map
                .get("session_id")
                .and_then(Value::as_str)
                .unwrap_or_default();
            assert!(id.parse::<SessionId>().is_err(), "{id:?}");
        }
        Err(error) => panic!("{error}: {}", text(map)),
    }
    // The same fields once each say what the bytes said, unless one was there twice.
    if let (Ok(before), Ok(after)) = (parsed, &plain) {
        assert_eq!(before, after);
    }
    let known: BTreeSet<&str> = map.keys().map(String::as_str).collect();
    if !known.contains("new") {
        let mut more = map.clone();
        more.insert("new".to_owned(), json!({"session_id": ["x"]}));
        assert_eq!(parse(text(&more).as_bytes()).ok(), plain.ok());
    }
}
