//! The output of a command: text for a person, or one JSON object.
//!
//! No other module of this crate writes to stdout or stderr, so that everything printed is cleaned.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Color, Style};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use trueup_core::diagnostic::Divergence;
use trueup_core::text::redact::redact_tokens;
use trueup_core::text::{visible_line, without_runner_commands, write_plain_json};

use crate::command_error::{CommandError, CommandResult, FileCase};
use crate::command_line::GlobalArgs;

/// Longest line printed, in characters. Every line is cleaned of control and escape characters,
/// because its text may come from the database or a file.
const MAX_LINE_CHARS: usize = 100_000;

/// Size of the buffer through which an object is printed, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// The style of a line on a terminal.
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
        let color = |color: AnsiColor| Style::new().fg_color(Some(Color::Ansi(color)));
        match self {
            Self::Head => Style::new().bold(),
            Self::Good => color(AnsiColor::Green),
            Self::Warning => color(AnsiColor::Yellow),
            Self::Error => color(AnsiColor::Red),
            Self::Faint => Style::new().dimmed(),
        }
    }
}

/// The result of a command that succeeded or has findings.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// Lines for a person. A line break inside of one comes from foreign text and is printed
    /// escaped.
    pub(crate) text: Vec<String>,
    /// Whether the lines are workflow commands of GitHub Actions. All other output is kept from
    /// being taken for one.
    pub(crate) has_runner_commands: bool,
    /// Names of the columns, printed only on a terminal: a script reads rows.
    pub(crate) header: Option<String>,
    /// Content of a file to print unchanged in place of the text. On a terminal it is cleaned.
    pub(crate) verbatim: Option<String>,
    /// Styles of lines, by their index in ascending order.
    pub(crate) styles: Vec<(usize, LineStyle)>,
    /// The `data` of the JSON object.
    pub(crate) data: Value,
    /// `data` that is serialized already, where a tree of values would be large.
    pub(crate) raw_data: Option<Box<RawValue>>,
    /// Findings.
    pub(crate) divergences: Vec<Divergence>,
    /// Problems that did not stop the command.
    pub(crate) warnings: Vec<String>,
    /// Exit code.
    pub(crate) exit_code: u8,
    /// Signal by which to end this process after printing, as the supervised command did.
    pub(crate) signal: Option<i32>,
}

impl Output {
    /// Makes an output of lines and `data`.
    pub(crate) fn new(text: Vec<String>, data: Value) -> Self {
        Self { text, data, ..Self::default() }
    }

    /// Makes an output of rows under a header, or of the one line `if_empty` where there are none.
    pub(crate) fn table(
        header: &str,
        rows: impl IntoIterator<Item = String>,
        if_empty: &str,
        data: Value,
    ) -> Self {
        let rows: Vec<String> = rows.into_iter().collect();
        if rows.is_empty() {
            return Self::new(vec![if_empty.to_owned()], data);
        }
        Self { header: Some(header.trim_end().to_owned()), ..Self::new(rows, data) }
    }

    /// Makes an output for `--json` only, without building a tree of values.
    pub(crate) fn from_serializable(data: &impl Serialize) -> CommandResult<Self> {
        let raw_data = to_raw_value(data);
        let raw_data =
            raw_data.map_err(|error| CommandError::new(FileCase::File, error.to_string()))?;
        Ok(Self { raw_data: Some(raw_data), ..Self::default() })
    }

    /// Sets the warnings.
    pub(crate) fn with_warnings(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        self.warnings = warnings.into_iter().collect();
        self
    }
}

/// The one object that `--json` prints.
#[derive(Serialize)]
struct JsonEnvelope<'a> {
    ok: bool,
    command: &'a str,
    data: JsonData<'a>,
    divergences: &'a [Divergence],
    warnings: &'a [String],
    error: &'a Value,
}

#[derive(Serialize)]
#[serde(untagged)]
enum JsonData<'a> {
    Tree(&'a Value),
    Raw(&'a RawValue),
}

/// Prints the output or the error of a command.
#[derive(Debug)]
pub(crate) struct Printer {
    command: String,
    json: bool,
    /// The flags `--session` and `--project`, which commands of hints repeat.
    caller_flags: String,
}

impl Printer {
    pub(crate) fn new(command: impl Into<String>, json: bool) -> Self {
        Self { command: command.into(), json, caller_flags: String::new() }
    }

    /// Makes the printer of a command with its global arguments.
    pub(crate) fn for_command(command: String, global: &GlobalArgs) -> Self {
        Self { caller_flags: global.render_caller_flags(), ..Self::new(command, global.json) }
    }

    /// Prints an output and returns the exit code.
    pub(crate) fn print_output(&self, output: &Output) -> ExitCode {
        if self.json {
            let written = self.write_envelope(output.exit_code == 0, output, &Value::Null);
            return to_exit_code(written, output.exit_code);
        }
        let mut out = anstream::stdout().lock();
        let written = if let Some(content) =
            output.verbatim.as_ref().filter(|_| !io::stdout().is_terminal())
        {
            print_warnings(&output.warnings);
            // Past the filter of `anstream`, which would strip what looks like a color.
            out.flush().and_then(|()| io::stdout().write_all(content.as_bytes()))
        } else {
            print_warnings(&output.warnings);
            // Written as one piece, because stdout flushes at every line break.
            let header = render_header(output);
            let page = render_page(output);
            page.and_then(|page| {
                out.write_all(header.as_bytes())?;
                out.write_all(&page)
            })
        };
        to_exit_code(written.and_then(|()| out.flush()), output.exit_code)
    }

    /// Prints an error after the warnings that preceded it, and returns the exit code.
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

    /// Writes the object. Its text is not cleaned: a program reads it.
    fn write_envelope(&self, ok: bool, output: &Output, error: &Value) -> io::Result<()> {
        let object = JsonEnvelope {
            ok,
            command: &self.command,
            data: match &output.raw_data {
                Some(raw_data) => JsonData::Raw(raw_data),
                None => JsonData::Tree(&output.data),
            },
            divergences: &output.divergences,
            warnings: &output.warnings,
            error,
        };
        // The object may have megabytes; a buffer avoids allocating all of it.
        let mut out = io::BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
        write_plain_json(&mut out, &object)?;
        out.write_all(b"\n").and_then(|()| out.flush())
    }
}

fn print_warnings(warnings: &[String]) {
    let mut err = anstream::stderr().lock();
    for warning in warnings {
        // A closed stderr is ignored.
        let _ = writeln!(err, "warning: {}", clean_line(warning));
    }
}

/// Renders the lines of an output.
fn render_page(output: &Output) -> io::Result<Vec<u8>> {
    let verbatim = output.verbatim.iter().flat_map(|content| content.lines());
    let text = output.text.iter().map(String::as_str).chain(verbatim);
    let mut styles = output.styles.iter().peekable();
    let mut page = Vec::new();
    for (number, line) in text.enumerate() {
        let line = if output.has_runner_commands { clean_text(line) } else { clean_line(line) };
        match styles.next_if(|(at, _)| *at == number) {
            // Styled after cleaning, so that only these escape sequences remain.
            Some((_, line_style)) => {
                let style = line_style.to_ansi();
                writeln!(page, "{style}{line}{style:#}")?;
            }
            None => writeln!(page, "{line}")?,
        }
    }
    Ok(page)
}

/// Cleans a line for a terminal, and keeps it from being taken for a workflow command.
pub(crate) fn clean_line(line: &str) -> String {
    let line = clean_text(line);
    match without_runner_commands(&line) {
        Cow::Borrowed(_) => line,
        Cow::Owned(clean) => clean,
    }
}

/// Returns text as one visible line, with secret tokens redacted.
fn clean_text(line: &str) -> String {
    let line = visible_line(line, MAX_LINE_CHARS);
    match redact_tokens(&line) {
        Cow::Borrowed(_) => line,
        Cow::Owned(clean) => clean,
    }
}

/// Prints items of a command that runs until its reader closes the pipe.
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

    /// Prints one item: a JSON object on a line, or lines for a person.
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

/// Prints a line about the progress of a command on stderr.
pub(crate) fn print_status(line: &str) {
    // A closed stderr is ignored.
    let _ = writeln!(anstream::stderr(), "{}", clean_line(line));
}

/// Prints help or an error message of the argument parser.
pub(crate) fn print_usage(error: &clap::Error) {
    // A closed pipe is ignored.
    let _ = error.print();
}

/// Renders the names of the columns; empty unless stdout is a terminal.
fn render_header(output: &Output) -> String {
    let header = output.header.as_ref().filter(|_| io::stdout().is_terminal());
    let style = LineStyle::Head.to_ansi();
    header.map_or_else(String::new, |header| format!("{style}{header}{style:#}\n"))
}

/// Returns the exit code after printing. A closed pipe is no error; other write errors are.
fn to_exit_code(written: io::Result<()>, code: u8) -> ExitCode {
    match written {
        Ok(()) => ExitCode::from(code),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(code),
        Err(_) => ExitCode::from(crate::command_error::UNABLE),
    }
}
