//! What a merge leaves where it could not decide, and what is left where files were put together.

/// How it is said of a line.
pub const CONFLICT_PROBLEM: &str = "merge conflict marker";

/// How it is said of a mark of byte order behind the beginning.
pub(super) const BYTE_ORDER_MARK_PROBLEM: &str = "a byte order mark in the middle of the file";

/// Tells whether a line is git's mark of where a conflict begins or ends.
pub(super) fn is_conflict_marker(line: &str) -> bool {
    ["<<<<<<< ", ">>>>>>> "].iter().any(|mark| {
        let label = line.strip_prefix(mark);
        // Quotes within quotes are written in the same way, with words behind them.
        label.is_some_and(|label| mark.starts_with('<') || !label.contains(' '))
    })
}

/// Finds the line, from 1, at which a conflict begins that has an end.
pub fn find_conflict(text: &str) -> Option<u32> {
    if !text.contains("<<<<<<< ") {
        return None;
    }
    let mut lines = (1..).zip(text.lines());
    let (number, _) = lines.find(|(_, line)| line.starts_with("<<<<<<< "))?;
    let mut ends = lines.map(|(_, line)| line);
    ends.any(|line| line.starts_with(">>>>>>> "))
        .then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_is_found_and_a_quote_is_none() {
        let conflict = "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> topic\n";
        for (text, expected) in [
            (conflict, Some(2)),
            (&conflict.replace('\n', "\r\n"), Some(2)),
            ("a\n=======\n", None),
            (">>>>>>> said somebody\n", None),
            ("see <<<<<<< HEAD\n>>>>>>> x\n", None),
            ("<<<<<<< HEAD\n", None),
        ] {
            assert_eq!(find_conflict(text), expected, "{text:?}");
        }
        assert!(is_conflict_marker("<<<<<<< HEAD") && is_conflict_marker(">>>>>>> 1f2e3d"));
        assert!(!is_conflict_marker(">>>>>>> said somebody") && !is_conflict_marker("======="));
    }
}
