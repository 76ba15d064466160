//! `trueup blame`: who set which field, when and why.

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, SECOND_SESSION};

use crate::fixture::{claimed, data, keys, object, refused, second, started, trueup};
use crate::state_snapshot::StateSnapshot;

const FIELDS: [&str; 13] = [
    "title",
    "kind",
    "parent",
    "position",
    "repo",
    "status",
    "phase",
    "holder",
    "error_message",
    "evidence",
    "priority",
    "description",
    "extra",
];

fn field(answer: &Value, name: &str) -> Value {
    let fields = answer["fields"].as_array().unwrap();
    fields.iter().find(|f| f["field"] == name).unwrap().clone()
}

#[test]
fn every_field_says_who_set_it() {
    let home = started();
    data(&home, &["item", "add", "SD-1", "--title", "t"]);
    claimed(&home, "SD-1");
    data(&home, &["set", "--phase", "PLAN"]);
    data(&home, &["set", "--phase", "EXEC"]);
    let before = StateSnapshot::take(&home);
    let answer = data(&home, &["blame", "SD-1"]);
    assert_eq!(StateSnapshot::take(&home), before);
    assert_eq!(keys(&answer), ["fields", "item"]);
    assert_eq!(answer["item"], "SD-1");
    let fields = answer["fields"].as_array().unwrap();
    let names: Vec<&str> = fields.iter().map(|f| f["field"].as_str().unwrap()).collect();
    assert_eq!(names, FIELDS);
    for blamed in fields {
        let all = ["actor", "at", "epoch", "field", "op_id", "reason", "seq", "value"];
        assert_eq!(keys(blamed), all);
        let event = data(
            &home,
            &["log", "--after", &(blamed["seq"].as_i64().unwrap() - 1).to_string(), "--limit", "1"],
        );
        let event = &event["events"][0];
        for key in ["actor", "at", "epoch", "op_id", "reason", "seq"] {
            assert_eq!(blamed[key], event[key], "{blamed}");
        }
        assert_eq!(event["after"][blamed["field"].as_str().unwrap()], blamed["value"]);
    }
    let title = field(&answer, "title");
    assert_eq!((&title["value"], &title["reason"]), (&json!("t"), &json!("item add")));
    let phase = field(&answer, "phase");
    assert_eq!((&phase["value"], &phase["actor"]), (&json!("EXEC"), &json!(FIRST_SESSION)));
    assert_eq!(phase["epoch"], 1);
    let text = trueup(&home, &["blame", "SD-1"]).ok().stdout;
    assert_eq!(text.lines().count(), FIELDS.len());
    let is_phase = |line: &&str| line.starts_with("phase ");
    let phase = text.lines().find(is_phase).unwrap();
    assert!(phase.contains("EXEC") && phase.contains(FIRST_SESSION), "{text}");
}

#[test]
fn one_field_and_the_takeover_that_set_it() {
    let home = started();
    claimed(&home, "SD-1");
    second(&home, None);
    home.push_event("session-end.other").ok();
    home.expire_lease(FIRST_SESSION, 1_000);
    data(&home, &["claim", "SD-1", "--session", SECOND_SESSION]);
    let answer = data(&home, &["blame", "SD-1", "holder"]);
    assert_eq!(answer["fields"].as_array().unwrap().len(), 1);
    let holder = field(&answer, "holder");
    assert_eq!(
        (&holder["value"], &holder["actor"]),
        (&json!(SECOND_SESSION), &json!(SECOND_SESSION))
    );
    assert_eq!((&holder["reason"], &holder["epoch"]), (&json!("holder_dead"), &json!(2)));
}

#[test]
fn a_change_behind_our_back_is_blamed_on_plain_sql() {
    let home = started();
    claimed(&home, "SD-1");
    home.execute_sql("UPDATE work_items SET title = 'x'", []);
    let title = field(&data(&home, &["blame", "SD-1", "title"]), "title");
    assert_eq!((&title["value"], &title["actor"]), (&json!("x"), &json!("sql")));
}

#[test]
fn unknown_items_and_fields() {
    let home = started();
    refused(&home, "item_not_found", &["blame", "SD-9"]);
    claimed(&home, "SD-1");
    let object = object(&home, 2, &["blame", "SD-1", "colour"]);
    let message = object["error"]["message"].as_str().unwrap();
    for field in FIELDS {
        assert!(message.contains(field), "{message}");
    }
}

#[test]
fn what_an_import_brought_is_counted_in_text_and_whole_in_json() {
    let home = started();
    let line = r#"{"id":"bd-1","title":"t","status":"open","colour":"red","shape":{"a":[1]}}"#;
    std::fs::write(home.project_dir().join("issues.jsonl"), line).unwrap();
    data(&home, &["item", "import", "issues.jsonl", "--format", "beads"]);
    assert!(field(&data(&home, &["blame", "bd-1"]), "extra")["value"].is_object());
    let text = trueup(&home, &["blame", "bd-1"]).ok().stdout;
    let extra = text.lines().find(|line| line.starts_with("extra")).unwrap();
    assert!(extra.contains(" field") && !text.contains('{'), "{text}");
    let help = trueup(&home, &["blame", "--help"]).ok().stdout;
    assert!(FIELDS.iter().all(|name| help.contains(name)), "{help}");
}
