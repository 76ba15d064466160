//! Chooses the hook events that the installed client knows. The strict validation of an older
//! client refuses a plugin that names an unknown event.

use std::fmt;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::plugin_files::HOOK_FILES;

/// A client's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClientVersion([u32; 3]);

impl ClientVersion {
    /// Makes a version of its three numbers.
    pub(crate) const fn new(numbers: [u32; 3]) -> Self {
        Self(numbers)
    }

    /// Parses `2.1.332 (Claude Code)`, or the number alone.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().next()?.split('.');
        let mut number = || {
            let text = numbers.next()?;
            let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text.get(..digits)?.parse().ok()
        };
        Some(Self([number()?, number()?, number()?]))
    }
}

impl fmt::Display for ClientVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(out, "{major}.{minor}.{patch}")
    }
}

/// Builds the hooks file for a client: `hooks.json`, merged with each `hooks.since-VERSION.json`
/// whose version the client has reached. Without a client, only `hooks.json` counts.
pub(crate) fn build_hooks_json(client: Option<ClientVersion>) -> Result<Vec<u8>> {
    let mut newer = Vec::new();
    let mut base: &[u8] = b"{}";
    for (path, bytes) in HOOK_FILES {
        match since_version(path) {
            None => base = bytes,
            Some(since) if client >= Some(since) => newer.push((since, *path, *bytes)),
            Some(_) => {}
        }
    }
    if newer.is_empty() {
        return Ok(base.to_vec());
    }
    newer.sort();
    let mut merged = parse_hooks("hooks/hooks.json", base)?;
    for (_, path, bytes) in newer {
        let mut extra = parse_hooks(path, bytes)?;
        let events = merged.get_mut("hooks").and_then(Value::as_object_mut);
        let added = extra.get_mut("hooks").and_then(Value::as_object_mut);
        if let (Some(events), Some(added)) = (events, added) {
            events.append(added);
        }
    }
    Ok(format!("{merged:#}\n").into_bytes())
}

/// Returns from which version of the client on a file of hooks counts.
fn since_version(path: &str) -> Option<ClientVersion> {
    let since = path.strip_prefix("hooks/hooks.since-")?.strip_suffix(".json")?;
    ClientVersion::parse(since)
}

fn parse_hooks(path: &str, bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|error| Error::Refused {
        path: path.into(),
        why: format!("is not valid JSON: {error}"),
        hint: "restore the repository's file: git checkout -- hooks".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared_by_number() {
        let read = |text| ClientVersion::parse(text);
        assert!(read("2.1.332 (Claude Code)") > read("2.1.99"));
        assert!(read("2.1.332") >= read("2.1.332-beta"));
        assert!(read("10.0.0") > read("9.9.9"));
        for text in ["", "claude", "2.1", "v2.1.3"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_client_gets_the_events_it_knows() {
        let events = |version: Option<&str>| {
            let hooks = build_hooks_json(version.and_then(ClientVersion::parse)).unwrap();
            let hooks: Value = serde_json::from_slice(&hooks).unwrap();
            hooks["hooks"].as_object().unwrap().clone()
        };
        let all = HOOK_FILES.iter().find(|(path, _)| *path == "hooks/hooks.json").unwrap().1;
        for old in [None, Some("2.1.331")] {
            let staged = build_hooks_json(old.and_then(ClientVersion::parse)).unwrap();
            assert_eq!(staged, all, "byte for byte");
        }
        let old = events(None);
        let new = events(Some("2.1.332"));
        assert!(!old.contains_key("PreSkillShellCommand"));
        assert!(new.contains_key("PreSkillShellCommand"));
        assert_eq!(new.len(), old.len() + 1);
        assert_eq!(events(Some("2.2.0")), new);
    }
}
