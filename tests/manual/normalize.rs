//! Replaces what differs between two runs: times, durations, ids, digests, processes.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

use super::page::join_lines;

/// What is replaced, in this order.
static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let rules = [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
        (r"\d{8}T\d{9}Z", "TIME"),
        (r"\btuh_[A-Za-z0-9_…-]+", "TOKEN"),
        (r"\b(h|j|orch)-[0-9a-f]{10,}", "$1-HEX"),
        (r"\b(lineage|committed) [0-9a-f]{8,10}\b", "$1 HEX"),
        (r"\b\d+ events? in the last minute", "EVENTS in the last minute"),
        (r"\b(process|pid) \d+", "$1 PID"),
        (r"\b\d+(\.\d+)? ?(ms|s|min|h|d|bytes|GiB|MiB|KiB|kB)\b", "AMOUNT"),
        (r"\bgit version [0-9.]+", "git version VERSION"),
    ];
    rules.map(|(rule, text)| (Regex::new(rule).unwrap(), text)).into()
});

/// Digests, commits and the random part of ids.
static HEX: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9a-f]{7,}\b").unwrap());

/// Returns a text without what differs between two runs.
pub(crate) fn normalize(text: &str) -> String {
    let replace = |text: String, (rule, by): &(Regex, &str)| rule.replace_all(&text, *by).into();
    let text = RULES.iter().fold(text.to_owned(), replace);
    // A word without a digit, such as "defaced", is a word.
    let without_hex = |found: &Captures<'_>| match &found[0] {
        hex if hex.contains(|c: char| c.is_ascii_digit()) => "HEX".to_owned(),
        word => word.to_owned(),
    };
    let text = HEX.replace_all(&text, without_hex);
    join_lines(text.lines().map(str::trim_end))
}

/// Returns whether a text is as expected. A line `…` of the expectation stands for any lines.
pub(crate) fn matches_expected(actual: &str, expected: &str) -> bool {
    let (actual, expected) = (normalize(actual), normalize(expected));
    let actual: Vec<&str> = actual.lines().collect();
    let expected: Vec<&str> = expected.lines().collect();
    matches_lines(&actual, &expected)
}

fn matches_lines(actual: &[&str], expected: &[&str]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((&"…", rest)) => {
            (0..=actual.len()).any(|skipped| matches_lines(&actual[skipped..], rest))
        }
        Some((line, rest)) => actual
            .split_first()
            .is_some_and(|(first, others)| first == line && matches_lines(others, rest)),
    }
}

#[test]
fn what_differs_between_runs_is_replaced_and_nothing_else() {
    let printed = "claim: SD-1 is held by 7c9e6679-7425-40de-944b-e07fc1f90ae7 on laptop since \
                   2026-11-30T06:42:59.771Z (process 4242 is running), h-fb2a3626ca, 0a953fd63a, 1.1 ms";
    let expected = "claim: SD-1 is held by UUID on laptop since TIME (process PID is running), \
                    h-HEX, HEX, AMOUNT\n";
    assert_eq!(normalize(printed), expected);
    assert_eq!(
        normalize("SD-002B added facade by defaced 33 of 100"),
        "SD-002B added facade by defaced 33 of 100\n"
    );
}

#[test]
fn an_ellipsis_stands_for_any_lines() {
    assert!(matches_expected("a\nb\nc\n", "a\n…\nc\n"));
    assert!(matches_expected("a\nc\n", "a\n…\nc\n"));
    assert!(!matches_expected("a\nb\n", "a\n…\nc\n"));
    assert!(!matches_expected("a\nb\n", "a\n"));
}
