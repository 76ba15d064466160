//! Chooses the hook events that the installed client knows. The strict validation of an older
//! client refuses a plugin that names an unknown event.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::error::{Error, IoResultExt, Result};
use crate::files;

/// A client's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClientVersion([u32; 3]);

impl ClientVersion {
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

/// Builds the hooks file for a client: `hooks.json`, merged with each `hooks.since-VERSION.json`
/// beside it whose version the client has reached. Without a client, only `hooks.json` counts.
pub(crate) fn build_hooks_json(client: Option<ClientVersion>, folder: &Path) -> Result<Vec<u8>> {
    let path = folder.join("hooks.json");
    let base = files::read_file(&path).with_action("read", &path)?;
    let newer_files = list_newer_files(client, folder)?;
    if newer_files.is_empty() {
        return Ok(base);
    }
    let mut merged = parse_hooks(&path, &base)?;
    for (_, path) in newer_files {
        let bytes = files::read_file(&path).with_action("read", &path)?;
        let mut extra = parse_hooks(&path, &bytes)?;
        let events = merged.get_mut("hooks").and_then(Value::as_object_mut);
        let added = extra.get_mut("hooks").and_then(Value::as_object_mut);
        if let (Some(events), Some(added)) = (events, added) {
            events.append(added);
        }
    }
    Ok(format!("{merged:#}\n").into_bytes())
}

/// Lists the files with events that a client of this version knows beyond `hooks.json`, the oldest
/// first.
fn list_newer_files(
    client: Option<ClientVersion>,
    folder: &Path,
) -> Result<Vec<(ClientVersion, std::path::PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_action("read", folder)? {
        let path = entry.with_action("read", folder)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let since = name.strip_prefix("hooks.since-");
        let since = since.and_then(|since| ClientVersion::parse(since.strip_suffix(".json")?));
        if let Some(since) = since.filter(|since| client >= Some(*since)) {
            found.push((since, path));
        }
    }
    found.sort();
    Ok(found)
}

fn parse_hooks(path: &Path, bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|error| Error::Refused {
        path: path.to_owned(),
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
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hooks");
        let events = |version: Option<&str>| {
            let hooks = build_hooks_json(version.and_then(ClientVersion::parse), &folder).unwrap();
            let hooks: Value = serde_json::from_slice(&hooks).unwrap();
            hooks["hooks"].as_object().unwrap().clone()
        };
        let all = fs::read(folder.join("hooks.json")).unwrap();
        for old in [None, Some("2.1.331")] {
            let staged = build_hooks_json(old.and_then(ClientVersion::parse), &folder).unwrap();
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
