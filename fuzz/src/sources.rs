//! Scripts that may touch a metadata file: each place that is found is where it is said to be.

use trueup_core::metadata::script_search::{Language, find_field_uses};

use crate::text::lines;

const LANGUAGES: [Language; 6] = [
    Language::Python,
    Language::JavaScript,
    Language::Ruby,
    Language::Go,
    Language::Rust,
    Language::Shell,
];

/// Checks a script; its first byte says of which language.
pub fn check(bytes: &[u8]) {
    let Some((first, script)) = bytes.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(script) else {
        return;
    };
    let language = LANGUAGES[usize::from(*first) % LANGUAGES.len()];
    let found = find_field_uses(language, text);
    let mut last = (0, 0);
    for hit in &found {
        assert!((1..=lines(script)).contains(&hit.line));
        // A carriage return ends a line only with the line feed behind it.
        let line = text.lines().nth(hit.line - 1).unwrap_or_default();
        let shown: String = line.chars().take(1_000).collect();
        assert_eq!(hit.text, shown);
        assert!((1..=line.chars().count()).contains(&hit.column), "{hit:?}");
        assert!((hit.line, hit.column) > last, "{hit:?} after {last:?}");
        last = (hit.line, hit.column);
    }
}
