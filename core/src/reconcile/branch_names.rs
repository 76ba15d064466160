//! Which item the name of a branch refers to.

use std::ops::Range;

use regex_lite::{Regex, RegexBuilder};

use crate::bounds::BRANCH_MATCHES;
use crate::diagnostic::BranchTarget;

/// Largest compiled pattern, in bytes. The time of a search grows with it.
const LARGEST_PATTERN: usize = 64 * 1024;

/// Finds `SD-002B` in `feat/SD-002B-x`: capitals in parts joined by dashes, then a number and at
/// most one letter.
pub const DEFAULT_BRANCH_PATTERN: &str = r"[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-[0-9]+[A-Z]?";

/// The error for a pattern that is not a regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("branch_pattern {pattern:?} is not a regular expression: {reason}")]
pub struct BranchPatternError {
    pattern: String,
    reason: String,
}

/// A compiled pattern. Its first group, or else the whole match, may be the key of an item.
#[derive(Debug, Clone)]
pub struct BranchPattern(Regex);

impl BranchPattern {
    /// Compiles a pattern, which ignores case.
    ///
    /// # Errors
    ///
    /// When it is not a regular expression.
    pub fn new(pattern: &str) -> Result<Self, BranchPatternError> {
        let mut builder = RegexBuilder::new(pattern);
        builder.size_limit(LARGEST_PATTERN).case_insensitive(true);
        builder.build().map(Self).map_err(|error| BranchPatternError {
            pattern: pattern.to_owned(),
            reason: error.to_string(),
        })
    }

    /// Finds the matches in a branch that are whole words.
    fn find_keys<'b>(&self, branch: &'b str) -> impl Iterator<Item = &'b str> {
        let found = self.0.captures_iter(branch).take(BRANCH_MATCHES.len());
        found.filter_map(|found| {
            let named = found.get(1).or_else(|| found.get(0))?;
            is_whole_word(branch, named.start(), named.end()).then(|| named.as_str())
        })
    }
}

/// Returns whether the bytes `start..end` of `text` are not part of a longer word.
fn is_whole_word(text: &str, start: usize, end: usize) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric();
    let before = text.get(..start).and_then(|t| t.chars().next_back());
    let after = text.get(end..).and_then(|t| t.chars().next());
    !before.is_some_and(word) && !after.is_some_and(word)
}

/// Returns whether a branch contains the key as whole words, ignoring case.
pub fn branch_names_item(branch: &str, key: &str) -> bool {
    let (branch, key) = (branch.to_ascii_lowercase(), key.to_ascii_lowercase());
    branch.match_indices(&key).any(|(at, found)| is_whole_word(&branch, at, at + found.len()))
}

/// Most parts of a branch that are looked up. Real branches have fewer.
const MAX_CANDIDATES: usize = 160;

/// Most words of a key in the middle of a branch.
const MAX_WORDS: usize = 8;

/// Branches that everybody shares. They name no item, and most sessions are on one.
const TRUNKS: [&str; 4] = ["main", "master", "trunk", "develop"];

/// Lists the parts of a branch that may be the key of an item: the matches of the repository's
/// pattern, the beginnings of every path segment, and every part with a letter and a digit, which
/// includes the matches of [`DEFAULT_BRANCH_PATTERN`]. Only the database knows which of them are
/// items.
pub fn list_key_candidates<'b>(branch: &'b str, pattern: Option<&BranchPattern>) -> Vec<&'b str> {
    if TRUNKS.contains(&branch) {
        return Vec::new();
    }
    let mut parts: Vec<&str> = pattern.into_iter().flat_map(|p| p.find_keys(branch)).collect();
    let segments = || branch.split('/').map(|segment| (segment, find_words(segment)));
    for (segment, words) in segments() {
        parts.extend(list_prefixes(segment, &words));
    }
    for (segment, words) in segments() {
        parts.extend(list_inner_parts(segment, &words));
    }
    parts.truncate(MAX_CANDIDATES);
    parts
}

/// Finds the words of a segment, as byte ranges.
fn find_words(segment: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    for (at, c) in segment.char_indices() {
        if !c.is_ascii_alphanumeric() {
            continue;
        }
        match words.last_mut() {
            Some(word) if word.end == at => word.end = at + 1,
            _ => words.push(at..at + 1),
        }
    }
    words
}

fn list_prefixes<'s>(segment: &'s str, words: &[Range<usize>]) -> impl Iterator<Item = &'s str> {
    let first = words.first().map_or(0, |word| word.start);
    // A key may begin with another character than a letter, as `#12` does.
    let starts = if first == 0 { vec![0] } else { vec![0, first] };
    let ends: Vec<usize> = words.iter().rev().map(|word| word.end).collect();
    starts
        .into_iter()
        .flat_map(move |start| ends.clone().into_iter().map(move |end| start..end))
        .filter_map(move |span| segment.get(span))
}

fn list_inner_parts<'s>(segment: &'s str, words: &[Range<usize>]) -> Vec<&'s str> {
    let is_both = |part: &&str| {
        part.bytes().any(|byte| byte.is_ascii_digit())
            && part.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    let mut found = Vec::new();
    for (at, first) in words.iter().enumerate().skip(1) {
        let spans = words.iter().skip(at).take(MAX_WORDS).rev();
        let parts = spans.filter_map(|last| segment.get(first.start..last.end));
        found.extend(parts.filter(is_both));
    }
    found
}

/// Finds the item that a branch names instead of the held one.
///
/// `known` are the candidates of [`list_key_candidates`] that are items. A branch that names the
/// held item is right, whatever else it names.
pub fn find_other_item(branch: &str, held: &str, known: &[String]) -> Option<String> {
    if branch_names_item(branch, held) {
        return None;
    }
    let named = known.iter().filter(|key| branch_names_item(branch, key));
    named.max_by_key(|key| key.len()).cloned()
}

/// Decides where `git switch` leads to a branch of the held item: an existing branch that names the
/// item and is not checked out elsewhere, else a new one, else no branch at all, which names no
/// item either.
pub fn decide_switch_target(
    held: &str,
    branches: &[String],
    checked_out_elsewhere: &[String],
) -> BranchTarget {
    // Others choose the names of branches, and git allows nearly any. Only a name without special
    // meaning to a shell or a reader is offered.
    let is_plain = |name: &str| name.split('/').all(is_plain_part);
    let mut own = branches.iter().filter(|name| {
        branch_names_item(name, held) && !checked_out_elsewhere.contains(name) && is_plain(name)
    });
    if let Some(own) = own.next() {
        return BranchTarget::Existing(own.clone());
    }
    let new = [format!("feat/{held}"), held.to_owned(), format!("{held}-2")];
    let new = new.into_iter().find(|name| is_free_name(name, branches));
    new.map_or(BranchTarget::Detached, BranchTarget::New)
}

/// Returns whether git and a shell take this part of a name literally.
fn is_plain_part(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-#".contains(c);
    !part.is_empty()
        && !part.starts_with(['.', '-'])
        && !part.ends_with('.')
        && !part.to_ascii_lowercase().ends_with(".lock")
        && !part.contains("..")
        && part.chars().all(plain)
}

/// Returns whether git accepts the name for a new branch beside the existing ones.
fn is_free_name(name: &str, branches: &[String]) -> bool {
    // A branch is stored as a file, so its name cannot be a directory of another branch.
    let lies_in = |one: &str, other: &str| {
        one.len() > other.len()
            && one.as_bytes().get(other.len()) == Some(&b'/')
            && one.get(..other.len()).is_some_and(|head| head.eq_ignore_ascii_case(other))
    };
    let in_the_way = |other: &String| {
        other.eq_ignore_ascii_case(name) || lies_in(name, other) || lies_in(other, name)
    };
    name.split('/').all(is_plain_part) && !branches.iter().any(in_the_way)
}

#[cfg(test)]
mod tests;
