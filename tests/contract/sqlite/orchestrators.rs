//! What the schema keeps of the registry, and one of many wins a plan.

use trueup_core::store::{OrchestratorStore as _, Registered};

use super::races::at_once;
use super::rules::refuses;
use crate::fixture::sqlite;
use crate::request::{run, running};

/// Inserts a run by plain SQL.
fn insert(id: &str, plan: &str, epoch: u32) -> String {
    format!(
        "INSERT INTO orchestrators (id, plan_id, host, pid, epoch)
         VALUES ('{id}', '{plan}', 'h', 1, {epoch})"
    )
}

#[test]
fn a_plan_has_one_live_run_and_an_epoch_one_run() {
    let mut file = sqlite();
    running(&mut file.store, "o1", "P");
    refuses(&file, &insert("o2", "P", 2), "orchestrators.plan_id");
    refuses(&file, &insert("o1", "Q", 1), "orchestrators.id");
    file.sql("UPDATE orchestrators SET status = 'stopped'");
    refuses(&file, &insert("o2", "P", 1), "orchestrators.plan_id");
    refuses(
        &file,
        "UPDATE orchestrators SET status = 'dead'",
        "constraint failed",
    );
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
