//! What the schema keeps of the registry, and one of many wins a plan.

use std::collections::BTreeSet;
use std::sync::Barrier;

use trueup_core::model::Orchestrator;
use trueup_core::store::{OrchestratorStore as _, Registered};

use super::races::{MANY, at_once};
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
    const PLANS: usize = 50;
    let mut file = sqlite();
    // What is decided is microseconds wide, so all of them begin each plan together.
    let together = Barrier::new(MANY);
    let answers = at_once(&file.path(), |n, store| {
        let register = |plan: usize| {
            let new = run(&format!("o{n}-{plan}"), &format!("P{plan}"));
            together.wait();
            store.register_orchestrator(&new).unwrap()
        };
        (0..PLANS).map(register).collect::<Vec<_>>()
    });
    let live = file.store.live_orchestrators().unwrap();
    assert_eq!(live.len(), PLANS);
    for plan in 0..PLANS {
        let of_plan = || answers.iter().map(|each| &each[plan]);
        let started = of_plan().filter(|answer| matches!(answer, Registered::Started(_)));
        assert_eq!(started.count(), 1, "plan {plan}");
        let rows = of_plan().map(|answer| match answer {
            Registered::Started(row) | Registered::Held(row) => &row.id,
        });
        let named: BTreeSet<_> = rows.collect();
        assert_eq!(named.len(), 1, "everybody names the one");
        let holds = |row: &&Orchestrator| named.contains(&row.id) && row.epoch.0 == 1;
        assert_eq!(live.iter().filter(holds).count(), 1);
    }
}
