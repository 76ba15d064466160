//! Tells words from random letters.

use super::char_stats::CharStats;

/// The least number of letters that can be told apart.
const MIN_LETTERS: usize = 8;

/// Most consonants in a row in a word of small letters, as in `lengths`.
const MAX_CONSONANTS: usize = 4;

/// Returns whether a value of letters alone is no word, and no words run together such as
/// `getUserName` and `XMLHttpRequest`: it has too few vowels, or capitals all over.
pub(super) fn is_irregular_word(value: &str) -> bool {
    let signs = CharStats::from_value(value);
    let length = value.len();
    if length < MIN_LETTERS || signs.letters() < length || signs.lower == 0 {
        return false;
    }
    let vowels = value.bytes().filter(|byte| is_vowel(*byte)).count();
    let is_one_word = signs.upper == usize::from(value.starts_with(|c: char| c.is_uppercase()));
    if is_one_word && signs.upper < 2 {
        return longest_consonant_run(value) > MAX_CONSONANTS
            || length > MIN_LETTERS && vowels * 8 <= length;
    }
    // Identifiers have parts of about four letters, one in three of them a vowel.
    let parts = count_parts(value.as_bytes());
    parts * 14 >= length * 5 || parts * 7 >= length * 2 && vowels * 4 < length
}

fn longest_consonant_run(value: &str) -> usize {
    let runs = value.as_bytes().split(|byte| is_vowel(*byte));
    runs.map(<[u8]>::len).max().unwrap_or_default()
}

/// Counts the parts of an identifier: `XMLHttpRequest` has three.
fn count_parts(value: &[u8]) -> usize {
    let is_upper = |at: usize| value.get(at).is_some_and(u8::is_ascii_uppercase);
    let is_lower = |at: usize| value.get(at).is_some_and(u8::is_ascii_lowercase);
    let begins = |at: &usize| is_upper(*at) && (is_lower(at - 1) || is_lower(at + 1));
    1 + (1..value.len()).filter(begins).count()
}

const fn is_vowel(byte: u8) -> bool {
    matches!(byte.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_distinguished_from_what_a_machine_made() {
        for word in [
            "required",
            "getUserName",
            "XMLHttpRequest",
            "OAuthToken",
            "strength",
            "PostgreSQL",
            "Passwort",
            "myDBPassword",
            "kubernetes",
            "REQUIRED",
            "cf",
            "handlebars",
            "pwHash",
        ] {
            assert!(!is_irregular_word(word), "{word}");
        }
        for made in ["cfVcboiYfJ", "dACDahhURAfqEW", "kqWzrTbLpX", "vbtrkwzqhd", "xQzGhTrWbKp"] {
            assert!(is_irregular_word(made), "{made}");
        }
    }
}
