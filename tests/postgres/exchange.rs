//! The protocol of `trueup.exchange`.

use serde_json::{Value, json};
use support::postgres::TestDatabase;
use trueup_core::store::SCHEMA_VERSION;

use crate::requests::{
    commit, exchange, exchange_text, insert_item, insert_item_at, register_session, request, step,
};

fn load_item(key: &str) -> Value {
    step("load::LOAD_ITEM", json!([key]))
}

fn load_session(id: &str) -> Value {
    step("load::LOAD_SESSION", json!([id]))
}

/// The digest of the rows that a read returns, made of their text as it is in the answer.
fn digest_of(database: &TestDatabase, url: &str, read: &Value) -> Value {
    let text = exchange_text(url, &request("read", std::slice::from_ref(read))).unwrap();
    let rows = text.strip_prefix(r#"{"ok":true,"results":["#).unwrap().strip_suffix("]}").unwrap();
    let rows = rows.replace('\'', "''");
    json!(database.run(&format!("SELECT trueup.digest_rows('{rows}')")).unwrap())
}

#[test]
fn a_read_that_was_seen_is_the_same_until_something_changes() {
    let Some(database) = TestDatabase::create() else { return };
    let url = database.add_user("trueup_client");
    commit(&url, &[register_session("s1", "op1")]);
    let first = exchange(&url, &request("read", &[load_session("s1")])).unwrap();
    let row = &first["results"][0][0];
    assert_eq!((&row["session_id"], &row["revision"]), (&json!("s1"), &json!(1)));
    assert_eq!(row["metadata"]["branch"], "main");
    assert_eq!(row["metadata"]["execution_state"]["currentSd"], Value::Null);

    // The clock, which is a column, counts for nothing.
    let mut seen = load_session("s1");
    seen["d"] = digest_of(&database, &url, &load_session("s1"));
    for mode in ["read", "try", "commit"] {
        let again = exchange(&url, &request(mode, &[seen.clone()])).unwrap();
        assert_eq!(again["results"], json!(["same"]), "{mode}");
    }
    let push = json!([r#"{"auto_proceed":true}"#, 0, "me", null, "op2", "s1", 1, null, null]);
    commit(&url, &[step("state::PUSH_STATE", push)]);
    let stale = exchange(&url, &request("commit", &[seen.clone(), insert_item("A", "op3")]));
    assert_eq!(stale.unwrap(), json!({"conflict": 0}));
    let fresh = exchange(&url, &request("read", &[seen])).unwrap();
    assert_eq!(fresh["results"][0][0]["revision"], json!(2));
    assert_eq!(database.run("SELECT count(*) FROM trueup.work_items").unwrap(), "0");
}

#[test]
fn a_request_is_committed_whole_or_not_at_all() {
    let Some(database) = TestDatabase::create() else { return };
    let url = database.add_user("trueup_client");
    let mut nothing = step("claims::CLEAR_HOLDER", json!(["me", null, "op1", "A", "s1"]));
    nothing["n"] = json!(1);
    let answer = exchange(&url, &request("commit", &[insert_item("A", "op1"), nothing])).unwrap();
    assert_eq!(answer, json!({"conflict": 1}));
    let twice = [insert_item("A", "op1"), insert_item("A", "op1")];
    let answer = exchange(&url, &request("commit", &twice)).unwrap();
    assert_eq!(answer["denied"]["step"], 1);
    assert_eq!(answer["denied"]["sqlstate"], "TU005");
    assert_eq!(database.run("SELECT count(*) FROM trueup.events").unwrap(), "0");

    let tried =
        exchange(&url, &request("try", &[insert_item("A", "op1"), load_item("A")])).unwrap();
    assert_eq!(tried["results"][0], json!(1));
    assert_eq!(tried["results"][1][0]["key"], "A");
    assert_eq!(database.run("SELECT count(*) FROM trueup.events").unwrap(), "0");
    commit(&url, &[insert_item("A", "op1"), load_item("A")]);
    let events = "SELECT actor, kind, op_id, via IS NOT NULL FROM trueup.events";
    assert_eq!(database.run(events).unwrap(), "me|added|op1|t");
}

#[test]
fn what_is_not_understood_is_refused_with_the_facts() {
    let Some(database) = TestDatabase::create() else { return };
    let url = database.add_user("trueup_client");
    let lineage = "SELECT value FROM trueup.trueup_meta WHERE key = 'lineage'";
    let facts = (json!(SCHEMA_VERSION), json!(database.run(lineage).unwrap()));
    for (key, wrong) in
        [("schema", json!(SCHEMA_VERSION - 1)), ("lineage", json!("x")), ("mode", json!("write"))]
    {
        let mut request = request("commit", &[insert_item("A", "op1")]);
        request[key] = wrong;
        let answer = exchange(&url, &request).unwrap();
        assert_eq!(answer["refused"], key);
        assert_eq!((&answer["schema"], &answer["lineage"]), (&facts.0, &facts.1), "{key}");
    }
    let mut right = request("commit", &[]);
    (right["schema"], right["lineage"]) = facts;
    assert_eq!(exchange(&url, &right).unwrap()["ok"], json!(true));
    let writing = request("read", &[insert_item("A", "op1")]);
    assert_eq!(exchange(&url, &writing).unwrap()["refused"], "writes in a read");
    assert_eq!(exchange(&url, &json!({"protocol": 2})).unwrap()["refused"], "protocol");
    assert_eq!(exchange(&url, &json!([])).unwrap()["refused"], "request");
}

#[test]
fn each_part_of_a_batch_has_its_own_fate() {
    let Some(database) = TestDatabase::create() else { return };
    let url = database.add_user("trueup_client");
    let part =
        |op_id: &str, key: &str| json!({"mode": "commit", "steps": [insert_item(key, op_id)]});
    let batch = json!({"protocol": 1, "batch": [
        part("op1", "A"), part("op2", "A"), part("op3", "B"), {"mode": "read", "steps": [{"s": "x"}]},
    ]});
    let answer = exchange(&url, &batch).unwrap();
    let answers = answer["batch"].as_array().unwrap();
    assert_eq!(answers.len(), 4);
    assert_eq!(answers[0]["results"], json!([1]));
    assert_eq!(answers[1]["denied"]["sqlstate"], "TU005");
    assert_eq!(answers[2]["results"], json!([1]));
    assert!(answers[3]["refused"].is_string());
    let keys = "SELECT string_agg(key, ' ' ORDER BY key) FROM trueup.work_items";
    assert_eq!(database.run(keys).unwrap(), "A B");
}

#[test]
fn a_constraint_denies_by_its_name_and_large_numbers_survive() {
    let Some(database) = TestDatabase::create() else { return };
    let url = database.add_user("trueup_client");
    let answer = exchange(&url, &request("commit", &[insert_item("-x", "op1")])).unwrap();
    assert_eq!(answer["denied"]["sqlstate"], "23514");
    assert_eq!(answer["denied"]["constraint"], "work_items_key_check");
    let patch = json!([r#"{"not json"#, 0, "me", null, "op2", "s1", 1, null, null]);
    let answer = exchange(&url, &request("commit", &[step("state::PUSH_STATE", patch)])).unwrap();
    assert_eq!(answer["denied"]["sqlstate"], "22P02");

    let large = 9_007_199_254_740_993_i64;
    let done = commit(&url, &[insert_item_at("A", Some(large), "op3"), load_item("A")]);
    assert_eq!(done[1][0]["position"], json!(large));
}
