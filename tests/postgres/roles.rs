//! What the roles may do, and what they may not.

use serde_json::{Value, json};
use support::postgres::{TestDatabase, run_psql};
use trueup_core::store::sql::{PostgresFlavor, postgres_schema, statements};

use crate::requests::{commit, exchange, insert_item, request, step};

const NO_RIGHT: &str = "42501";

/// What a hub may do, and a mere client may not.
const FOR_HUBS: &str = "TU040";

#[test]
fn every_statement_runs_with_the_rights_of_the_function() {
    let Some(database) = TestDatabase::create() else { return };
    let parts: Vec<Value> = statements()
        .map(|statement| {
            let args = vec![Value::Null; statement.params().len()];
            json!({"mode": "try", "steps": [{"s": statement.digest(), "a": args}]})
        })
        .collect();
    for role in ["trueup_client", "trueup_hub"] {
        let url = database.add_user(role);
        // With nothing but NULL many are denied; a right that is missing would be an error.
        let answer = exchange(&url, &json!({"protocol": 1, "batch": parts})).unwrap();
        for (statement, answer) in statements().zip(answer["batch"].as_array().unwrap()) {
            let is_answer = answer["ok"] == json!(true) || answer["denied"].is_object();
            assert!(is_answer, "{}: {answer}", statement.name());
            let is_hubs = statement.is_for_hub() && role == "trueup_client";
            let is_refused = answer["denied"]["sqlstate"] == FOR_HUBS;
            assert_eq!(is_refused, is_hubs, "{role} {}: {answer}", statement.name());
        }
    }
}

/// A token, and who called by it, are what a hub says.
#[test]
fn tokens_are_for_hubs_and_the_owner_alone() {
    let Some(database) = TestDatabase::create() else { return };
    let tokens: Vec<_> = statements().filter(|it| it.name().contains("::tokens::")).collect();
    assert!(tokens.len() >= 6 && tokens.iter().all(|statement| statement.is_for_hub()));
    let digest = "a".repeat(64);
    let insert = step("tokens::INSERT_TOKEN", json!(["ann", "admin", digest, "me"]));
    let find = step("tokens::FIND_TOKEN", json!([digest]));
    let client = database.add_user("trueup_client");
    for (mode, step) in [("try", &insert), ("commit", &insert), ("commit", &find), ("read", &find)]
    {
        let answer = exchange(&client, &request(mode, std::slice::from_ref(step))).unwrap();
        assert_eq!(answer["denied"]["sqlstate"], FOR_HUBS, "{answer}");
    }
    let tokens = "SELECT count(*) FROM trueup.access_tokens";
    assert_eq!(database.run(tokens).unwrap(), "0");
    let hub = database.add_user("trueup_hub");
    commit(&hub, &[insert]);
    for url in [&hub, &database.url()] {
        let answer = exchange(url, &request("read", std::slice::from_ref(&find))).unwrap();
        assert_eq!(answer["results"][0][0]["name"], json!("ann"), "{answer}");
    }
    // A gateway logs in for everybody, and takes on the role of each.
    let text = request("read", &[find]).to_string();
    let both = format!("GRANT trueup_client, trueup_hub TO {}", user_of(&client));
    database.run(&both).unwrap();
    for (role, is_denied) in [("trueup_client", true), ("trueup_hub", false), ("NONE", false)] {
        let sql = format!("SET ROLE {role}; SELECT trueup.exchange('{text}')");
        let answer = run_psql(&client, &sql).unwrap();
        let answer: Value = serde_json::from_str(answer.lines().last().unwrap()).unwrap();
        assert_eq!(answer["denied"].is_object(), is_denied, "{role}: {answer}");
    }
}

fn user_of(url: &str) -> &str {
    url.split(['/', ':']).nth(3).unwrap()
}

#[test]
fn a_client_can_do_nothing_but_exchange() {
    let Some(database) = TestDatabase::create() else { return };
    let url = database.add_user("trueup_client");
    commit(&url, &[insert_item("A", "op1")]);
    for sql in [
        "SELECT * FROM trueup.work_items",
        "UPDATE trueup.work_items SET title = 'x'",
        "DELETE FROM trueup.events",
        "INSERT INTO trueup.statements VALUES ('x', 'x', 'DROP TABLE trueup.events', true)",
        "DROP TABLE trueup.events",
        "CREATE TABLE trueup.events2 (a int)",
        "CREATE FUNCTION trueup.refuse(text, text) RETURNS void LANGUAGE sql AS ''",
        "ALTER FUNCTION trueup.exchange(text) SECURITY INVOKER",
        "SELECT trueup.run_steps('commit', '[]', false)",
        "SELECT trueup.take_turn()",
        "SET ROLE trueup_owner",
        "SET ROLE trueup_agent",
        "SET SESSION AUTHORIZATION postgres",
        "GRANT trueup_owner TO CURRENT_USER",
        "SELECT rolpassword FROM pg_authid",
    ] {
        let error = run_psql(&url, sql).unwrap_err();
        assert_eq!(error.sqlstate, NO_RIGHT, "{sql}: {error:?}");
    }
}

#[test]
fn a_request_carries_no_sql() {
    let Some(database) = TestDatabase::create() else { return };
    let url = database.add_user("trueup_client");
    let load = step("load::LOAD_ITEM", json!(["A"]));
    let digest = load["s"].as_str().unwrap().to_owned();
    for text in [
        "SET ROLE trueup_owner".to_owned(),
        "SELECT set_config('role', 'trueup_owner', false)".to_owned(),
        "DROP SCHEMA trueup CASCADE".to_owned(),
        "SELECT rolpassword FROM pg_authid".to_owned(),
        format!("{digest}; DROP TABLE trueup.events"),
        format!("{digest}' OR '1' = '1"),
        digest.to_uppercase(),
        String::new(),
    ] {
        let steps = [json!({"s": text, "a": []})];
        for mode in ["read", "try", "commit"] {
            let answer = exchange(&url, &request(mode, &steps)).unwrap();
            let why = answer["refused"].as_str().unwrap();
            assert_eq!(why, format!("unregistered statement {text}"));
        }
    }
    // A value stays a value.
    let hostile = "'; DROP TABLE trueup.events; --";
    let steps = [step("load::LOAD_ITEM", json!([hostile]))];
    let answer = exchange(&url, &request("read", &steps)).unwrap();
    assert_eq!(answer["results"][0], json!([]));
    assert_eq!(database.run("SELECT count(*) FROM trueup.events").unwrap(), "0");
}

#[test]
fn a_table_of_the_caller_does_not_stand_before_ours() {
    let Some(database) = TestDatabase::create() else { return };
    let url = database.add_user("trueup_client");
    let load = request("read", &[step("load::LOAD_ITEM", json!(["A"]))]);
    let sql = format!(
        "CREATE TEMP TABLE work_items (key text);
         CREATE TEMP TABLE statements (digest text, name text, text text, writes boolean);
         INSERT INTO statements SELECT '{}', 'x', 'SELECT 1 AS hijacked', false;
         SET search_path = pg_temp, trueup;
         SELECT trueup.exchange('{load}')",
        load["steps"][0]["s"].as_str().unwrap()
    );
    let answer = run_psql(&url, &sql).unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["results"][0], json!([]));
}

#[test]
fn a_reader_reads_and_a_stranger_does_not() {
    let Some(database) = TestDatabase::create() else { return };
    let reader = database.add_user("trueup_reader");
    run_psql(&reader, "SELECT facts FROM trueup.work_items").unwrap();
    run_psql(&reader, "SELECT * FROM trueup.open_item_dependencies").unwrap();
    let columns = "name, role, created_at, created_by, revoked_at, revoked_by";
    run_psql(&reader, &format!("SELECT {columns} FROM trueup.access_tokens")).unwrap();
    run_psql(&reader, "SELECT * FROM trueup.attention, trueup.callers").unwrap();
    let stranger = database.add_user("pg_monitor");
    for (url, sql) in [
        (&reader, "SELECT digest FROM trueup.access_tokens"),
        (&reader, "SELECT * FROM trueup.access_tokens"),
        (&reader, "UPDATE trueup.work_items SET title = 'x'"),
        (&reader, "SELECT trueup.exchange('{}')"),
        (&stranger, "SELECT trueup.exchange('{}')"),
        (&stranger, "SELECT * FROM trueup.work_items"),
    ] {
        assert_eq!(run_psql(url, sql).unwrap_err().sqlstate, NO_RIGHT, "{sql}");
    }
}

#[test]
fn on_supabase_agents_reach_the_wrapper_and_visitors_do_not() {
    let Some(database) = TestDatabase::create() else { return };
    database.run(&postgres_schema(PostgresFlavor::Supabase)).unwrap();
    let call = "SELECT public.trueup_exchange('{\"protocol\":1,\"mode\":\"read\"}')";
    let agent = database.add_user("trueup_client");
    let answer: Value = serde_json::from_str(&run_psql(&agent, call).unwrap()).unwrap();
    assert_eq!(answer["ok"], json!(true));
    let visitor = database.add_user("pg_monitor");
    assert_eq!(run_psql(&visitor, call).unwrap_err().sqlstate, NO_RIGHT);
}
