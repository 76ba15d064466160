//! Durations on the command line.

use std::str::FromStr;

/// A whole number of seconds, written as `90s`, `30m`, `2h`, `1d` or `1w`, or combined as in
/// `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HumanDuration(pub(crate) u64);

impl FromStr for HumanDuration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a duration such as 90s, 30m, 1h30m or 2d");
        match parse_seconds(text) {
            Some(0) => Err("must be longer than 0".to_owned()),
            seconds => seconds.map(Self).ok_or_else(wrong),
        }
    }
}

/// Sums up the parts of a duration. Each must have a smaller unit than the one before.
fn parse_seconds(text: &str) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let (mut rest, mut seconds, mut last) = (text, 0_u64, u64::MAX);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit());
        let (count, unit) = rest.split_at(digits.unwrap_or(rest.len()));
        let letters = unit.find(|c: char| !c.is_ascii_alphabetic());
        let (unit, others) = unit.split_at(letters.unwrap_or(unit.len()));
        let factor = match unit {
            // A bare number counts as seconds, but not after other parts.
            "" if rest.len() == text.len() => 1,
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 604_800,
            _ => return None,
        };
        if factor >= last {
            return None;
        }
        let count: u64 = count.parse().ok()?;
        seconds = seconds.checked_add(count.checked_mul(factor)?)?;
        (rest, last) = (others, factor);
    }
    Some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_people() {
        for (text, seconds) in [
            ("30m", 1_800),
            ("90s", 90),
            ("45", 45),
            ("2h", 7_200),
            ("1h30m", 5_400),
            ("1w", 604_800),
            ("1d12h", 129_600),
        ] {
            assert_eq!(text.parse(), Ok(HumanDuration(seconds)), "{text}");
        }
        for text in [
            "",
            "m",
            "0m",
            "-1m",
            "1.5h",
            "1h30",
            "30m1h",
            "1h1h",
            "1h 30m",
            "h",
            "3 weeks",
            "99999999999999999999d",
        ] {
            assert!(text.parse::<HumanDuration>().is_err(), "{text}");
        }
    }
}
