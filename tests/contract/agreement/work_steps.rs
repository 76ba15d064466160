//! Steps with what is worked through: phases, plans, runs of plans; and with ports.

use trueup_core::model::phase::PhaseStep;
use trueup_core::model::{
    NewPlan, NewPlanTask, PlanTaskStatus, PlanTaskStep, PlanWorker, PortOwner, PortReservation,
    PortSlot, RunEnd,
};
use trueup_core::store::{
    PhaseRemovalRequest, PlanTaskStepRequest, ReleasePortRequest, ReservePortRequest, Store,
};

use super::SeededRandom;
use super::canonical::describe;
use crate::requests::{
    complete_step, fail_step, new_phases, new_run, orchestrator_id, reopen_step, session_id,
    session_step_request, start_step,
};

/// Silence after which work counts as stuck: none of the waits of a walk adds up to about as much.
const STUCK_SECONDS: u64 = 1_250;

/// One operation on work, the same in both stores.
#[derive(Debug)]
pub(super) enum WorkStep {
    AddPhases(String),
    StepPhase(&'static str, String, PhaseStep),
    FailStuck,
    BeginRun(&'static str),
    BeatRun(&'static str),
    EndRun(&'static str, bool),
    CrashRun(&'static str),
    /// Puts back what a run had begun.
    Interrupt(&'static str),
    ImportPlan(&'static str, usize),
    RemovePlan,
    StepTask(usize, PlanTaskStep),
    Reserve(&'static str, usize),
    Reassign(&'static str, &'static str),
    /// Releases ports; as they were read, or whatever they are.
    Free(&'static str, bool),
}

const RUNS: [&str; 3] = ["o1", "o2", "o3"];
const WORKFLOWS: [&str; 3] = ["a1", "B2", "c3"];

fn remove_phase(store: &mut dyn Store, who: &str, id: &str, op: &str) -> String {
    describe(store.remove_phases(&PhaseRemovalRequest {
        id: id.parse().unwrap(),
        with_all: false,
        mover: Some(session_id(who)),
        provenance: super::provenance(who, &format!("{op}-removed")),
    }))
}

impl WorkStep {
    pub(super) fn pick_step(dice: &mut SeededRandom) -> Self {
        let who = dice.pick_session();
        let run = dice.pick(&RUNS);
        let workflow = dice.pick(&WORKFLOWS);
        match dice.roll(29) {
            0 | 1 => Self::AddPhases(dice.pick_item()),
            2..=7 => {
                let steps = [
                    start_step(),
                    start_step(),
                    PhaseStep::Start { orchestrator: Some(orchestrator_id(run)) },
                    complete_step(),
                    fail_step("no\nway"),
                    PhaseStep::Block { reason: "waits".to_owned() },
                    reopen_step(),
                ];
                let id = format!("i{}:{}", dice.roll(4), 1 + dice.roll(3));
                Self::StepPhase(who, id, steps[dice.roll(steps.len())].clone())
            }
            8 | 9 => Self::FailStuck,
            10..=12 => Self::BeginRun(run),
            13 => Self::BeatRun(run),
            14 | 15 => Self::EndRun(run, dice.roll(2) == 0),
            16 => Self::CrashRun(run),
            17 => Self::Interrupt(run),
            18 | 19 => Self::ImportPlan(dice.pick(&["/p.md", "/p.md", "/q.md"]), dice.roll(4)),
            20 => Self::RemovePlan,
            21..=24 => {
                let worker = PlanWorker {
                    actor: who.to_owned(),
                    session: Some(session_id(who)),
                    orchestrator: Some(orchestrator_id(run)).filter(|_| dice.roll(2) == 0),
                };
                let steps = [
                    PlanTaskStep::Start(worker),
                    PlanTaskStep::Complete,
                    PlanTaskStep::Fail { error: "no".to_owned(), stuck: false },
                    PlanTaskStep::Skip { reason: "later".to_owned() },
                    PlanTaskStep::Retry,
                ];
                Self::StepTask(1 + dice.roll(4), steps[dice.roll(steps.len())].clone())
            }
            25 | 26 => Self::Reserve(workflow, dice.roll(3)),
            27 => Self::Reassign(workflow, who),
            _ => Self::Free(workflow, dice.roll(2) == 0),
        }
    }

    /// Applies the step and describes its result.
    pub(super) fn apply_step(&self, store: &mut dyn Store, op: &str) -> String {
        let by = |actor: &str| super::provenance(actor, op);
        match self {
            Self::AddPhases(what) => {
                describe(store.add_phases(&new_phases(what, &[&[], &[1], &[1, 2]]), &by("user")))
            }
            Self::StepPhase(who, id, step) => {
                let mut request = session_step_request(who, id, step.clone());
                request.provenance = by(who);
                let moved = describe(store.apply_phase_step(&request));
                match step {
                    PhaseStep::Block { .. } if id.ends_with(":3") => {
                        format!("{moved}, {}", remove_phase(store, who, id, op))
                    }
                    _ => moved,
                }
            }
            Self::FailStuck => fail_stuck(store, op),
            Self::BeginRun(run) => {
                let mut new = new_run(run, "p");
                new.provenance = by("user");
                describe(store.register_orchestrator(&new))
            }
            Self::BeatRun(run) => {
                describe(store.record_orchestrator_heartbeat(&orchestrator_id(run)))
            }
            Self::EndRun(run, asks_first) if *asks_first => {
                describe(store.request_orchestrator_stop(&orchestrator_id(run), &by("user")))
            }
            Self::EndRun(run, _) => {
                let end = RunEnd::default();
                describe(store.record_orchestrator_stop(&orchestrator_id(run), end, &by("user")))
            }
            Self::CrashRun(run) => match store.load_orchestrator(&orchestrator_id(run)).unwrap() {
                Some(as_read) => describe(store.record_orchestrator_crash(&as_read, &by("user"))),
                None => "none".to_owned(),
            },
            Self::Interrupt(run) => interrupt(store, run, op),
            Self::ImportPlan(path, count) => {
                describe(store.import_plan(&new_plan(path, *count), &by("user")))
            }
            Self::RemovePlan => describe(store.remove_plan(&"p".parse().unwrap(), &by("user"))),
            Self::StepTask(number, step) => step_task(store, *number, step, op),
            Self::Reserve(workflow, number) => describe(store.reserve_port(&ReservePortRequest {
                id: workflow.parse().unwrap(),
                host: "h".to_owned(),
                slot: PortSlot::all().nth(*number).unwrap(),
                owner: PortOwner::default(),
                provenance: by("user"),
            })),
            Self::Reassign(workflow, who) => match find_reservation(store, workflow) {
                Some(as_read) => {
                    let owner = PortOwner { session: Some(session_id(who)), process: None };
                    describe(store.reassign_port(&as_read, &owner, &by("user")))
                }
                None => "none".to_owned(),
            },
            Self::Free(workflow, is_conditional) => {
                let as_read = find_reservation(store, workflow).filter(|_| *is_conditional);
                describe(store.release_port(&ReleasePortRequest {
                    id: workflow.parse().unwrap(),
                    host: "h".to_owned(),
                    as_read,
                    provenance: by("user"),
                }))
            }
        }
    }
}

fn new_plan(path: &str, count: usize) -> NewPlan {
    let tasks = (1..=count).map(|number| NewPlanTask {
        depends_on: Some((1..number).map(|earlier| task_id(earlier).parse().unwrap()).collect()),
        ..NewPlanTask::new(
            task_id(number).parse().unwrap(),
            format!("do {number}"),
            PlanTaskStatus::Pending,
        )
    });
    NewPlan {
        id: "p".parse().unwrap(),
        path: path.to_owned(),
        title: Some(format!("A plan of {count}")),
        extra: serde_json::Map::new(),
        tasks: tasks.collect(),
    }
}

fn task_id(number: usize) -> String {
    format!("1.{number}")
}

/// Takes a step with a task of the plan, as it is now.
fn step_task(store: &mut dyn Store, number: usize, step: &PlanTaskStep, op: &str) -> String {
    let (plan, task) = ("p".parse().unwrap(), task_id(number).parse().unwrap());
    let Some(as_read) = store.load_plan_task(&plan, &task).unwrap() else {
        return "nothing".to_owned();
    };
    describe(store.apply_plan_task_step(&PlanTaskStepRequest {
        plan,
        task,
        expected_revision: as_read.revision,
        step: step.clone(),
        provenance: super::provenance("user", op),
    }))
}

/// Fails what was silent for too long, by its names.
fn fail_stuck(store: &mut dyn Store, op: &str) -> String {
    let mut stuck = store.list_stuck_phases(STUCK_SECONDS, 10).unwrap();
    stuck.sort_by_key(|stuck| stuck.phase.id.to_string());
    let failed = stuck.iter().enumerate().map(|(number, phase)| {
        let by = super::provenance("sweeper", &format!("{op}-{number}"));
        describe(store.fail_stuck_phase(phase, "silent", &by))
    });
    let failed: Vec<String> = failed.collect();
    let by = super::provenance("sweeper", op);
    format!("{failed:?}, {}", describe(store.fail_stuck_plan_tasks(STUCK_SECONDS, &by)))
}

/// Puts back the phases and tasks that run under an orchestrator.
fn interrupt(store: &mut dyn Store, run: &str, op: &str) -> String {
    let by = |part: &str| super::provenance("user", &format!("{op}-{part}"));
    let run = orchestrator_id(run);
    let tasks = describe(store.interrupt_plan_tasks(&run, "stopped", &by("tasks")));
    format!("{tasks}, {}", describe(store.interrupt_phases(&run, "stopped", &by("phases"))))
}

fn find_reservation(store: &mut dyn Store, workflow: &str) -> Option<PortReservation> {
    let all = store.list_reservations(Some("h")).unwrap();
    all.into_iter().find(|reservation| reservation.id.to_string() == workflow)
}
