//! Branches of the wild, and what of them may be an item.

use proptest::prelude::*;

use super::*;
use crate::diagnostic::{Advice, AdviceKind};

/// Returns the item a branch names, where these items are known, as the database finds them.
fn find_named_item(branch: &str, held: &str, known: &str, pattern: Option<&str>) -> Option<String> {
    let pattern = pattern.map(|text| BranchPattern::new(text).unwrap());
    let candidates = list_key_candidates(branch, pattern.as_ref());
    let is_candidate = |key: &&str| candidates.iter().any(|part| part.eq_ignore_ascii_case(key));
    let known: Vec<String> =
        known.split_whitespace().filter(is_candidate).map(str::to_owned).collect();
    find_other_item(branch, held, &known)
}

#[test]
fn only_known_items_are_named() {
    for (branch, known, expected) in [
        ("feat/SD-002B-x", "SD-002B", Some("SD-002B")),
        ("feat/sd-002b-sync", "SD-002B", Some("SD-002B")),
        ("feat/add-sd-002b-sync", "SD-002B", Some("SD-002B")),
        ("Sd-002B", "sd-002b", Some("sd-002b")),
        ("feat/SD-002B-x", "", None),
        ("feat/UTF-8", "SD-002B", None),
        ("fix/SHA-256-sums", "SD-002B", None),
        ("CVE-2026-1234", "SD-002B CVE", Some("CVE")),
        ("release/RC-1", "SD-002B", None),
        ("feat/UTF-8-in-SD-002B", "SD-002B", Some("SD-002B")),
        ("feat/SD-002C-x", "SD-002B", None),
        ("feat/sd-002c", "SD-002B", None),
        ("SD-002B-after-SD-002C", "SD-002B", None),
        (
            "feat/SD-LEO-SELF-IMPROVE-002D",
            "SD-LEO-SELF-IMPROVE-002D",
            Some("SD-LEO-SELF-IMPROVE-002D"),
        ),
        (
            "feat/x-SD-LEO-SELF-IMPROVE-002D-y",
            "SD-LEO-SELF-IMPROVE-002D",
            Some("SD-LEO-SELF-IMPROVE-002D"),
        ),
        ("SD-002", "SD-002 SD-002B", Some("SD-002")),
        ("feat/SD-002BX", "SD-002B SD-002", None),
        ("feat/SD-002-B", "SD-002 SD-002-B", Some("SD-002-B")),
        ("feat/x-SD-002-B1", "SD-002 SD-002-B1", Some("SD-002-B1")),
        ("main", "main", None),
        ("feat/login-page", "login", Some("login")),
        ("feat/login-page", "page", None),
        ("feat/login_page.v2", "login_page.v2", Some("login_page.v2")),
        ("fix/170-x", "170", Some("170")),
        ("fix/#170-x", "#170", Some("#170")),
        ("fix/x-170", "170", None),
        ("worktree-agent-a1b2c3", "SD-002B", None),
        ("feat/app.SD-9#2", "app.SD-9#2", Some("app.SD-9#2")),
        ("a/b/c/SD-9/d", "SD-9", Some("SD-9")),
        ("---///", "SD-9", None),
        ("", "SD-9", None),
        ("fonctionnalit\u{e9}-SD-9", "SD-9", Some("SD-9")),
    ] {
        let found = find_named_item(branch, "SD-002C", known, None);
        assert_eq!(found.as_deref(), expected, "{branch} where {known} is known");
    }
    assert_eq!(find_named_item("feat/PROJ-12-2024", "PROJ-12", "PROJ-12-2024", None), None);
}

#[test]
fn keys_found_by_a_pattern_must_exist() {
    let pattern = Some(r"issue-([0-9]+)");
    for (branch, known, expected) in [
        ("fix/issue-170-x", "170", Some("170")),
        ("fix/ISSUE-170-x", "170", Some("170")),
        ("fix/issue-170-x", "", None),
        ("fix/my-issue-170", "170", Some("170")),
        ("fix/issue-170", "171", None),
    ] {
        let found = find_named_item(branch, "SD-002C", known, pattern);
        assert_eq!(found.as_deref(), expected, "{branch} where {known} is known");
    }
    let error = BranchPattern::new("(").unwrap_err().to_string();
    assert!(error.contains("branch_pattern"), "{error}");
}

#[test]
fn the_default_pattern_finds_nothing_that_is_no_candidate() {
    let pattern = BranchPattern::new(DEFAULT_BRANCH_PATTERN).unwrap();
    for branch in ["feat/SD-002B-x", "x-SD-LEO-SELF-002C", "UTF-8", "a/RC-1/b"] {
        let found = list_key_candidates(branch, None);
        assert!(pattern.find_keys(branch).all(|item| found.contains(&item)), "{branch}");
    }
}

#[test]
fn the_way_back() {
    for (held, branches, elsewhere, expected) in [
        ("SD-002C", "main feat/SD-002C-y", "", "feat/SD-002C-y"),
        ("SD-002C", "feat/sd-002c main", "", "feat/sd-002c"),
        ("SD-002C", "feat/SD-002C-x main", "feat/SD-002C-x", "-c feat/SD-002C"),
        ("SD-002C", "feat/SD-002C main", "feat/SD-002C", "-c SD-002C"),
        ("SD-002C", "main feat", "", "-c SD-002C"),
        ("SD-002C", "feat sd-002c/x", "sd-002c/x", "-c SD-002C-2"),
        ("#12", "main", "", "-c 'feat/#12'"),
        ("SD-002C", "feat/SD-002C;x `x`/SD-002C $(SD-002C)", "", "-c feat/SD-002C"),
        ("SD-002C", "-SD-002C", "", "-c feat/SD-002C"),
        ("app:SD-1", "main", "", "--detach"),
        ("x..y", "main", "", "--detach"),
        ("x.lock", "main", "", "-c x.lock-2"),
    ] {
        let list =
            |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        let to = decide_switch_target(held, &list(branches), &list(elsewhere));
        let line = Advice::from(AdviceKind::SwitchBranch { to }).to_string();
        assert_eq!(line, format!("git switch {expected}"), "{held}: {branches}");
    }
}

proptest! {
    /// Whatever a branch is called, few parts are asked for, all of them whole words of it.
    #[test]
    fn candidates_are_bounded_parts(branch in "[a-zA-Z0-9/._#-]{0,300}") {
        let found = list_key_candidates(&branch, None);
        prop_assert!(found.len() <= MAX_CANDIDATES);
        for part in found {
            prop_assert!(!part.is_empty() && branch.contains(part));
        }
    }
}
