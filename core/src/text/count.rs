//! Numbers of things, as people say them.

/// Says how many there are: `1 task`, `2 tasks`.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        for (count, said) in [(0, "0 boxes"), (1, "1 box"), (2, "2 boxes")] {
            assert_eq!(counted(count, "box", "boxes"), said);
        }
    }
}
