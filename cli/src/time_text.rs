//! Times for a person: how long ago, or exactly.

use clap::ValueEnum;
use trueup_core::model::Timestamp;

/// How times are written in text; JSON always has them exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum TimesChoice {
    /// Relative on a terminal, exact elsewhere
    #[default]
    Auto,
    /// Such as `3 min ago`
    Relative,
    /// Such as `2026-02-02T03:00:00.000Z`
    Exact,
}

/// Writes times as seen from now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeText {
    now: Timestamp,
    is_relative: bool,
}

impl TimeText {
    /// Takes the choice of the user; `is_seen` tells whether a person reads along on a terminal.
    pub(crate) fn new(choice: TimesChoice, is_seen: bool, now: Timestamp) -> Self {
        let is_relative = match choice {
            TimesChoice::Auto => is_seen,
            TimesChoice::Relative => true,
            TimesChoice::Exact => false,
        };
        Self { now, is_relative }
    }

    /// Writes a time.
    pub(crate) fn render(&self, time: Timestamp) -> String {
        if self.is_relative { render_relative(self.now, time) } else { time.to_string() }
    }

    /// Returns the time from which others are seen.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// Tells whether times are written as seen from now.
    pub(crate) const fn is_relative(&self) -> bool {
        self.is_relative
    }
}

/// Seconds of units, the longest of which is used first.
const UNITS: [(u64, &str, &str); 4] =
    [(86_400, "day", "days"), (3_600, "h", "h"), (60, "min", "min"), (1, "s", "s")];

/// Seconds after which the date says more than the number of days.
const DATE_AFTER_SECONDS: u64 = 60 * 86_400;

/// Seconds that are not worth a number: clocks of two machines differ by as much.
const MOMENT_SECONDS: u64 = 2;

/// Writes how long ago a time is, or how far ahead.
fn render_relative(now: Timestamp, time: Timestamp) -> String {
    let (past, ahead) = (now.seconds_since(time), time.seconds_since(now));
    let seconds = past.max(ahead);
    if seconds < MOMENT_SECONDS {
        return "just now".to_owned();
    }
    if seconds > DATE_AFTER_SECONDS {
        return time.to_string().chars().take_while(|c| *c != 'T').collect();
    }
    let length = render_length(seconds);
    if ahead > 0 { format!("in {length}") } else { format!("{length} ago") }
}

/// Writes a length of time in its longest unit.
fn render_length(seconds: u64) -> String {
    let unit = UNITS.into_iter().find(|(length, ..)| seconds >= *length);
    let (length, one, many) = unit.unwrap_or((1, "s", "s"));
    let count = seconds / length;
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_its_longest_unit() {
        let now = Timestamp::from_millis(1_770_000_000_000);
        let at = |seconds: i64| Timestamp::from_millis(now.as_millis() + seconds * 1_000);
        for (seconds, expected) in [
            (0, "just now"),
            (1, "just now"),
            (-41, "41 s ago"),
            (-180, "3 min ago"),
            (-7_300, "2 h ago"),
            (-86_400, "1 day ago"),
            (-9 * 86_400, "9 days ago"),
            (-100 * 86_400, "2025-10-25"),
            (90, "in 1 min"),
        ] {
            let text = TimeText { now, is_relative: true }.render(at(seconds));
            assert_eq!(text, expected);
            let exact = TimeText { now, is_relative: false }.render(at(seconds));
            assert_eq!(exact, at(seconds).to_string());
        }
    }
}
