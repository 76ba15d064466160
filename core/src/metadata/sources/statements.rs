//! Statements of a script, with how deep they stand.

use super::Language;
use super::lexer::{Kind, Token};

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement<'t> {
    pub(super) tokens: Vec<Token<'t>>,
    /// How deep it stands: columns of indentation in Python, else open braces.
    pub(super) depth: usize,
}

/// Longest statement, in tokens, whose calls are looked into: a longer one is data.
pub(super) const LONGEST: usize = 500;

/// Words before whose colon a Python statement ends.
const HEADS: [&str; 9] = [
    "with", "for", "if", "elif", "else", "while", "try", "except", "finally",
];

/// Splits a script at line ends that end a statement, semicolons, and braces of blocks.
pub(super) fn split<'t>(
    language: Language,
    code: &str,
    tokens: &[Token<'t>],
) -> Vec<Statement<'t>> {
    let mut splitter = Splitter {
        language,
        code,
        open: Vec::new(),
        blocks: 0,
        done: Vec::new(),
        current: Vec::new(),
        seen: 0,
        indent: 0,
    };
    // Whether a line's end ends a statement depends on what follows all the empty lines behind it.
    let mut followed_by_dot = Vec::with_capacity(tokens.len());
    let mut next_is_dot = false;
    for token in tokens.iter().rev() {
        followed_by_dot.push(next_is_dot);
        if token.kind != Kind::Newline {
            next_is_dot = token.is('.');
        }
    }
    for (token, is_followed) in tokens.iter().zip(followed_by_dot.into_iter().rev()) {
        splitter.take(token, is_followed);
    }
    splitter.end();
    splitter.done
}

/// An open bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// Of a call, a list or a value: its statement goes on to its end.
    Inside,
    /// Of a block of statements.
    Block,
}

struct Splitter<'c, 't> {
    language: Language,
    code: &'c str,
    open: Vec<Open>,
    /// How many of the open ones are of blocks.
    blocks: usize,
    done: Vec<Statement<'t>>,
    current: Vec<Token<'t>>,
    /// Up to where lines were looked for.
    seen: usize,
    /// The indentation of the last of them.
    indent: usize,
}

impl<'t> Splitter<'_, 't> {
    fn take(&mut self, token: &Token<'t>, followed_by_dot: bool) {
        match token.kind {
            Kind::Newline if !self.goes_on(followed_by_dot) => self.end(),
            Kind::Newline => {}
            Kind::Sign(';') => self.end(),
            Kind::Sign(':') if self.is_head() => self.end(),
            Kind::Sign('{') if self.opens_block() => {
                self.current.push(token.clone());
                self.end();
                self.open.push(Open::Block);
                self.blocks += 1;
            }
            Kind::Sign('(' | '[' | '{') => {
                self.current.push(token.clone());
                self.open.push(Open::Inside);
            }
            Kind::Sign(')' | ']' | '}') => {
                if self.open.pop() == Some(Open::Block) {
                    self.blocks -= 1;
                    self.end();
                }
                self.current.push(token.clone());
            }
            _ => self.current.push(token.clone()),
        }
    }

    /// Tells whether a statement goes on after this line.
    fn goes_on(&self, followed_by_dot: bool) -> bool {
        self.open.last() == Some(&Open::Inside)
            || self.current.last().is_some_and(|last| last.is('='))
            || followed_by_dot
    }

    /// Tells whether a brace met now begins a block and no value.
    fn opens_block(&self) -> bool {
        if self.language == Language::Python {
            return false;
        }
        match self.current.last().map(|token| &token.kind) {
            Some(Kind::Sign(sign)) => matches!(sign, ')' | '>' | '}'),
            Some(Kind::Word(word)) => !matches!(
                *word,
                "return" | "const" | "let" | "var" | "export" | "default" | "import"
            ),
            Some(_) | None => true,
        }
    }

    fn is_head(&self) -> bool {
        let first = self.current.first().map(|token| &token.kind);
        self.language == Language::Python
            && self.open.is_empty()
            && matches!(first, Some(Kind::Word(word)) if HEADS.contains(word))
    }

    fn end(&mut self) {
        let tokens = std::mem::take(&mut self.current);
        let Some(first) = tokens.first() else {
            return;
        };
        let depth = if self.language == Language::Python {
            self.indentation(first.at)
        } else {
            self.blocks
        };
        self.done.push(Statement { tokens, depth });
    }

    /// Returns the indentation of the line of a byte that is not before the last one asked for.
    fn indentation(&mut self, at: usize) -> usize {
        let between = self.code.get(self.seen..at).unwrap_or_default();
        let line = between.rfind('\n').map(|end| self.seen + end + 1);
        if let Some(start) = line.or((self.seen == 0).then_some(0)) {
            let line = self.code.get(start..).unwrap_or_default();
            self.indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        }
        self.seen = self.seen.max(at);
        self.indent
    }
}
