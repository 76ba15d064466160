//! Reads every row that has rules, and reports those that break one.

use rusqlite::{Connection, Row};

use crate::store::Result;
use crate::store::row_rules::{TABLE_RULES, TableRules, Violation, find_cycles};

/// Finds every row that breaks a rule.
pub(super) fn find_violations(connection: &Connection) -> Result<Vec<Violation>> {
    let mut found = Vec::new();
    for table_rules in TABLE_RULES {
        found.extend(check_table(connection, table_rules)?);
    }
    found.extend(find_dangling_references(connection)?);
    for (table, field, sql) in [
        ("item_dependencies", "depends_on", "SELECT item, depends_on FROM item_dependencies"),
        ("work_items", "parent", "SELECT key, parent FROM work_items WHERE parent IS NOT NULL"),
    ] {
        found.extend(find_cycles_in_table(connection, table, field, sql)?);
    }
    Ok(found)
}

fn check_table(connection: &Connection, table_rules: TableRules) -> Result<Vec<Violation>> {
    // As text, so that a value of any type is checked.
    let columns: Vec<String> =
        table_rules.rules.iter().map(|(field, _)| format!("CAST({field} AS TEXT)")).collect();
    let TableRules { table, key_column: key, .. } = table_rules;
    let sql = format!(
        "SELECT coalesce(CAST({key} AS TEXT), ''), {} FROM {table} ORDER BY 1",
        columns.join(", ")
    );
    let mut statement = connection.prepare(&sql)?;
    let check_row = |row: &Row<'_>| {
        let name: String = lossy_text(row, 0)?.unwrap_or_default();
        let values = (1..=columns.len()).map(|column| lossy_text(row, column));
        let values: Vec<Option<String>> = values.collect::<rusqlite::Result<_>>()?;
        Ok(table_rules.find_violations(&name, &values))
    };
    let flaws: Vec<Vec<Violation>> =
        statement.query_map([], check_row).and_then(Iterator::collect)?;
    Ok(flaws.into_iter().flatten().collect())
}

/// Reads a text; invalid bytes are replaced, so that they are a violation and not a failure.
fn lossy_text(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    let value = row.get_ref(column)?.as_bytes_or_null()?;
    Ok(value.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
}

/// Finds rows that refer to a missing row: most shells do not enforce foreign keys.
fn find_dangling_references(connection: &Connection) -> Result<Vec<Violation>> {
    let sql = "SELECT c.\"table\", CAST(c.rowid AS TEXT), c.parent,
                   (SELECT \"from\" FROM pragma_foreign_key_list(c.\"table\") l WHERE l.id = c.fkid)
               FROM pragma_foreign_key_check c";
    let mut statement = connection.prepare(sql)?;
    let flaws = statement.query_map([], |row| {
        let (table, rowid): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        let parent: String = row.get(2)?;
        Ok(Violation {
            // A table without row ids does not tell which row it is.
            row: rowid.map_or_else(String::new, |rowid| name_row(connection, &table, &rowid)),
            field: row.get(3)?,
            problem: format!("refers to a missing row of {parent}"),
            table,
        })
    });
    Ok(flaws.and_then(Iterator::collect)?)
}

/// Names a row by the key of its table, or else by its row id.
fn name_row(connection: &Connection, table: &str, rowid: &str) -> String {
    let table_rules = TABLE_RULES.into_iter().find(|checked| checked.table == table);
    let read = table_rules.and_then(|TableRules { table, key_column: key, .. }| {
        let sql = format!("SELECT CAST({key} AS TEXT) FROM {table} WHERE rowid = ?1");
        connection.query_row(&sql, [rowid], |row| row.get(0)).ok()
    });
    read.unwrap_or_else(|| rowid.to_owned())
}

fn find_cycles_in_table(
    connection: &Connection,
    table: &str,
    field: &str,
    sql: &str,
) -> Result<Vec<Violation>> {
    let mut statement = connection.prepare(sql)?;
    let edges: Vec<(String, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect)?;
    let cycles = find_cycles(&edges).into_iter();
    Ok(cycles.map(|cycle| Violation::of_cycle(table, field, &cycle)).collect())
}
