//! Bounds the context that a hook gives to a model. The client would cut a longer one silently.

/// The most characters of one output. The client replaces more than 10,000 by a preview.
pub const CONTEXT_LIMIT: usize = crate::bounds::MESSAGE.len();

/// Room for the note on what was left out.
const NOTICE_CHARS: usize = 120;

/// Collects parts by importance, and notes which ones did not fit.
#[derive(Debug)]
pub struct ContextPacker {
    limit: usize,
    used: usize,
    parts: Vec<String>,
    left_out: Vec<&'static str>,
}

impl ContextPacker {
    /// Starts with room for `limit` characters.
    pub const fn new(limit: usize) -> Self {
        Self { limit, used: 0, parts: Vec::new(), left_out: Vec::new() }
    }

    /// Adds a part, in the order of importance. `name` is how the note calls it if it does not fit.
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

    /// Returns the parts that fit, and the note.
    pub fn finish(mut self) -> String {
        if !self.left_out.is_empty() {
            self.parts.push(format!("(omitted for length: {})", self.left_out.join(", ")));
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
