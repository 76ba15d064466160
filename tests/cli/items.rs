//! Items: added, listed, shown.

use support::home::{FIRST_SESSION, Home};

use crate::fixture::{
    claimed, create_database, data, object, refused, started, trueup, without_own_styles,
};
use crate::state_snapshot::StateSnapshot;

#[test]
fn an_item_is_added_with_everything_said_of_it() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let added_item = data(
        &home,
        &[
            "item",
            "add",
            "SD-1.a",
            "--title",
            "First child",
            "--parent",
            "SD-1",
            "--kind",
            "story",
            "--position",
            "-3",
        ],
    );
    let item = &added_item["item"];
    assert_eq!(item["title"], "First child");
    assert_eq!(item["parent"], "SD-1");
    assert_eq!(item["kind"], "story");
    assert_eq!(item["position"], -3);
    assert_eq!(item["repo"], "project");
    let answer = trueup(&home, &["item", "add", "SD-2"]).ok();
    assert!(answer.stdout.starts_with("added SD-2"), "{}", answer.stdout);
}

#[test]
fn an_item_needs_no_session() {
    let home = Home::new();
    create_database(&home);
    data(&home, &["item", "add", "SD-1"]);
    assert_eq!(data(&home, &["item", "list"])["items"][0]["key"], "SD-1");
}

#[test]
fn an_item_twice_or_of_an_unknown_parent_is_refused() {
    let home = started();
    data(&home, &["item", "add", "SD-1", "--title", "kept"]);
    refused(&home, "item_exists", &["item", "add", "SD-1", "--title", "other"]);
    refused(&home, "item_not_found", &["item", "add", "SD-2", "--parent", "SD-9"]);
    let items = data(&home, &["item", "list"]);
    assert_eq!(items["items"].as_array().unwrap().len(), 1);
    assert_eq!(items["items"][0]["title"], "kept");
}

#[test]
fn keys_that_are_no_keys_are_usage() {
    let home = started();
    let long = "x".repeat(201);
    for key in ["", "a b", "../x", "a/b", ".", "..", "a\nb", "ключ", &long] {
        let object = object(&home, 2, &["item", "add", "--", key]);
        assert_eq!(object["error"]["code"], "usage", "{key:?}");
    }
    let longest = "x".repeat(200);
    for key in ["SD-002B", "a.b_c-d:e#7", "7", &longest] {
        data(&home, &["item", "add", key]);
    }
}

#[test]
fn lists_follow_parent_and_holder() {
    let home = started();
    for arguments in [
        &["item", "add", "SD-1"][..],
        &["item", "add", "SD-1.b", "--parent", "SD-1", "--position", "2"],
        &["item", "add", "SD-1.a", "--parent", "SD-1", "--position", "1"],
    ] {
        data(&home, arguments);
    }
    claimed(&home, "SD-1.b");
    let before = StateSnapshot::take(&home);
    let keys = |arguments: &[&str]| -> Vec<String> {
        let list = data(&home, &[&["item", "list"], arguments].concat());
        let items = list["items"].as_array().unwrap();
        items.iter().map(|item| item["key"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(keys(&[]).len(), 3);
    assert_eq!(keys(&["--parent", "SD-1"]), ["SD-1.a", "SD-1.b"]);
    assert_eq!(keys(&["--held"]), ["SD-1.b"]);
    assert_eq!(StateSnapshot::take(&home), before, "reading writes nothing");
}

#[test]
fn an_item_is_shown_with_what_happened_to_it() {
    let home = started();
    claimed(&home, "SD-1");
    let item = data(&home, &["item", "show", "SD-1"]);
    assert_eq!(item["item"]["holder"], FIRST_SESSION);
    let events = item["events"].as_array().unwrap();
    assert!(events.iter().all(|event| event["key"] == "SD-1"));
    assert!(events.iter().any(|event| event["after"]["holder"] == FIRST_SESSION), "{item}");
    refused(&home, "item_not_found", &["item", "show", "SD-9"]);
}

#[test]
fn a_title_cannot_write_to_the_terminal() {
    let home = started();
    home.add_item("SD-1");
    home.execute_sql(
        "UPDATE work_items SET title = ?1",
        ["\u{1b}[31mred\u{9b}0m\nsecond line\u{202e}"],
    );
    for arguments in [&["item", "list"][..], &["item", "show", "SD-1"]] {
        let run = home.prepare_run("trueup").args(arguments).env("CLICOLOR_FORCE", "1");
        let text = run.wait().ok().stdout;
        let text = without_own_styles(&text);
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(bad), "{text:?}");
        assert!(!text.contains("\nsecond line"), "{text:?}");
    }
    let title = &data(&home, &["item", "list"])["items"][0]["title"];
    assert_eq!(*title, "\u{1b}[31mred\u{9b}0m\nsecond line\u{202e}", "JSON is exact");
}
