//! The ids of workplans and their tasks.
//!
//! The id of a workplan is `PREFIX-WP-NNNN` or `ADHOC-YYYY-MM-DD`; that of a task adds `-Tnn`.
//! Older files use `T01` or `T-01` for a task, which is scoped by the workplan of the file.

use crate::model::ItemKey;

/// What is wrong with an id, as text for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InvalidId(pub(super) String);

fn invalid_id(text: &str, shape: &str) -> InvalidId {
    let text: String = text.chars().take(60).collect();
    InvalidId(format!("{text:?} does not match the pattern {shape}"))
}

/// Parses the id of a workplan.
pub(super) fn parse_workplan_id(text: &str) -> Result<ItemKey, InvalidId> {
    let refused = || invalid_id(text, "PREFIX-WP-NNNN or ADHOC-YYYY-MM-DD");
    if !is_numbered(text) && !is_dated(text) {
        return Err(refused());
    }
    text.parse().map_err(|_| refused())
}

/// Matches `CUST-WP-0026`: words of letters and digits, `WP`, and a number.
fn is_numbered(text: &str) -> bool {
    let Some((prefix, number)) = text.rsplit_once("-WP-") else {
        return false;
    };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric());
    prefix.starts_with(|c: char| c.is_ascii_alphabetic())
        && prefix.split('-').all(is_word)
        && is_number(number)
}

/// Matches `ADHOC-2026-03-21`.
fn is_dated(text: &str) -> bool {
    let date = text.strip_prefix("ADHOC-");
    let parts: Vec<&str> = date.into_iter().flat_map(|date| date.split('-')).collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [4, 2, 2] && parts.iter().all(|part| is_number(part))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Parses the id of a task in the file of a workplan, short or whole.
pub(super) fn parse_task_id(text: &str, workplan: &ItemKey) -> Result<ItemKey, InvalidId> {
    let refused = || invalid_id(text, &format!("{workplan}-Tnn or Tnn"));
    // T01, T-01
    let bare = text.strip_prefix('T').map(|n| n.strip_prefix('-').unwrap_or(n));
    if let Some(number) = bare.filter(|number| is_number(number)) {
        return format!("{workplan}-T{number}").parse().map_err(|_| refused());
    }
    let (of, number) = text.rsplit_once("-T").ok_or_else(refused)?;
    if !is_number(number) {
        return Err(refused());
    }
    if of != workplan.as_str() {
        return Err(InvalidId(format!("{text:?} belongs to another workplan, not {workplan}")));
    }
    text.parse().map_err(|_| refused())
}

/// Returns the workplan part of the id of a task.
pub(super) fn workplan_of_task(task: &ItemKey) -> Option<&str> {
    let (workplan, _) = task.as_str().rsplit_once("-T")?;
    Some(workplan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workplans_are_numbered_or_dated() {
        for good in ["CUST-WP-0026", "A-WP-1", "net-kingdom2-WP-12345", "ADHOC-2026-03-21"] {
            assert_eq!(parse_workplan_id(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "CUST-0026",
            "CUST-WP-",
            "CUST-WP-12a",
            "-WP-1",
            "1A-WP-2",
            "A--B-WP-1",
            "CUST WP-1",
            "ADHOC-2026-3-21",
            "ADHOC-2026-03-21-1",
            "CUST-WP-0026-T01",
            "../WP-1",
        ] {
            assert!(parse_workplan_id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bare_id_is_scoped_by_its_file() {
        let plan = parse_workplan_id("CUST-WP-0026").unwrap();
        for (text, key) in [
            ("CUST-WP-0026-T01", "CUST-WP-0026-T01"),
            ("T01", "CUST-WP-0026-T01"),
            ("T-01", "CUST-WP-0026-T01"),
            ("T7", "CUST-WP-0026-T7"),
        ] {
            assert_eq!(parse_task_id(text, &plan).unwrap().as_str(), key, "{text}");
        }
        for bad in ["", "T", "T-", "01", "t01", "T1x", "CUST-WP-0026-01", "CUST-WP-0026-T"] {
            assert!(parse_task_id(bad, &plan).is_err(), "{bad}");
        }
        let InvalidId(stranger) = parse_task_id("CUST-WP-0027-T01", &plan).unwrap_err();
        assert!(stranger.contains("another workplan"), "{stranger}");
        let adhoc = parse_workplan_id("ADHOC-2026-03-21").unwrap();
        assert_eq!(parse_task_id("T02", &adhoc).unwrap().as_str(), "ADHOC-2026-03-21-T02");
    }
}
