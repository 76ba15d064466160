//! Words, strings and signs of a script; comments are left out.

use super::Language;

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    /// A name or a number.
    Word(&'t str),
    /// A string, without its quotes.
    Text(&'t str),
    /// Any other character.
    Sign(char),
    /// The end of a line.
    Newline,
}

/// A piece of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    /// Where it begins, in bytes.
    pub(super) at: usize,
}

impl Token<'_> {
    pub(super) fn is(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }
}

/// Cuts a script. What is no valid script is cut somehow, and never fails.
pub(super) fn tokens(language: Language, code: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer {
        language,
        code,
        tokens: Vec::new(),
        depth: 0,
        patience: PATIENCE * code.len(),
    };
    lexer.run(0, code.len());
    lexer.tokens
}

struct Lexer<'t> {
    language: Language,
    code: &'t str,
    tokens: Vec<Token<'t>>,
    /// How deep in strings within strings.
    depth: usize,
    /// How many more bytes may be searched in vain for the ends of strings and patterns: a file
    /// of openings without ends would take the square of its length.
    patience: usize,
}

/// How often a whole file may be searched in vain.
const PATIENCE: usize = 8;

/// Strings within code within strings that are looked into; nobody writes more.
const DEEPEST: usize = 8;

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

impl<'t> Lexer<'t> {
    fn slice(&self, from: usize, to: usize) -> &'t str {
        self.code.get(from..to).unwrap_or_default()
    }

    fn push(&mut self, at: usize, kind: Kind<'t>) {
        self.tokens.push(Token { kind, at });
    }

    fn run(&mut self, from: usize, to: usize) {
        let mut at = from;
        while at < to {
            let rest = self.slice(at, to);
            let Some(c) = rest.chars().next() else {
                return;
            };
            at = match c {
                '\n' => {
                    self.push(at, Kind::Newline);
                    at + 1
                }
                _ if c.is_whitespace() => at + c.len_utf8(),
                _ if self.comments(rest) > 0 => at + self.comments(rest),
                '"' | '\'' | '`' => self.string(at, to, c, ""),
                _ if is_word(c) => self.word(at, to),
                '/' if self.language == Language::Script && self.may_be_pattern() => {
                    at + self.patiently(rest, pattern).unwrap_or(1)
                }
                _ => {
                    self.push(at, Kind::Sign(c));
                    at + c.len_utf8()
                }
            };
        }
    }

    /// Returns the length of the comment that begins here; its line end is none of it.
    fn comments(&self, rest: &str) -> usize {
        let line = || rest.find('\n').unwrap_or(rest.len());
        let hash = matches!(self.language, Language::Python | Language::Ruby);
        if hash && rest.starts_with('#') || !hash && rest.starts_with("//") {
            return line();
        }
        if !hash && rest.starts_with("/*") {
            return rest.find("*/").map_or(rest.len(), |end| end + 2);
        }
        0
    }

    fn word(&mut self, at: usize, to: usize) -> usize {
        let rest = self.slice(at, to);
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        match after.chars().next() {
            // A letter before the quotes says what kind of string it is.
            Some(quote @ ('"' | '\'')) if length <= 2 && self.language == Language::Python => {
                self.string(at + length, to, quote, word)
            }
            Some('"' | '#') if matches!(word, "r" | "br") && self.language == Language::Rust => {
                self.raw_string(at + length, to)
            }
            _ => {
                self.push(at, Kind::Word(word));
                at + length
            }
        }
    }

    /// Cuts a string with its interpolated code.
    fn string(&mut self, at: usize, to: usize, quote: char, prefix: &str) -> usize {
        let rest = self.slice(at, to);
        let triple: String = [quote; 3].iter().collect();
        let long = self.language == Language::Python && rest.starts_with(&triple);
        let mark = if long { triple } else { quote.to_string() };
        let spans_lines = long || quote == '`';
        let escapes = quote != '`' || self.language == Language::Script;
        let start = at + mark.len();
        if quote == '\'' && self.language == Language::Rust && !is_character(rest) {
            self.push(at, Kind::Sign(quote));
            return start;
        }
        let end = |text: &str| end_of(text, &mark, spans_lines, escapes);
        let Some(length) = self.patiently(self.slice(start, to), end) else {
            // An apostrophe in a text: no string at all.
            self.push(at, Kind::Sign(quote));
            return at + 1;
        };
        let end = start + length;
        self.push(at, Kind::Text(self.slice(start, end)));
        let opening = match self.language {
            Language::Python if prefix.contains(['f', 'F']) => "{",
            Language::Script if quote == '`' => "${",
            Language::Ruby if quote == '"' => "#{",
            _ => return end + mark.len(),
        };
        self.interpolated(start, end, opening);
        end + mark.len()
    }

    fn interpolated(&mut self, start: usize, end: usize, opening: &str) {
        if self.depth == DEEPEST {
            return;
        }
        self.depth += 1;
        let mut at = start;
        while let Some(found) = self.slice(at, end).find(opening) {
            let from = at + found + opening.len();
            if opening == "{" && self.slice(from, end).starts_with('{') {
                at = from + 1;
                continue;
            }
            let length = closing_brace(self.slice(from, end));
            self.push(from, Kind::Sign('('));
            self.run(from, from + length);
            self.push(from + length, Kind::Sign(')'));
            at = from + length;
        }
        self.depth -= 1;
    }

    fn raw_string(&mut self, at: usize, to: usize) -> usize {
        let rest = self.slice(at, to);
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        let start = at + hashes + 1;
        let mark = format!("\"{}", "#".repeat(hashes));
        let end = self.slice(start, to).find(&mark);
        let end = end.map_or(to, |length| start + length);
        self.push(at, Kind::Text(self.slice(start, end)));
        (end + mark.len()).min(to)
    }

    /// Looks for an end, unless that was in vain too often.
    fn patiently(
        &mut self,
        text: &str,
        end: impl Fn(&str) -> Result<usize, usize>,
    ) -> Option<usize> {
        if self.patience == 0 {
            return None;
        }
        end(text)
            .inspect_err(|in_vain| self.patience = self.patience.saturating_sub(*in_vain))
            .ok()
    }

    /// Tells whether a slash here begins a pattern: after a value it divides.
    fn may_be_pattern(&self) -> bool {
        match self.tokens.last().map(|token| &token.kind) {
            Some(Kind::Word(word)) => matches!(*word, "return" | "typeof" | "case" | "of" | "in"),
            Some(Kind::Text(_)) => false,
            Some(Kind::Sign(sign)) => !matches!(sign, ')' | ']' | '}' | '<'),
            Some(Kind::Newline) | None => true,
        }
    }
}

/// Tells a character of Rust from a lifetime.
fn is_character(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    let first = chars.next();
    first == Some('\\') || chars.next() == Some('\'')
}

/// Returns where a string ends, from its beginning, or how far that was looked for in vain.
fn end_of(text: &str, mark: &str, spans_lines: bool, escapes: bool) -> Result<usize, usize> {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if escapes => {
                chars.next();
            }
            '\n' if !spans_lines => return Err(at),
            _ if text.get(at..).is_some_and(|rest| rest.starts_with(mark)) => return Ok(at),
            _ => {}
        }
    }
    Err(text.len())
}

/// Returns where the code of an interpolation ends.
fn closing_brace(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// Returns the length of the pattern that begins with this slash, on one line, or how far its end
/// was looked for in vain.
fn pattern(text: &str) -> Result<usize, usize> {
    let (mut in_class, mut escaped) = (false, false);
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' => return Err(at),
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => return Ok(at + 1),
            _ => {}
        }
    }
    Err(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(language: Language, code: &str) -> String {
        let piece = |token: Token<'_>| match token.kind {
            Kind::Word(word) => word.to_owned(),
            Kind::Text(text) => format!("<{text}>"),
            Kind::Sign(sign) => sign.to_string(),
            Kind::Newline => "|".to_owned(),
        };
        let pieces: Vec<String> = tokens(language, code).into_iter().map(piece).collect();
        pieces.join(" ")
    }

    #[test]
    fn comments_go_and_strings_stay_whole() {
        for (language, code, expected) in [
            (Language::Python, "a['b'] # c['d']\nx", "a [ <b> ] | x"),
            (Language::Python, "\"\"\"doc\n'x'\"\"\" y", "<doc\n'x'> y"),
            (
                Language::Python,
                "r'\\d' f'{a[\"b\"]} {{c}}'",
                "<\\d> <{a[\"b\"]} {{c}}> ( a [ <b> ] )",
            ),
            (Language::Python, "don't\nx", "don ' t | x"),
            (Language::Script, "a/*'*/b//c\nd", "a b | d"),
            (Language::Script, "`x${a.b}y`", "<x${a.b}y> ( a . b )"),
            (
                Language::Script,
                "s.replace(/['\"]/g, 'x')",
                "s . replace ( g , <x> )",
            ),
            (Language::Script, "a / b / c", "a / b / c"),
            (
                Language::Ruby,
                "\"n #{s[:a]}\" # x",
                "<n #{s[:a]}> ( s [ : a ] )",
            ),
            (
                Language::Rust,
                "fn f<'a>(x: &'a str) { r#\"q\"x\"# }",
                "fn f < ' a > ( x : & ' a str ) { <q\"x> }",
            ),
            (Language::Go, "p := `a\\`", "p : = <a\\>"),
        ] {
            assert_eq!(shown(language, code), expected, "{code}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_cut_without_a_panic(code in "([a-z'\"`/\\\\{}#$\n ]|é){0,40}") {
            for language in [Language::Python, Language::Script, Language::Ruby, Language::Go, Language::Rust] {
                let cut = tokens(language, &code);
                proptest::prop_assert!(cut.iter().all(|token| token.at <= code.len()));
            }
        }
    }
}
