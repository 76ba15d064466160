//! Changes of a file's text that leave every other byte.

use std::ops::Range;

/// A piece of a text, and what takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// The bytes of the piece.
    pub range: Range<usize>,
    /// What takes their place.
    pub replacement: String,
}

/// Carries out edits of this very text, in any order. One that is no piece of it, or lies in
/// another's, is left out.
pub fn apply_edits(text: &str, edits: &[TextEdit]) -> String {
    let mut sorted: Vec<&TextEdit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.range.start);
    let mut out = String::with_capacity(text.len());
    let mut copied_to = 0;
    for TextEdit {
        range: at,
        replacement: new,
    } in sorted
    {
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
        let edit = |at: Range<usize>, new: &str| TextEdit {
            range: at,
            replacement: new.to_owned(),
        };
        for (edits, expected) in [
            (vec![], "aéb c"),
            (vec![edit(4..5, "--"), edit(0..1, "")], "éb--c"),
            (vec![edit(5..6, "é"), edit(6..6, "!")], "aéb é!"),
            // Inside a character, in another's piece, behind the end.
            (
                vec![edit(2..3, "x"), edit(0..4, "y"), edit(1..3, "z")],
                "y c",
            ),
            (vec![edit(7..8, "x"), edit(0..9, "y")], "aéb c"),
        ] {
            assert_eq!(apply_edits("aéb c", &edits), expected, "{edits:?}");
        }
    }
}
