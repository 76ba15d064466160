//! Requests to `trueup.exchange`.

use serde_json::{Value, json};
use support::postgres::{SqlError, run_psql};
use trueup_core::store::sql::{Statement, statements};

/// Finds a statement by the end of its name, such as `items::insert::INSERT_ITEM`.
pub(crate) fn statement(name: &str) -> &'static Statement {
    let end = format!("::{name}");
    statements().find(|statement| statement.name().ends_with(&end)).unwrap()
}

/// A step of a request.
pub(crate) fn step(name: &str, args: Value) -> Value {
    let mut step = json!({"s": statement(name).digest()});
    step["a"] = args;
    step
}

pub(crate) fn request(mode: &str, steps: &[Value]) -> Value {
    json!({"protocol": 1, "mode": mode, "schema": null, "lineage": null, "steps": steps})
}

/// Calls the function; returns its answer.
pub(crate) fn exchange(url: &str, request: &Value) -> Result<Value, SqlError> {
    Ok(serde_json::from_str(&exchange_text(url, request)?).unwrap())
}

/// Calls the function; returns the text of its answer.
pub(crate) fn exchange_text(url: &str, request: &Value) -> Result<String, SqlError> {
    run_psql(url, &format!("SELECT trueup.exchange($request${request}$request$)"))
}

/// Commits steps, all of which must succeed; returns their results.
pub(crate) fn commit(url: &str, steps: &[Value]) -> Vec<Value> {
    let answer = exchange(url, &request("commit", steps)).unwrap();
    assert_eq!(answer["ok"], json!(true), "{answer}");
    answer["results"].as_array().unwrap().clone()
}

/// A step that adds an item.
pub(crate) fn insert_item(key: &str, op_id: &str) -> Value {
    insert_item_at(key, None, op_id)
}

/// A step that adds an item at a position.
pub(crate) fn insert_item_at(key: &str, position: Option<i64>, op_id: &str) -> Value {
    let args = json!([
        key, null, null, null, position, null, "queued", 0, "me", null, op_id, 0, null, null, "{}"
    ]);
    step("insert::INSERT_ITEM", args)
}

/// A step that registers a session.
pub(crate) fn register_session(id: &str, op_id: &str) -> Value {
    let lease = "+900 seconds";
    let args = json!([
        id, "app", "/w", "box", 7, 70, "boot", "machine", "ns", null, "main", lease, "me", null,
        op_id
    ]);
    step("lifecycle::REGISTER_SESSION", args)
}
