//! Reads the client's own records of its sessions. They are internal to the client and may change
//! their format, so they count only if the process table confirms them. `claude agents --json`
//! prints the same, but starting the client takes longer than a hook has.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::client_process;
use crate::bounds::{CLIENT_RECORD, CLIENT_RECORDS};
use crate::fs::read_bytes;

/// Finds the process that the client recorded for a session. The directory has one file per
/// process, named by its pid. A record whose pid now belongs to something else is skipped.
pub fn find_recorded_client(dir: &Path, session: &str) -> Option<u32> {
    let entries = fs::read_dir(dir).ok()?.flatten().take(CLIENT_RECORDS.len());
    let numbered = entries.filter_map(|entry| {
        let path = entry.path();
        let number = path.file_stem()?.to_str()?.parse::<u32>().ok()?;
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        is_json.then_some((number, path))
    });
    let mut named = numbered.filter(|(_, path)| record_names_session(path, session));
    named.find_map(|(number, _)| client_process::is_client_running(number).then_some(number))
}

fn record_names_session(path: &Path, session: &str) -> bool {
    let Ok(bytes) = read_bytes(path, CLIENT_RECORD.most, false) else {
        return false;
    };
    let record: Option<Value> = serde_json::from_slice(&bytes).ok();
    record.is_some_and(|record| record["sessionId"] == session)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "0199c0de-0000-7000-8000-000000000001";

    #[test]
    fn a_record_names_its_session_in_whatever_company() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("77.json");
        for (text, expected) in [
            (format!(r#"{{"sessionId": "{SESSION}", "new": [1]}}"#), true),
            (r#"{"sessionId": "another"}"#.to_owned(), false),
            (r#"{"sessionId": 7}"#.to_owned(), false),
            (format!(r#"{{"sessionId": "{SESSION}""#), false),
            ("[]".to_owned(), false),
            (String::new(), false),
        ] {
            fs::write(&path, &text).unwrap();
            assert_eq!(record_names_session(&path, SESSION), expected, "{text}");
        }
        assert!(!record_names_session(&dir.path().join("absent"), SESSION));
    }

    #[test]
    fn a_number_under_which_no_client_runs_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(find_recorded_client(&dir.path().join("absent"), SESSION), None);
        let record = format!(r#"{{"sessionId": "{SESSION}"}}"#);
        // This process runs, but is not the client.
        for name in [format!("{}.json", std::process::id()), "x.json".to_owned()] {
            fs::write(dir.path().join(name), &record).unwrap();
        }
        assert_eq!(find_recorded_client(dir.path(), SESSION), None);
    }
}
