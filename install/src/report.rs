//! Output for the user: progress on stderr, and a short table of what is in place on stdout.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::error::{Error, Result};
use crate::screen::Screen;
use crate::terminal_text::{clean_line, clean_lines, clean_text};

/// What stands before something for the user to do.
const HINT_MARK: &str = "-> ";

/// The state of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowState {
    /// Put in place by this run.
    Done,
    /// Was in place already.
    Same,
    /// Was checked and works.
    Fine,
    /// Left out on purpose.
    Skipped,
    /// Not in place.
    Missing,
}

impl RowState {
    /// Returns the word in the table.
    const fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Same => "unchanged",
            Self::Fine => "ok",
            Self::Skipped => "skipped",
            Self::Missing => "failed",
        }
    }
}

/// One line of the table.
#[derive(Debug)]
struct Row {
    subject: String,
    state: RowState,
    detail: String,
    hint: Option<String>,
}

/// Collects the rows and prints them.
#[derive(Debug)]
pub(crate) struct Report {
    rows: Vec<Row>,
    next_steps: &'static [&'static str],
}

impl Report {
    pub(crate) const fn new() -> Self {
        Self { rows: Vec::new(), next_steps: &[] }
    }

    /// Adds a row.
    pub(crate) fn add_row(&mut self, subject: &str, state: RowState, detail: impl Into<String>) {
        self.push_row(subject, state, &detail.into(), None);
    }

    /// Adds a row with something for the user to do.
    pub(crate) fn add_row_with_hint(
        &mut self,
        subject: &str,
        state: RowState,
        detail: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push_row(subject, state, &detail.into(), Some(&hint.into()));
    }

    /// Adds a row for a failure that does not stop the rest.
    pub(crate) fn add_failure(&mut self, subject: &str, error: &Error) {
        self.push_row(subject, RowState::Missing, &error.to_string(), Some(&error.hint()));
    }

    fn push_row(&mut self, subject: &str, state: RowState, detail: &str, hint: Option<&str>) {
        self.rows.push(Row {
            subject: subject.to_owned(),
            state,
            // Indented, so that no line of a longer text passes for a row.
            detail: clean_lines(detail, "    "),
            hint: hint.map(|hint| clean_lines(hint, "    ")),
        });
    }

    /// Sets what is printed at the end of a success: what the user does next.
    pub(crate) fn set_next_steps(&mut self, steps: &'static [&'static str]) {
        self.next_steps = steps;
    }

    /// Prints text to stdout.
    #[expect(clippy::unused_self, reason = "everything printed goes through the report")]
    pub(crate) fn print_text(&self, text: &str) {
        // A closed pipe must not undo an installation, so a failed write is ignored.
        drop(writeln!(io::stdout(), "{}", Screen::of_stdout().wrap_text(&clean_text(text))));
    }

    /// Prints one item of a list, always as one line.
    pub(crate) fn print_item(&self, text: &str) {
        self.print_text(&format!("  {}", clean_line(text)));
    }

    /// Prints what is being done now, to stderr.
    #[expect(clippy::unused_self, reason = "everything printed goes through the report")]
    pub(crate) fn print_progress(&self, text: &str) {
        let text = format!("{} …", clean_lines(text, "  "));
        drop(writeln!(io::stderr(), "{}", Screen::of_stderr().wrap_text(&text)));
    }

    /// Prints the table and returns the exit code.
    pub(crate) fn finish(self, outcome: Result<()>) -> ExitCode {
        if !self.rows.is_empty() {
            self.print_text(&self.render_table());
        }
        if let Err(error) = outcome {
            let (error, hint) = (error.to_string(), error.hint());
            let text = format!(
                "error: {}\n hint: {}",
                clean_lines(&error, "  "),
                clean_lines(&hint, "  ")
            );
            drop(writeln!(io::stderr(), "{}", Screen::of_stderr().wrap_text(&text)));
            return ExitCode::from(3);
        }
        let missing = self.rows.iter().filter(|row| row.state == RowState::Missing).count();
        if missing > 0 {
            let plural = if missing == 1 { "one step" } else { "some steps" };
            self.print_text(&format!("\nFinished, but {plural} failed: see above."));
            self.print_next_steps();
            return ExitCode::from(1);
        }
        if !self.rows.is_empty() && self.rows.iter().all(|row| row.state != RowState::Done) {
            self.print_text("\nEverything is up to date.");
        } else {
            self.print_next_steps();
        }
        ExitCode::SUCCESS
    }

    fn print_next_steps(&self) {
        if !self.next_steps.is_empty() {
            self.print_text("\nNext:");
        }
        for step in self.next_steps {
            self.print_item(step);
        }
    }

    fn render_table(&self) -> String {
        let width = self.rows.iter().map(|row| row.subject.chars().count()).max().unwrap_or(0);
        let screen = Screen::of_stdout();
        let mut text = String::new();
        for Row { subject, state, detail, hint } in &self.rows {
            let indent = format!("  {:width$}  {:9}  ", "", "");
            let hang = indent.len();
            let detail = clean_lines(detail, &indent);
            let row = format!("  {subject:width$}  {:9}  {detail}", state.label());
            for line in row.lines() {
                let _ = write!(text, "\n{}", screen.wrap_line(line, hang));
            }
            for line in hint.iter().flat_map(|hint| hint.lines()) {
                let line = format!("{indent}{HINT_MARK}{}", line.trim_start());
                let _ = write!(text, "\n{}", screen.wrap_line(&line, hang + HINT_MARK.len()));
            }
        }
        text
    }
}
