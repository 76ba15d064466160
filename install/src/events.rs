//! Events that not every client knows: an older one's strict validation refuses a plugin that
//! names an event it has never heard of, so which are staged goes by the client at hand.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Named, Result};
use crate::files;

/// A client's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version([u32; 3]);

impl Version {
    /// Reads `2.1.332 (Claude Code)`, or the bare number.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().next()?.split('.');
        let mut number = || {
            let text = numbers.next()?;
            let digits = text
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(text.len());
            text.get(..digits)?.parse().ok()
        };
        Some(Self([number()?, number()?, number()?]))
    }
}

/// Returns the hooks for a client: those of `hooks.json`, and of each `hooks.since-VERSION.json`
/// beside it whose version the client has reached. With no client to go by, the oldest counts.
pub(crate) fn hooks_for(client: Option<Version>, folder: &Path) -> Result<Vec<u8>> {
    let path = folder.join("hooks.json");
    let base = files::read(&path).named("read", &path)?;
    let newer = newer(client, folder)?;
    if newer.is_empty() {
        return Ok(base);
    }
    let mut whole = parsed(&path, &base)?;
    for (_, path) in newer {
        let bytes = files::read(&path).named("read", &path)?;
        let mut more = parsed(&path, &bytes)?;
        let events = whole.get_mut("hooks").and_then(Value::as_object_mut);
        let added = more.get_mut("hooks").and_then(Value::as_object_mut);
        if let (Some(events), Some(added)) = (events, added) {
            events.append(added);
        }
    }
    Ok(format!("{whole:#}\n").into_bytes())
}

/// Lists what a client of this version knows beyond `hooks.json`, the oldest first.
fn newer(client: Option<Version>, folder: &Path) -> Result<Vec<(Version, std::path::PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).named("read", folder)? {
        let path = entry.named("read", folder)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let since = name.strip_prefix("hooks.since-");
        let since = since.and_then(|since| Version::read(since.strip_suffix(".json")?));
        if let Some(since) = since.filter(|since| client >= Some(*since)) {
            found.push((since, path));
        }
    }
    found.sort();
    Ok(found)
}

fn parsed(path: &Path, bytes: &[u8]) -> Result<Value> {
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
        let read = |text| Version::read(text);
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
            let hooks = hooks_for(version.and_then(Version::read), &folder).unwrap();
            let hooks: Value = serde_json::from_slice(&hooks).unwrap();
            hooks["hooks"].as_object().unwrap().clone()
        };
        let all = fs::read(folder.join("hooks.json")).unwrap();
        for old in [None, Some("2.1.331")] {
            let staged = hooks_for(old.and_then(Version::read), &folder).unwrap();
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
