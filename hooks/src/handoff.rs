//! Which shell commands hand work on.

use trueup_core::bounds::{COMMAND, COMMAND_STEPS};

/// A command, compared with patterns for as long as that is bounded.
struct Comparison {
    text: Vec<char>,
    /// How many more characters are compared.
    left: usize,
}

impl Comparison {
    fn of(text: &str) -> Self {
        Self {
            text: text.to_lowercase().chars().collect(),
            left: COMMAND_STEPS.len(),
        }
    }

    /// Tells whether a glob pattern, where `*` is any text and `?` any character, matches the
    /// whole text; case does not matter. Where too much was compared already it does: nothing
    /// passes because it is long.
    fn matches(&mut self, pattern: &str) -> bool {
        let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
        let (mut p, mut t) = (0, 0);
        // Where to go back to when a literal after a star does not fit: one star is enough to
        // remember, so the match takes no more than pattern times text.
        let mut retry: Option<(usize, usize)> = None;
        while t < self.text.len() {
            let Some(left) = self.left.checked_sub(1) else {
                return true;
            };
            self.left = left;
            match pattern.get(p) {
                Some('*') if p + 1 == pattern.len() => return true,
                Some('*') => {
                    retry = Some((p, t));
                    p += 1;
                }
                Some(c) if *c == '?' || Some(c) == self.text.get(t) => {
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

/// What `trueup handoff` is followed by where nothing is handed on: looking, and deciding about
/// what others hand on.
const RECEIVING: [&str; 4] = ["list", "show", "accept", "reject"];

/// Tells whether a command hands work on: `trueup handoff`, or any of the patterns.
pub(crate) fn is_handoff(command: &str, patterns: &[String]) -> bool {
    if command.len() > COMMAND.len() {
        return true;
    }
    let words: Vec<&str> = command.split_whitespace().collect();
    // What is left of the command without the commands that only receive.
    let mut rest = Vec::with_capacity(words.len());
    let mut receives = false;
    let mut left = words.as_slice();
    while let Some((word, after)) = left.split_first() {
        left = after;
        let program = word.rsplit(['/', '(', '`', ';', '&', '|']).next();
        let (Some("trueup"), Some((&"handoff", arguments))) = (program, after.split_first()) else {
            rest.push(*word);
            continue;
        };
        let verb = arguments.first().copied().unwrap_or_default();
        let verb = verb.trim_end_matches([')', '`', ';', '&', '|']);
        if !RECEIVING.contains(&verb) {
            return true;
        }
        receives = true;
        left = arguments.get(1..).unwrap_or_default();
    }
    let rest = rest.join(" ");
    let text = if receives { &rest } else { command.trim() };
    let mut comparison = Comparison::of(text);
    patterns.iter().any(|pattern| comparison.matches(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handoffs_and_other_commands() {
        let default = vec!["*handoff*".to_owned()];
        for (command, patterns, expected) in [
            ("trueup handoff create PLAN-TO-EXEC", &[][..], true),
            ("cd x && NOTE=1 trueup  handoff create", &[], true),
            ("trueup handoff", &[], true),
            ("(trueup handoff list)", &[], false),
            ("trueup handoff list", &default, false),
            ("trueup handoff accept h-1 --session s", &default, false),
            (
                "cd x; trueup handoff reject h-1 --reason no",
                &default,
                false,
            ),
            ("trueup handoff show h-1; sh handoff.sh", &default, true),
            ("trueup handoff list && trueup handoff create X", &[], true),
            ("trueup handoff --json create X", &[], true),
            ("trueup handoff createlist", &[], true),
            ("/opt/bin/trueup handoff create", &[], true),
            ("trueup status", &default, false),
            ("make handoff", &default, true),
            ("npm run HandOff", &default, true),
            ("echo hello", &default, false),
            ("", &default, false),
            ("make ship-it now", &["make ship*".to_owned()], true),
            ("make shop", &["make ship*".to_owned()], false),
            ("axbxc", &["a?b*c".to_owned()], true),
        ] {
            assert_eq!(
                is_handoff(command, patterns),
                expected,
                "{command} / {patterns:?}"
            );
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let pattern = "*a".repeat(40);
        assert!(!Comparison::of(&"a".repeat(20)).matches(&pattern));
    }
}
