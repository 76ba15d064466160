//! Words that are looked for in texts, whatever their case.

/// Words that must all be there, in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchWords(Vec<String>);

impl SearchWords {
    /// Takes words; a text of several is several words.
    pub fn new<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let texts = texts.into_iter();
        Self(texts.flat_map(|text| split_lowercase(text.as_ref())).collect())
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a text has all of them.
    pub fn are_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.0.iter().all(|word| text.contains(word))
    }

    /// Returns whether some texts together have all of them.
    pub fn are_among(&self, texts: &[&str]) -> bool {
        let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
        self.0.iter().all(|word| texts.iter().any(|text| text.contains(word)))
    }

    /// Returns the line of a text that has the first of the words, or its first line.
    pub fn find_line<'a>(&self, text: &'a str) -> &'a str {
        let has_word = |line: &&str| {
            let line = line.to_lowercase();
            self.0.iter().any(|word| line.contains(word))
        };
        text.lines().find(has_word).or_else(|| text.lines().next()).unwrap_or_default().trim()
    }

    /// Writes the words as patterns of `LIKE` with `!` as escape. Databases compare only letters of
    /// ASCII without their case, so other characters match anything, and what they find is
    /// compared again.
    pub fn like_patterns(&self) -> Vec<String> {
        self.0.iter().map(|word| like_pattern(word)).collect()
    }
}

fn split_lowercase(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_lowercase).collect()
}

fn like_pattern(word: &str) -> String {
    let mut pattern = String::from("%");
    for character in word.chars() {
        match character {
            '%' | '_' | '!' => pattern.extend(['!', character]),
            ascii if ascii.is_ascii() => pattern.push(ascii),
            _ if pattern.ends_with('%') && !pattern.ends_with("!%") => {}
            _ => pattern.push('%'),
        }
    }
    if !pattern.ends_with('%') || pattern.ends_with("!%") {
        pattern.push('%');
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_words_are_there_whatever_their_case_and_order() {
        for (words, text, expected) in [
            (&["sync"][..], "Sync on start", true),
            (&["START", "sync"], "Sync on start", true),
            (&["start sync"], "Sync on start", true),
            (&["sync", "end"], "Sync on start", false),
            (&["über"], "ÜBERGABE", true),
            (&["100%"], "at 100% of it", true),
        ] {
            assert_eq!(SearchWords::new(words).are_in(text), expected, "{words:?} in {text:?}");
        }
        assert!(SearchWords::new(["a", "b"]).are_among(&["xA", "yB"]));
        assert!(!SearchWords::new(["a", "c"]).are_among(&["xA", "yB"]));
        assert!(SearchWords::new(["  "]).is_empty());
    }

    #[test]
    fn patterns_match_at_least_what_has_the_word() {
        for (word, pattern) in [
            ("Sync", "%sync%"),
            ("50%_!", "%50!%!_!!%"),
            ("über", "%ber%"),
            ("größe", "%gr%e%"),
            ("日本", "%"),
            ("5%", "%5!%%"),
        ] {
            assert_eq!(SearchWords::new([word]).like_patterns(), [pattern], "{word}");
        }
    }

    #[test]
    fn the_line_with_a_word_is_shown() {
        let words = SearchWords::new(["two"]);
        assert_eq!(words.find_line("one\n  line Two \nthree"), "line Two");
        assert_eq!(words.find_line("one\nthree"), "one");
        assert_eq!(words.find_line(""), "");
    }
}
