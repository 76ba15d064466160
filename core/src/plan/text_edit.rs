//! Edits of a text that keep every other byte.

use std::ops::Range;

/// A replacement for a part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// The bytes that are replaced.
    pub range: Range<usize>,
    /// The new text.
    pub replacement: String,
}

/// Applies edits, in any order, to the text that they were made for. An edit that is not on
/// character boundaries, or overlaps an earlier one, is ignored.
pub fn apply_edits(text: &str, edits: &[TextEdit]) -> String {
    let mut sorted: Vec<&TextEdit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.range.start);
    let mut out = String::with_capacity(text.len());
    let mut copied_to = 0;
    for TextEdit { range: at, replacement: new } in sorted {
        let between = text.get(copied_to..at.start);
        let (Some(between), Some(_)) = (between, text.get(at.clone())) else {
            continue;
        };
        out.push_str(between);
        out.push_str(new);
        copied_to = at.end;
    }
    out.push_str(text.get(copied_to..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_in_any_order_change_their_pieces_alone() {
        let edit =
            |at: Range<usize>, new: &str| TextEdit { range: at, replacement: new.to_owned() };
        for (edits, expected) in [
            (vec![], "aéb c"),
            (vec![edit(4..5, "--"), edit(0..1, "")], "éb--c"),
            (vec![edit(5..6, "é"), edit(6..6, "!")], "aéb é!"),
            // Inside a character, inside another edit, behind the end.
            (vec![edit(2..3, "x"), edit(0..4, "y"), edit(1..3, "z")], "y c"),
            (vec![edit(7..8, "x"), edit(0..9, "y")], "aéb c"),
        ] {
            assert_eq!(apply_edits("aéb c", &edits), expected, "{edits:?}");
        }
    }
}
