//! What an installation came by.

use std::env;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::args::Args;
use crate::layout::make_absolute;

/// The variable in which a package names itself: its programs lie where no path tells it.
const ORIGIN_VARIABLE: &str = "TRUEUP_ORIGIN";

/// What an installation came by, which tells how it is upgraded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(crate) enum Origin {
    /// An unpacked archive of a release.
    #[default]
    Archive,
    /// A checkout that was compiled.
    Source {
        /// The checkout.
        dir: PathBuf,
    },
    /// An npm package.
    Npm,
    /// A Python package.
    Pypi,
    /// A Debian package.
    Deb,
}

impl Origin {
    /// Finds out what this installation comes by; `known` is what the record of the one before says.
    pub(crate) fn find_origin(args: &Args, binaries: &Path, known: Option<&Self>) -> Self {
        let named = env::var(ORIGIN_VARIABLE).unwrap_or_default();
        match &args.source {
            Some(dir) => Self::Source { dir: make_absolute(dir) },
            None => Self::guess(&named, binaries, known),
        }
    }

    /// Guesses it from what a package calls itself and from where the programs lie. Programs that
    /// install themselves again, from their own plugin, came by what they came by before.
    fn guess(named: &str, binaries: &Path, known: Option<&Self>) -> Self {
        let lies_below = |name: &str| binaries.components().any(|part| part.as_os_str() == name);
        match named {
            "npm" => Self::Npm,
            "pypi" => Self::Pypi,
            "deb" => Self::Deb,
            _ if binaries.join("../.claude-plugin").is_dir() => known.cloned().unwrap_or_default(),
            _ if lies_below("node_modules") => Self::Npm,
            _ if binaries.join("python3").exists() || lies_below("site-packages") => Self::Pypi,
            _ if binaries.starts_with("/usr/bin") || binaries.starts_with("/usr/lib") => Self::Deb,
            _ => Self::Archive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_counts_then_the_place() {
        let guess = |named: &str, path: &str| Origin::guess(named, Path::new(path), None);
        assert_eq!(guess("npm", "/opt/x/bin"), Origin::Npm);
        assert_eq!(guess("", "/home/a/lib/node_modules/@trueup/linux-x64/bin"), Origin::Npm);
        assert_eq!(guess("pypi", "/home/a/.local/bin"), Origin::Pypi);
        assert_eq!(guess("", "/usr/lib/trueup/bin"), Origin::Deb);
        assert_eq!(guess("", "/home/a/trueup-0.1.0/bin"), Origin::Archive);
        assert_eq!(guess("other", "/home/a/trueup-0.1.0/bin"), Origin::Archive);
    }

    #[test]
    fn a_plugin_that_installs_itself_again_keeps_its_origin() {
        let scratch = tempfile::tempdir().unwrap();
        let bin = scratch.path().join("bin");
        for dir in ["bin", ".claude-plugin"] {
            std::fs::create_dir(scratch.path().join(dir)).unwrap();
        }
        assert_eq!(Origin::guess("", &bin, Some(&Origin::Npm)), Origin::Npm);
        assert_eq!(Origin::guess("", &bin, None), Origin::Archive);
    }
}
