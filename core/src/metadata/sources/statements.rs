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
        done: Vec::new(),
        current: Vec::new(),
    };
    let mut rest = tokens.iter().peekable();
    while let Some(token) = rest.next() {
        let next = rest.clone().find(|next| next.kind != Kind::Newline);
        splitter.take(token, next);
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
    done: Vec<Statement<'t>>,
    current: Vec<Token<'t>>,
}

impl<'t> Splitter<'_, 't> {
    fn take(&mut self, token: &Token<'t>, next: Option<&Token<'t>>) {
        match token.kind {
            Kind::Newline if !self.goes_on(next) => self.end(),
            Kind::Newline => {}
            Kind::Sign(';') => self.end(),
            Kind::Sign(':') if self.is_head() => self.end(),
            Kind::Sign('{') if self.opens_block() => {
                self.current.push(token.clone());
                self.end();
                self.open.push(Open::Block);
            }
            Kind::Sign('(' | '[' | '{') => {
                self.current.push(token.clone());
                self.open.push(Open::Inside);
            }
            Kind::Sign(')' | ']' | '}') => {
                if self.open.pop() == Some(Open::Block) {
                    self.end();
                }
                self.current.push(token.clone());
            }
            _ => self.current.push(token.clone()),
        }
    }

    /// Tells whether a statement goes on after this line.
    fn goes_on(&self, next: Option<&Token<'_>>) -> bool {
        self.open.last() == Some(&Open::Inside)
            || self.current.last().is_some_and(|last| last.is('='))
            || next.is_some_and(|next| next.is('.'))
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
            self.open
                .iter()
                .filter(|open| **open == Open::Block)
                .count()
        };
        self.done.push(Statement { tokens, depth });
    }

    fn indentation(&self, at: usize) -> usize {
        let before = self.code.get(..at).unwrap_or_default();
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        let line = self.code.get(line..).unwrap_or_default();
        line.len() - line.trim_start_matches([' ', '\t']).len()
    }
}
