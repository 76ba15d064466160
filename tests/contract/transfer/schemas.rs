//! The list of tables and columns is that of both schemas.

use std::collections::BTreeMap;

use support::postgres::TestDatabase;
use trueup_core::store::sql::Kind;
use trueup_core::store::sql::transfer::TRANSFER_TABLES;

use crate::fixture::new_sqlite;

/// Tables that a migration fills.
const MADE_BY_MIGRATIONS: [&str; 3] = ["legal_transitions", "schema_migrations", "statements"];

/// The kind of each column, by its table and name.
type Columns = BTreeMap<(String, String), Kind>;

fn listed_columns() -> Columns {
    let columns = TRANSFER_TABLES.iter().flat_map(|table| {
        let name = |column: &str| (table.name().to_owned(), column.to_owned());
        table.columns().iter().map(move |column| (name(column.name), column.kind))
    });
    columns.collect()
}

#[test]
fn every_column_of_sqlite_is_exported() {
    let file = new_sqlite();
    let connection = file.open_foreign_connection();
    let sql = "SELECT t.name, c.name, c.type FROM pragma_table_list t, pragma_table_xinfo(t.name) c
        WHERE t.type = 'table' AND t.schema = 'main' AND t.name NOT LIKE 'sqlite_%' AND c.hidden = 0";
    let mut select = connection.prepare(sql).unwrap();
    let mut found: BTreeMap<(String, String), String> = select
        .query_map([], |row| Ok(((row.get::<_, String>(0)?, row.get(1)?), row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .filter(|((table, _), _)| !MADE_BY_MIGRATIONS.contains(&table.as_str()))
        .collect();
    for ((table, column), kind) in listed_columns() {
        // The number that every table has without naming it.
        if column == "rowid" {
            continue;
        }
        let sqlite_type = if kind == Kind::Integer { "INTEGER" } else { "TEXT" };
        let found = found.remove(&(table.clone(), column.clone()));
        assert_eq!(found.as_deref(), Some(sqlite_type), "{table}.{column}");
    }
    assert!(found.is_empty(), "an export leaves out {found:?}");
}

#[test]
fn every_column_of_postgresql_is_exported() {
    let Some(database) = TestDatabase::create() else { return };
    let sql = "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
        JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE c.table_schema = 'trueup' AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'";
    let rows = database.run(sql).unwrap();
    let mut found = BTreeMap::new();
    for row in rows.lines() {
        let [table, column, data_type] = row.split('|').collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        if !MADE_BY_MIGRATIONS.contains(&table) {
            found.insert((table.to_owned(), column.to_owned()), data_type.to_owned());
        }
    }
    for ((table, column), kind) in listed_columns() {
        let expected = match kind {
            Kind::Text => "text",
            Kind::Integer => "bigint",
            Kind::Json => "jsonb",
        };
        let found = found.remove(&(table.clone(), column.clone()));
        assert_eq!(found.as_deref(), Some(expected), "{table}.{column}");
    }
    assert!(found.is_empty(), "an export leaves out {found:?}");
}
