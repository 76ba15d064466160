//! Rows in the text format of `COPY`.

use trueup_core::store::StoreError;
use trueup_core::store::sql::transfer::{RowValue, TransferTable};

/// Appends a row with its line end.
///
/// # Errors
///
/// When a text holds a NUL, which PostgreSQL cannot store.
pub(super) fn push_row(
    table: &TransferTable,
    row: &[RowValue],
    out: &mut Vec<u8>,
) -> Result<(), StoreError> {
    for (place, value) in row.iter().enumerate() {
        if place > 0 {
            out.push(b'\t');
        }
        match value {
            RowValue::Null => out.extend_from_slice(b"\\N"),
            RowValue::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
            RowValue::Text(text) => push_text(table, text, out)?,
        }
    }
    out.push(b'\n');
    Ok(())
}

fn push_text(table: &TransferTable, text: &str, out: &mut Vec<u8>) -> Result<(), StoreError> {
    for byte in text.bytes() {
        let escape = match byte {
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0 => {
                let name = table.name();
                let problem =
                    format!("a text of {name} has a NUL character, which PostgreSQL cannot store");
                return Err(StoreError::denied(problem));
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', escape]);
    }
    Ok(())
}

/// Parses a row without its line end.
///
/// # Errors
///
/// When a value is none of its column.
pub(super) fn parse_row(table: &TransferTable, line: &[u8]) -> Result<Vec<RowValue>, StoreError> {
    let mut fields = line.split(|byte| *byte == b'\t');
    let mut row = Vec::with_capacity(table.columns().len());
    for column in table.columns() {
        let field = fields.next().ok_or_else(|| StoreError::unreadable(&"a value is missing"))?;
        row.push(if field == b"\\N" {
            RowValue::Null
        } else {
            let text = String::from_utf8(unescape(field))
                .map_err(|error| StoreError::unreadable(&error))?;
            RowValue::from_text(&text, column.kind)?
        });
    }
    Ok(row)
}

fn unescape(field: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(field.len());
    let mut bytes = field.iter();
    while let Some(byte) = bytes.next() {
        text.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'b') => 0x08,
                Some(b'f') => 0x0c,
                Some(b'v') => 0x0b,
                Some(other) => *other,
                None => b'\\',
            },
            other => *other,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use trueup_core::store::sql::transfer::TRANSFER_TABLES;

    fn session_tasks() -> &'static TransferTable {
        TRANSFER_TABLES.iter().find(|table| table.name() == "session_tasks").unwrap()
    }

    #[test]
    fn every_text_comes_back() {
        let texts = ["", "\\N", "a\tb\nc\rd\\", "\u{8}\u{b}\u{c}", "\\x41 é \u{1f600}"];
        for text in texts {
            let row = [text, "2", text].map(|text| RowValue::Text(text.to_owned()));
            let mut line = Vec::new();
            push_row(session_tasks(), &row, &mut line).unwrap();
            assert_eq!(line.pop(), Some(b'\n'));
            assert!(!line.contains(&b'\n'));
            assert_eq!(parse_row(session_tasks(), &line).unwrap(), row);
        }
    }

    #[test]
    fn a_nul_is_refused() {
        let row = [RowValue::Text("a\0".to_owned())];
        let error = push_row(session_tasks(), &row, &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("session_tasks"), "{error}");
    }
}
