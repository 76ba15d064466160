//! SQL of the tests, which is SQLite's, for PostgreSQL.

use rusqlite::types::Value;
use rusqlite::{Connection, Params};

/// Translates what the two databases say differently and the schema's functions do not level out.
pub(super) fn translate(statement: &str) -> String {
    let mut statement = statement.trim_start().to_owned();
    for (here, there) in
        [("json_object(", "jsonb_build_object("), ("json_group_array(", "jsonb_agg(")]
    {
        statement = statement.replace(here, there);
    }
    match statement.strip_prefix("INSERT OR IGNORE") {
        Some(rest) => format!("INSERT{rest} ON CONFLICT DO NOTHING"),
        None => statement,
    }
}

/// Writes parameters such as `?1` into a statement, so that the server finds their types.
pub(super) fn bind_literals(statement: &str, parameters: impl Params) -> String {
    let values = parameter_values(statement, parameters);
    let mut bound = statement.to_owned();
    // From the last on: `?1` begins `?12` as well.
    for (index, value) in values.iter().enumerate().rev() {
        bound = bound.replace(&format!("?{}", index + 1), &literal(value));
    }
    bound
}

/// Asks SQLite for the values, which is all that can be asked of `Params`.
fn parameter_values(statement: &str, parameters: impl Params) -> Vec<Value> {
    let count = (1..=20).rev().find(|number| statement.contains(&format!("?{number}")));
    let Some(count) = count else { return Vec::new() };
    let places: Vec<String> = (1..=count).map(|number| format!("?{number}")).collect();
    let query = format!("SELECT {}", places.join(", "));
    let read = |row: &rusqlite::Row<'_>| (0..count).map(|index| row.get(index)).collect();
    Connection::open_in_memory().unwrap().query_row(&query, parameters, read).unwrap()
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Blob(_) => panic!("no column holds bytes"),
    }
}
