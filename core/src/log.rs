//! The log: JSON lines in a file of limited size, for details that do not fit into one line to the
//! user.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde_json::json;

use crate::bounds::{LOG, LOG_LINE};
use crate::fs::open_to_append;
use crate::model::Timestamp;
use crate::text::one_line;
use crate::text::redact::redact;

/// The severity of a log line, and the filter for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Nothing is logged.
    Off,
    /// Failures.
    Error,
    /// Problems that were worked around.
    Warn,
    /// What was done.
    Info,
    /// Everything.
    Debug,
}

impl LogLevel {
    /// Parses a filter; `None` if it is unknown.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "off" | "none" => Some(Self::Off),
            "error" => Some(Self::Error),
            "warn" | "warning" => Some(Self::Warn),
            "info" => Some(Self::Info),
            "debug" | "trace" => Some(Self::Debug),
            _ => None,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// Appends a line if the filter permits. A failure is ignored, because there is nobody left to
/// report it to.
pub fn append_log_line(
    path: &Path,
    filter: LogLevel,
    level: LogLevel,
    at: Timestamp,
    source: &str,
    message: &str,
) {
    if level > filter || level == LogLevel::Off {
        return;
    }
    if fs::symlink_metadata(path).is_ok_and(|data| data.len() > LOG.most) {
        // If two processes rename at once, the second moves a young file and loses little.
        let _ = fs::rename(path, path.with_extension("log.1"));
    }
    let line = json!({
        "at": at, "level": level.as_str(), "source": source, "pid": std::process::id(),
        "message": redact(&one_line(message, LOG_LINE.len())).text,
    });
    if let Ok(mut file) = open_to_append(path) {
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_pass_the_filter_and_the_file_is_capped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.log");
        let at = Timestamp::from_millis(0);
        append_log_line(&path, LogLevel::Warn, LogLevel::Info, at, "x", "not this");
        append_log_line(&path, LogLevel::Warn, LogLevel::Error, at, "x", "this\u{1b}[31m");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert!(text.contains("\"this\""), "{text}");
        fs::OpenOptions::new().append(true).open(&path).unwrap().set_len(LOG.most + 1).unwrap();
        append_log_line(&path, LogLevel::Warn, LogLevel::Error, at, "x", "after");
        assert!(fs::metadata(&path).unwrap().len() < 1000);
        assert!(path.with_extension("log.1").exists());
    }
}
