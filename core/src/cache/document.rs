//! The content of a cache file: the mirrored keys, keys of others, and trueup's stamp.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::field_digest;
use crate::model::{
    FieldKind, FieldValue, Lineage, Revision, SessionId, StateField, Timestamp, WorkHistory,
    WorkState,
};
use crate::reconcile::CacheReading;
use crate::text;

/// The format version that is written into a new cache.
pub const CACHE_FORMAT_VERSION: &str = "1.0.0";

/// The key of the stamp.
const STAMP_KEY: &str = "_trueup";

/// What a cache was written from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncStamp {
    /// The lineage of the database.
    pub lineage: Lineage,
    /// The revision of the session.
    pub revision: Revision,
    /// When it was written, by the local clock.
    pub synced_at: Timestamp,
}

/// The content of a cache file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CacheDocument(Map<String, Json>);

impl CacheDocument {
    /// Parses a file's bytes: a JSON object, with or without a byte order mark.
    ///
    /// # Errors
    ///
    /// The reason, with line and column where there is one.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let content = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if content.iter().all(u8::is_ascii_whitespace) {
            return Err("the file is empty".to_owned());
        }
        match text::lenient_json::from_slice(bytes) {
            Ok(Json::Object(map)) => Ok(Self(map)),
            Ok(_) => Err("not a JSON object".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Returns the bytes to write.
    pub fn render(&self) -> Vec<u8> {
        let mut text = format!("{:#}", Json::Object(self.0.clone()));
        text.push('\n');
        text.into_bytes()
    }

    fn mirrored_fields(&self) -> BTreeMap<StateField, FieldValue> {
        let read = |field: StateField| match (field.kind(), self.0.get(field.key())?) {
            (FieldKind::Flag, Json::Bool(flag)) => Some(FieldValue::Flag(*flag)),
            (FieldKind::Text, Json::Null) => Some(FieldValue::Text(None)),
            (FieldKind::Text, Json::String(text)) => {
                Some(FieldValue::Text(Some(text.clone()).filter(|t| !t.is_empty())))
            }
            _ => None,
        };
        StateField::ALL.into_iter().filter_map(|field| Some((field, read(field)?))).collect()
    }

    /// Returns the session that the document names.
    pub fn session(&self) -> Option<SessionId> {
        self.0.get("sessionId")?.as_str()?.parse().ok()
    }

    /// Returns the document as a reading to reconcile.
    pub fn to_reading(&self) -> CacheReading {
        let mark = self.0.get(STAMP_KEY);
        let stamp = mark.and_then(Json::as_object);
        let text = |key: &str| stamp.and_then(|s| s.get(key)).and_then(Json::as_str);
        let fields = self.mirrored_fields();
        let malformed = StateField::ALL
            .into_iter()
            .filter(|field| !fields.contains_key(field))
            .filter(|field| mark.is_some() || self.0.contains_key(field.key()))
            .collect();
        let lineage = text("lineage").map(|l| Lineage(l.to_owned()));
        let revision = stamp.and_then(|s| s.get("revision")).and_then(Json::as_u64).map(Revision);
        let edited = match (mark, text("digest")) {
            (None, _) => BTreeSet::new(),
            (Some(_), Some(digest)) => field_digest::find_edited_fields(&fields, digest),
            // Without a digest nothing tells what was edited, so assume every field.
            (Some(_), None) => StateField::ALL.into_iter().collect(),
        };
        let stamp_problem = mark.and_then(|_| {
            [
                (stamp.is_some(), "_trueup is not an object"),
                (lineage.is_some(), "_trueup.lineage is missing"),
                (revision.is_some(), "_trueup.revision is missing"),
                (text("digest").is_some(), "_trueup.digest is missing"),
            ]
            .into_iter()
            .find_map(|(is_right, problem)| (!is_right).then_some(problem))
        });
        CacheReading {
            malformed,
            lineage,
            revision,
            synced_at: text("syncedAt").and_then(|t| t.parse().ok()),
            session: self.session(),
            edited,
            branch: self.0.get("branch").and_then(Json::as_str).map(str::to_owned),
            fields,
            stamp_problem,
            unknown_to_database: BTreeSet::new(),
            owner_revision: None,
        }
    }

    /// Returns the document trued up: mirrored keys from the database, a new stamp, all other keys
    /// unchanged.
    #[must_use]
    pub fn trued_up(
        &self,
        session: &SessionId,
        work: &WorkState,
        history: &WorkHistory,
        branch: Option<&str>,
        stamp: &SyncStamp,
    ) -> Self {
        let mut map = self.0.clone();
        let mut put = |key: &str, value: Json| {
            map.insert(key.to_owned(), value);
        };
        for field in [
            StateField::IsActive,
            StateField::WasInterrupted,
            StateField::Item,
            StateField::Phase,
            StateField::Task,
        ] {
            put(field.key(), to_json(work.get(field)));
        }
        put("lastUpdatedAt", json!(history.last_updated_at));
        put("lastInterruptedAt", json!(history.last_interrupted_at));
        put("lastResumedAt", json!(history.last_resumed_at));
        // Keep a count from before trueup until the database has its own.
        let earlier_count = self.0.get("resumeCount").and_then(Json::as_u64).unwrap_or(0);
        put("resumeCount", json!(history.resume_count.unwrap_or(earlier_count)));
        if !self.0.contains_key("version") {
            put("version", json!(CACHE_FORMAT_VERSION));
        }
        put(StateField::AutoProceed.key(), json!(work.auto_proceed));
        put(StateField::ChainOrchestrators.key(), json!(work.chain_orchestrators));
        put("branch", json!(branch));
        put("sessionId", json!(session));
        let mut document = Self(map);
        let mark = json!({
            "lineage": stamp.lineage,
            "revision": stamp.revision,
            "digest": field_digest::digest_fields(&document.mirrored_fields()),
            "syncedAt": stamp.synced_at,
        });
        document.0.insert(STAMP_KEY.to_owned(), mark);
        document
    }

    /// Returns whether trueup wrote the file.
    pub(crate) fn has_stamp(&self) -> bool {
        self.0.contains_key(STAMP_KEY)
    }

    /// Lists the keys that trueup does not write.
    pub(crate) fn list_foreign_keys(&self) -> Vec<&str> {
        const OTHER_KEYS: [&str; 8] = [
            "lastUpdatedAt",
            "lastInterruptedAt",
            "lastResumedAt",
            "resumeCount",
            "version",
            "branch",
            "sessionId",
            STAMP_KEY,
        ];
        let is_ours = |key: &str| {
            OTHER_KEYS.contains(&key) || StateField::ALL.iter().any(|field| field.key() == key)
        };
        self.0.keys().map(String::as_str).filter(|key| !is_ours(key)).collect()
    }

    /// Returns whether two documents differ in nothing but the time of writing.
    pub fn has_same_content(&self, other: &Self) -> bool {
        let without_time = |document: &Self| {
            let mut map = document.0.clone();
            if let Some(Json::Object(stamp)) = map.get_mut(STAMP_KEY) {
                stamp.remove("syncedAt");
            }
            map
        };
        without_time(self) == without_time(other)
    }
}

fn to_json(value: FieldValue) -> Json {
    match value {
        FieldValue::Flag(flag) => json!(flag),
        FieldValue::Text(text) => json!(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(revision: u64) -> SyncStamp {
        SyncStamp {
            lineage: Lineage("11112222-x".to_owned()),
            revision: Revision(revision),
            synced_at: Timestamp::from_millis(0),
        }
    }

    fn written() -> CacheDocument {
        let work = WorkState { phase: Some("PLAN".to_owned()), ..WorkState::default() };
        let session = "s1".parse().unwrap();
        CacheDocument::default().trued_up(
            &session,
            &work,
            &WorkHistory::default(),
            Some("main"),
            &stamp(7),
        )
    }

    #[test]
    fn a_new_document_has_every_key_of_the_contract() {
        let text = String::from_utf8(written().render()).unwrap();
        let keys: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("  \"")?.split('"').next()).collect();
        assert_eq!(
            keys,
            [
                "isActive",
                "wasInterrupted",
                "currentSd",
                "currentPhase",
                "currentTask",
                "lastUpdatedAt",
                "lastInterruptedAt",
                "lastResumedAt",
                "resumeCount",
                "version",
                "autoProceed",
                "chainOrchestrators",
                "branch",
                "sessionId",
                "_trueup",
            ]
        );
        assert!(text.contains("\"version\": \"1.0.0\""));
    }

    #[test]
    fn a_written_document_reads_back_as_unedited() {
        let reading = CacheDocument::parse(&written().render()).unwrap().to_reading();
        assert!(reading.is_stamped() && reading.edited.is_empty());
        assert_eq!(reading.revision, Some(Revision(7)));
        assert_eq!(reading.session.unwrap().as_str(), "s1");
        assert_eq!(reading.fields.len(), StateField::ALL.len());
    }

    /// Stamps that only a person would write. None may make an edit look like trueup's own.
    #[test]
    fn a_strange_stamp_is_reported_and_leaves_an_edit_an_edit() {
        let whole = Json::Object(written().0)[STAMP_KEY].clone();
        let part = |key: &str, value: Json| {
            let mut stamp = whole.clone();
            stamp[key] = value;
            stamp
        };
        let without = |key: &str| {
            let mut stamp = whole.clone();
            stamp.as_object_mut().unwrap().remove(key);
            stamp
        };
        let mut stamps =
            vec![json!(null), json!("x"), json!([1]), json!(7), json!(true), json!({})];
        for key in ["lineage", "revision", "digest"] {
            stamps.push(without(key));
            for value in [json!(null), json!([]), json!({}), json!(true)] {
                stamps.push(part(key, value));
            }
        }
        stamps
            .extend([json!("7"), json!(-1), json!(1.5), json!(1e30)].map(|r| part("revision", r)));
        stamps.extend([json!(7), json!(0.5)].map(|d| part("digest", d)));
        for stamp in stamps {
            let mut map = written().0;
            map.insert("currentPhase".to_owned(), json!("EXEC"));
            map.insert(STAMP_KEY.to_owned(), stamp.clone());
            let reading = CacheDocument(map).to_reading();
            assert!(reading.stamp_problem.is_some(), "{stamp}");
            let kept = reading.edited.contains(&StateField::Phase) || !reading.is_stamped();
            assert!(kept, "{stamp}");
        }
        let huge = part("revision", json!(u64::MAX));
        let mut map = written().0;
        map.insert(STAMP_KEY.to_owned(), huge);
        let reading = CacheDocument(map).to_reading();
        assert_eq!(reading.revision, Some(Revision(u64::MAX)));
        assert_eq!(reading.stamp_problem, None);
    }

    #[test]
    fn a_mark_and_crlf_are_read_and_unknown_keys_survive() {
        let file = "\u{feff}{\r\n  \"currentSd\": \"SD-1\",\r\n  \"mine\": 12345678901234567890123,\r\n  \"version\": \"0.9\"\r\n}\r\n";
        let document = CacheDocument::parse(file.as_bytes()).unwrap();
        assert!(!document.to_reading().is_stamped());
        let again = document.trued_up(
            &"s1".parse().unwrap(),
            &WorkState::default(),
            &WorkHistory::default(),
            None,
            &stamp(1),
        );
        let text = String::from_utf8(again.render()).unwrap();
        assert!(text.contains("\"mine\": "), "{text}");
        assert!(text.contains("\"version\": \"0.9\""), "{text}");
    }

    #[test]
    fn a_file_that_is_no_document_is_rejected_with_a_reason() {
        for (bytes, reason) in [
            (&b""[..], "empty"),
            (b"  \n", "empty"),
            (b"[1]", "not a JSON object"),
            (b"{\"a\": ", "line 1"),
            (b"\xff\xfe{}", "line 1"),
        ] {
            let error = CacheDocument::parse(bytes).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        let bomb = format!("{{\"a\": {}", "[".repeat(100_000));
        assert!(CacheDocument::parse(bomb.as_bytes()).is_err());
    }

    #[test]
    fn only_the_time_differs() {
        let work = WorkState { phase: Some("PLAN".to_owned()), ..WorkState::default() };
        let later = SyncStamp { synced_at: Timestamp::from_millis(99), ..stamp(7) };
        let session = "s1".parse().unwrap();
        let again =
            written().trued_up(&session, &work, &WorkHistory::default(), Some("main"), &later);
        assert!(written().has_same_content(&again));
        let other = written().trued_up(&session, &work, &WorkHistory::default(), None, &later);
        assert!(!written().has_same_content(&other));
    }
}
