//! The search for scripts that use fields of the database, over a table of cases.

use super::Language::{Go, JavaScript, Python, Ruby, Rust, Shell};
use super::cases::{ABSENT, FALSE_ALARMS, MISSED, PRESENT};
use super::*;

fn places(language: Language, code: &str) -> Vec<(usize, &'static str, Access)> {
    let uses = find_field_uses(language, code).into_iter();
    uses.map(|found| (found.line, found.field, found.access)).collect()
}

#[test]
fn every_use_is_found_and_nothing_else() {
    for (language, code, expected) in PRESENT {
        assert_eq!(places(*language, code), *expected, "{code}");
    }
    for (language, code) in ABSENT {
        assert_eq!(places(*language, code), [], "{code}");
    }
}

/// What the documentation of the module admits.
#[test]
fn the_limits_of_the_search_are_known() {
    for (language, code) in MISSED {
        assert_eq!(places(*language, code), [], "{code}");
    }
    for (language, code, expected) in FALSE_ALARMS {
        assert_eq!(places(*language, code), *expected, "{code}");
    }
}

#[test]
fn every_expression_compiles() {
    assert!(MATCHERS.is_some());
}

#[test]
fn a_place_is_named_with_its_line_and_the_command() {
    let hits = find_field_uses(
        Python,
        "s = ADWState.load(i)\nif ü or s.get('status'):\n    s.update(error_message='x')\n",
    );
    let shown: Vec<_> =
        hits.iter().map(|hit| (hit.line, hit.column, hit.text.as_str(), hit.command())).collect();
    assert_eq!(
        shown,
        [
            (2, 9, "if ü or s.get('status'):", "trueup queue list --json"),
            (3, 5, "    s.update(error_message='x')", "trueup queue fail ID --error T"),
        ]
    );
}

#[test]
fn a_language_is_detected_by_name_or_first_line() {
    for (name, line, language) in [
        ("a.py", "", Some(Python)),
        ("b.cjs", "", Some(JavaScript)),
        ("c.tsx", "", Some(JavaScript)),
        ("ci.yml", "", Some(Shell)),
        ("Makefile", "", Some(Shell)),
        ("run", "#!/usr/bin/env python3", Some(Python)),
        ("run", "#!/bin/sh", Some(Shell)),
        ("run", "#!/usr/bin/env -S uv run", Some(Python)),
        ("notes.md", "", None),
        ("run", "", None),
    ] {
        assert_eq!(Language::detect(name, line), language, "{name} {line}");
    }
}

#[test]
fn generated_text_is_searched_quickly_and_without_a_deep_stack() {
    let nested = format!("x = adw_state;{}", "`${".repeat(5_000));
    let long = format!("adw_state = f({})", "g(h(1), \"adw_state.json\"), ".repeat(5_000));
    let open = format!("adw_state{}", "('".repeat(5_000));
    for text in [&nested, &long, &open] {
        for language in [Python, JavaScript, Ruby, Go, Rust, Shell] {
            find_field_uses(language, text);
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_searched_without_a_panic(
        code in "(state|status|adw_state.json|\\.|\\[|\\]|\\(|\\)|\\{|\\}|'|\"|=|:|,|\n| |def |with |as |for |in |jq|<<|EOF|é|\\\\){0,30}",
    ) {
        for language in [Python, JavaScript, Ruby, Go, Rust, Shell] {
            find_field_uses(language, &code);
        }
    }
}
