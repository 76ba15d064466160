//! What the letters of a command tell without reading it: most commands hold nothing that could
//! hand work on, however a shell would take them.

/// Longest command looked at by its letters, in bytes: a longer one is read.
const MAX_PREFILTER_BYTES: usize = 4 * 1024;

/// What stands in words of every command that hands work on by itself.
const HANDOFF_WORD: &str = "handoff";

/// Between the words of one line, and between lines that are matched as one.
const WORD_SEPARATORS: [char; 4] = [' ', ';', '&', '|'];

/// Tells whether a command may hand work on. It does not where each pattern, and `trueup handoff`
/// itself, needs a run of letters that is nowhere in it, and each word stands in it as it is.
pub(super) fn may_contain_handoff(command: &str, patterns: &[String]) -> bool {
    command.len() > MAX_PREFILTER_BYTES
        || !words_are_literal(command)
        || contains_ignore_case(command, HANDOFF_WORD)
        || patterns
            .iter()
            .any(|pattern| match longest_literal(pattern) {
                Some(run) => contains_ignore_case(command, run),
                None => true,
            })
}

/// Tells whether every word that a shell would make of a command is a part of its text. Quotes,
/// escapes, variables and what is carried out inside a word make words of several parts.
fn words_are_literal(command: &str) -> bool {
    let joins = |byte: &u8| !byte.is_ascii() || b"'\"\\$`(".contains(byte);
    !command.as_bytes().iter().any(joins)
}

/// Returns letters that a text has in one word if the pattern matches it: the longest that stand
/// together in the pattern.
fn longest_literal(pattern: &str) -> Option<&str> {
    // The small letter of another may be one of ASCII.
    if !pattern.is_ascii() {
        return None;
    }
    let runs = pattern.split(|c: char| "*?".contains(c) || WORD_SEPARATORS.contains(&c));
    runs.filter(|run| !run.is_empty())
        .max_by_key(|run| run.len())
}

/// Tells whether a text holds a run of letters; case does not matter.
fn contains_ignore_case(text: &str, run: &str) -> bool {
    let parts = text.as_bytes().windows(run.len());
    parts
        .into_iter()
        .any(|part| part.eq_ignore_ascii_case(run.as_bytes()))
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

    /// Texts in which words that hand on, and what joins or parts them, are likely.
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

        /// The letters say no only where reading says no as well.
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
