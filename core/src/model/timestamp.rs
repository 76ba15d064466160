//! A point in time, in milliseconds, written as RFC 3339 in UTC.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch. Written as `2026-02-02T03:00:00.000Z`, so that texts sort
/// like times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

/// The error for a text that is not an RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time such as 2026-02-02T03:00:00Z")]
pub struct TimestampError(String);

impl Timestamp {
    /// Makes a time from milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns whole seconds from `earlier` to this time, or 0 when `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0) / 1000).unwrap_or(0)
    }

    /// Returns the time this many seconds later.
    #[must_use]
    pub fn plus_seconds(self, seconds: u64) -> Self {
        let millis = i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// Returns the time without separators, for the name of a file that is set aside.
    pub fn to_compact_text(self) -> String {
        self.to_string().chars().filter(char::is_ascii_alphanumeric).collect()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only years beyond 9999 are out of jiff's range; they are shown as a number.
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(time.as_millisecond()));
        }
        // SQLite's own functions write UTC without naming it.
        let civil: jiff::civil::DateTime =
            text.parse().map_err(|_| TimestampError(text.to_owned()))?;
        let time = civil.to_zoned(jiff::tz::TimeZone::UTC);
        time.map(|time| Self(time.timestamp().as_millisecond()))
            .map_err(|_| TimestampError(text.to_owned()))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;

    fn try_from(text: String) -> Result<Self, TimestampError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_the_seeds_form() {
        let text = "2026-02-02T03:00:00.000Z";
        assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        assert_eq!("2026-02-02T03:00:00Z".parse::<Timestamp>().unwrap().to_string(), text);
        assert_eq!(text.parse::<Timestamp>().unwrap().to_compact_text(), "20260202T030000000Z");
        assert_eq!("2026-02-02 03:00:00".parse::<Timestamp>().unwrap().to_string(), text);
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn a_time_ahead_is_no_age() {
        let early = Timestamp::from_millis(1_000);
        let late = Timestamp::from_millis(4_900);
        assert_eq!(late.seconds_since(early), 3);
        assert_eq!(early.seconds_since(late), 0);
    }
}
