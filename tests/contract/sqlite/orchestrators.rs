//! The rules of the registry are in the schema, and one of many wins a plan.

use trueup_core::model::OrchestratorStatus;
use trueup_core::store::{OrchestratorStore as _, Registered};

use super::races::at_once;
use super::rules::refuses;
use crate::fixture::{File, sqlite};
use crate::request::{events, orchestrator_id, run, running};

/// Inserts a run by plain SQL.
fn insert(id: &str, plan: &str, epoch: u32) -> String {
    format!(
        "INSERT INTO orchestrators (id, plan_id, host, pid, epoch)
         VALUES ('{id}', '{plan}', 'h', 1, {epoch})"
    )
}

fn status(file: &File, id: &str) -> String {
    let query = "SELECT status FROM orchestrators WHERE id = ?1";
    file.stranger()
        .query_row(query, [id], |row| row.get(0))
        .unwrap()
}

#[test]
fn a_plan_has_one_live_run_whatever_the_statement() {
    let mut file = sqlite();
    running(&mut file.store, "o1", "P");
    refuses(&file, &insert("o2", "P", 2), "plan_id is unique");
    refuses(&file, &insert("o1", "Q", 1), "id is unique");
    for (id, plan) in [("o1", "P"), ("o2", "P"), ("o1", "Q")] {
        let replace = insert(id, plan, 2).replace("INSERT", "REPLACE");
        refuses(&file, &replace, "is unique");
    }
    assert_eq!(status(&file, "o1"), "running");
    let ended = insert("o3", "Q", 1)
        .replace("epoch)", "epoch, status)")
        .replace(", 1)", ", 1, 'stopped')");
    refuses(&file, &ended, "a run begins as running");
}

#[test]
fn a_status_changes_only_as_the_code_allows() {
    for from in OrchestratorStatus::ALL {
        for to in OrchestratorStatus::ALL {
            let mut file = sqlite();
            running(&mut file.store, "o1", "P");
            if from != OrchestratorStatus::Running {
                file.sql(&format!("UPDATE orchestrators SET status = '{from}'"));
            }
            let change = format!("UPDATE orchestrators SET status = '{to}'");
            if from.may_become(to) && from.is_live() {
                file.sql(&change);
                assert_eq!(status(&file, "o1"), to.as_str());
            } else {
                let words = if from.is_live() {
                    "legal change"
                } else {
                    "stays as it ended"
                };
                refuses(&file, &change, words);
            }
        }
    }
}

#[test]
fn a_run_that_ended_is_neither_revived_nor_rewritten() {
    let mut file = sqlite();
    running(&mut file.store, "o1", "P");
    file.sql("UPDATE orchestrators SET status = 'stopped'");
    for change in [
        "heartbeat_at = '2030-01-01T00:00:00.000Z'",
        "pid = 2",
        "exit_code = 0",
        "reason = 'x'",
    ] {
        refuses(
            &file,
            &format!("UPDATE orchestrators SET {change}"),
            "stays as it ended",
        );
    }
}

#[test]
fn the_epoch_of_a_plan_never_goes_back() {
    let mut file = sqlite();
    running(&mut file.store, "o1", "P");
    refuses(&file, "UPDATE orchestrators SET epoch = 2", "never change");
    refuses(
        &file,
        "UPDATE orchestrators SET plan_id = 'Q'",
        "never change",
    );
    refuses(&file, "UPDATE orchestrators SET id = 'o2'", "never change");
    refuses(
        &file,
        "DELETE FROM orchestrators",
        "the newest run of a plan stays",
    );
    file.sql("UPDATE orchestrators SET status = 'stopped'");
    refuses(
        &file,
        "DELETE FROM orchestrators",
        "the newest run of a plan stays",
    );
    refuses(&file, &insert("o2", "P", 1), "the epoch rises");
    assert_eq!(running(&mut file.store, "o3", "P").epoch.0, 2);
    file.sql("DELETE FROM orchestrators WHERE id = 'o1'");
    assert_eq!(
        file.store.orchestrators(0).unwrap().len(),
        1,
        "an old one may go"
    );
}

#[test]
fn a_value_outside_its_vocabulary_is_refused() {
    let mut file = sqlite();
    running(&mut file.store, "o1", "P");
    for sql in [
        insert("a/b", "Q", 1),
        insert("", "Q", 1),
        insert("o2", "../Q", 1),
        insert("o2", "", 1),
        insert("o2", "Q", 0),
        insert("o2", "Q", 1).replace("'h', 1", "'h', 0"),
        insert("o2", "Q", 1).replace("'h', 1", "NULL, 1"),
        "UPDATE orchestrators SET status = 'dead'".to_owned(),
    ] {
        refuses(&file, &sql, "constraint failed");
    }
}

#[test]
fn a_change_by_plain_sql_is_an_event_of_its_own() {
    let mut file = sqlite();
    running(&mut file.store, "o1", "P");
    file.sql("UPDATE orchestrators SET status = 'crashed'");
    let row = file
        .store
        .orchestrator(&orchestrator_id("o1"))
        .unwrap()
        .unwrap();
    assert!(row.stopped_at.is_some());
    assert_eq!(row.revision.0, 2);
    let last = events(&mut file.store).pop().unwrap();
    assert_eq!(
        (last.actor.as_str(), last.kind.as_str()),
        ("sql", "crashed")
    );
    assert_eq!(last.op_id, None);
}

#[test]
fn of_many_that_register_one_plan_one_wins() {
    let mut file = sqlite();
    for round in 0..5 {
        let answers = at_once(&file.path(), |n, store| {
            let new = run(&format!("o{round}-{n}"), "P");
            store.register_orchestrator(&new).unwrap()
        });
        let started = |answer: &&Registered| matches!(answer, Registered::Started(_));
        assert_eq!(answers.iter().filter(started).count(), 1, "round {round}");
        let live = file.store.live_orchestrators().unwrap();
        assert_eq!((live.len(), live[0].epoch.0), (1, round + 1));
        for answer in &answers {
            let (Registered::Started(row) | Registered::Held(row)) = answer;
            assert_eq!(row.id, live[0].id, "everybody names the one");
        }
        file.sql("UPDATE orchestrators SET status = 'stopped' WHERE status = 'running'");
    }
    assert_eq!(file.store.orchestrators(0).unwrap().len(), 5);
}
