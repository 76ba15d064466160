//! Ids of sessions, shortened to a beginning that tells each from all others that are known.

use std::collections::BTreeSet;
use std::ops::Bound;

/// Fewest characters of a shortened id.
const MIN_ID_CHARS: usize = 8;

/// Length of an id that a client made, which a beginning stands for.
const CLIENT_ID_CHARS: usize = 36;

/// The ids that are told apart.
#[derive(Debug, Clone, Default)]
pub(super) struct ShortIds(BTreeSet<String>);

impl<I: Into<String>> FromIterator<I> for ShortIds {
    fn from_iter<T: IntoIterator<Item = I>>(ids: T) -> Self {
        Self(ids.into_iter().map(Into::into).collect())
    }
}

impl ShortIds {
    /// Takes an id that a client made; other texts are names, which stay whole.
    pub(super) fn learn(&mut self, text: &str) {
        let is_client_id = text.len() == CLIENT_ID_CHARS
            && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        if is_client_id && !self.0.contains(text) {
            self.0.insert(text.to_owned());
        }
    }

    /// Shortens an id.
    pub(super) fn shorten<'i>(&self, id: &'i str) -> &'i str {
        let before = self.0.range::<str, _>((Bound::Unbounded, Bound::Excluded(id))).next_back();
        let after = self.0.range::<str, _>((Bound::Excluded(id), Bound::Unbounded)).next();
        let shared = [before, after].into_iter().flatten().map(|other| {
            id.chars().zip(other.chars()).take_while(|(left, right)| left == right).count()
        });
        let chars = shared.max().map_or(0, |chars| chars + 1).max(MIN_ID_CHARS);
        id.char_indices().nth(chars).and_then(|(end, _)| id.get(..end)).unwrap_or(id)
    }

    /// Shortens every known id that is a word of a text.
    pub(super) fn shorten_in(&self, text: &str) -> String {
        let words = text.split_inclusive(ends_word);
        let words = words.flat_map(|piece| {
            let word = piece.trim_end_matches(ends_word);
            let end = piece.strip_prefix(word).unwrap_or_default();
            [if self.0.contains(word) { self.shorten(word) } else { word }, end]
        });
        words.collect()
    }
}

/// Tells whether a character ends a word. A slash does not: a path stays whole.
fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ':' | '(' | ')' | '"')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
    const FIRST: &str = "019aa000-1111-7000-8000-000000000001";
    const SECOND: &str = "019aa000-2111-7000-8000-000000000002";

    #[test]
    fn ids_that_begin_alike_are_told_apart() {
        let ids: ShortIds = [SESSION, FIRST, SECOND].into_iter().collect();
        for (id, short) in [
            (SESSION, "7c9e6679"),
            (FIRST, "019aa000-1"),
            (SECOND, "019aa000-2"),
            ("019aa000-2222-7000-8000-000000000003", "019aa000-22"),
            ("s1", "s1"),
            ("é-long-enough", "é-long-e"),
        ] {
            assert_eq!(ids.shorten(id), short);
        }
    }

    #[test]
    fn only_known_ids_of_clients_are_shortened_in_a_text() {
        let mut ids = ShortIds::default();
        for text in [SESSION, "user", "h-1ad3fc6986", "a text of thirty-six characters, yes!"] {
            ids.learn(text);
        }
        assert_eq!(ids.shorten_in(&format!("{SESSION} via hub")), "7c9e6679 via hub");
        assert_eq!(ids.shorten_in(&format!(" (by {SESSION}),  x")), " (by 7c9e6679),  x");
        for whole in ["user", "", "h-1ad3fc6986", SECOND, &format!("in /tmp/{SESSION}/a")] {
            assert_eq!(ids.shorten_in(whole), whole);
        }
    }
}
