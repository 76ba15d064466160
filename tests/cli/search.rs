//! `trueup search`: where words occur.

use std::fs;

use serde_json::{Value, json};

use crate::fixture::{data, object, started, trueup};

fn hits(answer: &Value) -> Vec<String> {
    let hits = answer["hits"].as_array().unwrap().iter();
    let text = |hit: &Value, key: &str| hit[key].as_str().unwrap().to_owned();
    hits.map(|hit| [text(hit, "entity"), text(hit, "key"), text(hit, "where")].join(" ")).collect()
}

#[test]
fn each_hit_says_where_it_is() {
    let home = started();
    data(&home, &["item", "add", "SYNC-1", "--title", "Keep the cart"]);
    data(&home, &["item", "add", "SD-2", "--title", "Sync on start"]);
    data(&home, &["item", "add", "SD-3", "--description", "One line.\nThen the sync breaks."]);
    data(&home, &["item", "transition", "SD-2", "blocked", "--reason", "the sync of others first"]);
    let plan = "# Plan\n\n## Phase 1: Sync\n- [ ] 1.1 Read\n- [ ] 1.2 Sync all\n";
    fs::write(home.project_dir().join("P.md"), plan).unwrap();
    data(&home, &["plan", "import", "P.md"]);
    let answer = data(&home, &["search", "sync"]);
    assert_eq!(
        hits(&answer),
        [
            "item SYNC-1 key",
            "item SD-2 title",
            "item SD-3 description",
            "plan_task P/1.1 phase",
            "plan_task P/1.2 title",
            "event SD-2 reason",
        ]
    );
    assert_eq!(answer["hits"][2]["excerpt"], "Then the sync breaks.");
    assert_eq!(answer["hits"][1]["status"], "blocked");
    let text = trueup(&home, &["search", "SYNC", "start"]).ok().stdout;
    assert!(text.starts_with("SD-2 ") && text.contains("title  blocked  Sync on start"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn what_an_import_brought_and_evidence_are_found_where_they_are() {
    let home = started();
    let line = r#"{"id":"bd-1","title":"t","status":"open","labels":["needle"],"notes":"a\nhay of straw"}"#;
    fs::write(home.project_dir().join("issues.jsonl"), line).unwrap();
    data(&home, &["item", "import", "issues.jsonl", "--format", "beads"]);
    data(&home, &["item", "add", "SD-1"]);
    data(&home, &["item", "transition", "SD-1", "completed", "--evidence", "the straw burnt"]);
    assert_eq!(hits(&data(&home, &["search", "needle"])), ["item bd-1 labels"]);
    let answer = data(&home, &["search", "straw"]);
    assert_eq!(hits(&answer), ["item bd-1 notes", "item SD-1 evidence"]);
    assert_eq!(answer["hits"][0]["excerpt"], "hay of straw");
    // Names of fields are no texts.
    assert_eq!(data(&home, &["search", "labels"])["hits"], json!([]));
}

#[test]
fn a_search_keeps_to_this_repository_and_finds_nothing_politely() {
    let home = started();
    data(&home, &["item", "add", "SD-1", "--title", "sync"]);
    home.execute_sql("UPDATE work_items SET repo = 'other'", []);
    let text = trueup(&home, &["search", "sync"]).ok().stdout;
    assert_eq!(text, "nothing here has these words; --all-repos looks in all repositories\n");
    assert_eq!(hits(&data(&home, &["search", "sync", "--all-repos"])), ["item SD-1 title"]);
    assert_eq!(data(&home, &["search", "absent", "--all-repos"])["hits"], json!([]));
    for arguments in [&["search"][..], &["search", ""], &["search", " "]] {
        assert_eq!(object(&home, 2, arguments)["error"]["code"], "usage", "{arguments:?}");
    }
}

#[test]
fn a_search_that_stops_says_so_and_zero_is_all() {
    let home = started();
    for number in 0..22 {
        data(&home, &["item", "add", &format!("needle-{number}")]);
    }
    let answer = data(&home, &["search", "needle"]);
    assert_eq!((hits(&answer).len(), &answer["has_more"]), (20, &json!(true)));
    let text = trueup(&home, &["search", "needle"]).ok().stdout;
    assert!(text.contains("more have these words; `--limit 0` shows all"), "{text}");
    let answer = data(&home, &["search", "needle", "--limit", "0"]);
    assert_eq!((hits(&answer).len(), &answer["has_more"]), (22, &json!(false)));
}
