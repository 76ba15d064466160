//! States of refused hand-offs.

use support::home::{FIRST_SESSION, SECOND_SESSION};

use super::scene::Scene;
use super::{State, state};

/// The id of the hand-off of each state, so that a command can be written down.
const ID: &str = "h-0000000001";

/// [`SESSION`] and [`SECOND`] are there, and `from` handed `SD-1` on to `to`.
fn create_handoff(scene: &Scene, from: &str, to: Option<&str>) {
    scene.start();
    scene.second_alive();
    scene.sh(&format!("trueup claim SD-1 --create --session {from}"));
    let to = to.map_or_else(String::new, |to| format!(" --to {to}"));
    scene.sh(&format!("trueup handoff create PLAN-TO-EXEC --session {from}{to}"));
    let home = &scene.home;
    home.execute_sql("UPDATE handoffs SET id = ?1", [ID]);
}

pub(super) fn states() -> Vec<State> {
    let mut states = creation_states();
    states.extend(decision_states());
    states
}

fn creation_states() -> Vec<State> {
    vec![
        state(
            "NotConsistent",
            |s| {
                s.start();
                s.sh("trueup item add SD-1 && trueup claim SD-2 --create");
                s.home.run_git(&["switch", "--quiet", "-c", "feat/SD-1-x"]);
            },
            "trueup handoff create PLAN-TO-EXEC",
        ),
        state("NothingToHandOn", Scene::start, "trueup handoff create PLAN-TO-EXEC"),
        state(
            "HandoffOpen",
            |s| create_handoff(s, FIRST_SESSION, None),
            "trueup handoff create PLAN-TO-EXEC --session 0a1b2c3d-0000-4000-8000-000000000001",
        ),
        state(
            "HandoffToItself",
            |s| {
                s.start();
                s.sh("trueup claim SD-1 --create");
            },
            "trueup handoff create PLAN-TO-EXEC --to 0a1b2c3d-0000-4000-8000-000000000001",
        ),
    ]
}

fn decision_states() -> Vec<State> {
    vec![
        state("HandoffNotFound", Scene::start, "trueup handoff accept h-9"),
        state("HandoffNotFound", Scene::person, "trueup handoff show h-9"),
        state(
            "HandoffDecided",
            |s| {
                create_handoff(s, SECOND_SESSION, None);
                s.sh(&format!("trueup handoff reject {ID} --reason no --session {FIRST_SESSION}"));
            },
            "trueup handoff accept h-0000000001 --session 0a1b2c3d-0000-4000-8000-000000000001",
        ),
        state(
            "HandoffNotAddressed",
            |s| {
                create_handoff(s, SECOND_SESSION, Some(FIRST_SESSION));
                let third = SECOND_SESSION.replace("002", "003");
                let start = s.home.payload("session-start.startup").for_session(&third);
                s.home.run_hook("session-start-sync", &start).ok();
            },
            "trueup handoff accept h-0000000001 --session 0a1b2c3d-0000-4000-8000-000000000003",
        ),
        state(
            "OwnHandoff",
            |s| create_handoff(s, FIRST_SESSION, None),
            "trueup handoff accept h-0000000001 --session 0a1b2c3d-0000-4000-8000-000000000001",
        ),
        state(
            "HandoffItemFinished",
            |s| {
                create_handoff(s, SECOND_SESSION, None);
                s.home.execute_sql("UPDATE work_items SET holder = NULL", []);
                s.home.execute_sql("UPDATE work_items SET status = 'completed'", []);
            },
            "trueup handoff accept h-0000000001 --session 0a1b2c3d-0000-4000-8000-000000000001",
        ),
        state(
            "HandoffOutlived",
            |s| {
                create_handoff(s, SECOND_SESSION, None);
                s.home.execute_sql("UPDATE work_items SET claim_epoch = claim_epoch + 2", []);
            },
            "trueup handoff accept h-0000000001 --session 0a1b2c3d-0000-4000-8000-000000000001",
        ),
    ]
}
