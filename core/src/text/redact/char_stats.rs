//! Counts of the characters of a value.

/// How many bytes of a value are read.
const MAX_BYTES_READ: usize = 160;

/// Counts of the characters of a value.
#[derive(Debug, Default)]
pub(super) struct CharStats {
    pub(super) lower: usize,
    pub(super) upper: usize,
    pub(super) digits: usize,
    pub(super) symbols: usize,
    /// Symbols that are neither first nor last.
    pub(super) inner_symbols: usize,
    /// Changes between letters and digits, and from a small letter to a capital.
    pub(super) changes: usize,
    /// Changes from a small letter to a capital.
    pub(super) humps: usize,
}

impl CharStats {
    pub(super) fn from_value(value: &str) -> Self {
        let mut signs = Self::default();
        let mut last = None;
        let end = value.len().saturating_sub(1);
        for (at, byte) in value.bytes().enumerate() {
            let kind = match byte {
                b'a'..=b'z' => b'a',
                b'A'..=b'Z' => b'A',
                b'0'..=b'9' => b'0',
                _ => b'-',
            };
            match kind {
                b'a' => signs.lower += 1,
                b'A' => signs.upper += 1,
                b'0' => signs.digits += 1,
                _ => {
                    signs.symbols += 1;
                    signs.inner_symbols += usize::from(at > 0 && at < end);
                }
            }
            match (last, kind) {
                (Some(b'a'), b'A') => {
                    signs.changes += 1;
                    signs.humps += 1;
                }
                (Some(b'a' | b'A'), b'0') | (Some(b'0'), b'a' | b'A') => signs.changes += 1,
                _ => {}
            }
            last = Some(kind);
        }
        signs
    }

    pub(super) const fn letters(&self) -> usize {
        self.lower + self.upper
    }

    pub(super) const fn is_mixed(&self) -> bool {
        self.lower > 0 && self.upper > 0 && self.lower + self.upper >= 6
    }

    /// Random text changes its kind of character about every third place; words with numbers, in
    /// camel case or not, change far less often.
    pub(super) const fn changes_often(&self) -> bool {
        let length = self.lower + self.upper + self.digits;
        let one_case = self.lower == 0 || self.upper == 0;
        self.changes * 100 >= length * if one_case { 18 } else { 21 }
    }
}

/// Returns the entropy of a value in bits per byte.
pub(super) fn bits_per_byte(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let total = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    let share = |count: u32| f64::from(count) / total;
    let bits = counts.into_iter().filter(|count| *count > 0).map(share);
    -bits.map(|share| share * share.log2()).sum::<f64>()
}

/// Returns the part of a value that is read.
pub(super) fn value_head(value: &str) -> &str {
    value.get(..value.floor_char_boundary(MAX_BYTES_READ)).unwrap_or(value)
}
