//! Words of a command that a person copies into a shell.

/// Quotes a text for a shell, so that nothing in it is carried out.
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:/".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
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
            assert_eq!(quoted(text), expected);
        }
    }
}
