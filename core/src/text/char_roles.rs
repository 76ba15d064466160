//! Classifies control and invisible characters.

/// What the cleaning does with a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CharRole {
    /// It is kept.
    Shown,
    /// It acts on a terminal, changes the direction of text, or is invisible.
    Hidden,
    /// It is invisible, and belongs to words of some scripts and to composed emoji.
    Joiner,
    /// It selects the emoji form of the character before it.
    EmojiStyle,
}

/// Returns the role of a character.
pub(super) fn char_role(c: char) -> CharRole {
    match c {
        ' '..='~' => CharRole::Shown,
        '\u{200c}' | '\u{200d}' => CharRole::Joiner,
        '\u{fe0f}' => CharRole::EmojiStyle,
        _ if is_hidden(c) => CharRole::Hidden,
        _ => CharRole::Shown,
    }
}

/// Returns whether a character is a control, a directional mark, or drawn as nothing or as a blank
/// without being a space. Two such characters suffice to hide any bytes in a text.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Soft hyphen, grapheme joiner, Arabic letter mark.
            '\u{ad}' | '\u{34f}' | '\u{61c}'
            // Fillers and inherent vowels without a form.
            | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}'
            // Variants of Mongolian letters, and the vowel separator.
            | '\u{180b}'..='\u{180f}'
            // Zero width, marks of direction, separators of lines.
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            // Braille without a dot.
            | '\u{2800}'
            // Variation selectors.
            | '\u{fe00}'..='\u{fe0e}'
            // Byte order mark, interlinear annotation, noncharacters.
            | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{fdd0}'..='\u{fdef}'
            // Controls of hieroglyphs, shorthand and music, and a null note head.
            | '\u{13430}'..='\u{13440}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}'
            | '\u{1d173}'..='\u{1d17a}'
            // Tags and more variation selectors.
            | '\u{e0000}'..='\u{e0fff}'
            // Private use, except for the symbols of status lines.
            | '\u{e000}'..='\u{e09f}' | '\u{e0d8}'..='\u{f8ff}'
            | '\u{f0000}'..='\u{10ffff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Returns whether a reader does not see the character.
pub(crate) fn is_invisible(c: char) -> bool {
    char_role(c) != CharRole::Shown
}

/// Returns whether some program ends a line at the character.
pub(super) const fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Returns whether a joiner between these two belongs to a word or an emoji.
pub(super) fn is_joined(before: char, after: Option<char>) -> bool {
    let emoji = |c: char| is_emoji(c) || matches!(c, '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}');
    match after {
        Some(after) if is_in_joining_script(before) && is_in_joining_script(after) => true,
        Some(after) if emoji(before) && is_emoji(after) => true,
        // At the end of a word, a joiner gives the letter before it its half form.
        _ => is_virama(before),
    }
}

/// The black flag, which tags behind it turn into the flag of a country.
pub(super) const BLACK_FLAG: char = '\u{1f3f4}';

/// The tags of England, Scotland and Wales, whose flags are drawn. Other tags behind a flag are
/// invisible.
const COUNTRY_TAGS: [&str; 3] = [
    "\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

/// Returns the tags at the start of a text that follows a flag.
pub(super) fn flag_tags(text: &str) -> Option<&'static str> {
    COUNTRY_TAGS.into_iter().find(|tags| text.starts_with(tags))
}

/// Returns whether the emoji selector may stand between these two.
pub(super) fn takes_emoji_style(before: char, after: Option<char>) -> bool {
    is_emoji(before) || matches!(before, '0'..='9' | '#' | '*') && after == Some('\u{20e3}')
}

/// Returns whether a character is of a script whose words need joiners: Arabic and others whose
/// letters connect, and those of India and its neighbors, whose consonants do.
const fn is_in_joining_script(c: char) -> bool {
    matches!(c,
        '\u{620}'..='\u{669}' | '\u{66e}'..='\u{6d3}' | '\u{6d5}'..='\u{6dc}'
        | '\u{6df}'..='\u{6ff}' | '\u{710}'..='\u{7ff}' | '\u{840}'..='\u{88e}'
        | '\u{8a0}'..='\u{8e1}' | '\u{8e3}'..='\u{dff}' | '\u{f00}'..='\u{109f}'
        | '\u{1700}'..='\u{17b3}' | '\u{17b6}'..='\u{17ff}' | '\u{1807}' | '\u{1820}'..='\u{18aa}'
        | '\u{1900}'..='\u{1cff}' | '\u{a800}'..='\u{a8ff}' | '\u{a980}'..='\u{a9df}'
        | '\u{aa00}'..='\u{aadf}' | '\u{abc0}'..='\u{abff}' | '\u{fb50}'..='\u{fdcf}'
        | '\u{fe70}'..='\u{fefc}' | '\u{11000}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}')
}

/// Returns whether a character removes the vowel of a consonant.
const fn is_virama(c: char) -> bool {
    matches!(
        c,
        '\u{94d}'
            | '\u{9cd}'
            | '\u{a4d}'
            | '\u{acd}'
            | '\u{b4d}'
            | '\u{bcd}'
            | '\u{c4d}'
            | '\u{ccd}'
            | '\u{d4d}'
            | '\u{dca}'
            | '\u{1039}'
            | '\u{17d2}'
    )
}

/// Returns whether a character has an emoji form, by blocks of Unicode.
const fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2194}'..='\u{21aa}' | '\u{231a}'..='\u{23ff}' | '\u{24c2}' | '\u{25aa}'..='\u{25fe}'
        | '\u{2600}'..='\u{27bf}' | '\u{2934}' | '\u{2935}' | '\u{2b05}'..='\u{2b55}' | '\u{3030}'
        | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_bytes_is_hidden() {
        let ranges = [
            ('\0', '\u{1f}'),
            ('\u{7f}', '\u{9f}'),
            ('\u{200e}', '\u{200f}'),
            ('\u{202a}', '\u{202e}'),
            ('\u{2066}', '\u{2069}'),
            ('\u{fe00}', '\u{fe0e}'),
            ('\u{1d173}', '\u{1d17a}'),
            ('\u{e0000}', '\u{e007f}'),
            ('\u{e0100}', '\u{e01ef}'),
            ('\u{e000}', '\u{e09f}'),
            ('\u{f0000}', '\u{f00ff}'),
            ('\u{100000}', '\u{10ffff}'),
        ];
        for c in ranges.into_iter().flat_map(|(first, last)| first..=last) {
            assert_eq!(char_role(c), CharRole::Hidden, "{c:?}");
        }
        for c in "\u{34f}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180e}\u{2800}\u{3164}\u{feff}\u{ffa0}\u{10ffff}".chars() {
            assert_eq!(char_role(c), CharRole::Hidden, "{c:?}");
        }
        for c in "aé⚠语نक👩🏽→█—…\u{301}\u{e0b0}".chars() {
            assert_eq!(char_role(c), CharRole::Shown, "{c:?}");
        }
    }
}
