//! The promises that are checked while a run goes on.

use trueup_core::model::SessionStatus;
use trueup_core::outbox::{PendingChange, PendingWrite};
use trueup_core::replica::Replica;
use trueup_hooks::HookOutcome;

use crate::agent::{Agent, WriteKind};
use crate::pulls::PullEnd;
use crate::world::World;

/// How the line begins that tells the user of an outage.
const OUTAGE_LINE: &str = "database unreachable since";

impl World {
    /// A hook never fails, and never stops its session.
    pub(crate) fn check_outcome(&self, agent: &Agent, outcome: &HookOutcome) {
        for note in &outcome.notes {
            self.note(&format!("{} note: {note}", agent.id));
        }
        // A cache that a command wrote later than the replica waits for the next pull.
        let is_waiting = |note: &String| note.contains("needs the server");
        let is_broken = |note: &String| {
            ["is lost", "not fixed", "cannot be written", "locked"]
                .iter()
                .any(|it| note.contains(it))
        };
        let lost = outcome.notes.iter().find(|note| is_broken(note) && !is_waiting(note));
        if let Some(note) = lost {
            self.fail(format!("a hook of {} failed: {note}", agent.id));
        }
    }

    /// Notes what the user reads. An outage is told once.
    pub(crate) fn note_message(&self, agent: &Agent, outcome: &HookOutcome) {
        let Some(message) = &outcome.response.system_message else {
            return;
        };
        self.note(&format!("{} message: {message}", agent.id));
        self.machine_of(agent).note_told(message);
        if message.contains(OUTAGE_LINE) {
            let mut record = agent.record.borrow_mut();
            if record.was_outage_told {
                self.fail(format!("an outage was told twice to {}", agent.id));
            }
            if record.outage.is_none() {
                self.fail(format!("{} was told of an outage that was none", agent.id));
            }
            record.was_outage_told = true;
        }
    }

    /// Notes that a machine may have sent writes before their agents were told of the state that they
    /// were made on: that write is news to them, then.
    pub(crate) fn note_told_late(&self, machine: usize) {
        for agent in self.agents.iter().filter(|agent| agent.machine == machine) {
            agent.record.borrow_mut().is_told_late = true;
        }
    }

    /// What others changed is told once.
    pub(crate) fn check_prompt(
        &self,
        agent: &Agent,
        before: Option<&Replica>,
        outcome: &HookOutcome,
    ) {
        let message = outcome.response.system_message.as_deref().unwrap_or_default();
        let mut record = agent.record.borrow_mut();
        // A pull that is still under way may have read the replica anew since.
        let is_due = record.outage.is_some()
            && !record.was_outage_told
            && before.map(|known| known.session.read_at) == record.outage;
        if is_due && outcome.notes.is_empty() && !message.contains(OUTAGE_LINE) {
            self.fail(format!("{} was not told of an outage", agent.id));
        }
        let Some((_, text)) = &outcome.response.context else {
            return;
        };
        let Some(known) = agent.read_replica(self.machine_of(agent)) else {
            return self.fail(format!("the replica of {} is gone", agent.id));
        };
        let told = known.session.revision.0;
        self.note(&format!("{} is told of revision {told}", agent.id));
        let shown = known.session.execution_state().work.task;
        if shown.is_some_and(|task| !text.contains(&task)) {
            self.fail(format!("{} was told something else than its replica has", agent.id));
        }
        let stored = self.server.load_session(agent.id.as_str());
        let (stored_revision, moved) =
            stored.map_or((0, 0), |stored| (stored.revision, stored.moved_revision));
        let news = self.server.count_other_news(agent.id.as_str());
        let mut has_news = news != std::mem::replace(&mut record.told_other_news, news);
        // The replica may be older than the server: then what is counted there already is told by
        // a later prompt, once.
        for handoff in &known.marks.shown_handoffs {
            has_news |= record.told_handoffs.insert(handoff.clone());
        }
        let is_told_late = record.is_told_late;
        record.is_told_late &= stored_revision != told;
        // The registration itself is the first that it is told of.
        let is_first = record.told_revision == 0;
        if !is_first && moved <= record.told_revision && !has_news && !is_told_late {
            let before = record.told_revision;
            self.fail(format!("{} was told of {told}, but nobody else changed {before}", agent.id));
        }
        record.told_revision = told;
    }

    /// A replica shows what the server or a waiting write has, and nobody else's claim.
    pub(crate) fn check_after_hook(&self, agent: &Agent) {
        let Some(known) = agent.read_replica(self.machine_of(agent)) else {
            return;
        };
        if let Some((item, epoch)) = known.session.item.clone().zip(known.session.epoch) {
            let claim = (item.to_string(), epoch.0);
            let mut claims = self.claims.borrow_mut();
            let holder = claims.entry(claim).or_insert_with(|| agent.id.to_string());
            if holder != agent.id.as_str() {
                self.fail(format!("{} and {holder} both hold {item} at {epoch}", agent.id));
            }
        }
        if let Some(task) = known.session.execution_state().work.task {
            let record = agent.record.borrow();
            let is_own = record.writes.iter().any(|write| write.text == task);
            // A hand-off brings the task of another.
            let is_known = is_own
                || record.foreign.contains(&task)
                || self.server.had_task(agent.id.as_str(), &task);
            if !is_known {
                self.fail(format!("{} shows {task}, which nobody set", agent.id));
            }
        }
    }

    /// After a pull beside which other things happened, and where the server has not changed since, the
    /// replica shows what the server has with what waits on top.
    fn compare_shown_task(&self, agent: &Agent, known: &Replica) {
        let Some(stored) = self.server.load_session(agent.id.as_str()) else {
            return;
        };
        if stored.revision != known.session.revision.0 || agent.record.borrow().is_behind {
            return;
        }
        let mut expected = (stored.task, stored.status);
        for write in self.machine_of(agent).outbox().list_waiting().unwrap() {
            // A task that was named while the replica could not be used is not in it: only the server
            // knows what it is called.
            if let PendingChange::TaskStarted { task } | PendingChange::TaskFinished { task } =
                &write.write
                && known.find_task(task).is_none()
            {
                return;
            }
            if write.session == agent.id {
                apply_waiting(agent, &write, &mut expected);
            }
        }
        let shown = known.session.execution_state().work.task;
        if shown != expected.0 {
            let (id, expected) = (&agent.id, expected.0);
            self.fail(format!("{id} shows task {shown:?}, the server and what waits {expected:?}"));
        }
    }

    /// After a pull that worked, the replica is what the server has with what waits on top.
    pub(crate) fn check_after_pull(&self, agent: &Agent, end: PullEnd, was_alone: bool) {
        if end != PullEnd::Done || !was_alone {
            self.note_told_late(agent.machine);
        }
        match end {
            PullEnd::Failed => {
                let known = agent.read_replica(self.machine_of(agent));
                agent.record.borrow_mut().outage = known.map(|known| known.session.read_at);
            }
            PullEnd::Crashed => {}
            PullEnd::Done => {
                agent.note_server_reached();
                agent.note_edit_seen();
                if was_alone {
                    self.compare_replica(agent);
                } else if let Some(known) = agent.read_replica(self.machine_of(agent)) {
                    self.compare_shown_task(agent, &known);
                }
            }
        }
        self.check_after_hook(agent);
    }

    /// Compares the replica with what the server has and what waits.
    pub(crate) fn compare_replica(&self, agent: &Agent) {
        let on = self.machine_of(agent);
        let (Some(known), Some(stored)) =
            (agent.read_replica(on), self.server.load_session(agent.id.as_str()))
        else {
            return self.fail(format!("a pull brought nothing of {}", agent.id));
        };
        let mut expected = (stored.task, stored.status);
        for write in on.outbox().list_waiting().unwrap() {
            if write.session == agent.id {
                apply_waiting(agent, &write, &mut expected);
            }
        }
        let shown = known.session.execution_state().work.task;
        let item = known.session.item.map(|item| item.to_string());
        let item = item.zip(known.session.epoch.map(|epoch| epoch.0));
        if shown != expected.0 {
            let (id, expected) = (&agent.id, expected.0);
            self.fail(format!("{id} shows task {shown:?}, not {expected:?}"));
        }
        if known.session.revision.0 != stored.revision || item != stored.item {
            let (revision, stored_revision) = (known.session.revision, stored.revision);
            self.fail(format!(
                "{} shows revision {revision} and {item:?}, the server has {stored_revision} and \
                 {:?}",
                agent.id, stored.item
            ));
        }
        let is_ended = known.session.status == SessionStatus::Ended;
        // What the next pull tells the server, a mark, is no waiting write.
        if known.marks.status.is_none() && is_ended != (expected.1 == "ended") {
            let status = known.session.status;
            self.fail(format!("{} is {status} and not {}", agent.id, expected.1));
        }
    }
}

/// Applies a waiting write to a task and a status, as the model understands it.
fn apply_waiting(agent: &Agent, write: &PendingWrite, state: &mut (Option<String>, String)) {
    let record = agent.record.borrow();
    let subject = |id: &String| {
        let mut writes = record.writes.iter();
        let is_of_task =
            |kind: &WriteKind| matches!(kind, WriteKind::Subject { task } if task == id);
        writes.find(|write| is_of_task(&write.kind)).map(|write| write.text.clone())
    };
    match &write.write {
        PendingChange::State { changes, .. } => {
            use trueup_core::model::{FieldValue, StateField};
            if let Some(FieldValue::Text(task)) = changes.get(&StateField::Task) {
                state.0.clone_from(task);
            }
        }
        PendingChange::TaskStarted { task } => state.0 = subject(task),
        PendingChange::TaskFinished { task } if subject(task) == state.0 => state.0 = None,
        PendingChange::End { .. } => "ended".clone_into(&mut state.1),
        PendingChange::Resumed if state.1 == "ended" => "active".clone_into(&mut state.1),
        _ => {}
    }
}
