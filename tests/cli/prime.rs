//! `trueup prime`: what an agent is told.

use std::fs;

use serde_json::json;
use support::home::{FIRST_SESSION, Home, skip_over_postgres};

use crate::fixture::{claimed, data, held_by_second, started, trueup};
use crate::state_snapshot::StateSnapshot;

#[test]
fn it_says_where_the_work_stands_in_under_300_words() {
    let (home, _process) = held_by_second(&[]);
    let long = "a b ".repeat(100);
    claimed(&home, "SD-2");
    data(&home, &["item", "edit", "SD-2", "--title", &long]);
    data(&home, &["set", "--session", FIRST_SESSION, "--phase", &long, "--task", &long]);
    let before = StateSnapshot::take(&home);
    let text = trueup(&home, &["prime", "--session", FIRST_SESSION]).ok().stdout;
    assert!(text.split_whitespace().count() < 300, "{}", text.split_whitespace().count());
    assert!(text.contains("holds SD-2") && text.contains("SD-1"), "{text}");
    assert!(text.contains("`trueup claim KEY`"), "{text}");
    assert!(StateSnapshot::take(&home) == before, "a reading command writes nothing");
    data(&home, &["release", "--session", FIRST_SESSION]);
    let text = trueup(&home, &["prime", "--session", FIRST_SESSION]).ok().stdout;
    assert!(text.contains("holds no item.\nNext ready item: SD-2"), "{text}");
}

#[test]
fn a_repository_has_a_text_of_its_own() {
    let home = started();
    let exported = trueup(&home, &["prime", "--export"]).ok().stdout;
    assert!(exported.starts_with("# Working with trueup\n"), "{exported}");
    let folder = home.project_dir().join(".trueup");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("PRIME.md"), "Ask Ann first.\n").unwrap();
    let shown = data(&home, &["prime"]);
    assert_eq!(shown["text"], "Ask Ann first.\n");
    assert_eq!(shown["file"], json!(folder.join("PRIME.md")));
    let text = trueup(&home, &["prime"]).ok().stdout;
    assert!(text.ends_with("\n\nAsk Ann first.\n") && !text.contains("trueup claim"), "{text}");
    assert_eq!(trueup(&home, &["prime", "--export"]).ok().stdout, exported);
}

#[test]
fn without_a_database_the_rules_are_still_told() {
    if skip_over_postgres("there is no file of a database") {
        return;
    }
    let home = Home::new();
    let answer = trueup(&home, &["prime"]);
    assert_eq!(answer.code, Some(0));
    assert!(answer.stdout.contains("not known: no database"), "{answer:?}");
    assert!(answer.stdout.contains("## Rules"), "{answer:?}");
    assert!(answer.stderr.contains("`trueup db migrate` creates it"), "{answer:?}");
}
