//! Changes of a file's text that leave every other byte.

use std::ops::Range;

/// A piece of a text, and what takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes of the piece.
    pub at: Range<usize>,
    /// What takes their place.
    pub new: String,
}

/// Carries out edits of this very text, in any order. One that is no piece of it, or lies in
/// another's, is left out.
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.at.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for Edit { at, new } in sorted {
        let between = text.get(done..at.start);
        let (Some(between), Some(_)) = (between, text.get(at.clone())) else {
            continue;
        };
        out.push_str(between);
        out.push_str(new);
        done = at.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_in_any_order_change_their_pieces_alone() {
        let edit = |at: Range<usize>, new: &str| Edit {
            at,
            new: new.to_owned(),
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
            assert_eq!(apply("aéb c", &edits), expected, "{edits:?}");
        }
    }
}
