//! The plugin's own files, carried inside the installer, so that a release needs no checkout.

/// A file of the repository, with its path there.
pub(crate) type CarriedFile = (&'static str, &'static [u8]);

/// Carries files of the repository.
macro_rules! carry {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../", $path)) as &[u8])),*]
    };
}

/// What is staged as it is.
pub(crate) const STAGED_FILES: &[CarriedFile] = carry![
    ".claude-plugin/marketplace.json",
    ".claude-plugin/plugin.json",
    ".codex-plugin/plugin.json",
    "skills/claim/SKILL.md",
    "skills/handoff/SKILL.md",
    "skills/state/SKILL.md",
    "skills/workplans/SKILL.md",
];

/// The hooks of every client, and beside them those that a client knows from a version on.
pub(crate) const HOOK_FILES: &[CarriedFile] =
    carry!["hooks/hooks.json", "hooks/hooks.since-2.1.332.json"];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// Collects the files below a directory of the repository.
    fn collect(root: &Path, dir: &str, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(root.join(dir)).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                if dir != "hooks" {
                    collect(root, &name, found);
                }
            } else if dir != "hooks" || path.extension().is_some_and(|end| end == "json") {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }

    #[test]
    fn every_file_of_the_plugin_is_carried() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut files = BTreeMap::new();
        for dir in [".claude-plugin", ".codex-plugin", "hooks", "skills"] {
            collect(root, dir, &mut files);
        }
        let carried: BTreeMap<String, Vec<u8>> = STAGED_FILES
            .iter()
            .chain(HOOK_FILES)
            .map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()))
            .collect();
        assert_eq!(carried.keys().collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());
        assert!(carried == files, "an old file is carried");
    }
}
