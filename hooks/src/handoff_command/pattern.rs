//! Glob patterns for commands.

use std::cell::Cell;

use trueup_core::bounds::COMMAND_STEPS;

/// The pattern used when none is configured.
const DEFAULT_PATTERN: &str = "*handoff*";

/// The configured patterns of the user and the repository.
#[derive(Debug)]
pub(crate) struct CommandPatterns {
    patterns: Vec<CommandPattern>,
    /// How many more characters may be compared; see [`COMMAND_STEPS`].
    steps_left: Cell<usize>,
}

#[derive(Debug)]
struct CommandPattern {
    chars: Vec<char>,
    is_default: bool,
}

impl CommandPatterns {
    pub(crate) fn new(patterns: &[String]) -> Self {
        let pattern = |text: &String| CommandPattern {
            chars: text.to_lowercase().chars().collect(),
            is_default: text == DEFAULT_PATTERN,
        };
        Self {
            patterns: patterns.iter().map(pattern).collect(),
            steps_left: Cell::new(COMMAND_STEPS.len()),
        }
    }

    /// Returns whether any pattern matches the whole text, ignoring case.
    pub(crate) fn any_matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.to_lowercase().chars().collect();
        self.patterns.iter().any(|pattern| self.glob_matches(&pattern.chars, &text))
    }

    /// Returns whether a configured pattern, not the default one, matches the whole text.
    pub(super) fn user_pattern_matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.to_lowercase().chars().collect();
        let mut user_patterns = self.patterns.iter().filter(|pattern| !pattern.is_default);
        user_patterns.any(|pattern| self.glob_matches(&pattern.chars, &text))
    }

    /// Returns whether the text may be the beginning of one that a pattern matches: the pattern's
    /// literal prefix and the text agree as far as both go.
    pub(super) fn may_match_longer(&self, text: &str) -> bool {
        let text = text.trim_start().to_lowercase();
        self.patterns.iter().any(|pattern| {
            let literal: String =
                pattern.chars.iter().take_while(|c| !"*?".contains(**c)).collect();
            !literal.is_empty()
                && !text.is_empty()
                && (literal.starts_with(&text) || text.starts_with(&literal))
        })
    }

    /// Returns whether a glob pattern matches the whole text; `*` is any text and `?` any
    /// character. Once the comparison budget is used up it returns true, so that length lets
    /// nothing pass.
    fn glob_matches(&self, pattern: &[char], text: &[char]) -> bool {
        let (mut p, mut t) = (0, 0);
        // Where to go back to when a literal after a star does not match. Remembering the last star
        // is enough, so a match takes at most pattern length times text length.
        let mut retry: Option<(usize, usize)> = None;
        while t < text.len() {
            let Some(left) = self.steps_left.get().checked_sub(1) else {
                return true;
            };
            self.steps_left.set(left);
            match pattern.get(p) {
                Some('*') if p + 1 == pattern.len() => return true,
                Some('*') => {
                    retry = Some((p, t));
                    p += 1;
                }
                Some(c) if *c == '?' || Some(c) == text.get(t) => {
                    p += 1;
                    t += 1;
                }
                _ => match retry {
                    Some((star, from)) => {
                        retry = Some((star, from + 1));
                        p = star + 1;
                        t = from + 1;
                    }
                    None => return false,
                },
            }
        }
        pattern.iter().skip(p).all(|c| *c == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_pattern_ends() {
        let pattern = "*a".repeat(40);
        assert!(!CommandPatterns::new(&[pattern]).any_matches(&"a".repeat(20)));
    }
}
