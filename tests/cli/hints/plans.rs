//! States of plans, their tasks and their orchestrators.

use super::scene::Scene;
use super::{State, state};

const PLAN: &str = "# Fix\n\n## Phase 1: First\n\n- [ ] 1.1 One\n- [ ] 1.2 Two\n";

/// A person has the plan `fix`.
fn import_plan(scene: &Scene) {
    scene.person();
    scene.write("fix.md", PLAN);
    scene.sh("trueup plan import fix.md");
}

/// Task `1.1` failed, after `retries` earlier retries.
fn failed(scene: &Scene, retries: usize) {
    import_plan(scene);
    for _ in 0..retries {
        scene.sh("trueup plan fail 1.1 --error broken && trueup plan retry 1.1");
    }
    scene.sh("trueup plan fail 1.1 --error broken");
}

/// Another session works on `1.1`, after `retries` earlier retries.
fn worked_on(scene: &Scene, retries: usize) {
    import_plan(scene);
    for _ in 0..retries {
        scene.sh("trueup plan fail 1.1 --error broken && trueup plan retry 1.1");
    }
    scene.start();
    scene.sh("trueup plan start 1.1");
    scene.second_alive();
}

/// A run of `fix` by this process.
fn run(scene: &Scene) {
    import_plan(scene);
    let run = scene.home.prepare_run("trueup");
    run.args(["orchestrator", "register", "fix"]).wait().ok();
    let home = &scene.home;
    home.execute_sql("UPDATE orchestrators SET id = 'orch-000000000001'", []);
}

pub(super) fn states() -> Vec<State> {
    let mut all = plans();
    all.extend(tasks());
    all.extend(orchestrators());
    all.extend(ports());
    all
}

fn plans() -> Vec<State> {
    vec![
        state("NoPlans", Scene::person, "trueup plan next"),
        state(
            "SeveralPlans",
            |s| {
                import_plan(s);
                s.write("more.md", PLAN);
                s.sh("trueup plan import more.md");
            },
            "trueup plan next",
        ),
        state("PlanNotFound", import_plan, "trueup plan status gone"),
        state("PlanNotFound", import_plan, "trueup orchestrator start gone -- true"),
        state("PlanOfNoneNotFound", Scene::person, "trueup plan status gone"),
        state(
            "NoTasks",
            |s| {
                s.person();
                s.write("empty.md", "# Nothing\n");
            },
            "trueup plan import empty.md",
        ),
        state("PlanUnreadable", Scene::person, "trueup plan import gone.md"),
        state(
            "NoStatusFile",
            |s| {
                s.person();
                s.write("status.json", "{\"tasks\": 1}");
            },
            "trueup plan validate status.json",
        ),
    ]
}

fn tasks() -> Vec<State> {
    vec![
        state("TaskNotFound", import_plan, "trueup plan start 9.9"),
        state(
            "TaskInProgress",
            |s| worked_on(s, 0),
            "trueup plan start 1.1 --session 0a1b2c3d-0000-4000-8000-000000000002",
        ),
        state(
            "TaskInProgressAtLast",
            |s| worked_on(s, 2),
            "trueup plan start 1.1 --session 0a1b2c3d-0000-4000-8000-000000000002",
        ),
        state("TaskFailed", |s| failed(s, 0), "trueup plan start 1.1"),
        state("TaskFailed", |s| failed(s, 1), "trueup plan complete 1.1"),
        state("TaskFailedForGood", |s| failed(s, 2), "trueup plan start 1.1"),
        state("RetriesSpent", |s| failed(s, 2), "trueup plan retry 1.1"),
        state(
            "TaskOver",
            |s| {
                import_plan(s);
                s.sh("trueup plan complete 1.1");
            },
            "trueup plan start 1.1",
        ),
        state(
            "TaskOver",
            |s| {
                import_plan(s);
                s.sh("trueup plan skip 1.1 --reason unneeded");
            },
            "trueup plan fail 1.1 --error late",
        ),
        state(
            "IllegalTaskStep",
            |s| {
                import_plan(s);
                s.sh("trueup plan start 1.1");
            },
            "trueup plan reopen 1.1 --reason again",
        ),
    ]
}

fn orchestrators() -> Vec<State> {
    vec![
        state("PlanRunning", run, "trueup orchestrator register fix"),
        state("PlanRunning", run, "trueup orchestrator start fix -- true"),
        state("PlanRunning", run, "trueup plan remove fix"),
        state("OrchestratorNotFound", Scene::person, "trueup orchestrator stop orch-9"),
        state(
            "OrchestratorEnded",
            |s| {
                run(s);
                s.sh("trueup orchestrator stop orch-000000000001");
            },
            "trueup orchestrator heartbeat orch-000000000001",
        ),
        state(
            "OrchestratorReplaced",
            |s| {
                run(s);
                s.sh("trueup orchestrator stop orch-000000000001");
                s.sh("trueup plan remove fix");
            },
            "trueup orchestrator heartbeat orch-000000000001",
        ),
        state(
            "OrchestratorReplaced",
            |s| {
                run(s);
                s.sh("trueup orchestrator stop orch-000000000001");
                let again = s.home.prepare_run("trueup");
                again.args(["orchestrator", "register", "fix"]).wait().ok();
            },
            "trueup orchestrator heartbeat orch-000000000001",
        ),
        state(
            "CommandNotFound",
            Scene::person,
            "trueup orchestrator exec $$ -- nowhere-to-be-found",
        ),
        state("CommandNotExecutable", Scene::person, "trueup orchestrator exec $$ -- /"),
    ]
}

fn ports() -> Vec<State> {
    vec![
        state(
            "PoolFull",
            |s| {
                s.person();
                // Reserved by inserting rows, since the ports may be bound on this machine.
                for number in 0..30 {
                    s.shell(&format!("trueup ports reserve wf-{number}"));
                }
            },
            "trueup ports reserve one-more",
        ),
        state("NotReserved", Scene::person, "trueup ports release wf-9"),
    ]
}
