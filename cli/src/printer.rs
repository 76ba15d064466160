//! Printing: the output or the error of a command, as text or as one JSON object.
//!
//! No other module of this crate writes to stdout or stderr, so that everything printed is cleaned.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Color, Style};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use trueup_core::diagnostic::Divergence;
use trueup_core::text::redact::redact_tokens;
use trueup_core::text::{visible_line, without_runner_commands, write_redacted_json};

use crate::command_error::{CommandError, UNABLE};
use crate::global_args::GlobalArgs;
use crate::output::Output;
use crate::page::{Line, Page, Screen, Tone};

/// Longest line printed, in characters. Every line is cleaned of control and escape characters,
/// because its text may come from the database or a file.
const MAX_LINE_CHARS: usize = 100_000;

/// Size of the buffer through which an object is printed, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

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
        let written = if let Some(content) = output.verbatim.as_ref().filter(|_| !shows_output()) {
            print_warnings(&output.warnings);
            // Past the filter of `anstream`, which would strip what looks like a color.
            out.flush().and_then(|()| io::stdout().write_all(content.as_bytes()))
        } else {
            print_warnings(&output.warnings);
            // Written as one piece, because stdout flushes at every line break.
            render_output(output).and_then(|page| out.write_all(&page))
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
            let problem = Line::new(Tone::Error, format!("{}:", self.command))
                .and(format!(" {}", command_error.message));
            let hint = Line::new(Tone::Head, "hint:").and(format!(" {hint}"));
            let mut page = Page::from(vec![problem]);
            page.extend(command_error.details.iter().map(String::as_str));
            page.push(hint);
            write_to_stderr(&page)
        };
        to_exit_code(written, command_error.exit_code())
    }

    /// Writes the object. Its text is not cleaned but for secret tokens: a program reads it.
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
        write_redacted_json(&mut out, &object)?;
        out.write_all(b"\n").and_then(|()| out.flush())
    }
}

fn print_warnings(warnings: &[String]) {
    let lines = warnings
        .iter()
        .map(|warning| Line::new(Tone::Warning, "warning:").and(format!(" {warning}")));
    // A closed stderr is ignored.
    let _ = write_to_stderr(&Page::from(lines.collect::<Vec<_>>()));
}

fn write_to_stderr(page: &Page) -> io::Result<()> {
    let lines = page.lay_out(Screen::of(&io::stderr()), clean_text);
    let mut out = Vec::new();
    for line in lines {
        write_line(&mut out, &without_commands(line))?;
    }
    anstream::stderr().lock().write_all(&out)
}

/// Returns how a terminal shows a tone.
fn ansi_style(tone: Tone) -> Style {
    let color = |color: AnsiColor| Style::new().fg_color(Some(Color::Ansi(color)));
    match tone {
        Tone::Plain => Style::new(),
        Tone::Head => Style::new().bold(),
        Tone::Active => color(AnsiColor::Cyan),
        Tone::Good => color(AnsiColor::Green),
        Tone::Warning => color(AnsiColor::Yellow),
        Tone::Error => color(AnsiColor::Red),
        Tone::Faint => Style::new().dimmed(),
    }
}

/// Writes a line that was cleaned, so that only the escape sequences of its tones are in it.
fn write_line(out: &mut impl Write, line: &Line) -> io::Result<()> {
    for span in &line.spans {
        let style = ansi_style(span.tone);
        write!(out, "{style}{}{style:#}", span.text)?;
    }
    writeln!(out)
}

/// Renders the lines of an output.
fn render_output(output: &Output) -> io::Result<Vec<u8>> {
    let lines = output.text.lay_out(Screen::of(&io::stdout()), clean_text);
    // The content of a file keeps its lines, however long they are.
    let verbatim = output.verbatim.iter().flat_map(|content| content.lines());
    let verbatim = verbatim.map(|line| Line::from(clean_text(line)));
    let mut page = Vec::new();
    for line in lines.into_iter().chain(verbatim) {
        let line = if output.has_runner_commands { line } else { without_commands(line) };
        write_line(&mut page, &line)?;
    }
    Ok(page)
}

/// Keeps a clean line from being taken for a workflow command.
fn without_commands(line: Line) -> Line {
    match without_runner_commands(&line.to_text()) {
        Cow::Borrowed(_) => line,
        Cow::Owned(clean) => Line::from(clean),
    }
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
    out: anstream::AutoStream<io::StdoutLock<'static>>,
    screen: Screen,
    json: bool,
}

impl OutputStream {
    pub(crate) fn new(json: bool) -> Self {
        let screen = Screen::of(&io::stdout());
        Self { out: anstream::stdout().lock(), screen, json }
    }

    /// Prints one item: a JSON object on a line, or text for a person.
    pub(crate) fn print_item(
        &mut self,
        object: impl FnOnce() -> Value,
        text: impl FnOnce() -> Page,
    ) -> io::Result<()> {
        if self.json {
            write_redacted_json(&mut self.out, &object())?;
            writeln!(self.out)?;
        } else {
            let lines = text().lay_out(self.screen, clean_text);
            for line in lines {
                write_line(&mut self.out, &without_commands(line))?;
            }
        }
        self.out.flush()
    }
}

/// Returns stdout for an export, in which nothing is left that acts on a terminal.
pub(crate) fn open_raw_output() -> impl Write {
    io::stdout().lock()
}

/// Returns stdout for drawing a screen, whose texts are cleaned where it is drawn.
pub(crate) fn open_screen() -> io::BufWriter<io::Stdout> {
    io::BufWriter::new(io::stdout())
}

/// Tells whether what goes to stdout is seen at once.
pub(crate) fn shows_output() -> bool {
    io::stdout().is_terminal()
}

/// Tells whether stdout shows colours and the environment wants them.
pub(crate) fn shows_colors() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

/// Prints a line about the progress of a command on stderr.
pub(crate) fn print_status(line: &str) {
    // A closed stderr is ignored.
    let _ = write_to_stderr(&Page::from(vec![line]));
}

/// Prints help or an error message of the argument parser, which breaks only the help.
pub(crate) fn print_usage(error: &clap::Error) {
    // A closed pipe is ignored.
    let _ = if error.use_stderr() {
        let text = error.render().to_string();
        let lines = text.lines().map(|line| match line.strip_prefix("error:") {
            Some(rest) => Line::new(Tone::Error, "error:").and(rest),
            None => Line::from(line),
        });
        write_to_stderr(&Page::from(lines.collect::<Vec<_>>()))
    } else {
        error.print()
    };
}

/// Returns the exit code after printing. A closed pipe is no error; other write errors are, and said.
fn to_exit_code(written: io::Result<()>, code: u8) -> ExitCode {
    match written {
        Ok(()) => ExitCode::from(code),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(code),
        Err(error) => {
            print_status(&format!("the output could not be written: {error}"));
            ExitCode::from(UNABLE)
        }
    }
}
