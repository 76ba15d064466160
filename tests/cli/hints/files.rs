//! States of databases and files that cannot be used.

use std::fs;
use std::time::Duration;

use trueup_core::fs::FileLock;
use trueup_core::model::Timestamp;
use trueup_core::outbox::{Outbox, PendingChange, PendingWrite};

use super::scene::Scene;
use super::{State, state};

/// Bytes that no database begins with.
const GARBAGE: &str = "no database, but long enough ";

pub(super) fn states() -> Vec<State> {
    let mut all = unusable_databases();
    all.extend(refused_writes_and_copies());
    all.extend(others());
    all
}

fn unusable_databases() -> Vec<State> {
    vec![
        state("DatabaseUrl", Scene::person, "TRUEUP_DATABASE_URL=mysql://x trueup item list"),
        state(
            "DatabaseUrlMistyped",
            Scene::person,
            "TRUEUP_DATABASE_URL=postgress://me@db/work trueup item list",
        ),
        state(
            "NotEmbedded",
            Scene::person,
            "TRUEUP_DATABASE_URL=postgres://me@db/work trueup db backup x.db",
        ),
        state("DatabaseMissing", |_| (), "trueup item list"),
        state("DatabaseMissing", |_| (), "trueup item add SD-1"),
        state(
            "RemoteDatabase",
            |_| (),
            "TRUEUP_DATABASE_URL=postgres://me@127.0.0.1:1/work trueup item list",
        ),
        state(
            "NeedsDirectConnection",
            |_| (),
            "TRUEUP_DATABASE_URL=https://db.example.com trueup db migrate",
        ),
        state(
            "DatabaseUnavailable",
            Scene::person,
            "TRUEUP_DATABASE_URL=sqlite:/dev/null/x.db trueup db migrate",
        ),
        state(
            "DatabaseContended",
            |s| {
                s.person();
                let database = s.home.open_database();
                database.execute_batch("BEGIN IMMEDIATE").unwrap();
                s.keep(database);
            },
            "TRUEUP_DEADLINE_MS=300 trueup item add SD-1",
        ),
        state(
            "SchemaTooNew",
            |s| {
                s.person();
                let database = s.home.open_database();
                let newer = "PRAGMA journal_mode = DELETE; PRAGMA user_version = 9999";
                database.execute_batch(newer).unwrap();
            },
            "trueup item list",
        ),
        state(
            "DatabaseCorrupt",
            |s| {
                fs::write(s.home.trueup_home().join("trueup.db"), GARBAGE.repeat(9)).unwrap();
            },
            "trueup item list",
        ),
        state(
            "DatabaseIsDirectory",
            |s| fs::create_dir_all(s.home.trueup_home().join("trueup.db")).unwrap(),
            "trueup db status",
        ),
    ]
}

fn refused_writes_and_copies() -> Vec<State> {
    vec![
        state(
            "Conflict",
            |s| {
                s.start();
                s.sh("trueup claim SD-1 --create");
                s.sh("trueup handoff create PLAN-TO-EXEC --op-id operation-1");
                s.home.execute_sql("DELETE FROM handoffs", []);
            },
            "trueup handoff create PLAN-TO-EXEC --op-id operation-1",
        ),
        state(
            "Denied",
            |s| {
                s.person();
                s.home.execute_sql(
                    "CREATE TRIGGER closed BEFORE INSERT ON work_items
                     BEGIN SELECT RAISE(ABORT, 'closed for today'); END",
                    [],
                );
            },
            "trueup item add SD-1",
        ),
        state(
            "Invalid",
            |s| {
                s.person();
                s.sh("trueup db backup copy.db");
            },
            "trueup db restore \"$TRUEUP_HOME/trueup.db\"",
        ),
        state(
            "CopyExists",
            |s| {
                s.person();
                s.write("copy.db", "mine");
            },
            "trueup db backup copy.db",
        ),
        state(
            "ExportUnusable",
            |s| {
                s.person();
                s.write("all.jsonl", "{\"not\": \"an export\"}\n");
            },
            "trueup db import all.jsonl",
        ),
        state(
            "ExportOfOtherSchema",
            |s| {
                s.person();
                s.sh("trueup db export new.jsonl");
                s.sh("sed '1s/\"schema\":[0-9]*/\"schema\":1/' new.jsonl > all.jsonl");
            },
            "trueup db import all.jsonl",
        ),
        state(
            "DatabaseOccupied",
            |s| {
                s.person();
                s.sh("trueup db export all.jsonl");
                s.sh("trueup item add SD-1");
            },
            "trueup db import all.jsonl",
        ),
        state(
            "ImportNeedsDirectConnection",
            Scene::person,
            "TRUEUP_DATABASE_URL=https://example.org/ trueup db import all.jsonl",
        ),
        state("CopyUnwritable", Scene::person, "trueup db backup /nowhere/copy.db"),
        state(
            "CopyUnusable",
            |s| {
                s.person();
                s.write("copy.db", &GARBAGE.repeat(9));
            },
            "trueup db restore copy.db",
        ),
        state(
            "DatabaseInUse",
            |s| {
                s.person();
                s.sh("trueup db backup copy.db");
                let database = s.home.open_database();
                let count = "SELECT count(*) FROM work_items";
                let count = database.query_row(count, [], |row| row.get::<_, i64>(0));
                count.unwrap();
                s.keep(database);
            },
            "TRUEUP_DEADLINE_MS=300 trueup db restore copy.db",
        ),
    ]
}

fn others() -> Vec<State> {
    vec![
        state(
            "File",
            |s| {
                s.person();
                fs::create_dir_all(s.home.project_dir().join("agents/a/adw_state.json")).unwrap();
            },
            "trueup meta get a",
        ),
        state(
            "TextUnreadable",
            |s| {
                s.person();
                let folder = s.home.project_dir().join(".trueup");
                fs::create_dir_all(&folder).unwrap();
                fs::write(folder.join("PRIME.md"), b"\xff").unwrap();
            },
            "trueup prime",
        ),
        state("NoDirectory", Scene::person, "trueup repo add /nowhere"),
        state("NoDirectory", Scene::person, "trueup check --sources /nowhere"),
        state(
            "JournalUnreadable",
            |s| {
                s.person();
                fs::create_dir(s.home.trueup_home().join("journal.jsonl")).unwrap();
            },
            "trueup journal list",
        ),
        state("EntryNotFound", Scene::person, "trueup journal show j-1"),
        state("WriteNotFound", Scene::person, "trueup outbox retry op-1"),
        state(
            "WritesWait",
            |s| {
                s.person();
                let home = s.home.trueup_home();
                let end = PendingWrite {
                    op_id: "op-1".to_owned(),
                    at: Timestamp::from_millis(1),
                    session: "s1".parse().unwrap(),
                    origin: None,
                    write: PendingChange::End { reason: "other".to_owned() },
                };
                Outbox::new(home.join("outbox.jsonl")).put(&end).unwrap();
                let lock = home.join("outbox.lock");
                s.keep(FileLock::acquire(&lock, Duration::from_mins(1)).unwrap());
            },
            "TRUEUP_DEADLINE_MS=300 trueup outbox drain",
        ),
        state("MetadataNotFound", Scene::person, "trueup meta get 77c90e61"),
        state("MetadataNotFound", Scene::person, "trueup meta check 77c90e61"),
        state("FieldOfDatabase", Scene::person, "trueup meta set 77c90e61 status=completed"),
        state(
            "FieldNotFound",
            |s| {
                s.person();
                s.sh("trueup meta set 77c90e61 branch_name=x");
            },
            "trueup meta get 77c90e61 colour",
        ),
        state("IdMismatch", Scene::person, "trueup meta set 77c90e61 adw_id=other"),
        state(
            "MetadataCorrupt",
            |s| {
                s.person();
                s.write("agents/77c90e61/adw_state.json", "{\n\"adw_id\": \n}");
            },
            "trueup meta get 77c90e61",
        ),
        state(
            "MetadataSymlink",
            |s| {
                s.person();
                s.write("agents/77c90e61/other.json", "{}");
                let link = s.home.project_dir().join("agents/77c90e61/adw_state.json");
                std::os::unix::fs::symlink("other.json", link).unwrap();
            },
            "trueup meta get 77c90e61",
        ),
    ]
}
