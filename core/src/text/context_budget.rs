//! A budget for what a model is told: the client cuts longer context silently.

/// Most characters of one emission. The client replaces more than 10,000 by a preview.
pub const CONTEXT_LIMIT: usize = crate::bounds::MESSAGE.len();

/// Room kept for saying what was left out.
const NOTICE_CHARS: usize = 120;

/// Packs parts in order of importance and says what did not fit.
#[derive(Debug)]
pub struct ContextPacker {
    limit: usize,
    used: usize,
    parts: Vec<String>,
    left_out: Vec<&'static str>,
}

impl ContextPacker {
    /// Makes a packer for at most `limit` characters.
    pub const fn new(limit: usize) -> Self {
        Self {
            limit,
            used: 0,
            parts: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Adds a part, the most important first; `name` is how its absence is announced.
    pub fn add_part(&mut self, name: &'static str, part: String) {
        let size = part.chars().count() + 1;
        if part.is_empty() {
        } else if self.used + size + NOTICE_CHARS <= self.limit {
            self.used += size;
            self.parts.push(part);
        } else {
            self.left_out.push(name);
        }
    }

    /// Returns the text.
    pub fn finish(mut self) -> String {
        if !self.left_out.is_empty() {
            self.parts.push(format!(
                "(omitted for length: {})",
                self.left_out.join(", ")
            ));
        }
        self.parts.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_announced_and_the_limit_holds() {
        let mut packer = ContextPacker::new(200);
        packer.add_part("state", "x".repeat(50));
        packer.add_part("history", "y".repeat(100));
        packer.add_part("next step", "run this".to_owned());
        let text = packer.finish();
        assert!(text.chars().count() <= 200);
        assert!(text.contains("run this") && text.contains("omitted for length: history"));
    }
}
