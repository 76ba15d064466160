//! Words that differ by one slip of a finger.

/// Returns whether one letter more, less or other, or two neighbours in the wrong order, make one
/// word the other.
pub(super) fn is_one_typing_error(typed: &str, intended: &str) -> bool {
    let (typed, intended) = (typed.as_bytes(), intended.as_bytes());
    let same = typed.iter().zip(intended).take_while(|(a, b)| a == b).count();
    match (&typed[same..], &intended[same..]) {
        ([_, typed @ ..], intended) if typed == intended => true,
        (typed, [_, intended @ ..]) if typed == intended => true,
        ([a, b, typed @ ..], [c, d, intended @ ..]) if (a, b) == (d, c) => typed == intended,
        ([_, typed @ ..], [_, intended @ ..]) => typed == intended,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_told_from_another_word() {
        for (typed, expected) in [
            ("biuld", true),
            ("buid", true),
            ("builld", true),
            ("buils", true),
            ("uild", true),
            ("builds", true),
            ("build", false),
            ("bulid-it", false),
            ("biulds", false),
            ("deploy", false),
            ("", false),
        ] {
            assert_eq!(is_one_typing_error(typed, "build"), expected, "{typed}");
        }
    }
}
