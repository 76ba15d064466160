//! The parser: one pass over the characters.

use std::collections::VecDeque;
use std::iter::Peekable;
use std::str::Chars;

use super::{ShellCommand, ShellWord};

/// Parses the simple commands of a text, including those in parentheses and braces. An unclosed
/// quote ends with the text.
pub fn parse_commands(text: &str) -> Vec<ShellCommand> {
    let mut reader = ShellReader {
        rest: text.chars().peekable(),
        commands: Vec::new(),
        command: ShellCommand::default(),
        word: None,
        target: None,
        documents: VecDeque::new(),
    };
    reader.read_commands();
    reader.commands
}

/// The role of the next word, if it is not a word of the command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RedirectTarget {
    /// A file.
    File,
    /// The terminator of a here-document, and whether its lines may be indented by tabs.
    Document { is_indented: bool },
    /// A here-string.
    Text,
}

/// A here-document (`<<`) whose lines are still to come.
struct HereDocument {
    /// The index of the command that reads it.
    command: usize,
    terminator: String,
    is_indented: bool,
    is_expanded: bool,
}

struct ShellReader<'t> {
    rest: Peekable<Chars<'t>>,
    commands: Vec<ShellCommand>,
    command: ShellCommand,
    word: Option<ShellWord>,
    target: Option<RedirectTarget>,
    documents: VecDeque<HereDocument>,
}

impl ShellReader<'_> {
    fn read_commands(&mut self) {
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => match self.rest.next() {
                    // A line continuation.
                    Some('\n') | None => {}
                    Some('\r') if self.rest.peek() == Some(&'\n') => drop(self.rest.next()),
                    Some(c) => self.push_unquoted(c),
                },
                '\'' => self.read_single_quoted(),
                '"' => self.read_double_quoted(),
                '$' => self.read_dollar(false),
                '`' => {
                    let inside = self.read_backquoted();
                    self.current_word().substitutions.push(inside);
                }
                '#' if self.word.is_none() => while self.rest.next_if(|c| *c != '\n').is_some() {},
                ' ' | '\t' | '\r' => self.end_word(),
                '\n' => {
                    self.end_command(false);
                    self.read_here_documents();
                }
                '|' => {
                    let or = self.rest.next_if_eq(&'|').is_some();
                    let _ = self.rest.next_if_eq(&'&');
                    self.end_command(!or);
                }
                '&' if self.rest.peek() == Some(&'>') => self.end_word(),
                '&' | ';' | '(' | ')' => self.end_command(false),
                '<' | '>' => self.read_redirection(c),
                c => self.push_unquoted(c),
            }
        }
        self.end_command(false);
        self.read_here_documents();
    }

    fn current_word(&mut self) -> &mut ShellWord {
        self.word.get_or_insert_default()
    }

    fn push_unquoted(&mut self, c: char) {
        let word = self.current_word();
        word.text.push(c);
        word.unquoted.push(c);
    }

    fn read_single_quoted(&mut self) {
        let word = self.word.get_or_insert_default();
        word.text.extend(self.rest.by_ref().take_while(|c| *c != '\''));
    }

    fn read_double_quoted(&mut self) {
        self.current_word();
        while let Some(c) = self.rest.next() {
            match c {
                '"' => return,
                '\\' => match self.rest.next() {
                    Some('\n') | None => {}
                    Some(c) => {
                        if !"\"\\$`".contains(c) {
                            self.current_word().text.push('\\');
                        }
                        self.current_word().text.push(c);
                    }
                },
                '$' => self.read_dollar(true),
                '`' => {
                    let inside = self.read_backquoted();
                    self.current_word().substitutions.push(inside);
                }
                c => self.current_word().text.push(c),
            }
        }
    }

    /// Reads what follows a dollar sign.
    fn read_dollar(&mut self, quoted: bool) {
        match self.rest.peek() {
            Some('(') => {
                self.rest.next();
                let inside = self.read_parenthesized();
                self.current_word().substitutions.push(inside);
            }
            Some('\'') if !quoted => {
                self.rest.next();
                self.read_ansi_quoted();
            }
            // `$"…"` is quoted like any other.
            Some('"') if !quoted => {}
            _ if quoted => self.current_word().text.push('$'),
            _ => self.push_unquoted('$'),
        }
    }

    /// Reads the rest of `$'…'`.
    fn read_ansi_quoted(&mut self) {
        self.current_word();
        while let Some(c) = self.rest.next() {
            let c = match c {
                '\'' => return,
                '\\' => match self.rest.next() {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('x') => self.read_char_code(16, 2),
                    Some('u') => self.read_char_code(16, 4),
                    Some(c @ '0'..='7') => {
                        let rest = u32::from(self.read_char_code(8, 2));
                        let first = c.to_digit(8).unwrap_or_default();
                        char::from_u32(first * 64 + rest).unwrap_or(c)
                    }
                    Some(c) => c,
                    None => return,
                },
                c => c,
            };
            self.current_word().text.push(c);
        }
    }

    /// Reads the code of a character.
    fn read_char_code(&mut self, radix: u32, most: usize) -> char {
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

    fn read_backquoted(&mut self) -> String {
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

    /// Reads up to the matching parenthesis. Parentheses in quotes do not count.
    fn read_parenthesized(&mut self) -> String {
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

    fn read_redirection(&mut self, c: char) {
        // `2>` names a file descriptor.
        let channel = |word: &ShellWord| {
            word.unquoted == word.text && word.text.chars().all(|c| c.is_ascii_digit())
        };
        if self.word.as_ref().is_some_and(channel) {
            self.word = None;
        }
        if self.rest.peek() == Some(&'(') {
            self.rest.next();
            let inside = self.read_parenthesized();
            // It stands for a file, so it is a word.
            self.current_word().substitutions.push(inside);
            return;
        }
        self.end_word();
        self.target = Some(RedirectTarget::File);
        if c == '<' && self.rest.next_if_eq(&'<').is_some() {
            self.target = Some(if self.rest.next_if_eq(&'<').is_some() {
                RedirectTarget::Text
            } else {
                let indented = self.rest.next_if_eq(&'-').is_some();
                RedirectTarget::Document { is_indented: indented }
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
            Some(RedirectTarget::File) => self.command.substitutions.extend(word.substitutions),
            Some(RedirectTarget::Text) => {
                self.command.substitutions.extend(word.substitutions);
                self.command.stdin_texts.push(word.text);
            }
            Some(RedirectTarget::Document { is_indented: indented }) => {
                self.documents.push_back(HereDocument {
                    command: self.commands.len(),
                    is_expanded: word.unquoted == word.text,
                    terminator: word.text,
                    is_indented: indented,
                });
            }
        }
    }

    fn end_command(&mut self, pipes: bool) {
        self.end_word();
        self.target = None;
        let awaited = self.documents.iter().any(|d| d.command == self.commands.len());
        if self.command.is_empty() && !awaited {
            return;
        }
        self.command.is_piped = pipes;
        self.commands.push(std::mem::take(&mut self.command));
    }

    /// Reads the here-documents that start on this line.
    fn read_here_documents(&mut self) {
        while let Some(document) = self.documents.pop_front() {
            let text = self.read_here_document(&document);
            let Some(command) = self.commands.get_mut(document.command) else {
                continue;
            };
            if document.is_expanded && text.contains(['$', '`']) {
                // Parse it like text in double quotes to find its substitutions.
                let mut quoted = text.replace('"', "\\\"");
                quoted.insert(0, '"');
                let inside = parse_commands(&quoted).into_iter().flat_map(|c| c.words);
                command.substitutions.extend(inside.flat_map(|word| word.substitutions));
            }
            command.stdin_texts.push(text);
        }
    }

    fn read_here_document(&mut self, document: &HereDocument) -> String {
        let mut text = String::new();
        while self.rest.peek().is_some() {
            let line: String = self.rest.by_ref().take_while(|c| *c != '\n').collect();
            let line = if document.is_indented { line.trim_start_matches('\t') } else { &line };
            if line.strip_suffix('\r').unwrap_or(line) == document.terminator {
                break;
            }
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}
