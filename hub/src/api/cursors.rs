//! Cursors of lists that are in the order of a key.

use crate::problem::HubError;

/// Longest key, in characters.
const MAX_KEY_CHARS: usize = 200;

/// The cursors of one list: its name, and the key behind which a page begins in hexadecimal digits.
/// So one of another list is refused, and so is what a client made up of a key that it saw.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursors {
    list: &'static str,
}

impl Cursors {
    /// The cursors of the list of this name.
    pub(super) const fn of(list: &'static str) -> Self {
        Self { list }
    }

    /// Writes the cursor behind a key, which is plain ASCII as every key is.
    pub(super) fn write(self, key: &str) -> String {
        use std::fmt::Write as _;

        let mut cursor = format!("{}-", self.list);
        for byte in key.bytes() {
            // Writing to a text cannot fail.
            let _ = write!(cursor, "{byte:02x}");
        }
        cursor
    }

    /// Parses a cursor; returns the key behind which the page begins. None is the begin of the list.
    pub(super) fn parse(self, cursor: Option<&str>) -> Result<Option<String>, HubError> {
        let bad = || {
            let list = self.list;
            HubError::bad_request("bad_cursor", format!("this is no cursor of the list of {list}"))
        };
        cursor.map(|text| self.read(text).ok_or_else(bad)).transpose()
    }

    fn read(self, text: &str) -> Option<String> {
        let digits = text.strip_prefix(self.list)?.strip_prefix('-')?.as_bytes();
        if !(1..=MAX_KEY_CHARS).contains(&digits.len().div_ceil(2)) {
            return None;
        }
        digits.chunks(2).map(parse_ascii).collect()
    }

    /// The pattern of these cursors, which the document has in words of its own.
    #[cfg(test)]
    pub(super) fn pattern(self) -> String {
        format!("^{}-([2-7][0-9a-f]){{1,{MAX_KEY_CHARS}}}$", self.list)
    }
}

/// Parses two digits of a character that is not a control character.
fn parse_ascii(digits: &[u8]) -> Option<char> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    match digits {
        [high @ b'2'..=b'7', low] => Some(char::from(value(*high)? << 4 | value(*low)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEMS: Cursors = Cursors::of("items");

    #[test]
    fn a_cursor_leads_back_to_its_key() {
        for key in ["A", "a:b#1._-", "zzz", &"x".repeat(200)] {
            let cursor = ITEMS.write(key);
            assert_eq!(ITEMS.parse(Some(&cursor)).unwrap().as_deref(), Some(key));
        }
        assert_eq!(ITEMS.parse(None).unwrap(), None);
    }

    #[test]
    fn what_is_no_cursor_of_the_list_is_refused() {
        let too_long = ITEMS.write(&"x".repeat(201));
        for text in [
            "",
            "zzz",
            "ITEM-1",
            "items",
            "items-",
            "items-4",
            "items-414",
            "items-4G",
            "items-4A",
            "items-1f",
            "items-80",
            "items-+1",
            "items-é",
            &Cursors::of("plans").write("A"),
            &too_long,
        ] {
            let error = ITEMS.parse(Some(text)).unwrap_err();
            assert_eq!(error.code(), "bad_cursor", "{text:?}");
        }
    }
}
