//! Edits of a JSON text that keep every other byte.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn parse_text(text: &str) -> JsonDocument {
    JsonDocument::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn rendered(document: &JsonDocument) -> String {
    String::from_utf8(document.render()).unwrap()
}

/// JSON that no Rust type could hold and no serializer would write.
const UNUSUAL_JSON: &str = "{\r\n\t\"adw_id\" : \"77c90e61\",\"\\u0061\\\"b\":0.10 , \"huge\":1e400,\n \"long\": \
     -123456789012345678901234567890, \"esc\":\"\\u00e9\\/\", \"deep\": {\"x\": [1.0,  2E5]}\n}\r\n";

#[test]
fn a_change_of_one_field_leaves_every_other_byte() {
    let mut document = parse_text(UNUSUAL_JSON);
    assert_eq!(rendered(&document), UNUSUAL_JSON);
    assert_eq!(document.get("a\"b").unwrap().to_string(), "0.10");
    assert_eq!(document.raw_value("huge"), Some("1e400"));
    document.set_field("huge", &JsonLiteral::from_json_or_text("small"));
    assert_eq!(rendered(&document), UNUSUAL_JSON.replace("1e400", "\"small\""));
    document.set_field("new", &JsonLiteral::from_json_or_text("true"));
    assert!(rendered(&document).ends_with("2E5]}, \"new\": true\n}\r\n"));
    assert!(document.remove_field("new") && !document.remove_field("new"));
    document.set_field("huge", &JsonLiteral::from_json_or_text("1e400"));
    assert_eq!(rendered(&document), UNUSUAL_JSON);
}

#[test]
fn the_first_the_last_and_the_only_field_can_go() {
    for (before, key, after) in [
        ("{\n  \"a\": 1,\n  \"b\": 2\n}", "a", "{\n  \"b\": 2\n}"),
        ("{\n  \"a\": 1,\n  \"b\": 2\n}", "b", "{\n  \"a\": 1\n}"),
        ("{\"a\":1,\"b\":2,\"c\":3}", "b", "{\"a\":1,\"c\":3}"),
        ("{\"a\":1}", "a", "{}"),
        ("{\"a\": 1, \"b\": 2, \"a\": 3}", "a", "{\"b\": 2}"),
        ("{\"a\":1}", "x", "{\"a\":1}"),
    ] {
        let mut document = parse_text(before);
        document.remove_field(key);
        assert_eq!(rendered(&document), after, "{before} without {key}");
    }
}

#[test]
fn a_new_field_is_written_as_its_neighbours_are() {
    for (before, value, after) in [
        ("{}", "1", "{\n  \"k\": 1\n}"),
        ("{\"a\":1}", "[ 1 ]", "{\"a\":1,\"k\":[ 1 ]}"),
        ("{\n    \"a\": 1\n}\n", "{\"x\": 1}", "{\n    \"a\": 1,\n    \"k\": {\"x\": 1}\n}\n"),
        ("{\"a\": 1, \"b\": 2}", "v w", "{\"a\": 1, \"b\": 2, \"k\": \"v w\"}"),
    ] {
        let mut document = parse_text(before);
        document.set_field("k", &JsonLiteral::from_json_or_text(value));
        assert_eq!(rendered(&document), after);
        assert_eq!(parse_text(after), document);
    }
    let new = JsonDocument::new(&"77c90e61".parse().unwrap());
    assert_eq!(rendered(&new), "{\n  \"adw_id\": \"77c90e61\"\n}\n");
}

#[test]
fn words_are_strings_and_literals_are_what_they_are() {
    for (typed, written) in [
        ("feature/x", "\"feature/x\""),
        ("0.10", "0.10"),
        ("1e400", "1e400"),
        ("-0", "-0"),
        (" 7 ", "7"),
        ("007", "\"007\""),
        ("NaN", "\"NaN\""),
        ("null", "null"),
        ("\"170\"", "\"170\""),
        ("[1, \"a\"]", "[1, \"a\"]"),
        ("{broken", "\"{broken\""),
        ("", "\"\""),
        ("a\"b\n", "\"a\\\"b\\n\""),
    ] {
        assert_eq!(JsonLiteral::from_json_or_text(typed).0, written, "{typed}");
    }
    for typed in ["170", "\"170\""] {
        assert_eq!(JsonLiteral::from_string_or_text(typed).0, "\"170\"");
    }
    assert_eq!(JsonLiteral::from_string_or_text("null").0, "\"null\"");
}

#[test]
fn of_a_field_that_is_there_twice_the_last_one_counts() {
    let mut document = parse_text("{\"a\": 1, \"a\": 2}");
    assert_eq!(document.raw_value("a"), Some("2"));
    document.set_field("a", &JsonLiteral::from_json_or_text("3"));
    assert_eq!(rendered(&document), "{\"a\": 1, \"a\": 3}");
    assert_eq!(document.keys().count(), 2);
    assert_eq!(document.to_map(), *json!({"a": 3}).as_object().unwrap());
}

#[test]
fn a_syntax_error_is_reported_with_its_place() {
    let deep = format!("{{\n\"a\": {}1{}}}", "[".repeat(200), "]".repeat(200));
    for (bytes, place, words) in [
        (&b""[..], (1, 1), "empty"),
        (b"  \n", (1, 1), "empty"),
        (b"\xef\xbb\xbf", (1, 1), "empty"),
        (b"[1]", (1, 0), "a JSON object"),
        (b"{\n  \"a\": 1,\n  \"b\"\n}", (4, 1), "expected `:`"),
        (b"{\n  \"a\": tru", (2, 10), "EOF"),
        (b"{\"a\": 1} x", (1, 10), "trailing"),
        (b"{\"a\": NaN}", (1, 7), "expected value"),
        (deep.as_bytes(), (2, 6), "recursion"),
    ] {
        let error = JsonDocument::parse(bytes).unwrap_err();
        let shown = String::from_utf8_lossy(bytes);
        assert!(error.reason.contains(words), "{shown}: {error}");
        assert_eq!((error.line, error.column), place, "{shown}: {error}");
    }
}

#[test]
fn a_byte_order_mark_stays() {
    let bytes = b"\xef\xbb\xbf{\"a\": 1}";
    let mut document = JsonDocument::parse(bytes).unwrap();
    document.set_field("b", &JsonLiteral::from_json_or_text("2"));
    assert_eq!(document.render(), b"\xef\xbb\xbf{\"a\": 1,\"b\": 2}");
}

/// A scalar or nested value in unusual notation.
fn arbitrary_value() -> impl Strategy<Value = String> {
    let number = "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,5})?";
    let string = "\"([ -!#-\\[\\]-~é☃]|\\\\(u00e9|n|\"|\\\\|/)){0,12}\"";
    let scalar = prop_oneof![number, string, Just("null".to_owned()), Just("true".to_owned())];
    scalar.prop_recursive(3, 12, 3, |inner| {
        let list =
            prop::collection::vec(inner.clone(), 0..3).prop_map(|v| format!("[{}]", v.join(" ,")));
        let object =
            (inner.clone(), inner).prop_map(|(a, b)| format!("{{ \"x\":{a},\n\"y\" : {b}}}"));
        prop_oneof![list, object]
    })
}

proptest! {
    #[test]
    fn other_fields_keep_their_bytes_and_order(
        values in prop::collection::vec(arbitrary_value(), 1..6),
        space in "[ \n\r\t]{0,3}",
        at in any::<prop::sample::Index>(),
        new in arbitrary_value(),
    ) {
        let fields: Vec<String> = values
            .iter()
            .enumerate()
            .map(|(n, v)| format!("{space}\"k{n}\"{space}:{space}{v}{space}"))
            .collect();
        let before = format!("{space}{{{}}}{space}", fields.join(","));
        let mut document = parse_text(&before);
        prop_assert_eq!(rendered(&document), before.clone());
        let target = at.index(values.len());
        let others = |document: &JsonDocument| -> Vec<(String, String)> {
            document
                .keys()
                .filter(|key| *key != format!("k{target}") && *key != "new")
                .map(|key| (key.to_owned(), document.raw_value(key).unwrap().to_owned()))
                .collect()
        };
        let expected = others(&document);
        let literal = JsonLiteral::from_json_or_text(&new);
        document.set_field(&format!("k{target}"), &literal);
        document.set_field("new", &literal);
        let again = parse_text(&rendered(&document));
        prop_assert_eq!(others(&again), expected.clone());
        prop_assert_eq!(again.raw_value("new"), Some(new.trim()));
        prop_assert_eq!(again.raw_value(&format!("k{target}")), Some(new.trim()));
        document.remove_field(&format!("k{target}"));
        document.remove_field("new");
        let again = parse_text(&rendered(&document));
        prop_assert_eq!(others(&again), expected);
        prop_assert_eq!(again.keys().count(), values.len() - 1);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(document) = JsonDocument::parse(&bytes) {
            prop_assert_eq!(document.render(), bytes);
        }
    }
}

#[test]
fn invalid_utf_8_is_read_and_kept_byte_for_byte() {
    for bytes in [
        &b"{\"issue_class\": \"a\\ud83d\", \"branch_name\": \"x\"}"[..],
        b"{\"\\udc00\": 1, \"issue_class\": \"a\xff\", \"branch_name\": \"x\"}",
        b"\xef\xbb\xbf{\"issue_class\": \"a\xc3\", \"other\": {\"\\ud83d\": \"\xfe\"}, \"branch_name\": \"x\"}",
    ] {
        let mut document = JsonDocument::parse(bytes).unwrap();
        assert_eq!(document.render(), bytes);
        assert_eq!(document.get("issue_class"), Some("a\u{fffd}".into()));
        assert_eq!(document.read_as::<String>("branch_name").as_deref(), Some("x"));
        document.set_field("branch_name", &JsonLiteral::from_plain_text("y"));
        let at = bytes.len() - 3;
        let expected = [&bytes[..at], b"y", &bytes[at + 1..]].concat();
        assert_eq!(document.render(), expected, "every other byte stays");
    }
}
