//! Hooks, as the client calls them.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_hooks::{Hook, HookOutcome, answer_payload};

use crate::agent::{Agent, WriteKind};
use crate::payloads;
use crate::pulls::{AMPLE_TIME, describe_panic};
use crate::world::World;

/// Of so many hooks one is killed.
const HOOKS_PER_KILL: u32 = 80;

/// Files as they were.
struct SavedFiles(Vec<(PathBuf, Option<Vec<u8>>)>);

impl SavedFiles {
    fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(paths.into_iter().map(|path| (path.clone(), fs::read(path).ok())).collect())
    }

    fn restore(self) {
        for (path, content) in self.0 {
            match content {
                Some(content) => fs::write(path, content).unwrap(),
                None => drop(fs::remove_file(path)),
            }
        }
    }
}

impl World {
    /// Calls a hook. Returns nothing if it was killed.
    pub(crate) fn call_hook(
        &self,
        agent: &Agent,
        hook: &Hook,
        payload: Vec<u8>,
        patience: Duration,
    ) -> Option<HookOutcome> {
        let on = self.machine_of(agent);
        let is_killed = !self.is_healed.get() && self.chance(1, HOOKS_PER_KILL);
        // A hook writes the outbox first, then the replica, then the cache.
        let unwritten = is_killed.then(|| {
            // One that told the user something took it out of the replica right before. Nobody can
            // tell whether the user has read it, so the replica is as it was.
            let may_tell = hook.program == "session-start-sync";
            let replica = agent.replica_path(on).filter(|_| self.chance(1, 2) || may_tell);
            SavedFiles::of(replica.into_iter().chain([agent.cache_path()]))
        });
        let answer = catch_unwind(AssertUnwindSafe(|| {
            self.run_on_machine(agent.machine, || {
                let (environment, settings) = (on.environment.clone(), on.settings.clone());
                let deadline = Deadline::after(patience);
                answer_payload(hook, payload, environment, settings, deadline)
            })
        }));
        let outcome = match answer {
            Ok(outcome) => outcome,
            Err(panic) => {
                self.fail(format!("a hook panicked: {}", describe_panic(&*panic)));
                return None;
            }
        };
        if let Some(unwritten) = unwritten {
            unwritten.restore();
            self.note(&format!("m{} {} hook was killed", agent.machine, agent.id));
            agent.note_edit_half_taken();
            agent.record.borrow_mut().is_behind = true;
            return None;
        }
        self.check_outcome(agent, &outcome);
        Some(outcome)
    }

    /// Pushes. Returns whether the hook ended.
    fn push(&self, agent: &Agent, payload: Vec<u8>) -> bool {
        let hook = Hook::checkpoint_push();
        let outcome = self.call_hook(agent, &hook, payload, AMPLE_TIME);
        if let Some(outcome) = &outcome {
            agent.note_hook_saw_edit(outcome);
            self.note_message(agent, outcome);
        }
        self.check_after_hook(agent);
        outcome.is_some()
    }

    /// The agent makes something else its current task.
    pub(crate) fn push_task(&self, agent: &Agent) {
        let (place, text) = agent.add_write(WriteKind::Task);
        self.note(&format!("m{} push {text}", agent.machine));
        let known = agent.read_replica(self.machine_of(agent));
        let based_on = known.map(|known| known.session.read_at);
        if self.push(agent, payloads::todo_write(agent, &text)) {
            agent.set_certain(place);
            let mut record = agent.record.borrow_mut();
            record.writes[place].based_on = based_on.filter(|_| record.has_compared);
        }
    }

    /// The agent adds a task to its list.
    pub(crate) fn push_new_task(&self, agent: &Agent) {
        let task = agent.record.borrow().writes.len().to_string();
        let (place, text) = agent.add_write(WriteKind::Subject { task: task.clone() });
        self.note(&format!("m{} task {task} is {text}", agent.machine));
        if self.push(agent, payloads::task_create(agent, &task, &text)) {
            agent.set_certain(place);
            agent.record.borrow_mut().open_tasks.push((task, text));
        }
    }

    /// The agent starts or finishes a task of its list.
    pub(crate) fn push_task_status(&self, agent: &Agent) {
        let started = agent.record.borrow_mut().started_task.take();
        if let Some(task) = started {
            self.note(&format!("m{} {} finishes task {task}", agent.machine, agent.id));
            self.push(agent, payloads::task_update(agent, &task, "completed"));
            return;
        }
        let Some((task, _)) = agent.record.borrow_mut().open_tasks.pop() else {
            return self.push_new_task(agent);
        };
        self.note(&format!("m{} {} starts task {task}", agent.machine, agent.id));
        agent.record.borrow_mut().started_task = Some(task.clone());
        self.push(agent, payloads::task_update(agent, &task, "in_progress"));
    }

    /// The agent runs a tool that says nothing of its work.
    pub(crate) fn push_nothing(&self, agent: &Agent) {
        self.note(&format!("m{} {} bash", agent.machine, agent.id));
        self.push(agent, payloads::bash(agent));
    }

    /// The turn ends.
    pub(crate) fn end_turn(&self, agent: &Agent) {
        self.note(&format!("m{} {} stops", agent.machine, agent.id));
        self.push(agent, payloads::stop(agent));
    }

    /// The session ends.
    pub(crate) fn end_session(&self, agent: &Agent) {
        self.note(&format!("m{} {} ends", agent.machine, agent.id));
        if self.push(agent, payloads::session_end(agent)) {
            agent.is_ended.set(true);
        }
    }

    /// The user writes something, or comes back to a session that had ended.
    pub(crate) fn prompt(&self, agent: &Agent) {
        self.note(&format!("m{} {} prompt", agent.machine, agent.id));
        let known_before = agent.read_replica(self.machine_of(agent));
        let hook = Hook::session_start_sync();
        if let Some(outcome) = self.call_hook(agent, &hook, payloads::prompt(agent), AMPLE_TIME) {
            agent.is_ended.set(false);
            agent.note_hook_saw_edit(&outcome);
            self.note_message(agent, &outcome);
            self.check_prompt(agent, known_before.as_ref(), &outcome);
        }
        self.check_after_hook(agent);
    }
}
