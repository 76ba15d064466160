//! The guard of hand-offs.

use std::time::Duration;

use trueup_hooks::Hook;

use crate::agent::Agent;
use crate::payloads;
use crate::world::World;

impl World {
    /// The agent is about to hand work off.
    pub(crate) fn ask_guard(&self, agent: &Agent) {
        self.note(&format!("m{} {} asks the guard", agent.machine, agent.id));
        let hook = Hook::pre_handoff_validate();
        let payload = payloads::before_agent(agent);
        // Without time to wait for a pull: nobody pulls while it waits.
        if let Some(outcome) = self.call_hook(agent, &hook, payload, Duration::ZERO) {
            agent.note_hook_saw_edit(&outcome);
            self.note_message(agent, &outcome);
        }
        self.check_after_hook(agent);
    }
}
