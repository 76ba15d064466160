//! Commands, made of the operations that those of `trueup` are made of.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Map;
use trueup_core::claims::{ClaimAnswer, ClaimItemRequest, claim_item};
use trueup_core::deadline::Deadline;
use trueup_core::diagnostic::Code;
use trueup_core::model::{FieldValue, HandoffElements, HandoffId, ItemKey, NewItem, StateField};
use trueup_core::settings::Project;
use trueup_core::store::{
    AcceptHandoffRequest, ClaimStore as _, HandoffFilter, HandoffStore as _, HookStore as _,
    ItemStore as _, NewHandoff, Provenance, ReleaseRequest, StoreError,
};
use trueup_core::sync::{
    PushOutcome, RetriedPush, RunContext, SyncError, TrueUpOutcome, drain_outbox, now,
    push_with_retry, sweep_dead_sessions, true_up,
};

use crate::agent::Agent;
use crate::network::{Crash, NetworkStore};
use crate::pulls::{AMPLE_TIME, connect, describe_panic};
use crate::world::{ITEMS, World};

/// The key of an item.
pub(crate) fn item_key(number: usize) -> ItemKey {
    format!("ITEM-{number}").parse().unwrap()
}

impl World {
    /// Adds the items, before anything else happens.
    pub(crate) fn add_items(&self) {
        use trueup_core::store::sql::SqlStore;
        use trueup_core::store::sqlite::SqliteEngine;
        let path = self.server.path();
        let engine = SqliteEngine::open_or_create(path, Deadline::after(AMPLE_TIME)).unwrap();
        let mut store = SqlStore::new(engine);
        for number in 0..ITEMS {
            let provenance = Provenance::new("setup", "setup");
            store.add_item(&NewItem::new(item_key(number)), &provenance).unwrap();
        }
    }

    /// Somebody on a machine enters a command.
    pub(crate) fn run_command(&self, machine: usize) {
        let started: Vec<&Agent> = self.agents.iter().filter(|it| it.is_started.get()).collect();
        if started.is_empty() {
            return;
        }
        let target = started[self.pick(started.len())];
        let drawn = self.below(100);
        self.run_process(machine, |world| {
            let mut store = connect(machine);
            match drawn {
                0..45 => world.set_task(&mut store, machine, target),
                45..70 => world.claim(&mut store, machine, target),
                70..80 => world.release(&mut store, machine, target),
                80..88 => world.hand_off(&mut store, machine, target),
                88..94 => world.accept(&mut store, machine, target),
                _ => world.sweep(&mut store, machine, target),
            }
        });
    }

    /// Runs a command's process on a machine. It may fail, and it may die.
    fn run_process(&self, machine: usize, command: impl FnOnce(&Self) -> Result<(), SyncError>) {
        self.busy_machines.borrow_mut().push(machine);
        let depth = self.busy_machines.borrow().len();
        let ended =
            catch_unwind(AssertUnwindSafe(|| self.run_on_machine(machine, || command(self))));
        self.busy_machines.borrow_mut().truncate(depth - 1);
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                self.note_told_late(machine);
                self.note(&format!("m{machine} command fails: {error}"));
            }
            Err(payload) if payload.is::<Crash>() => {
                self.note_told_late(machine);
                self.note(&format!("m{machine} command was killed"));
            }
            Err(payload) => self.fail(format!("a command panicked: {}", describe_panic(&*payload))),
        }
    }

    fn build_run_context(&self, agent: &Agent) -> RunContext {
        let on = self.machine_of(agent);
        let project = Project::at_dir(&on.environment, agent.dir.clone());
        let deadline = Deadline::after(AMPLE_TIME);
        RunContext::new(&on.environment, on.settings.clone(), project, None, deadline)
    }

    /// Changes a session as a command does: what waits on this machine is sent first, and a session
    /// of this machine is trued up before and after.
    fn change_session<T>(
        &self,
        store: &mut NetworkStore,
        machine: usize,
        target: &Agent,
        change: impl FnOnce(&mut NetworkStore, &RunContext) -> Result<T, StoreError>,
    ) -> Result<T, SyncError> {
        let is_here = target.machine == machine;
        let of_machine = self.agents.iter().find(|it| it.machine == machine);
        let context = self.build_run_context(if is_here { target } else { of_machine.unwrap() });
        let is_idle = self.machines[machine].outbox().is_idle();
        let drained = drain_outbox(store, &context);
        if !is_idle {
            self.note_told_late(machine);
        }
        let lines = drained.describe_problems(&context, None);
        self.machines[machine].note_told(&lines.join("\n"));
        if is_here && let Some(session) = store.load_session(&target.id)? {
            // Where its answer is lost, the edit is met again in the cache.
            target.note_edit_half_taken();
            let synced = true_up(store, session, &[], &context)?;
            self.note_lost_edits(machine, &synced);
        }
        let outcome = change(store, &context)?;
        if is_here && let Some(session) = store.load_session(&target.id)? {
            // Where its answer is lost, the edit is met again in the cache.
            target.note_edit_half_taken();
            let synced = true_up(store, session, &[], &context)?;
            self.note_lost_edits(machine, &synced);
            let session = synced.session;
            if let Some(file) = target.find_replica_file(&self.machines[machine]) {
                let outbox = self.machines[machine].outbox();
                file.replace_session(session, now(), &outbox, AMPLE_TIME).unwrap();
                target.note_server_reached();
            }
        }
        Ok(outcome)
    }

    /// A command prints which edits of the cache were rejected.
    fn note_lost_edits(&self, machine: usize, synced: &TrueUpOutcome) {
        for found in synced.found.iter().filter(|found| found.code == Code::EditRejected) {
            self.machines[machine].note_told(&found.message);
        }
    }

    fn set_task(
        &self,
        store: &mut NetworkStore,
        machine: usize,
        target: &Agent,
    ) -> Result<(), SyncError> {
        self.commands.set(self.commands.get() + 1);
        let text = format!("x{}", self.commands.get());
        self.note(&format!("m{machine} sets the task of {} to {text}", target.id));
        target.record.borrow_mut().foreign.push(text.clone());
        let done = self.change_session(store, machine, target, |store, _| {
            let Some(session) = store.load_session(&target.id)? else {
                return Ok("there is no such session");
            };
            let request = RetriedPush {
                changes: [(StateField::Task, FieldValue::Text(Some(text)))].into(),
                metadata: Map::new(),
                branch: None,
                mark: None,
                acknowledge: false,
                provenance: Provenance::new("somebody", "set"),
            };
            Ok(match push_with_retry(store, session, &request)? {
                PushOutcome::Done { .. } => "done",
                PushOutcome::InPlace(_) => "in place",
                PushOutcome::ClaimLost(_) => "its claim was lost",
            })
        })?;
        self.note(&format!("m{machine} set: {done}"));
        Ok(())
    }

    fn claim(
        &self,
        store: &mut NetworkStore,
        machine: usize,
        target: &Agent,
    ) -> Result<(), SyncError> {
        let item = item_key(self.pick(ITEMS));
        let force = self.chance(1, 3);
        self.note(&format!("m{machine} claims {item} for {}, force: {force}", target.id));
        let answer = self.change_session(store, machine, target, |store, context| {
            let request = ClaimItemRequest {
                session: target.id.clone(),
                item,
                new_item: None,
                force,
                quiet_period_seconds: None,
                provenance: Provenance::new(target.id.as_str(), "claim"),
            };
            claim_item(store, &request, context)
        })?;
        match answer {
            ClaimAnswer::Granted { outcome, .. } => self.note(&format!("granted: {outcome:?}")),
            ClaimAnswer::Refused { .. } => self.note("refused"),
        }
        Ok(())
    }

    fn release(
        &self,
        store: &mut NetworkStore,
        machine: usize,
        target: &Agent,
    ) -> Result<(), SyncError> {
        self.note(&format!("m{machine} releases what {} holds", target.id));
        self.change_session(store, machine, target, |store, _| {
            let held = store.load_session(&target.id)?.and_then(|session| session.item);
            let Some(item) = held else {
                return Ok(());
            };
            let provenance = Provenance::new(target.id.as_str(), "release");
            store.release(&ReleaseRequest { session: target.id.clone(), item, provenance })?;
            Ok(())
        })
    }

    fn hand_off(
        &self,
        store: &mut NetworkStore,
        machine: usize,
        target: &Agent,
    ) -> Result<(), SyncError> {
        let receiver = &self.agents[self.pick(self.agents.len())];
        self.note(&format!("m{machine} {} hands its item to {}", target.id, receiver.id));
        self.change_session(store, machine, target, |store, _| {
            let session = store.load_session(&target.id)?;
            let held = session.and_then(|session| session.item.zip(session.epoch));
            let Some(fencing_token) = held.filter(|_| receiver.is_started.get()) else {
                return Ok(());
            };
            store.create_handoff(&NewHandoff {
                id: HandoffId::from_random(self.draw_bits()),
                kind: "simulated".parse().unwrap(),
                from: target.id.clone(),
                fencing_token,
                to: Some(receiver.id.clone()),
                elements: HandoffElements::new([]),
                provenance: Provenance::new(target.id.as_str(), "handoff"),
            })?;
            Ok(())
        })
    }

    fn accept(
        &self,
        store: &mut NetworkStore,
        machine: usize,
        target: &Agent,
    ) -> Result<(), SyncError> {
        self.note(&format!("m{machine} {} accepts a hand-off", target.id));
        self.change_session(store, machine, target, |store, context| {
            let open = store.list_handoffs(HandoffFilter { only_open: true })?;
            let Some(handoff) = open.iter().find(|it| it.to.as_ref() == Some(&target.id)) else {
                return Ok(());
            };
            let accepted = store.accept_handoff(&AcceptHandoffRequest {
                id: handoff.id.clone(),
                session: target.id.clone(),
                lease_seconds: context.settings.lease_seconds,
                provenance: Provenance::new(target.id.as_str(), "accept"),
            })?;
            self.note(if accepted.is_ok() { "accepted" } else { "refused" });
            Ok(())
        })
    }

    /// Another session starts, which marks dead ones lost.
    fn sweep(
        &self,
        store: &mut NetworkStore,
        machine: usize,
        target: &Agent,
    ) -> Result<(), SyncError> {
        self.note(&format!("m{machine} sweeps"));
        let of_machine = self.agents.iter().find(|it| it.machine == machine);
        let context = self.build_run_context(of_machine.unwrap());
        if let Some(session) = store.load_session(&target.id)? {
            let swept = sweep_dead_sessions(store, &context, "sweeper", session.read_at)?;
            for released in swept {
                self.note(&format!("{} is lost", released.session));
            }
        }
        Ok(())
    }
}
