//! Reading every row that has rules, in pages, since the answer of a remote database is bounded.

use super::Engine;
use super::engine::{Tx, args};
use super::row::Row;
use super::statement::{Statement, statements};
use crate::store::Result;
use crate::store::row_rules::{TABLE_RULES, TableRules, Violation, find_cycles};

/// Most rows of one page.
const PAGE_ROWS: i64 = 2_000;

statements! {
    // Each selects the key, and then the columns of `TABLE_RULES` in their order, as texts.
    LIST_SESSION_VALUES(text, int) =
        "SELECT session_id, CAST(status AS text), CAST(session_id AS text),
             CAST(metadata AS text), CAST(registered_at AS text), CAST(heartbeat_at AS text),
             CAST(lease_expires_at AS text), CAST(revision AS text)
         FROM claude_sessions AS t WHERE t.session_id > ?1 ORDER BY t.session_id LIMIT ?2";
    LIST_ITEM_VALUES(text, int) =
        "SELECT key, CAST(status AS text), CAST(key AS text), CAST(kind AS text),
             CAST(claim_epoch AS text), CAST(created_at AS text), CAST(updated_at AS text),
             CAST(completed_at AS text), CAST(revision AS text)
         FROM work_items AS t WHERE t.key > ?1 ORDER BY t.key LIMIT ?2";
    LIST_PHASE_VALUES(text, int) =
        "SELECT queue_id, CAST(status AS text), CAST(queue_id AS text), CAST(item AS text),
             CAST(phase_number AS text), CAST(current_phase AS text),
             CAST(depends_on_phases AS text), CAST(created_at AS text), CAST(updated_at AS text),
             CAST(started_timestamp AS text), CAST(completed_at AS text), CAST(revision AS text)
         FROM phase_queue AS t WHERE t.queue_id > ?1 ORDER BY t.queue_id LIMIT ?2";
    LIST_DEPENDENCY_EDGES(text, text, int) =
        "SELECT item, depends_on FROM item_dependencies
         WHERE item > ?1 OR item = ?1 AND depends_on > ?2 ORDER BY item, depends_on LIMIT ?3";
    LIST_PARENT_EDGES(text, text, int) =
        "SELECT key, parent FROM work_items
         WHERE key > ?1 AND (?2 IS NOT NULL) AND parent IS NOT NULL ORDER BY key LIMIT ?3";
}

/// How the rows of a table are read for its rules.
pub(super) struct RowCheck {
    rules: TableRules,
    statement: &'static Statement,
}

pub(super) static ROW_CHECKS: [RowCheck; 3] = [
    RowCheck { rules: TABLE_RULES[0], statement: &LIST_SESSION_VALUES },
    RowCheck { rules: TABLE_RULES[1], statement: &LIST_ITEM_VALUES },
    RowCheck { rules: TABLE_RULES[2], statement: &LIST_PHASE_VALUES },
];

impl RowCheck {
    /// Finds the rows of the table that break a rule.
    pub(super) fn find_violations(&self, engine: &impl Engine) -> Result<Vec<Violation>> {
        let mut found = Vec::new();
        let mut last_key = String::new();
        loop {
            let page = engine.read(|tx| {
                tx.rows(self.statement, args![last_key, PAGE_ROWS], |row| self.check_row(row))
            })?;
            let Some((key, _)) = page.last() else {
                return Ok(found);
            };
            last_key.clone_from(key);
            found.extend(page.into_iter().flat_map(|(_, violations)| violations));
        }
    }

    fn check_row(&self, row: &dyn Row) -> Result<(String, Vec<Violation>)> {
        let key: String = row.get(0)?;
        let values = (1..=self.rules.rules.len()).map(|column| row.get(column));
        let values: Vec<Option<String>> = values.collect::<Result<_>>()?;
        let violations = self.rules.find_violations(&key, &values);
        Ok((key, violations))
    }
}

/// Finds circles of dependencies and of parents.
pub(super) fn find_edge_cycles(engine: &impl Engine) -> Result<Vec<Violation>> {
    let mut found = Vec::new();
    for (table, field, statement) in [
        ("item_dependencies", "depends_on", &LIST_DEPENDENCY_EDGES),
        ("work_items", "parent", &LIST_PARENT_EDGES),
    ] {
        let edges = list_edges(engine, statement)?;
        let cycles = find_cycles(&edges).into_iter();
        found.extend(cycles.map(|cycle| Violation::of_cycle(table, field, &cycle)));
    }
    Ok(found)
}

fn list_edges(
    engine: &impl Engine,
    statement: &'static Statement,
) -> Result<Vec<(String, String)>> {
    let mut edges: Vec<(String, String)> = Vec::new();
    loop {
        let (from, to) = edges.last().cloned().unwrap_or_default();
        let page = engine.read(|tx| {
            tx.rows(statement, args![from, to, PAGE_ROWS], |row| Ok((row.get(0)?, row.get(1)?)))
        })?;
        if page.is_empty() {
            return Ok(edges);
        }
        edges.extend(page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_statement_selects_the_key_and_the_columns_with_rules() {
        for check in &ROW_CHECKS {
            let columns: Vec<String> = check
                .rules
                .rules
                .iter()
                .map(|(field, _)| format!("CAST({field} AS text)"))
                .collect();
            let expected = format!(
                "SELECT {}, {} FROM {} ",
                check.rules.key_column,
                columns.join(", "),
                check.rules.table
            );
            let words: Vec<&str> = check.statement.sqlite().split_whitespace().collect();
            assert!(words.join(" ").starts_with(&expected), "{expected}");
        }
    }
}
