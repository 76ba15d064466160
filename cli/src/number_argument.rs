//! Whole numbers on the command line, with errors in the words of a person.

use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;

/// Parses a whole number.
pub(crate) fn parse_whole_number<T: FromStr<Err = ParseIntError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: ParseIntError| {
        let is_negative =
            text.strip_prefix('-').is_some_and(|digits| digits.parse::<u64>().is_ok());
        match error.kind() {
            IntErrorKind::PosOverflow => "too large",
            IntErrorKind::NegOverflow => "too small",
            _ if is_negative => "must not be negative",
            _ => "not a whole number",
        }
        .to_owned()
    })
}

/// Parses a whole number that is not negative, for a column that could hold a negative one.
pub(crate) fn parse_natural(text: &str) -> Result<i64, String> {
    let number: u64 = parse_whole_number(text)?;
    i64::try_from(number).map_err(|_| "too large".to_owned())
}

/// Parses a count of at least 1.
pub(crate) fn parse_count(text: &str) -> Result<usize, String> {
    match parse_whole_number(text)? {
        0 => Err("must be at least 1".to_owned()),
        count => Ok(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_number_is_named() {
        assert_eq!(parse_whole_number::<i64>("-3"), Ok(-3));
        for (text, problem) in [
            ("abc", "not a whole number"),
            ("", "not a whole number"),
            ("1.5", "not a whole number"),
            ("-1", "must not be negative"),
            ("99999999999", "too large"),
        ] {
            assert_eq!(parse_whole_number::<u32>(text), Err(problem.to_owned()), "{text:?}");
        }
        assert_eq!(parse_count("0"), Err("must be at least 1".to_owned()));
        assert_eq!(parse_count("2"), Ok(2));
        assert_eq!(parse_natural("7"), Ok(7));
        assert_eq!(parse_natural("-7"), Err("must not be negative".to_owned()));
        assert_eq!(parse_natural("9223372036854775808"), Err("too large".to_owned()));
    }
}
