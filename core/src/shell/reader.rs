//! The reader: one pass over the characters.

use std::collections::VecDeque;
use std::iter::Peekable;
use std::str::Chars;

use super::{Command, Word};

/// Reads the simple commands of a text, those within parentheses and braces too. A quote that is
/// never closed ends with the text.
pub fn read(text: &str) -> Vec<Command> {
    let mut reader = Reader {
        rest: text.chars().peekable(),
        commands: Vec::new(),
        command: Command::default(),
        word: None,
        target: None,
        documents: VecDeque::new(),
    };
    reader.run();
    reader.commands
}

/// What the next word is, when it is no word of the command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    /// A file.
    File,
    /// What ends a document; whether its lines may be indented by tabs.
    Document { indented: bool },
    /// A text that is fed.
    Text,
}

/// A document (`<<`) whose lines are still to come.
struct Document {
    /// The command it is fed to.
    command: usize,
    end: String,
    indented: bool,
    expands: bool,
}

struct Reader<'t> {
    rest: Peekable<Chars<'t>>,
    commands: Vec<Command>,
    command: Command,
    word: Option<Word>,
    target: Option<Target>,
    documents: VecDeque<Document>,
}

impl Reader<'_> {
    fn run(&mut self) {
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => match self.rest.next() {
                    // A line that goes on.
                    Some('\n') | None => {}
                    Some('\r') if self.rest.peek() == Some(&'\n') => drop(self.rest.next()),
                    Some(c) => self.bare(c),
                },
                '\'' => self.single_quoted(),
                '"' => self.double_quoted(),
                '$' => self.dollar(false),
                '`' => {
                    let inside = self.backquoted();
                    self.word().inside.push(inside);
                }
                '#' if self.word.is_none() => while self.rest.next_if(|c| *c != '\n').is_some() {},
                ' ' | '\t' | '\r' => self.end_word(),
                '\n' => {
                    self.end_command(false);
                    self.documents();
                }
                '|' => {
                    let or = self.rest.next_if_eq(&'|').is_some();
                    let _ = self.rest.next_if_eq(&'&');
                    self.end_command(!or);
                }
                '&' if self.rest.peek() == Some(&'>') => self.end_word(),
                '&' | ';' | '(' | ')' => self.end_command(false),
                '<' | '>' => self.redirection(c),
                c => self.bare(c),
            }
        }
        self.end_command(false);
        self.documents();
    }

    fn word(&mut self) -> &mut Word {
        self.word.get_or_insert_default()
    }

    fn bare(&mut self, c: char) {
        let word = self.word();
        word.text.push(c);
        word.bare.push(c);
    }

    fn single_quoted(&mut self) {
        let word = self.word.get_or_insert_default();
        word.text
            .extend(self.rest.by_ref().take_while(|c| *c != '\''));
    }

    fn double_quoted(&mut self) {
        self.word();
        while let Some(c) = self.rest.next() {
            match c {
                '"' => return,
                '\\' => match self.rest.next() {
                    Some('\n') | None => {}
                    Some(c) => {
                        if !"\"\\$`".contains(c) {
                            self.word().text.push('\\');
                        }
                        self.word().text.push(c);
                    }
                },
                '$' => self.dollar(true),
                '`' => {
                    let inside = self.backquoted();
                    self.word().inside.push(inside);
                }
                c => self.word().text.push(c),
            }
        }
    }

    /// Reads what follows a dollar sign.
    fn dollar(&mut self, quoted: bool) {
        match self.rest.peek() {
            Some('(') => {
                self.rest.next();
                let inside = self.parenthesised();
                self.word().inside.push(inside);
            }
            Some('\'') if !quoted => {
                self.rest.next();
                self.escaped();
            }
            // `$"…"` is quoted like any other.
            Some('"') if !quoted => {}
            _ if quoted => self.word().text.push('$'),
            _ => self.bare('$'),
        }
    }

    /// Reads the rest of `$'…'`.
    fn escaped(&mut self) {
        self.word();
        while let Some(c) = self.rest.next() {
            let c = match c {
                '\'' => return,
                '\\' => match self.rest.next() {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('x') => self.code(16, 2),
                    Some('u') => self.code(16, 4),
                    Some(c @ '0'..='7') => {
                        let rest = u32::from(self.code(8, 2));
                        let first = c.to_digit(8).unwrap_or_default();
                        char::from_u32(first * 64 + rest).unwrap_or(c)
                    }
                    Some(c) => c,
                    None => return,
                },
                c => c,
            };
            self.word().text.push(c);
        }
    }

    /// Reads the number of a character.
    fn code(&mut self, radix: u32, most: usize) -> char {
        let mut code = 0;
        for _ in 0..most {
            match self.rest.peek().and_then(|c| c.to_digit(radix)) {
                Some(digit) => code = code * radix + digit,
                None => break,
            }
            self.rest.next();
        }
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    fn backquoted(&mut self) -> String {
        let mut inside = String::new();
        while let Some(c) = self.rest.next() {
            match c {
                '`' => break,
                '\\' => match self.rest.next() {
                    Some(c @ ('`' | '\\' | '$')) => inside.push(c),
                    Some(c) => inside.extend(['\\', c]),
                    None => {}
                },
                c => inside.push(c),
            }
        }
        inside
    }

    /// Reads up to the parenthesis that closes one which is open. Quotes inside hide those that
    /// they hold.
    fn parenthesised(&mut self) -> String {
        let mut inside = String::new();
        let mut depth = 1_usize;
        let mut quote: Option<char> = None;
        while let Some(c) = self.rest.next() {
            match (c, quote) {
                ('\\', None | Some('"')) => {
                    inside.push(c);
                    inside.extend(self.rest.next());
                    continue;
                }
                ('\'' | '"', None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                ('(', None) => depth += 1,
                (')', None) => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                _ => {}
            }
            inside.push(c);
        }
        inside
    }

    fn redirection(&mut self, c: char) {
        // `2>` names a channel.
        let channel =
            |word: &Word| word.bare == word.text && word.text.chars().all(|c| c.is_ascii_digit());
        if self.word.as_ref().is_some_and(channel) {
            self.word = None;
        }
        if self.rest.peek() == Some(&'(') {
            self.rest.next();
            let inside = self.parenthesised();
            // It stands for a file, so it is a word.
            self.word().inside.push(inside);
            return;
        }
        self.end_word();
        self.target = Some(Target::File);
        if c == '<' && self.rest.next_if_eq(&'<').is_some() {
            self.target = Some(if self.rest.next_if_eq(&'<').is_some() {
                Target::Text
            } else {
                let indented = self.rest.next_if_eq(&'-').is_some();
                Target::Document { indented }
            });
            return;
        }
        while self.rest.next_if(|c| ">|&".contains(*c)).is_some() {}
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else {
            return;
        };
        match self.target.take() {
            None => self.command.words.push(word),
            Some(Target::File) => self.command.inside.extend(word.inside),
            Some(Target::Text) => {
                self.command.inside.extend(word.inside);
                self.command.fed.push(word.text);
            }
            Some(Target::Document { indented }) => self.documents.push_back(Document {
                command: self.commands.len(),
                expands: word.bare == word.text,
                end: word.text,
                indented,
            }),
        }
    }

    fn end_command(&mut self, pipes: bool) {
        self.end_word();
        self.target = None;
        let awaited = self
            .documents
            .iter()
            .any(|d| d.command == self.commands.len());
        if self.command.is_empty() && !awaited {
            return;
        }
        self.command.pipes = pipes;
        self.commands.push(std::mem::take(&mut self.command));
    }

    /// Reads the documents that begin on this line.
    fn documents(&mut self) {
        while let Some(document) = self.documents.pop_front() {
            let text = self.document(&document);
            let Some(command) = self.commands.get_mut(document.command) else {
                continue;
            };
            if document.expands && text.contains(['$', '`']) {
                // Read like a text in quotes, for what is carried out in it.
                let mut quoted = text.replace('"', "\\\"");
                quoted.insert(0, '"');
                let inside = read(&quoted).into_iter().flat_map(|c| c.words);
                command.inside.extend(inside.flat_map(|word| word.inside));
            }
            command.fed.push(text);
        }
    }

    fn document(&mut self, document: &Document) -> String {
        let mut text = String::new();
        while self.rest.peek().is_some() {
            let line: String = self.rest.by_ref().take_while(|c| *c != '\n').collect();
            let line = if document.indented {
                line.trim_start_matches('\t')
            } else {
                &line
            };
            if line.strip_suffix('\r').unwrap_or(line) == document.end {
                break;
            }
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}
