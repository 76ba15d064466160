//! Versions of trueup, in order.

use std::fmt;
use std::str::FromStr;

/// A version such as `0.2.0` or `0.2.0-rc.1`. A version with an addition comes before the one
/// without it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    numbers: [u64; 3],
    is_final: bool,
    addition: String,
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let malformed = || format!("{text:?} is not a version");
        let (numbers, addition) = text.split_once('-').unwrap_or((text, ""));
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
        if !addition.chars().all(is_plain) {
            return Err(malformed());
        }
        let parsed: Option<Vec<u64>> = numbers.split('.').map(|it| it.parse().ok()).collect();
        let numbers = parsed.and_then(|it| <[u64; 3]>::try_from(it).ok()).ok_or_else(malformed)?;
        Ok(Self { numbers, is_final: addition.is_empty(), addition: addition.to_owned() })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        if self.is_final { Ok(()) } else { write!(f, "-{}", self.addition) }
    }
}

impl Version {
    /// Returns the version of this program.
    pub(super) fn of_this_program() -> Result<Self, String> {
        env!("CARGO_PKG_VERSION").parse()
    }

    /// Parses the version in the name of a release, `trueup-VERSION-TARGET`.
    pub(super) fn from_release_name(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("trueup-")?;
        // The target begins with an architecture, an addition such as `rc.1` does not.
        let parts: Vec<&str> = rest.split('-').collect();
        let end = parts.iter().position(|part| ["x86_64", "aarch64"].contains(part))?;
        parts.get(..end)?.join("-").parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered() {
        let ordered = ["0.1.0-rc.1", "0.1.0", "0.1.9", "0.1.10", "0.2.0-rc.1", "0.2.0", "1.0.0"];
        let parsed: Vec<Version> = ordered.iter().map(|text| text.parse().unwrap()).collect();
        assert!(parsed.is_sorted());
        let shown: Vec<String> = parsed.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ordered);
        for text in ["", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.x", "1.2.3-../x"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_release_has_its_version_in_its_name() {
        let version = |name: &str| Version::from_release_name(name).map(|it| it.to_string());
        assert_eq!(version("trueup-0.2.0-x86_64-unknown-linux-musl").as_deref(), Some("0.2.0"));
        assert_eq!(
            version("trueup-0.2.0-rc.1-aarch64-apple-darwin").as_deref(),
            Some("0.2.0-rc.1")
        );
        assert_eq!(version("trueup"), None);
        assert_eq!(version("checkout"), None);
    }
}
