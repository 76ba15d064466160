//! Printing what a command of the hub answers. No other module writes to stdout or stderr, so that
//! every line is cleaned.

use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::{Value as Json, json};
use trueup_core::text::one_line;
use trueup_core::text::redact::redact;

use crate::failure::Failure;

/// Longest line, in characters.
const MAX_LINE_CHARS: usize = 2_000;

/// Prints a line of the answer. A reader that is gone is no failure of the command.
pub(crate) fn print_line(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{}", one_line(line, MAX_LINE_CHARS));
}

/// Prints the answer as one JSON object.
pub(crate) fn print_json(value: &Json) {
    let _ = writeln!(io::stdout().lock(), "{value}");
}

/// Prints a secret that its owner asked for, as it is.
pub(crate) fn print_secret(secret: &str) {
    let _ = writeln!(io::stdout().lock(), "{secret}");
}

/// Prints a diagnostic.
pub(crate) fn print_diagnostic(line: &str) {
    let line = one_line(&redact(line).text, MAX_LINE_CHARS);
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Prints a failure, for a script as one JSON object as well; returns its exit code.
pub(crate) fn print_failure(failure: &Failure, json: bool) -> ExitCode {
    let Failure { exit, code, message, hint } = failure;
    if json {
        let error = json!({ "code": code, "message": redact(message).text, "hint": hint });
        print_json(&json!({ "ok": false, "error": error }));
    }
    print_diagnostic(&format!("trueup-hub: {message}"));
    if let Some(hint) = hint {
        print_diagnostic(&format!("hint: {hint}"));
    }
    ExitCode::from(*exit)
}
