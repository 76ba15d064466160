//! What the client sends a hook: whatever is a JSON object of a session is understood or is
//! nothing for trueup, and what stands around it makes no difference.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use trueup_core::hook::{HookEvent, HookPayload, PayloadError, parse_payload};
use trueup_core::model::SessionId;

/// Checks a payload.
pub fn check(bytes: &[u8]) {
    let parsed = parse_payload(bytes);
    if let Ok(Some(parsed)) = &parsed {
        usable(parsed);
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        // A mark is one at the beginning alone, and what follows it is read without it.
        return;
    }
    let spaced = [b" \r\n\t", bytes, b"\n"].concat();
    match (&parsed, parse_payload(&spaced)) {
        (Ok(before), Ok(after)) => assert_eq!(*before, after),
        (Err(_), Err(_)) => {}
        (before, after) => panic!("{before:?} became {after:?}"),
    }
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        assert!(parsed.is_err());
    } else if let Ok(fields) = serde_json::from_slice(bytes) {
        lenient(&parsed, &fields);
    }
}

fn usable(parsed: &HookPayload) {
    let id: Result<SessionId, _> = parsed.session.as_str().parse();
    assert_eq!(id.as_ref(), Ok(&parsed.session));
    assert_ne!(parsed.cwd.as_deref(), Some(""));
    if let HookEvent::SessionEnd(reason) = &parsed.event {
        assert!(!reason.is_empty());
    }
}

/// The fields of an object, each as it is written.
type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// Only a session id that is none is an error in an object; every field may be of any kind.
fn lenient(parsed: &Result<Option<HookPayload>, PayloadError>, fields: &Fields<'_>) {
    let text = |fields: &Fields<'_>| serde_json::to_string(fields).expect("it was read");
    let plain = parse_payload(text(fields).as_bytes());
    match &plain {
        Ok(_) => {}
        Err(PayloadError::Session(_)) => {
            let id = fields.get("session_id").map_or("null", |raw| raw.get());
            let id: Option<SessionId> = serde_json::from_str(id).unwrap_or_default();
            assert_eq!(id, None);
        }
        Err(error) => panic!("{error}: {}", text(fields)),
    }
    // The same fields once each say what the bytes said, unless one was there twice.
    if let (Ok(before), Ok(after)) = (parsed, &plain) {
        assert_eq!(before, after);
    }
    let new = serde_json::value::to_raw_value(&["x"]).expect("it is JSON");
    let mut more = fields.clone();
    more.insert("new".to_owned(), &new);
    assert_eq!(parse_payload(text(&more).as_bytes()).ok(), plain.ok());
}
