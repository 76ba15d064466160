//! `trueup item depend`, and items that wait for others.

use serde_json::json;

use crate::fixture::{data, keys, refused, started, trueup};

#[test]
fn completing_readies_what_waited_and_a_reopening_takes_it_back() {
    let home = started();
    for key in ["SD-1", "SD-2"] {
        data(&home, &["item", "add", key]);
    }
    let added_item = data(&home, &["item", "add", "SD-3", "--depends", "SD-2,SD-1"]);
    assert_eq!(added_item["item"]["depends_on"], json!(["SD-1", "SD-2"]));
    assert_eq!(added_item["item"]["status"], "queued");
    let item = trueup(&home, &["item", "transition", "SD-1", "done"]).ok();
    assert_eq!(item.stdout, "SD-1: queued -> completed\n");
    refused(&home, "dependencies_open", &["item", "transition", "SD-3", "ready"]);
    let shown_item = trueup(&home, &["item", "show", "SD-3"]).ok().stdout;
    assert!(shown_item.contains("  depends on SD-1, SD-2\n"), "{shown_item}");
    assert!(shown_item.contains("  waits for SD-2 (queued)\n"), "{shown_item}");
    let item = trueup(&home, &["item", "transition", "SD-2", "done"]).ok();
    assert_eq!(item.stdout, "SD-2: queued -> completed\nSD-3 is now ready\n");
    let reopened = trueup(&home, &["item", "reopen", "SD-1", "--reason", "why"]).ok();
    assert_eq!(reopened.stdout, "SD-1: completed -> queued\nSD-3 is now queued\n");
    data(&home, &["item", "transition", "SD-1", "done"]);
    data(&home, &["item", "transition", "SD-3", "done"]);
    let back = data(&home, &["item", "reopen", "SD-3", "--reason", "why"]);
    assert_eq!(back["item"]["status"], "ready", "all it depends on is completed");
}

#[test]
fn circles_are_refused_with_the_whole_path() {
    let home = started();
    for arguments in [
        &["item", "add", "A"][..],
        &["item", "add", "B", "--depends", "A"],
        &["item", "add", "C", "--depends", "B"],
        &["item", "add", "A.1", "--parent", "A"],
    ] {
        data(&home, arguments);
    }
    for (arguments, path) in [
        (&["item", "depend", "A", "--on", "A"][..], "A cannot depend on itself"),
        (&["item", "depend", "A", "--on", "C"], "A -> C -> B -> A"),
        (&["item", "depend", "A.1", "--on", "A"], "A.1 -> A -> A.1"),
        (&["item", "add", "A.2", "--parent", "A", "--depends", "C"], "A.2 -> C -> B -> A -> A.2"),
    ] {
        let object = refused(&home, "dependency_cycle", arguments);
        let message = object["error"]["message"].as_str().unwrap();
        assert!(message.ends_with(path), "{message}");
    }
    refused(&home, "item_not_found", &["item", "depend", "A", "--on", "Z"]);
    refused(&home, "item_not_found", &["item", "depend", "Z", "--on", "A"]);
    refused(&home, "item_not_found", &["item", "add", "D", "--depends", "Z"]);
    let count: i64 = home.query_value("SELECT count(*) FROM item_dependencies", []);
    assert_eq!(count, 2);
}

#[test]
fn dependencies_are_added_and_taken_away() {
    let home = started();
    for key in ["A", "B", "C"] {
        data(&home, &["item", "add", key]);
    }
    let answer = trueup(&home, &["item", "depend", "C", "--on", "A,B"]).ok();
    assert_eq!(answer.stdout, "C depends on: nothing -> A, B\n");
    data(&home, &["item", "transition", "A", "done"]);
    let answer = trueup(&home, &["item", "depend", "C", "--on", "B", "--remove"]).ok();
    assert_eq!(answer.stdout, "C depends on: A, B -> A\nC: queued -> ready\n");
    let arguments = ["item", "depend", "C", "--on", "B", "--remove"];
    refused(&home, "not_dependent", &arguments);
    let changed = data(&home, &["item", "depend", "C", "--on", "A", "--remove"]);
    assert_eq!(keys(&changed), ["item"]);
    assert_eq!(changed["item"]["depends_on"], json!([]));
    assert_eq!(home.count_events("dependencies", "C"), 3);
}
