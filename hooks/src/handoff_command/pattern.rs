//! Patterns of commands: globs over their words.

use std::cell::Cell;

use trueup_core::bounds::COMMAND_STEPS;

/// The pattern that holds where nobody configured another.
const DEFAULT_PATTERN: &str = "*handoff*";

/// The patterns of a user and of a repository.
#[derive(Debug)]
pub(crate) struct CommandPatterns {
    patterns: Vec<CommandPattern>,
    /// How many more characters are compared; see [`COMMAND_STEPS`].
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

    /// Tells whether any pattern matches the whole text; case does not matter.
    pub(crate) fn any_matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.to_lowercase().chars().collect();
        self.patterns
            .iter()
            .any(|pattern| self.glob_matches(&pattern.chars, &text))
    }

    /// Tells whether a pattern that somebody wrote matches the whole text.
    pub(super) fn user_pattern_matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.to_lowercase().chars().collect();
        let mut user_patterns = self.patterns.iter().filter(|pattern| !pattern.is_default);
        user_patterns.any(|pattern| self.glob_matches(&pattern.chars, &text))
    }

    /// Tells whether a pattern that begins with a letter begins like the text does: more of the
    /// text may match it.
    pub(super) fn may_match_longer(&self, text: &str) -> bool {
        let text = text.trim_start().to_lowercase();
        self.patterns.iter().any(|pattern| {
            let literal: String = pattern
                .chars
                .iter()
                .take_while(|c| !"*?".contains(**c))
                .collect();
            !literal.is_empty()
                && !text.is_empty()
                && (literal.starts_with(&text) || text.starts_with(&literal))
        })
    }

    /// Tells whether a glob pattern, where `*` is any text and `?` any character, matches the
    /// whole text. Where too much was compared already it does: nothing passes because it is long.
    fn glob_matches(&self, pattern: &[char], text: &[char]) -> bool {
        let (mut p, mut t) = (0, 0);
        // Where to go back to when a literal after a star does not fit: one star is enough to
        // remember, so the match takes no more than pattern times text.
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
