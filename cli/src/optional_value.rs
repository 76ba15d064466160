//! Values on the command line that an empty text takes away.

use std::str::FromStr;

/// A new value, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OptionalValue<T> {
    /// This value.
    Set(T),
    /// The value goes.
    Unset,
}

impl<T> OptionalValue<T> {
    /// Returns the new value, if there is one.
    pub(crate) fn into_value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Unset => None,
        }
    }
}

/// Parses a value; an empty text takes it away.
pub(crate) fn parse_optional_value<T>(text: &str) -> Result<OptionalValue<T>, String>
where
    T: FromStr,
    T::Err: ToString,
{
    parse_optional_with(text, |text| text.parse().map_err(|error: T::Err| error.to_string()))
}

/// Parses a value with a parser; an empty text takes it away.
pub(crate) fn parse_optional_with<T>(
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<OptionalValue<T>, String> {
    if text.is_empty() { Ok(OptionalValue::Unset) } else { parse(text).map(OptionalValue::Set) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_text_takes_the_value_away() {
        assert_eq!(parse_optional_value::<u8>("3"), Ok(OptionalValue::Set(3)));
        assert_eq!(parse_optional_value::<u8>(""), Ok(OptionalValue::Unset));
        assert!(parse_optional_value::<u8>("x").is_err());
        let text = parse_optional_value::<String>(" ");
        assert_eq!(text.map(OptionalValue::into_value), Ok(Some(" ".to_owned())));
    }
}
