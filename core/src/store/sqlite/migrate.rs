//! Numbered, checksummed, forward-only migrations.

use rusqlite::{Connection, Transaction, params};
use sha2::{Digest, Sha256};

use crate::model::legal_edges;
use crate::store::{AppliedMigration, Result, SCHEMA_VERSION, SchemaStatus, StoreError};
use crate::text::to_hex;

/// Marks a file as trueup's: "TRUP".
pub const APPLICATION_ID: u32 = 0x5452_5550;

struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
    /// Whether the table of legal transitions is filled again after it.
    legal_transitions: bool,
}

impl Migration {
    const fn new(version: i64, name: &'static str, sql: &'static str) -> Self {
        Self { version, name, sql, legal_transitions: false }
    }
}

const MIGRATIONS: &[Migration] = &[
    Migration::new(
        1,
        "sessions_items_events",
        include_str!("migrations/0001_sessions_items_events.sql"),
    ),
    Migration::new(2, "session_tasks", include_str!("migrations/0002_session_tasks.sql")),
    Migration {
        version: 3,
        name: "item_rules",
        sql: include_str!("migrations/0003_item_rules.sql"),
        legal_transitions: true,
    },
    Migration::new(4, "phase_queue", include_str!("migrations/0004_phase_queue.sql")),
    Migration::new(5, "plans", include_str!("migrations/0005_plans.sql")),
    Migration::new(6, "orchestrators", include_str!("migrations/0006_orchestrators.sql")),
    Migration::new(7, "handoffs", include_str!("migrations/0007_handoffs.sql")),
    Migration::new(8, "ports", include_str!("migrations/0008_ports.sql")),
    Migration::new(9, "retention", include_str!("migrations/0009_retention.sql")),
    Migration::new(
        10,
        "repos_and_workplans",
        include_str!("migrations/0010_repos_and_workplans.sql"),
    ),
    // Since the migration before, tasks of workplans are items and move as items do.
    Migration {
        version: 11,
        name: "next_phase",
        sql: include_str!("migrations/0011_next_phase.sql"),
        legal_transitions: true,
    },
    Migration::new(12, "process_places", include_str!("migrations/0012_process_places.sql")),
    Migration::new(13, "moved_revision", include_str!("migrations/0013_moved_revision.sql")),
    Migration::new(14, "one_open_handoff", include_str!("migrations/0014_one_open_handoff.sql")),
    // From this migration on, a failed task of a plan may be skipped.
    Migration {
        version: 15,
        name: "plans_may_go",
        sql: include_str!("migrations/0015_plans_may_go.sql"),
        legal_transitions: true,
    },
    Migration::new(
        16,
        "item_keys_of_any_case",
        include_str!("migrations/0016_item_keys_of_any_case.sql"),
    ),
    Migration::new(17, "repo_names", include_str!("migrations/0017_repo_names.sql")),
    Migration::new(18, "swept", include_str!("migrations/0018_swept.sql")),
    Migration::new(
        19,
        "callers_and_signs_of_life",
        include_str!("migrations/0019_callers_and_signs_of_life.sql"),
    ),
    Migration::new(20, "delivered_from", include_str!("migrations/0020_delivered_from.sql")),
    Migration::new(
        21,
        "tokens_callers_attention",
        include_str!("migrations/0021_tokens_callers_attention.sql"),
    ),
    Migration::new(22, "item_priorities", include_str!("migrations/0022_item_priorities.sql")),
];

/// Reads the version of a file that is trueup's.
pub(super) fn read_schema_version(connection: &Connection) -> Result<i64> {
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > SCHEMA_VERSION {
        return Err(StoreError::SchemaTooNew { found: version, known: SCHEMA_VERSION });
    }
    Ok(version)
}

/// Applies the missing migrations up to `target`. The caller holds the write lock, under which the
/// version is read again, so of several processes one migrates and the others find it done.
pub(super) fn migrate_to(tx: &Transaction<'_>, target: i64) -> Result<()> {
    let mut version: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version == 0 {
        tx.execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION_ID};
             CREATE TABLE schema_migrations (
                 version    INTEGER NOT NULL PRIMARY KEY,
                 name       TEXT NOT NULL,
                 checksum   TEXT NOT NULL,
                 applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
             ) STRICT;"
        ))?;
    }
    for migration in MIGRATIONS.iter().filter(|m| m.version > version && m.version <= target) {
        tx.execute_batch(migration.sql)?;
        if migration.legal_transitions {
            write_legal_transitions(tx)?;
        }
        tx.execute(
            "INSERT INTO schema_migrations (version, name, checksum) VALUES (?1, ?2, ?3)",
            params![migration.version, migration.name, checksum_sql(migration.sql)],
        )?;
    }
    version = version.max(target);
    tx.execute_batch(&format!("PRAGMA user_version = {version}"))?;
    Ok(())
}

/// Fills the schema's table of legal transitions from the code. A change of the transitions needs
/// a migration that does this again.
fn write_legal_transitions(tx: &Transaction<'_>) -> Result<()> {
    tx.execute("DELETE FROM legal_transitions", [])?;
    let mut statement = tx.prepare("INSERT INTO legal_transitions VALUES (?1, ?2, ?3, ?4)")?;
    for edge in legal_edges() {
        statement.execute(params![edge.entity.as_str(), edge.from, edge.to, edge.is_reopening])?;
    }
    Ok(())
}

/// Reads which migrations were applied.
pub(super) fn load_schema_status(connection: &Connection) -> Result<SchemaStatus> {
    let version = read_schema_version(connection)?;
    let mut statement = connection
        .prepare("SELECT version, name, applied_at, checksum FROM schema_migrations ORDER BY 1")?;
    let applied = statement
        .query_map([], |row| {
            let version: i64 = row.get(0)?;
            let stored: String = row.get(3)?;
            let known = MIGRATIONS.iter().find(|m| m.version == version);
            Ok(AppliedMigration {
                version,
                name: row.get(1)?,
                applied_at: row.get(2)?,
                is_unchanged: known.is_some_and(|m| checksum_sql(m.sql) == stored),
            })
        })
        .and_then(Iterator::collect)?;
    Ok(SchemaStatus { version, newest_known: SCHEMA_VERSION, applied })
}

fn checksum_sql(sql: &str) -> String {
    to_hex(&Sha256::digest(sql.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::phase::PhaseName;
    use crate::store::sqlite::integrity::check_integrity;

    fn schema_of(steps: &[i64]) -> Vec<String> {
        let mut connection = Connection::open_in_memory().unwrap();
        for target in steps {
            let tx = connection.transaction().unwrap();
            migrate_to(&tx, *target).unwrap();
            tx.commit().unwrap();
        }
        schema_text(&connection)
    }

    fn schema_text(connection: &Connection) -> Vec<String> {
        let mut statement = connection
            .prepare("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name")
            .unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(|r| r.unwrap()).collect()
    }

    #[test]
    fn versions_rise_by_one_and_end_at_the_newest() {
        let versions: Vec<i64> = MIGRATIONS.iter().map(|m| m.version).collect();
        let expected: Vec<i64> = (1..=SCHEMA_VERSION).collect();
        assert_eq!(versions, expected);
    }

    #[test]
    fn upgraded_equals_fresh_and_a_second_run_changes_nothing() {
        let fresh = schema_of(&[SCHEMA_VERSION]);
        assert_eq!(schema_of(&[1, SCHEMA_VERSION]), fresh);
        assert_eq!(schema_of(&[SCHEMA_VERSION, SCHEMA_VERSION]), fresh);
        assert!(fresh.len() > 10);
    }

    #[test]
    fn the_rules_and_rows_of_sessions_keep_their_flag_under_its_new_name() {
        let mut connection = Connection::open_in_memory().unwrap();
        let tx = connection.transaction().unwrap();
        migrate_to(&tx, 17).unwrap();
        tx.execute_batch(
            "INSERT INTO claude_sessions (session_id, settled) VALUES ('done', 1), ('open', 0);
             INSERT INTO work_items (key) VALUES ('A');",
        )
        .unwrap();
        migrate_to(&tx, SCHEMA_VERSION).unwrap();
        tx.commit().unwrap();
        let swept = |connection: &Connection| -> String {
            let sql = "SELECT group_concat(session_id || swept) FROM
                       (SELECT * FROM claude_sessions ORDER BY session_id)";
            connection.query_row(sql, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(swept(&connection), "done1,open0");
        // The trigger of items resets it for whoever becomes a holder.
        connection.execute("UPDATE work_items SET holder = 'done'", []).unwrap();
        assert_eq!(swept(&connection), "done0,open0");
        assert_eq!(schema_text(&connection), schema_of(&[SCHEMA_VERSION]));
    }

    #[test]
    fn phases_of_items_that_ended_are_over() {
        let mut connection = Connection::open_in_memory().unwrap();
        let tx = connection.transaction().unwrap();
        migrate_to(&tx, 10).unwrap();
        for (item, status) in [("A", "completed"), ("B", "queued")] {
            let rows = format!(
                "INSERT INTO work_items (key, status) VALUES ('{item}', '{status}');
                 INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, status)
                 VALUES ('{item}:1', '{item}', 1, 'plan', 'ready');"
            );
            tx.execute_batch(&rows).unwrap();
        }
        migrate_to(&tx, 11).unwrap();
        let over = "SELECT group_concat(item) FROM phase_queue WHERE is_over";
        let over: String = tx.query_row(over, [], |row| row.get(0)).unwrap();
        assert_eq!(over, "A");
        let move_to = |item: &str, status: &str| {
            tx.execute(
                "UPDATE work_items SET status = ?2, reopened = reopened + (?2 = 'queued'),
                     last_actor = 'me', last_op = ?2, last_reason = 'why' WHERE key = ?1",
                [item, status],
            )
            .unwrap();
            let over = "SELECT is_over FROM phase_queue WHERE item = ?1";
            tx.query_row(over, [item], |row| row.get::<_, bool>(0)).unwrap()
        };
        assert!(move_to("B", "cancelled"));
        assert!(!move_to("B", "queued"));
        assert!(!move_to("A", "queued"));
    }

    #[test]
    fn phases_of_an_old_file_stay_and_get_neighbours_of_own_names() {
        let mut connection = Connection::open_in_memory().unwrap();
        let tx = connection.transaction().unwrap();
        migrate_to(&tx, 21).unwrap();
        let add = |tx: &Connection, number: i64, name: &str| {
            tx.execute(
                "INSERT INTO phase_queue (queue_id, item, phase_number, current_phase)
                 VALUES ('A:' || ?1, 'A', ?1, ?2)",
                params![number, name],
            )
        };
        tx.execute("INSERT INTO work_items (key) VALUES ('A')", []).unwrap();
        for (number, name) in (1..).zip(PhaseName::USUAL) {
            add(&tx, number, name.as_str()).unwrap();
        }
        add(&tx, 11, "design").unwrap_err();
        migrate_to(&tx, SCHEMA_VERSION).unwrap();
        tx.commit().unwrap();
        add(&connection, 11, "design").unwrap();
        let longest = "a".repeat(32);
        add(&connection, 12, &longest).unwrap();
        for name in ["", "Design", "2fa", "-x", "a b", "größe", &format!("{longest}a")] {
            let refusal = add(&connection, 13, name).unwrap_err().to_string();
            assert!(refusal.contains("CHECK constraint failed"), "{name}: {refusal}");
        }
        let count = "SELECT count(*) FROM phase_queue";
        assert_eq!(connection.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap(), 12);
        assert_eq!(check_integrity(&connection).unwrap(), Vec::<String>::new());
        // The text of the schema is no longer open to changes.
        connection.execute("UPDATE sqlite_schema SET sql = ''", []).unwrap_err();
    }

    #[test]
    fn the_schema_holds_the_legal_transitions_of_the_code() {
        let mut connection = Connection::open_in_memory().unwrap();
        let tx = connection.transaction().unwrap();
        migrate_to(&tx, SCHEMA_VERSION).unwrap();
        tx.commit().unwrap();
        let mut statement = connection
            .prepare("SELECT entity, from_status, to_status, back FROM legal_transitions")
            .unwrap();
        let stored: std::collections::BTreeSet<(String, String, String, bool)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .unwrap()
            .map(|row| row.unwrap())
            .collect();
        let text = |word: &str| word.to_owned();
        let coded = legal_edges()
            .into_iter()
            .map(|e| (text(e.entity.as_str()), text(e.from), text(e.to), e.is_reopening))
            .collect();
        assert_eq!(stored, coded);
    }

    #[test]
    fn a_changed_migration_is_noticed() {
        let mut connection = Connection::open_in_memory().unwrap();
        let tx = connection.transaction().unwrap();
        migrate_to(&tx, SCHEMA_VERSION).unwrap();
        tx.commit().unwrap();
        assert!(load_schema_status(&connection).unwrap().applied.iter().all(|a| a.is_unchanged));
        connection
            .execute("UPDATE schema_migrations SET checksum = 'x' WHERE version = 1", [])
            .unwrap();
        let applied = load_schema_status(&connection).unwrap().applied;
        assert_eq!(applied.iter().filter(|a| !a.is_unchanged).count(), 1);
    }
}
