//! Priorities and descriptions of items, what is taken away from them, and lists that end.

use serde_json::{Value, json};

use crate::fixture::{data, object, started, trueup};

#[test]
fn an_item_shows_its_priority_and_its_description() {
    let home = started();
    let text = "Keep it.\nOver a reload.";
    let item = data(&home, &["item", "add", "SD-1", "--priority", "P1", "--description", text]);
    assert_eq!(
        (&item["item"]["priority"], &item["item"]["description"]),
        (&json!(1), &json!(text))
    );
    assert_eq!(item["item"]["extra"], json!({}));
    let shown = trueup(&home, &["item", "show", "SD-1"]).ok().stdout;
    assert!(shown.lines().next().unwrap().contains(", P1"), "{shown}");
    assert!(shown.contains("\n  Keep it.\n  Over a reload.\n"), "{shown}");
    let blamed = data(&home, &["blame", "SD-1", "priority"]);
    assert_eq!(blamed["fields"][0]["value"], 1);
    for bad in ["5", "P9", "high", "-1"] {
        let flag = format!("--priority={bad}");
        let error = object(&home, 2, &["item", "add", "SD-2", &flag])["error"].clone();
        assert_eq!(error["code"], "usage", "{bad}");
        assert!(error["message"].as_str().unwrap().contains("0 comes first"), "{error}");
    }
}

#[test]
fn an_empty_value_takes_away_and_says_what_was() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    data(&home, &["item", "add", "SD-1.a", "--title", "t", "--parent", "SD-1", "--priority", "0"]);
    for (flag, value, line) in [
        ("--priority", "3", "SD-1.a priority: 0 -> 3"),
        ("--description", "d", "SD-1.a description: none -> d"),
        ("--title", "", "SD-1.a title: t -> none"),
        ("--parent", "", "SD-1.a parent: SD-1 -> none"),
        ("--position", "", "SD-1.a position: 1 -> none"),
        ("--priority", "", "SD-1.a priority: 3 -> none"),
        ("--description", "", "SD-1.a description: d -> none"),
        ("--description", "", "nothing changed"),
    ] {
        let answer = trueup(&home, &["item", "edit", "SD-1.a", flag, value]).ok();
        assert_eq!(answer.stdout.trim_end(), line);
    }
    let item = &data(&home, &["item", "show", "SD-1.a"])["item"];
    for field in ["title", "parent", "position", "priority", "description"] {
        assert_eq!(item[field], Value::Null, "{field}");
    }
}

#[test]
fn the_most_urgent_item_is_next() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    data(&home, &["item", "add", "SD-2", "--priority", "1"]);
    assert_eq!(data(&home, &["next"])["item"]["key"], "SD-2");
    assert_eq!(data(&home, &["next", "--claim"])["item"]["key"], "SD-2");
}

#[test]
fn a_list_ends_at_fifty_and_says_how_to_see_the_rest() {
    let home = started();
    for number in 0..60 {
        let key = format!("SD-{number:02}");
        home.execute_sql("INSERT INTO work_items (key) VALUES (?1)", [key]);
    }
    let answer = data(&home, &["item", "list"]);
    assert_eq!((answer["items"].as_array().unwrap().len(), &answer["more"]), (50, &json!(10)));
    let text = trueup(&home, &["item", "list"]).ok().stdout;
    assert!(text.ends_with("10 more; `trueup item list --limit 0` shows all\n"), "{text}");
    for (limit, shown, more) in [("0", 60, 0), ("60", 60, 0), ("59", 59, 1), ("1", 1, 59)] {
        let answer = data(&home, &["item", "list", "--limit", limit]);
        let items = answer["items"].as_array().unwrap().len();
        assert_eq!((items, &answer["more"]), (shown, &json!(more)), "--limit {limit}");
    }
}
