//! Lists and `next` are limited to the repository here; `--all-repos` lifts that.

use serde_json::Value;
use support::home::{FIRST_SESSION, Home};

use crate::fixture::{data, object, started, trueup};

/// Items `here` and `loose`, which is of no repository, and `there`, which is of another.
fn home_with_three_items() -> Home {
    let home = started();
    for (key, repo) in [("here", None), ("loose", Some("NULL")), ("there", Some("'other'"))] {
        data(&home, &["item", "add", key]);
        if let Some(repo) = repo {
            let set = format!("UPDATE work_items SET repo = {repo} WHERE key = ?1");
            home.execute_sql(&set, [key]);
        }
    }
    home
}

fn keys(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().into_iter().flatten();
    items.filter_map(|item| item["key"].as_str()).collect()
}

#[test]
fn a_list_is_of_this_repository_and_of_what_has_none() {
    let home = home_with_three_items();
    assert_eq!(keys(&data(&home, &["item", "list"])), ["here", "loose"]);
    let all = data(&home, &["item", "list", "--all-repos"]);
    assert_eq!(keys(&all), ["here", "loose", "there"]);
    let other = data(&home, &["item", "list", "--repo", "other"]);
    assert_eq!(keys(&other), ["there"]);
    let own = data(&home, &["item", "list", "--repo", "project"]);
    assert_eq!(keys(&own), ["here"]);
}

#[test]
fn next_takes_nothing_of_another_repository_unless_told() {
    let home = home_with_three_items();
    for key in ["here", "loose"] {
        let next = data(&home, &["next", "--claim"]);
        assert_eq!(next["item"]["key"], key);
        data(&home, &["item", "transition", key, "completed"]);
    }
    let none = data(&home, &["next", "--claim"]);
    assert_eq!(none["item"], Value::Null);
    let text = trueup(&home, &["next"]).ok().stdout;
    assert!(text.contains("other repositories"), "{text}");
    let next = data(&home, &["next", "--claim", "--all-repos"]);
    assert_eq!(next["item"]["key"], "there");
}

#[test]
fn the_hint_takes_what_was_shown() {
    let home = home_with_three_items();
    let next_text = trueup(&home, &["next"]).ok().stdout;
    let hint = next_text.split('`').nth(1).unwrap();
    assert_eq!(hint, "trueup claim here");
    let arguments: Vec<&str> = hint.split_whitespace().skip(1).collect();
    trueup(&home, &arguments).ok();
    let holder: String = home.query_value("SELECT holder FROM work_items WHERE key = 'here'", []);
    assert_eq!(holder, FIRST_SESSION);
    // Now it names the item that would be released.
    let next_text = trueup(&home, &["next"]).ok().stdout;
    assert!(next_text.contains("gives up unfinished here"), "{next_text}");
}

#[test]
fn a_child_of_what_is_finished_is_added_with_a_warning() {
    let home = home_with_three_items();
    data(&home, &["item", "transition", "here", "completed"]);
    let answer = object(&home, 0, &["item", "add", "late", "--parent", "here"]);
    let warning = answer["warnings"][0].as_str().unwrap();
    assert!(warning.contains("here is already completed"), "{warning}");
}

/// Runs a command with a terminal as stdout; returns what it shows.
fn on_a_terminal(home: &Home, line: &str) -> String {
    let through = |binary: &std::ffi::OsStr| {
        let command = format!("{} {line}", binary.to_string_lossy());
        vec!["-qec".into(), command.into(), "/dev/null".into()]
    };
    home.prepare_run("trueup").run_through("script", through).wait().stdout
}

#[test]
fn a_table_has_a_header_on_a_terminal_and_none_in_a_pipe() {
    let home = home_with_three_items();
    let shown = on_a_terminal(&home, "item list");
    assert!(shown.contains("KEY") && shown.contains("STATUS"), "{shown:?}");
    let piped = trueup(&home, &["item", "list"]).ok().stdout;
    assert!(piped.starts_with("here "), "{piped}");
}
