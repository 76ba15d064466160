//! Bytes as hexadecimal text.

/// Formats bytes as lower-case hexadecimal digits.
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|nibble| DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(digits).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_halves_of_a_byte() {
        assert_eq!(super::to_hex(&[0x00, 0x9f, 0xff]), "009fff");
    }
}
