//! The script that upgrades a database, and what it refuses.

use std::fs;
use std::path::Path;
use std::thread;

use support::postgres::{SqlError, TestDatabase, run_psql};
use trueup_core::store::SCHEMA_VERSION;
use trueup_core::store::sql::{PostgresFlavor, postgres_schema};

/// Everything that the catalog tells of the schema, an object a line.
const CATALOG: &str = "
    SELECT 'relation', relname, concat_ws(' ', relkind, pg_get_userbyid(relowner),
        (SELECT string_agg(concat_ws(' ', pg_get_userbyid(grantee), privilege_type), ',' ORDER BY
            pg_get_userbyid(grantee), privilege_type) FROM aclexplode(relacl)),
        CASE relkind WHEN 'v' THEN pg_get_viewdef(oid) END)
    FROM pg_class WHERE relnamespace = 'trueup'::regnamespace AND relkind IN ('r', 'v', 'S')
    UNION ALL
    SELECT 'column', attrelid::regclass::text, concat_ws(' ', attnum, attname,
        format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated,
        attcollation::regcollation, pg_get_expr(adbin, adrelid))
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = 'trueup'::regnamespace AND relkind IN ('r', 'v')
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'trueup'::regnamespace
    UNION ALL
    SELECT 'index', tablename, indexdef FROM pg_indexes WHERE schemaname = 'trueup'
    UNION ALL
    SELECT 'trigger', tgrelid::regclass::text, pg_get_triggerdef(pg_trigger.oid)
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE relnamespace = 'trueup'::regnamespace AND NOT tgisinternal
    UNION ALL
    SELECT 'function', oid::regprocedure::text, concat_ws(' ', prokind, pg_get_userbyid(proowner),
        (SELECT string_agg(concat_ws(' ', grantee::regrole, privilege_type), ',' ORDER BY
            grantee::regrole::text, privilege_type) FROM aclexplode(proacl)),
        CASE WHEN prokind <> 'a' THEN pg_get_functiondef(oid) END)
    FROM pg_proc WHERE pronamespace = 'trueup'::regnamespace
    UNION ALL
    SELECT 'type', typname, concat_ws(' ', typtype, pg_get_userbyid(typowner),
        format_type(typbasetype, typtypmod), typcollation::regcollation)
    FROM pg_type WHERE typnamespace = 'trueup'::regnamespace
    UNION ALL
    SELECT 'schema', nspname, concat_ws(' ', pg_get_userbyid(nspowner),
        (SELECT string_agg(concat_ws(' ', grantee::regrole, privilege_type), ',' ORDER BY
            grantee::regrole::text, privilege_type) FROM aclexplode(nspacl)))
    FROM pg_namespace WHERE nspname = 'trueup'
    ORDER BY 1, 2, 3";

/// What migrations may change beside the catalog.
const CONTENT: &str = "
    SELECT 'lineage', value FROM trueup.trueup_meta WHERE key = 'lineage'
    UNION ALL SELECT 'migration', m::text FROM trueup.schema_migrations m
    UNION ALL SELECT 'statement', s::text FROM trueup.statements s
    UNION ALL SELECT 'edge', e::text FROM trueup.legal_transitions e
    UNION ALL SELECT 'item', w::text FROM trueup.work_items w
    UNION ALL SELECT 'event', e::text FROM trueup.events e ORDER BY 1, 2";

/// Reads what a file of the released schema 18, or of the migration to it, holds.
fn read_sql(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Creates a database as the first version with PostgreSQL did, with an item.
fn create_schema_18() -> Option<TestDatabase> {
    let database = TestDatabase::create_empty()?;
    let base = "core/src/store/sql/migrations/postgres/0018_base";
    let mut files: Vec<String> =
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(base))
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
    files.sort();
    let migration: String = files.iter().map(|file| read_sql(&format!("{base}/{file}"))).collect();
    let [roles, exchange, grants] = ["roles", "exchange", "grants"]
        .map(|name| read_sql(&format!("tests/postgres/schema_18/{name}.sql")));
    let checksum = checksum_of(18);
    let script = format!(
        "BEGIN; {roles} {migration}
         INSERT INTO trueup.schema_migrations (version, name, checksum)
         VALUES (18, 'base', '{checksum}');
         INSERT INTO trueup.trueup_meta VALUES ('lineage', 'old-lineage');
         {exchange} {grants}
         COMMIT;
         INSERT INTO trueup.work_items (key) VALUES ('A');"
    );
    database.run(&script).unwrap();
    Some(database)
}

/// Returns the checksum that the script stores for a migration.
fn checksum_of(version: i64) -> String {
    let script = postgres_schema(PostgresFlavor::Postgres);
    let (_, row) = script.split_once(&format!("VALUES ({version}, '")).unwrap();
    row.split('\'').nth(2).unwrap().to_owned()
}

fn upgrade(database: &TestDatabase) -> Result<String, SqlError> {
    database.run(&postgres_schema(PostgresFlavor::Postgres))
}

fn read_lines(database: &TestDatabase, sql: &str) -> Vec<String> {
    database.run(sql).unwrap().lines().map(str::to_owned).collect()
}

/// Reads what is compared: the definitions, without the blank lines within them.
fn read_catalog(database: &TestDatabase) -> Vec<String> {
    read_lines(database, CATALOG)
}

#[test]
fn an_upgraded_schema_is_a_fresh_one_and_keeps_what_was_there() {
    let Some(fresh) = TestDatabase::create() else { return };
    let old = create_schema_18().unwrap();
    assert_ne!(read_catalog(&old), read_catalog(&fresh), "the migration changes something");
    upgrade(&old).unwrap();
    let (upgraded, made) = (read_catalog(&old), read_catalog(&fresh));
    for (upgraded, made) in upgraded.iter().zip(&made) {
        assert_eq!(upgraded, made);
    }
    assert_eq!(upgraded.len(), made.len());
    assert!(made.len() > 1000, "{} lines", made.len());
    let kept = "SELECT (SELECT value FROM trueup.trueup_meta WHERE key = 'lineage'),
         (SELECT string_agg(key, ' ') FROM trueup.work_items),
         (SELECT string_agg(version::text, ' ' ORDER BY version) FROM trueup.schema_migrations)";
    let versions: Vec<String> = (18..=SCHEMA_VERSION).map(|version| version.to_string()).collect();
    assert_eq!(old.run(kept).unwrap(), format!("old-lineage|A|{}", versions.join(" ")));
}

#[test]
fn a_second_run_changes_nothing() {
    let Some(database) = create_schema_18() else { return };
    upgrade(&database).unwrap();
    let before = (read_catalog(&database), read_lines(&database, CONTENT));
    upgrade(&database).unwrap();
    assert_eq!((read_catalog(&database), read_lines(&database, CONTENT)), before);
}

#[test]
fn two_that_migrate_at_once_both_succeed() {
    for is_empty in [false, true] {
        let database = if is_empty { TestDatabase::create_empty() } else { create_schema_18() };
        let Some(database) = database else { return };
        // Both have begun, and wait, before the first is let go.
        let turn = database.hold_turn();
        let (url, script) = (database.url(), postgres_schema(PostgresFlavor::Postgres));
        thread::scope(|scope| {
            let runs = [(); 2].map(|()| scope.spawn(|| run_psql(&url, &script)));
            database.await_waiting(2);
            turn.release();
            for run in runs {
                run.join().unwrap().unwrap();
            }
        });
        let versions = "SELECT count(*), max(version) FROM trueup.schema_migrations";
        let expected = format!("{}|{SCHEMA_VERSION}", SCHEMA_VERSION - 17);
        assert_eq!(database.run(versions).unwrap(), expected);
    }
}

#[test]
fn a_migration_that_was_applied_with_another_text_is_named() {
    let Some(database) = TestDatabase::create() else { return };
    for (version, name) in [
        (18, "base"),
        (19, "callers_and_signs_of_life"),
        (20, "delivered_from"),
        (21, "tokens_callers_attention"),
    ] {
        let set = |checksum: &str| {
            format!(
                "UPDATE trueup.schema_migrations SET checksum = '{checksum}' WHERE version = {version}"
            )
        };
        database.run(&set("x")).unwrap();
        let before = (read_catalog(&database), read_lines(&database, CONTENT));
        let error = upgrade(&database).unwrap_err();
        assert_eq!(error.sqlstate, "TU031");
        let named = format!("migration {version} ({name})");
        assert!(error.message.starts_with(&named), "{}", error.message);
        assert_eq!((read_catalog(&database), read_lines(&database, CONTENT)), before);
        database.run(&set(&checksum_of(version))).unwrap();
    }
    upgrade(&database).unwrap();
}

#[test]
fn an_older_script_changes_nothing_of_a_newer_schema() {
    let Some(database) = TestDatabase::create() else { return };
    let newer = SCHEMA_VERSION + 1;
    // A newer schema has other functions, which the older script must not bring back.
    database
        .run(&format!(
            "INSERT INTO trueup.schema_migrations (version, name, checksum)
             VALUES ({newer}, 'newer', 'x');
             CREATE OR REPLACE FUNCTION trueup.schema_version() RETURNS bigint
             LANGUAGE sql IMMUTABLE RETURN {newer}::bigint;
             DELETE FROM trueup.statements;"
        ))
        .unwrap();
    let before = (read_catalog(&database), read_lines(&database, CONTENT));
    for flavor in [PostgresFlavor::Postgres, PostgresFlavor::Supabase] {
        let error = database.run(&postgres_schema(flavor)).unwrap_err();
        assert_eq!(error.sqlstate, "TU030");
        let words = format!(
            "the database has schema {newer}, and this script of trueup knows {SCHEMA_VERSION}"
        );
        assert_eq!(error.message, words);
        // Without ON_ERROR_STOP psql goes on: the transaction is over, so nothing takes effect.
        let script = format!("\\set ON_ERROR_STOP 0\n{}", postgres_schema(flavor));
        drop(run_psql(&database.url(), &script));
        assert_eq!((read_catalog(&database), read_lines(&database, CONTENT)), before);
    }
}
