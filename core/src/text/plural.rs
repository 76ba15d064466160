//! Renders counts with nouns in singular or plural.

/// Formats a count: `1 task`, `2 tasks`.
pub fn pluralize(count: usize, singular: &str, plural: &str) -> String {
    format!("{count} {}", if count == 1 { singular } else { plural })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        for (count, said) in [(0, "0 boxes"), (1, "1 box"), (2, "2 boxes")] {
            assert_eq!(pluralize(count, "box", "boxes"), said);
        }
    }
}
