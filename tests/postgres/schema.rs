//! The script that makes the schema, and what it makes.

use support::postgres::{TestDatabase, run_psql};
use trueup_core::store::sql::{PostgresFlavor, postgres_schema, statements};

#[test]
fn every_statement_can_be_prepared() {
    let Some(database) = TestDatabase::create() else { return };
    let prepare_all = "SET search_path = trueup;
        DO $$ DECLARE s record; BEGIN
            FOR s IN SELECT * FROM statements LOOP
                BEGIN
                    EXECUTE 'PREPARE one(jsonb) AS ' || s.text;
                    DEALLOCATE one;
                EXCEPTION WHEN OTHERS THEN
                    RAISE EXCEPTION '%: %', s.name, SQLERRM;
                END;
            END LOOP;
        END $$";
    database.run(prepare_all).unwrap();
    let registered =
        database.run("SELECT digest, writes FROM trueup.statements ORDER BY 1").unwrap();
    let mut expected: Vec<String> = statements()
        .map(|s| format!("{}|{}", s.digest(), if s.is_write() { "t" } else { "f" }))
        .collect();
    expected.sort();
    assert_eq!(registered.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_user_without_all_rights_makes_and_upgrades_the_schema() {
    let Some(database) = TestDatabase::create_empty() else { return };
    let url = database.add_user("pg_monitor");
    let user = url.split(['/', ':']).nth(3).unwrap();
    let name = user.strip_suffix("_pg_monitor").unwrap();
    // Another database of the cluster may own the roles, in which the user then is no member.
    database
        .run(&format!("ALTER ROLE {user} CREATEROLE; ALTER DATABASE {name} OWNER TO {user};"))
        .unwrap();
    for flavor in [PostgresFlavor::Postgres, PostgresFlavor::Supabase] {
        run_psql(&url, &postgres_schema(flavor)).unwrap();
    }
    let owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'work_items'";
    assert_eq!(database.run(owner).unwrap(), "trueup_owner");
}

#[test]
fn keys_are_ordered_by_their_bytes_whatever_the_locale() {
    let Some(database) = TestDatabase::create() else { return };
    assert_eq!(database.run("SELECT 'a' < 'B'").unwrap(), "t", "the locale is that of a language");
    database
        .run("INSERT INTO trueup.work_items (key) VALUES ('a'), ('B'), ('a-1'), ('a1')")
        .unwrap();
    let keys = "SELECT string_agg(key, ' ' ORDER BY key) FROM trueup.work_items";
    assert_eq!(database.run(keys).unwrap(), "B a a-1 a1");
}
