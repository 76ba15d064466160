//! Fences of code, in which a heading is none.

/// What is open at a line.
#[derive(Debug, Default)]
pub(super) struct Fence {
    /// Character and length of the mark that opened.
    open: Option<(u8, usize)>,
}

impl Fence {
    /// Tells whether the lines at this place are code.
    pub(super) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Reads a line, and tells whether it opens or closes.
    pub(super) fn turns_at(&mut self, line: &[u8]) -> bool {
        let indent = line.iter().take_while(|byte| **byte == b' ').count();
        let rest = line.get(indent..).unwrap_or_default();
        let Some(&mark) = rest.first().filter(|byte| b"`~".contains(byte)) else {
            return false;
        };
        let length = rest.iter().take_while(|byte| **byte == mark).count();
        let after = rest.get(length..).unwrap_or_default();
        if indent > 3 || length < 3 {
            return false;
        }
        let turns = match self.open {
            // Backticks behind backticks are a span within a line.
            None => mark == b'~' || !after.contains(&b'`'),
            Some((opened, least)) => {
                mark == opened && length >= least && after.trim_ascii().is_empty()
            }
        };
        if turns {
            self.open = self.open.is_none().then_some((mark, length));
        }
        turns
    }
}
