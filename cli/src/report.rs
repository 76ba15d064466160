//! What a command prints: text for a person, or one JSON object.

use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Color, Style};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use trueup_core::reconcile::Divergence;
use trueup_core::text::block;

use crate::failure::Failure;

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
    /// Text for a person, in lines.
    pub(crate) text: Vec<String>,
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

    /// Makes an answer for a program alone, of which no tree is made.
    pub(crate) fn long(data: &impl Serialize) -> Result<Self, Failure> {
        let long = to_raw_value(data);
        let long = long.map_err(|error| Failure::unable("io", error.to_string()))?;
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
}

impl Report {
    pub(crate) const fn new(command: &'static str, json: bool) -> Self {
        Self { command, json }
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
            let verbatim = answer.verbatim.iter().flat_map(|content| content.lines());
            let text = answer.text.iter().map(String::as_str);
            let mut lines = text.chain(verbatim).enumerate();
            let mut tints = answer.tints.iter().peekable();
            warn(&answer.warnings);
            // Stdout would hand every line to the kernel by itself.
            let mut page = Vec::new();
            let made = lines.try_for_each(|(number, line)| {
                let line = block(line, LONGEST);
                match tints.next_if(|(at, _)| *at == number) {
                    // Coloured once it is clean: what came with the text acts on no terminal.
                    Some((_, tint)) => {
                        let style = tint.style();
                        writeln!(page, "{style}{line}{style:#}")
                    }
                    None => writeln!(page, "{line}"),
                }
            });
            made.and_then(|()| out.write_all(&page))
        };
        exit(written.and_then(|()| out.flush()), answer.exit)
    }

    /// Prints an error, and what was worked around before it.
    pub(crate) fn fail(&self, failure: &Failure, warnings: &[String]) -> ExitCode {
        let written = if self.json {
            let error = json!({
                "code": failure.code, "message": failure.message, "hint": failure.hint,
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
            let hint = failure
                .hint
                .as_ref()
                .map_or(String::new(), |hint| format!("\nhint: {hint}"));
            let message = block(&failure.message, LONGEST);
            writeln!(err, "{}: {message}{hint}", self.command)
        };
        exit(written, failure.exit)
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
        serde_json::to_writer(&mut out, &object)?;
        out.write_all(b"\n").and_then(|()| out.flush())
    }
}

fn warn(warnings: &[String]) {
    let mut err = anstream::stderr().lock();
    for warning in warnings {
        // With stderr gone there is nobody left to tell.
        let _ = writeln!(err, "warning: {}", block(warning, LONGEST));
    }
}

/// A reader that went away is no failure; any other trouble with stdout is.
fn exit(written: io::Result<()>, code: u8) -> ExitCode {
    match written {
        Ok(()) => ExitCode::from(code),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(code),
        Err(_) => ExitCode::from(crate::failure::UNABLE),
    }
}
