//! Texts of answers in which nothing differs between two databases that did the same.

use std::fmt::Debug;
use std::str::Chars;

use trueup_core::store::Result;

/// Describes an answer, whatever it is; an error as a person sees it.
pub(super) fn describe<T: Debug>(answer: Result<T>) -> String {
    match answer {
        Ok(value) => canonical_text(&format!("{value:?}")),
        Err(error) => format!("{}: {}", error.code(), canonical_text(&error.to_string())),
    }
}

/// Takes the times and the identity of the database out of a text, and orders what is between
/// braces: a database may return the keys of an object in an order of its own.
fn canonical_text(text: &str) -> String {
    let text = support::home::without_times(text);
    let own = regex_lite::Regex::new(r#"Timestamp\(-?\d+\)|Lineage\("[^"]+"\)"#).unwrap();
    let text = own.replace_all(&text, "OWN");
    order_until(&mut text.chars(), None)
}

/// Reads up to a closing bracket or the end; entries between braces are ordered.
fn order_until(rest: &mut Chars<'_>, close: Option<char>) -> String {
    let mut entries = vec![String::new()];
    while let Some(c) = rest.next() {
        let entry = entries.last_mut().unwrap();
        match c {
            '"' => copy_string(rest, entry),
            '{' | '[' | '(' => {
                let end = match c {
                    '{' => '}',
                    '[' => ']',
                    _ => ')',
                };
                entry.push(c);
                entry.push_str(&order_until(rest, Some(end)));
                entry.push(end);
            }
            ',' => entries.push(String::new()),
            _ if Some(c) == close => break,
            _ => entry.push(c),
        }
    }
    for entry in &mut entries {
        *entry = entry.trim().to_owned();
    }
    if close == Some('}') {
        entries.sort();
    }
    entries.join(", ")
}

/// Copies a quoted string, whose first quote was read.
fn copy_string(rest: &mut Chars<'_>, into: &mut String) {
    into.push('"');
    while let Some(c) = rest.next() {
        into.push(c);
        match c {
            '\\' => into.extend(rest.next()),
            '"' => return,
            _ => {}
        }
    }
}

#[test]
fn objects_are_ordered_and_lists_are_not() {
    let text = r#"A { b: [3, 1], a: {"y": "},{", "x": Some(Timestamp(5))} }"#;
    assert_eq!(canonical_text(text), r#"A {a: {"x": Some(OWN), "y": "},{"}, b: [3, 1]}"#);
}
