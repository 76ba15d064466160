//! What a command prints: text for a person, or one JSON object.
//!
//! Nothing else in this crate writes to stdout or stderr, so that nothing is printed uncleaned.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Color, Style};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use trueup_core::reconcile::Divergence;
use trueup_core::text::redact::redact_tokens;
use trueup_core::text::{to_plain_json, visible_line, without_runner_commands};

use crate::args::Common;
use crate::failure::{ErrorCase, Failure};

/// Longest paragraph printed, in characters. Whatever comes out of a database is cleaned of
/// what acts on a terminal, here for every command.
const LONGEST: usize = 100_000;

/// How much of an object is printed at once, in bytes.
const PIECE: usize = 64 * 1024;

/// How a line is coloured, where there is a terminal that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tint {
    Head,
    Good,
    Warning,
    Error,
    Faint,
}

impl Tint {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(Color::Ansi(colour)));
        match self {
            Self::Head => Style::new().bold(),
            Self::Good => colour(AnsiColor::Green),
            Self::Warning => colour(AnsiColor::Yellow),
            Self::Error => colour(AnsiColor::Red),
            Self::Faint => Style::new().dimmed(),
        }
    }
}

/// What a command has to say.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// Text for a person, in lines. The end of a line inside of one came with somebody's text,
    /// and is shown instead of followed.
    pub(crate) text: Vec<String>,
    /// Whether the lines are commands to a runner of workflows, which no other line may be.
    pub(crate) is_for_runner: bool,
    /// What the columns of the text are, for a terminal alone: a script reads rows.
    pub(crate) header: Option<String>,
    /// Bytes of a file to print as they are, in place of the text. On a terminal they are
    /// cleaned all the same.
    pub(crate) verbatim: Option<String>,
    /// How lines of the text are coloured, by their number, in order.
    pub(crate) tints: Vec<(usize, Tint)>,
    /// The `data` of the object.
    pub(crate) data: Value,
    /// What stands in its place, where a tree of it would be large.
    pub(crate) long: Option<Box<RawValue>>,
    /// Findings.
    pub(crate) divergences: Vec<Divergence>,
    /// What was worked around.
    pub(crate) warnings: Vec<String>,
    /// The exit code.
    pub(crate) exit: u8,
    /// The signal to end by once all is printed, as the command that was run did.
    pub(crate) signal: Option<i32>,
}

impl Answer {
    /// Makes a plain answer.
    pub(crate) fn new(text: Vec<String>, data: Value) -> Self {
        Self {
            text,
            data,
            ..Self::default()
        }
    }

    /// Names the columns of the rows that the text is.
    pub(crate) fn columns(mut self, header: &str) -> Self {
        self.header = Some(header.trim_end().to_owned());
        self
    }

    /// Makes an answer for a program alone, of which no tree is made.
    pub(crate) fn long(data: &impl Serialize) -> Result<Self, Failure> {
        let long = to_raw_value(data);
        let long = long.map_err(|error| Failure::new(ErrorCase::File, error.to_string()))?;
        Ok(Self {
            long: Some(long),
            ..Self::default()
        })
    }
}

/// The one object of `--json`.
#[derive(Serialize)]
struct Object<'a> {
    ok: bool,
    command: &'static str,
    data: Data<'a>,
    divergences: &'a [Divergence],
    warnings: &'a [String],
    error: &'a Value,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Tree(&'a Value),
    Long(&'a RawValue),
}

/// Prints answers of one command.
#[derive(Debug)]
pub(crate) struct Report {
    command: &'static str,
    json: bool,
    /// The flags with which an advised command speaks for whom this one speaks for.
    speaks: String,
}

impl Report {
    pub(crate) const fn new(command: &'static str, json: bool) -> Self {
        Self {
            command,
            json,
            speaks: String::new(),
        }
    }

    /// Makes the report of a command that was given flags which every command takes.
    pub(crate) fn of(command: &'static str, common: &Common) -> Self {
        Self {
            speaks: common.repeated(),
            ..Self::new(command, common.json)
        }
    }

    /// Prints an answer.
    pub(crate) fn print(&self, answer: &Answer) -> ExitCode {
        if self.json {
            let written = self.object(answer.exit == 0, answer, &Value::Null);
            return exit(written, answer.exit);
        }
        let mut out = anstream::stdout().lock();
        let written = if let Some(content) = answer
            .verbatim
            .as_ref()
            .filter(|_| !io::stdout().is_terminal())
        {
            warn(&answer.warnings);
            // Not through what takes colours out: these bytes are nobody's colours.
            out.flush()
                .and_then(|()| io::stdout().write_all(content.as_bytes()))
        } else {
            warn(&answer.warnings);
            // Stdout would hand every line to the kernel by itself.
            let header = header(answer);
            let page = page(answer);
            page.and_then(|page| {
                out.write_all(header.as_bytes())?;
                out.write_all(&page)
            })
        };
        exit(written.and_then(|()| out.flush()), answer.exit)
    }

    /// Prints an error, and what was worked around before it.
    pub(crate) fn fail(&self, failure: &Failure, warnings: &[String]) -> ExitCode {
        let hint = failure.hint(&self.speaks);
        let written = if self.json {
            let error = json!({
                "code": failure.code(), "message": failure.whole_message(), "hint": hint,
            });
            let data = match &*failure.data {
                Value::Null => json!({}),
                data => data.clone(),
            };
            let answer = Answer {
                data,
                divergences: failure.divergences.clone(),
                warnings: warnings.to_vec(),
                ..Answer::default()
            };
            self.object(false, &answer, &error)
        } else {
            warn(warnings);
            let mut err = anstream::stderr().lock();
            let lines = std::iter::once(format!("{}: {}", self.command, failure.message))
                .chain(failure.details.iter().cloned())
                .chain([format!("hint: {hint}")]);
            let mut lines = lines.map(|line| clean_line(&line));
            lines.try_for_each(|line| writeln!(err, "{line}"))
        };
        exit(written, failure.exit())
    }

    /// Prints the object. A program reads it, so nothing takes anything out of it.
    fn object(&self, ok: bool, answer: &Answer, error: &Value) -> io::Result<()> {
        let object = Object {
            ok,
            command: self.command,
            data: match &answer.long {
                Some(long) => Data::Long(long),
                None => Data::Tree(&answer.data),
            },
            divergences: &answer.divergences,
            warnings: &answer.warnings,
            error,
        };
        // It may have megabytes, which a process of this length touches for the first time.
        let mut out = io::BufWriter::with_capacity(PIECE, io::stdout().lock());
        to_plain_json(&mut out, &object)?;
        out.write_all(b"\n").and_then(|()| out.flush())
    }
}

fn warn(warnings: &[String]) {
    let mut err = anstream::stderr().lock();
    for warning in warnings {
        // With stderr gone there is nobody left to tell.
        let _ = writeln!(err, "warning: {}", clean_line(warning));
    }
}

/// Puts the lines of an answer together.
fn page(answer: &Answer) -> io::Result<Vec<u8>> {
    let verbatim = answer.verbatim.iter().flat_map(|content| content.lines());
    let text = answer.text.iter().map(String::as_str).chain(verbatim);
    let mut tints = answer.tints.iter().peekable();
    let mut page = Vec::new();
    for (number, line) in text.enumerate() {
        let line = if answer.is_for_runner {
            shown(line)
        } else {
            clean_line(line)
        };
        match tints.next_if(|(at, _)| *at == number) {
            // Coloured once it is clean: what came with the text acts on no terminal.
            Some((_, tint)) => {
                let style = tint.style();
                writeln!(page, "{style}{line}{style:#}")?;
            }
            None => writeln!(page, "{line}")?,
        }
    }
    Ok(page)
}

/// Cleans a line that is printed, also for a runner of workflows.
pub(crate) fn clean_line(line: &str) -> String {
    let line = shown(line);
    match without_runner_commands(&line) {
        Cow::Borrowed(_) => line,
        Cow::Owned(clean) => clean,
    }
}

/// Returns one line of what is read of a text, without the tokens in ids, branches and paths.
fn shown(line: &str) -> String {
    let line = visible_line(line, LONGEST);
    match redact_tokens(&line) {
        Cow::Borrowed(_) => line,
        Cow::Owned(clean) => clean,
    }
}

/// Prints the news of a command that goes on until nobody reads any more.
#[derive(Debug)]
pub(crate) struct Stream {
    out: io::StdoutLock<'static>,
    json: bool,
}

impl Stream {
    pub(crate) fn new(json: bool) -> Self {
        let out = io::stdout().lock();
        Self { out, json }
    }

    /// Prints one piece of news: an object in a line, or lines for a person.
    pub(crate) fn print(
        &mut self,
        object: impl FnOnce() -> Value,
        lines: impl FnOnce() -> Vec<String>,
    ) -> io::Result<()> {
        if self.json {
            to_plain_json(&mut self.out, &object())?;
            writeln!(self.out)?;
        } else {
            for line in lines() {
                writeln!(self.out, "{}", clean_line(&line))?;
            }
        }
        self.out.flush()
    }
}

/// Prints a line about what a command is at, on stderr.
pub(crate) fn say(line: &str) {
    // With stderr gone there is nobody left to tell.
    let _ = writeln!(anstream::stderr(), "{}", clean_line(line));
}

/// Prints what the parser of arguments has to say: help as it is, a complaint in which it repeats
/// arguments as a line each.
pub(crate) fn print_usage(error: &clap::Error) {
    // Printing to a closed pipe is nobody's error.
    let _ = error.print();
}

/// Writes the names of the columns, where a person reads them.
fn header(answer: &Answer) -> String {
    let header = answer
        .header
        .as_ref()
        .filter(|_| io::stdout().is_terminal());
    let style = Tint::Head.style();
    header.map_or_else(String::new, |header| format!("{style}{header}{style:#}\n"))
}

/// A reader that went away is no failure; any other trouble with stdout is.
fn exit(written: io::Result<()>, code: u8) -> ExitCode {
    match written {
        Ok(()) => ExitCode::from(code),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(code),
        Err(_) => ExitCode::from(crate::failure::UNABLE),
    }
}
