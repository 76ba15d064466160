//! Shell commands for a person or an agent to copy.

use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde::{Serialize, Serializer};

use super::cleaning::visible_line;

/// Quotes a text as one shell word, so that nothing in it is executed.
pub fn quote_for_shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:/".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Quotes a word for a printed command line. A word with bytes that a reader does not see, or that
/// cleaning would remove, becomes a call of `printf`, so that the line means the same wherever it
/// is printed.
fn quote_for_print(word: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-:/=".contains(byte);
    match std::str::from_utf8(word) {
        // Some shells look up a command for a word that begins with `=`.
        Ok(text) if !text.starts_with('=') && !text.is_empty() && word.iter().all(plain) => {
            text.to_owned()
        }
        Ok(text) if is_printed_unchanged(text) => quote_for_shell(text),
        _ => spell_for_printf(word),
    }
}

/// Returns whether a text survives printing. Backquotes surround commands in a sentence, and `##[` is
/// a command to CI runners.
fn is_printed_unchanged(text: &str) -> bool {
    !text.contains('`') && !text.contains("##[") && visible_line(text, usize::MAX) == text
}

/// Writes a word as a call of `printf` with octal escapes.
fn spell_for_printf(word: &[u8]) -> String {
    let mut line = String::from("\"$(printf '");
    for (at, byte) in word.iter().enumerate() {
        let is_flag = at == 0 && *byte == b'-';
        if !is_flag && (byte.is_ascii_alphanumeric() || b"._-:/ ,+@=".contains(byte)) {
            line.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(line, "\\{byte:03o}");
        }
    }
    line.push_str("')\"");
    line
}

/// A shell command line. Constant words come from the source of this program; every other word is
/// quoted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CommandLine(String);

impl CommandLine {
    /// Starts with constant words, such as `trueup check --fix`.
    pub fn new(words: &'static str) -> Self {
        Self(words.to_owned())
    }

    /// Appends constant words.
    #[must_use]
    pub fn with_words(mut self, words: &'static str) -> Self {
        self.0.push(' ');
        self.0.push_str(words);
        self
    }

    /// Appends one word, quoted.
    #[must_use]
    pub fn with_word(mut self, word: impl AsRef<OsStr>) -> Self {
        self.0.push(' ');
        self.0.push_str(&quote_for_print(word.as_ref().as_bytes()));
        self
    }

    /// Appends a path, so that no command takes it for a flag.
    #[must_use]
    pub fn with_path(self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        if path.as_os_str().as_bytes().first() == Some(&b'-') {
            return self.with_word(Path::new(".").join(path));
        }
        self.with_word(path)
    }

    /// Appends a command that runs if this one succeeds.
    #[must_use]
    pub fn and_then(mut self, next: &Self) -> Self {
        self.0.push_str(" && ");
        self.0.push_str(&next.0);
        self
    }

    /// Runs the line in a directory, in a subshell.
    #[must_use]
    pub fn in_directory(self, directory: &Path) -> Self {
        let Self(change) = Self::new("cd").with_path(directory);
        Self(format!("({change} && {})", self.0))
    }

    /// Returns the command line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for CommandLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_read_as_more_than_a_word_is_quoted() {
        for (text, expected) in [
            ("docs/plans/fix-1.md", "docs/plans/fix-1.md"),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(x)", "'$(x)'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(quote_for_shell(text), expected);
        }
    }

    #[test]
    fn what_a_reader_does_not_see_is_spelled_out() {
        for (text, expected) in [
            ("it's", r"'it'\''s'"),
            ("a=b", "a=b"),
            ("=b", "'=b'"),
            ("a`b", r#""$(printf 'a\140b')""#),
            ("a\u{1b}[31mb%", r#""$(printf 'a\033\13331mb\045')""#),
            ("-\u{7}", r#""$(printf '\055\007')""#),
            ("یک\u{200c}شنبه", "'یک\u{200c}شنبه'"),
        ] {
            assert_eq!(quote_for_print(text.as_bytes()), expected);
        }
    }

    #[test]
    fn a_line_is_made_of_words() {
        let path = Path::new("-it's here");
        let line = CommandLine::new("trueup plan validate").with_path(path).with_words("--fix");
        assert_eq!(line.as_str(), r"trueup plan validate './-it'\''s here' --fix");
        let both = line.and_then(&CommandLine::new("git push"));
        assert_eq!(
            both.in_directory(Path::new("/a b")).to_string(),
            r"(cd '/a b' && trueup plan validate './-it'\''s here' --fix && git push)"
        );
    }
}
