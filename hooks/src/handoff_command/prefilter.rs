//! Rules out commands that cannot hand work off, by the letters in them and without parsing.

/// Longest command that is prefiltered, in bytes. A longer one is parsed.
const MAX_PREFILTER_BYTES: usize = 4 * 1024;

/// Every built-in hand-off command contains this word.
const HANDOFF_WORD: &str = "handoff";

/// Characters between the words of a command line, and between commands that a pattern matches as
/// one line.
const WORD_SEPARATORS: [char; 4] = [' ', ';', '&', '|'];

/// Returns whether a command may hand work off. It cannot when all its words are literal and it
/// contains neither `handoff` nor the longest literal of any pattern.
pub(super) fn may_contain_handoff(command: &str, patterns: &[String]) -> bool {
    command.len() > MAX_PREFILTER_BYTES
        || !words_are_literal(command)
        || contains_ignore_case(command, HANDOFF_WORD)
        || patterns.iter().any(|pattern| match longest_literal(pattern) {
            Some(run) => contains_ignore_case(command, run),
            None => true,
        })
}

/// Returns whether every word that a shell would make of the command is a substring of it. Quotes,
/// escapes, variables and substitutions can join a word from several parts.
fn words_are_literal(command: &str) -> bool {
    let joins = |byte: &u8| !byte.is_ascii() || b"'\"\\$`(".contains(byte);
    !command.as_bytes().iter().any(joins)
}

/// Returns the longest literal of a pattern: every text that the pattern matches contains it.
fn longest_literal(pattern: &str) -> Option<&str> {
    // Some letters beyond ASCII have a lower case in ASCII.
    if !pattern.is_ascii() {
        return None;
    }
    let runs = pattern.split(|c: char| "*?".contains(c) || WORD_SEPARATORS.contains(&c));
    runs.filter(|run| !run.is_empty()).max_by_key(|run| run.len())
}

/// Returns whether a text contains a run of ASCII letters, ignoring case.
fn contains_ignore_case(text: &str, run: &str) -> bool {
    let parts = text.as_bytes().windows(run.len());
    parts.into_iter().any(|part| part.eq_ignore_ascii_case(run.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::handoff_command::{CommandPatterns, script_hands_off};

    #[test]
    fn an_ordinary_command_is_not_read() {
        let patterns = ["*handoff*".to_owned(), "make ship*".to_owned()];
        for (command, read) in [
            ("cargo test --workspace", false),
            ("cd core && ls -la | head; git status > out", false),
            ("make check", false),
            ("make ship", true),
            ("make SHIP", true),
            ("npm run HandOff", true),
            ("echo 'x'", true),
            ("hand\\off", true),
            ("$X", true),
            ("hand<(true)off", true),
            ("é", true),
        ] {
            assert_eq!(may_contain_handoff(command, &patterns), read, "{command}");
        }
        let nothing_to_look_for = ["*".to_owned()];
        assert!(may_contain_handoff("ls", &nothing_to_look_for));
    }

    /// Texts with many hand-off words, separators and quoting.
    fn text() -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec![
            "trueup", "handoff", "hand", "off", "HAND", "make", "ship", "create", "list", "sh",
            "-c", "eval", "env", "-S", "-Shand", "xargs", "echo", "cat", "a", "b", "sudo", "git",
            "switch", " ", " ", " ", " ", "\n", "\t", "\r", ";", "&&", "|", "&", "<", ">", "<<",
            "<<E", "<<-E", "\nE\n", "<<<", "<(", ">(", "(", ")", "{", "}", "#", "=", "2", "!", "'",
            "\"", "\\", "$", "$(", "`", "*", "?", "/", "K", "ſ",
        ]);
        prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
    }

    fn pattern() -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec![
            "*", "*", "?", "make", "ship", "hand", "off", " ", "; ", " && ", " | ", "a", "B", "k",
            "K", "s", "trueup", "/",
        ]);
        prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_096, ..ProptestConfig::default() })]

        /// The prefilter rules out only commands that the parser rules out as well.
        #[test]
        fn what_is_not_read_hands_nothing_on(
            command in text(),
            patterns in prop::collection::vec(pattern(), 0..3),
        ) {
            let read = script_hands_off(&command, &CommandPatterns::new(&patterns));
            prop_assert!(may_contain_handoff(&command, &patterns) || !read);
        }
    }
}
