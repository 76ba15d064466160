//! Which item a branch names.

use regex_lite::{Regex, RegexBuilder};

use crate::bounds::BRANCH_MATCHES;

/// Largest compiled pattern, in bytes: the time of a search grows with it.
const LARGEST_PATTERN: usize = 64 * 1024;

/// Finds `SD-002B` in `feat/SD-002B-x`: capitals, parts joined by dashes, a number and at
/// most one letter.
pub const DEFAULT_BRANCH_PATTERN: &str = r"[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-[0-9]+[A-Z]?";

/// A pattern that is no regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("branch_pattern {pattern:?} is no regular expression: {reason}")]
pub struct PatternError {
    pattern: String,
    reason: String,
}

/// A compiled pattern; its first group, or the whole match, is the item.
#[derive(Debug, Clone)]
pub struct BranchPattern(Regex);

impl BranchPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    ///
    /// When it is no regular expression.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let mut builder = RegexBuilder::new(pattern);
        builder.size_limit(LARGEST_PATTERN);
        builder.build().map(Self).map_err(|error| PatternError {
            pattern: pattern.to_owned(),
            reason: error.to_string(),
        })
    }

    /// Returns the well-formed item that a branch names as whole words.
    fn find<'b>(&self, branch: &'b str) -> Option<&'b str> {
        self.0
            .captures_iter(branch)
            .take(BRANCH_MATCHES.len())
            .find_map(|found| {
                let named = found.get(1).or_else(|| found.get(0))?;
                is_whole(branch, named.start(), named.end()).then(|| named.as_str())
            })
    }
}

/// Tells whether the bytes `start..end` of `text` are not part of a longer word.
fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric();
    let before = text.get(..start).and_then(|t| t.chars().next_back());
    let after = text.get(end..).and_then(|t| t.chars().next());
    !before.is_some_and(word) && !after.is_some_and(word)
}

/// Tells whether a branch names the key as whole words, whatever the case.
pub fn names(branch: &str, key: &str) -> bool {
    let (branch, key) = (branch.to_ascii_lowercase(), key.to_ascii_lowercase());
    branch
        .match_indices(&key)
        .any(|(at, found)| is_whole(&branch, at, at + found.len()))
}

/// Most candidates looked up for one branch; real branches have fewer.
const MOST_CANDIDATES: usize = 24;

/// Branches that everybody shares: they name no item, and most sessions stand on one.
const TRUNKS: [&str; 4] = ["main", "master", "trunk", "develop"];

/// Tells whether the default pattern can find anything in a branch; it needs a number, and
/// compiling it for nothing costs more than the rest of the comparison.
pub fn default_may_match(branch: &str) -> bool {
    branch.bytes().any(|byte| byte.is_ascii_digit())
}

/// Returns the parts of a branch that may be an item's key: of every path segment, its
/// beginnings up to a dash or underscore, longest first.
pub fn candidates(branch: &str) -> Vec<&str> {
    if TRUNKS.contains(&branch) {
        return Vec::new();
    }
    let mut parts = Vec::new();
    for segment in branch.split('/').filter(|s| !s.is_empty()) {
        parts.push(segment);
        parts.extend(
            segment
                .rmatch_indices(['-', '_'])
                .filter_map(|(at, _)| segment.get(..at)),
        );
    }
    parts.retain(|part| !part.is_empty());
    parts.truncate(MOST_CANDIDATES);
    parts
}

/// Returns the item a branch names when it is not the one held.
///
/// `known` are those of [`candidates`] that are items. A branch that names the held item is
/// right whatever else it names.
pub fn named_item(
    branch: &str,
    held: &str,
    pattern: Option<&BranchPattern>,
    known: &[String],
) -> Option<String> {
    if names(branch, held) {
        return None;
    }
    let longest = known
        .iter()
        .filter(|k| names(branch, k))
        .max_by_key(|k| k.len());
    longest
        .map(String::as_str)
        .or_else(|| pattern?.find(branch))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_of_the_wild() {
        let pattern = BranchPattern::new(DEFAULT_BRANCH_PATTERN).unwrap();
        for (branch, held, known, expected) in [
            ("feat/SD-002B-x", "SD-002C", "", Some("SD-002B")),
            ("feat/SD-002C-x", "SD-002C", "", None),
            ("feat/sd-002c", "SD-002C", "", None),
            (
                "feat/SD-LEO-SELF-IMPROVE-002C",
                "SD-002C",
                "",
                Some("SD-LEO-SELF-IMPROVE-002C"),
            ),
            ("SD-002B-after-SD-002C", "SD-002C", "", None),
            ("SD-002", "SD-002C", "", Some("SD-002")),
            ("feat/SD-002CX", "SD-002C", "", None),
            ("main", "SD-002C", "", None),
            ("feat/login-page", "signup", "login", Some("login")),
            ("feat/login-page", "signup", "", None),
            ("feat/PROJ-12-2024", "PROJ-12", "", None),
        ] {
            let known: Vec<String> = Some(known)
                .filter(|k| !k.is_empty())
                .map(str::to_owned)
                .into_iter()
                .collect();
            let found = named_item(branch, held, Some(&pattern), &known);
            assert_eq!(found.as_deref(), expected, "{branch} while {held} is held");
        }
    }

    #[test]
    fn a_group_narrows_the_match() {
        let pattern = BranchPattern::new(r"issue-([0-9]+)").unwrap();
        let found = named_item("fix/issue-170-x", "171", Some(&pattern), &[]);
        assert_eq!(found.as_deref(), Some("170"));
        assert!(
            BranchPattern::new("(")
                .unwrap_err()
                .to_string()
                .contains("branch_pattern")
        );
    }

    #[test]
    fn candidates_are_beginnings_of_segments() {
        assert_eq!(
            candidates("feat/login-page-x"),
            ["feat", "login-page-x", "login-page", "login"]
        );
        assert!(
            candidates("---///").is_empty() || candidates("---///").iter().all(|c| !c.is_empty())
        );
    }
}
