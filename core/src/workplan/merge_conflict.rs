//! Traces of unfinished merges and of concatenated files.

/// The problem of a line that is a conflict marker.
pub const CONFLICT_PROBLEM: &str = "merge conflict marker";

/// The problem of a byte order mark that is not at the beginning of a file.
pub(super) const BYTE_ORDER_MARK_PROBLEM: &str = "a byte order mark in the middle of the file";

/// Returns whether a line is the marker with which git begins or ends a conflict.
pub(super) fn is_conflict_marker(line: &str) -> bool {
    ["<<<<<<< ", ">>>>>>> "].iter().any(|mark| {
        let label = line.strip_prefix(mark);
        // Seven nested quotes look the same, followed by several words.
        label.is_some_and(|label| mark.starts_with('<') || !label.contains(' '))
    })
}

/// Returns the line, from 1, where the first conflict begins, if it also ends.
pub fn find_conflict(text: &str) -> Option<u32> {
    if !text.contains("<<<<<<< ") {
        return None;
    }
    let mut lines = (1..).zip(text.lines());
    let (number, _) = lines.find(|(_, line)| line.starts_with("<<<<<<< "))?;
    let mut ends = lines.map(|(_, line)| line);
    ends.any(|line| line.starts_with(">>>>>>> ")).then_some(number)
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
