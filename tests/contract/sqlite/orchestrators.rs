//! The schema's rules for the registry of orchestrators, and concurrent registrations.

use std::collections::BTreeSet;
use std::sync::Barrier;

use trueup_core::model::Orchestrator;
use trueup_core::store::{OrchestratorStore as _, RunRegistration, StuckWorkStore as _};

use super::claim_rules::assert_refuses;
use super::write_races::{THREADS, run_at_once};
use crate::fixture::new_sqlite;
use crate::requests::{begin_run, new_run};

/// Returns the SQL that inserts a run.
fn insert_run_sql(id: &str, plan: &str, epoch: u32) -> String {
    format!(
        "INSERT INTO orchestrators (id, plan_id, host, pid, epoch)
         VALUES ('{id}', '{plan}', 'h', 1, {epoch})"
    )
}

#[test]
fn a_plan_has_one_live_run_and_an_epoch_one_run() {
    let mut file = new_sqlite();
    begin_run(&mut file.store, "o1", "P");
    assert_refuses(&file, &insert_run_sql("o2", "P", 2), "orchestrators.plan_id");
    assert_refuses(&file, &insert_run_sql("o1", "Q", 1), "orchestrators.id");
    file.execute_sql("UPDATE orchestrators SET status = 'stopped'");
    assert_refuses(&file, &insert_run_sql("o2", "P", 1), "orchestrators.plan_id");
    assert_refuses(&file, "UPDATE orchestrators SET status = 'dead'", "constraint failed");
}

#[test]
fn of_many_that_register_one_plan_one_wins() {
    const PLAN_COUNT: usize = 50;
    let mut file = new_sqlite();
    // The race takes microseconds, so all threads begin each plan together.
    let together = Barrier::new(THREADS);
    let answers = run_at_once(&file.path(), |n, store| {
        let register = |plan: usize| {
            let new = new_run(&format!("o{n}-{plan}"), &format!("P{plan}"));
            together.wait();
            store.register_orchestrator(&new).unwrap()
        };
        (0..PLAN_COUNT).map(register).collect::<Vec<_>>()
    });
    let live = file.store.list_live_orchestrators().unwrap();
    assert_eq!(live.len(), PLAN_COUNT);
    for plan in 0..PLAN_COUNT {
        let of_plan = || answers.iter().map(|each| &each[plan]);
        let started = of_plan().filter(|answer| matches!(answer, RunRegistration::Started(_)));
        assert_eq!(started.count(), 1, "plan {plan}");
        let rows = of_plan().map(|answer| match answer {
            RunRegistration::Started(row) | RunRegistration::PlanTaken(row) => &row.id,
        });
        let named: BTreeSet<_> = rows.collect();
        assert_eq!(named.len(), 1, "everybody names the one");
        let holds = |row: &&Orchestrator| named.contains(&row.id) && row.epoch.0 == 1;
        assert_eq!(live.iter().filter(holds).count(), 1);
    }
}
