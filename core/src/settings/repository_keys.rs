//! The keys of a repository's `.trueup.toml`, for the documentation and for a file to begin with.

use std::fmt::Write as _;

/// A key that a repository may set.
#[derive(Debug)]
pub struct RepositoryKey {
    /// Its name.
    pub name: &'static str,
    /// What a value looks like; empty for a key that is not in use.
    pub value: &'static str,
    /// What applies without it.
    pub default: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// A valid value, as TOML.
    pub example: &'static str,
}

/// Every key.
pub const REPOSITORY_KEYS: [RepositoryKey; 6] = [
    RepositoryKey {
        name: "repo",
        value: "name",
        default: "from the remote or the directory",
        about: "The repository's name in the database.",
        example: "\"shop\"",
    },
    RepositoryKey {
        name: "passive",
        value: "`true` or `false`",
        default: "`false`",
        about: "Whether the repository neither shares its state nor receives that of others.",
        example: "true",
    },
    RepositoryKey {
        name: "state_file",
        value: "path from the root",
        default: "`STATE.md`",
        about: "The state that is shared.",
        example: "\"docs/STATE.md\"",
    },
    RepositoryKey {
        name: "handoff_commands",
        value: "list of patterns with `*`",
        default: "none",
        about: "Shell commands before which all copies must agree. Added to the user's.",
        example: "[\"make release*\"]",
    },
    RepositoryKey {
        name: "branch_pattern",
        value: "regular expression",
        default: "the user's",
        about: "Finds the key of an item in the name of a branch. Used where the user has set none.",
        example: "'SHOP-\\d+'",
    },
    RepositoryKey {
        name: "plans",
        value: "",
        default: "",
        about: "Kept for later versions, and ignored.",
        example: "",
    },
];

/// Renders a `.trueup.toml` that sets nothing and shows every key.
pub fn render_repository_config() -> String {
    let mut text = String::from(
        "# Settings of trueup for this repository. Each key is shown with an example;\n\
         # remove the `# ` before it to set it.\n",
    );
    for key in REPOSITORY_KEYS.iter().filter(|key| !key.value.is_empty()) {
        let RepositoryKey { name, default, about, example, .. } = key;
        let _ = write!(text, "\n# {about} Default: {default}.\n# {name} = {example}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Environment, Project, RepositoryConfig};

    fn read(text: &str) -> RepositoryConfig {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(".trueup.toml"), text).unwrap();
        let project = Project::at_dir(&Environment::default(), dir.path().to_owned());
        project.read_config().unwrap()
    }

    #[test]
    fn the_file_to_begin_with_sets_nothing() {
        assert_eq!(read(&render_repository_config()), RepositoryConfig::default());
    }

    #[test]
    fn every_example_is_valid_and_sets_its_key() {
        let rendered = render_repository_config();
        for key in REPOSITORY_KEYS.iter().filter(|key| !key.value.is_empty()) {
            let line = format!("{} = {}", key.name, key.example);
            assert!(rendered.contains(&format!("\n# {line}\n")), "{line}");
            let config = read(&line);
            assert_eq!((config.refused.len(), config.problems.len()), (0, 0), "{line}");
            assert_ne!(config, RepositoryConfig::default(), "{line}");
        }
        assert_eq!(read("plans = 1").refused, [""; 0]);
        assert_eq!(read("other = 1").refused, ["other"]);
    }
}
