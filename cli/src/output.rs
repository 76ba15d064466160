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
use trueup_core::text::{visible_line, without_runner_commands, write_plain_json};

use crate::args::GlobalArgs;
use crate::command_error::{CommandError, ErrorCase};

/// Longest paragraph printed, in characters. Whatever comes out of a database is cleaned of
/// what acts on a terminal, here for every command.
const MAX_LINE_CHARS: usize = 100_000;

/// How much of an object is printed at once, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// How a line is coloured, where there is a terminal that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineStyle {
    Head,
    Good,
    Warning,
    Error,
    Faint,
}

impl LineStyle {
    fn to_ansi(self) -> Style {
        let color = |colour: AnsiColor| Style::new().fg_color(Some(Color::Ansi(colour)));
        match self {
            Self::Head => Style::new().bold(),
            Self::Good => color(AnsiColor::Green),
            Self::Warning => color(AnsiColor::Yellow),
            Self::Error => color(AnsiColor::Red),
            Self::Faint => Style::new().dimmed(),
        }
    }
}

/// What a command has to say.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// Text for a person, in lines. The end of a line inside of one came with somebody's text,
    /// and is shown instead of followed.
    pub(crate) text: Vec<String>,
    /// Whether the lines are commands to a runner of workflows, which no other line may be.
    pub(crate) has_runner_commands: bool,
    /// What the columns of the text are, for a terminal alone: a script reads rows.
    pub(crate) header: Option<String>,
    /// Bytes of a file to print as they are, in place of the text. On a terminal they are
    /// cleaned all the same.
    pub(crate) verbatim: Option<String>,
    /// How lines of the text are coloured, by their number, in order.
    pub(crate) styles: Vec<(usize, LineStyle)>,
    /// The `data` of the object.
    pub(crate) data: Value,
    /// What stands in its place, where a tree of it would be large.
    pub(crate) raw_data: Option<Box<RawValue>>,
    /// Findings.
    pub(crate) divergences: Vec<Divergence>,
    /// What was worked around.
    pub(crate) warnings: Vec<String>,
    /// The exit code.
    pub(crate) exit_code: u8,
    /// The signal to end by once all is printed, as the command that was run did.
    pub(crate) signal: Option<i32>,
}

impl Output {
    /// Makes a plain answer.
    pub(crate) fn new(text: Vec<String>, data: Value) -> Self {
        Self {
            text,
            data,
            ..Self::default()
        }
    }

    /// Names the columns of the rows that the text is.
    pub(crate) fn with_columns(mut self, header: &str) -> Self {
        self.header = Some(header.trim_end().to_owned());
        self
    }

    /// Makes an answer for a program alone, of which no tree is made.
    pub(crate) fn from_serializable(data: &impl Serialize) -> Result<Self, CommandError> {
        let long = to_raw_value(data);
        let long = long.map_err(|error| CommandError::new(ErrorCase::File, error.to_string()))?;
        Ok(Self {
            raw_data: Some(long),
            ..Self::default()
        })
    }
}

/// The one object of `--json`.
#[derive(Serialize)]
struct JsonEnvelope<'a> {
    ok: bool,
    command: &'static str,
    data: JsonData<'a>,
    divergences: &'a [Divergence],
    warnings: &'a [String],
    error: &'a Value,
}

#[derive(Serialize)]
#[serde(untagged)]
enum JsonData<'a> {
    Tree(&'a Value),
    Long(&'a RawValue),
}

/// Prints answers of one command.
#[derive(Debug)]
pub(crate) struct Printer {
    command: &'static str,
    json: bool,
    /// The flags with which an advised command speaks for whom this one speaks for.
    caller_flags: String,
}

impl Printer {
    pub(crate) const fn new(command: &'static str, json: bool) -> Self {
        Self {
            command,
            json,
            caller_flags: String::new(),
        }
    }

    /// Makes the report of a command that was given flags which every command takes.
    pub(crate) fn for_command(command: &'static str, common: &GlobalArgs) -> Self {
        Self {
            caller_flags: common.render_caller_flags(),
            ..Self::new(command, common.json)
        }
    }

    /// Prints an answer.
    pub(crate) fn print_output(&self, output: &Output) -> ExitCode {
        if self.json {
            let written = self.write_envelope(output.exit_code == 0, output, &Value::Null);
            return to_exit_code(written, output.exit_code);
        }
        let mut out = anstream::stdout().lock();
        let written = if let Some(content) = output
            .verbatim
            .as_ref()
            .filter(|_| !io::stdout().is_terminal())
        {
            print_warnings(&output.warnings);
            // Not through what takes colours out: these bytes are nobody's colours.
            out.flush()
                .and_then(|()| io::stdout().write_all(content.as_bytes()))
        } else {
            print_warnings(&output.warnings);
            // Stdout would hand every line to the kernel by itself.
            let header = render_header(output);
            let page = render_page(output);
            page.and_then(|page| {
                out.write_all(header.as_bytes())?;
                out.write_all(&page)
            })
        };
        to_exit_code(written.and_then(|()| out.flush()), output.exit_code)
    }

    /// Prints an error, and what was worked around before it.
    pub(crate) fn print_error(
        &self,
        command_error: &CommandError,
        warnings: &[String],
    ) -> ExitCode {
        let hint = command_error.render_hint(&self.caller_flags);
        let written = if self.json {
            let error = json!({
                "code": command_error.code(), "message": command_error.full_message(), "hint": hint,
            });
            let data = match &*command_error.data {
                Value::Null => json!({}),
                data => data.clone(),
            };
            let output = Output {
                data,
                divergences: command_error.divergences.clone(),
                warnings: warnings.to_vec(),
                ..Output::default()
            };
            self.write_envelope(false, &output, &error)
        } else {
            print_warnings(warnings);
            let mut err = anstream::stderr().lock();
            let lines = std::iter::once(format!("{}: {}", self.command, command_error.message))
                .chain(command_error.details.iter().cloned())
                .chain([format!("hint: {hint}")]);
            let mut lines = lines.map(|line| clean_line(&line));
            lines.try_for_each(|line| writeln!(err, "{line}"))
        };
        to_exit_code(written, command_error.exit_code())
    }

    /// Prints the object. A program reads it, so nothing takes anything out of it.
    fn write_envelope(&self, ok: bool, output: &Output, error: &Value) -> io::Result<()> {
        let object = JsonEnvelope {
            ok,
            command: self.command,
            data: match &output.raw_data {
                Some(long) => JsonData::Long(long),
                None => JsonData::Tree(&output.data),
            },
            divergences: &output.divergences,
            warnings: &output.warnings,
            error,
        };
        // It may have megabytes, which a process of this length touches for the first time.
        let mut out = io::BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
        write_plain_json(&mut out, &object)?;
        out.write_all(b"\n").and_then(|()| out.flush())
    }
}

fn print_warnings(warnings: &[String]) {
    let mut err = anstream::stderr().lock();
    for warning in warnings {
        // With stderr gone there is nobody left to tell.
        let _ = writeln!(err, "warning: {}", clean_line(warning));
    }
}

/// Puts the lines of an answer together.
fn render_page(output: &Output) -> io::Result<Vec<u8>> {
    let verbatim = output.verbatim.iter().flat_map(|content| content.lines());
    let text = output.text.iter().map(String::as_str).chain(verbatim);
    let mut styles = output.styles.iter().peekable();
    let mut page = Vec::new();
    for (number, line) in text.enumerate() {
        let line = if output.has_runner_commands {
            clean_text(line)
        } else {
            clean_line(line)
        };
        match styles.next_if(|(at, _)| *at == number) {
            // Coloured once it is clean: what came with the text acts on no terminal.
            Some((_, line_style)) => {
                let style = line_style.to_ansi();
                writeln!(page, "{style}{line}{style:#}")?;
            }
            None => writeln!(page, "{line}")?,
        }
    }
    Ok(page)
}

/// Cleans a line that is printed, also for a runner of workflows.
pub(crate) fn clean_line(line: &str) -> String {
    let line = clean_text(line);
    match without_runner_commands(&line) {
        Cow::Borrowed(_) => line,
        Cow::Owned(clean) => clean,
    }
}

/// Returns one line of what is read of a text, without the tokens in ids, branches and paths.
fn clean_text(line: &str) -> String {
    let line = visible_line(line, MAX_LINE_CHARS);
    match redact_tokens(&line) {
        Cow::Borrowed(_) => line,
        Cow::Owned(clean) => clean,
    }
}

/// Prints the news of a command that goes on until nobody reads any more.
#[derive(Debug)]
pub(crate) struct OutputStream {
    out: io::StdoutLock<'static>,
    json: bool,
}

impl OutputStream {
    pub(crate) fn new(json: bool) -> Self {
        let out = io::stdout().lock();
        Self { out, json }
    }

    /// Prints one piece of news: an object in a line, or lines for a person.
    pub(crate) fn print_item(
        &mut self,
        object: impl FnOnce() -> Value,
        lines: impl FnOnce() -> Vec<String>,
    ) -> io::Result<()> {
        if self.json {
            write_plain_json(&mut self.out, &object())?;
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
pub(crate) fn print_status(line: &str) {
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
fn render_header(output: &Output) -> String {
    let header = output
        .header
        .as_ref()
        .filter(|_| io::stdout().is_terminal());
    let style = LineStyle::Head.to_ansi();
    header.map_or_else(String::new, |header| format!("{style}{header}{style:#}\n"))
}

/// A reader that went away is no failure; any other trouble with stdout is.
fn to_exit_code(written: io::Result<()>, code: u8) -> ExitCode {
    match written {
        Ok(()) => ExitCode::from(code),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(code),
        Err(_) => ExitCode::from(crate::command_error::UNABLE),
    }
}
