//! Who does something next.

use std::fs;

use serde_json::Value as Json;
use trueup_core::model::StateField;

use crate::agent::{Agent, WriteKind};
use crate::world::{MACHINES, World};

/// Longest step of a machine's clock, in milliseconds: an hour either way.
const MAX_CLOCK_STEP_MS: u32 = 3_600_000;

/// How deep what happens at once may be nested.
const MAX_DEPTH: usize = 3;

impl World {
    /// Lets something happen.
    pub(crate) fn take_step(&self) {
        self.count_step();
        self.let_time_pass();
        match self.below(1000) {
            0..4 => self.cut_links(),
            4..20 => self.restore_link(),
            20..26 => self.step_clock(),
            _ => self.act(),
        }
    }

    /// Lets other things happen while a request of a machine is on its way.
    pub(crate) fn run_meanwhile(&self, machine: usize) {
        let is_deep = self.busy_machines.borrow().len() >= MAX_DEPTH;
        if self.is_healed.get() || is_deep || !self.chance(1, 30) {
            return;
        }
        self.interruptions.set(self.interruptions.get() + 1);
        self.count_step();
        self.act();
        self.rename_host(machine);
    }

    fn let_time_pass(&self) {
        let milliseconds = match self.below(1000) {
            0..5 => 1_000 * (600 + self.below(9_000)),
            5..60 => 1_000 * (20 + self.below(600)),
            _ => self.below(4_000),
        };
        self.clocks.advance(milliseconds.into());
    }

    fn cut_links(&self) {
        if self.chance(1, 4) {
            self.links.iter().for_each(|link| link.is_down.set(true));
            self.note("every link fails");
        } else {
            let machine = self.pick(MACHINES);
            self.links[machine].is_down.set(true);
            self.note(&format!("the link of m{machine} fails"));
        }
    }

    fn restore_link(&self) {
        let machine = self.pick(MACHINES);
        if self.links[machine].is_down.replace(false) {
            self.note(&format!("the link of m{machine} works"));
        }
    }

    fn step_clock(&self) {
        let machine = self.pick(MACHINES);
        let ahead = i64::from(self.below(2 * MAX_CLOCK_STEP_MS)) - i64::from(MAX_CLOCK_STEP_MS);
        self.clocks.set_ahead(machine, ahead);
        self.note(&format!("the clock of m{machine} is {} s ahead", ahead / 1000));
    }

    /// A session, a user or a pull does something.
    fn act(&self) {
        let agent = &self.agents[self.pick(self.agents.len())];
        let is_busy = |machine| self.busy_machines.borrow().contains(&machine);
        if !agent.is_started.get() {
            if !is_busy(agent.machine) {
                self.start(agent);
            }
            return;
        }
        if agent.is_ended.get() {
            match self.below(10) {
                // The user comes back.
                0 => self.prompt(agent),
                1..4 if !is_busy(agent.machine) => {
                    self.pull(agent);
                }
                _ => {}
            }
            return;
        }
        match self.below(1000) {
            0..220 => self.push_task(agent),
            220..280 => self.push_new_task(agent),
            280..350 => self.push_task_status(agent),
            350..390 => self.push_nothing(agent),
            390..430 => self.end_turn(agent),
            430..550 => self.prompt(agent),
            550..580 => self.edit_cache(agent),
            580..595 => self.end_session(agent),
            595..600 => self.ask_guard(agent),
            600..720 => {
                let machine = self.pick(MACHINES);
                if !is_busy(machine) {
                    self.run_command(machine);
                }
            }
            _ if !is_busy(agent.machine) => {
                self.pull(agent);
            }
            _ => {}
        }
    }

    /// A session starts: what its hook does waits for a pull, and the prompt brings what it read.
    fn start(&self, agent: &Agent) {
        self.note(&format!("m{} {} starts", agent.machine, agent.id));
        self.pull(agent);
        agent.is_started.set(agent.read_replica(self.machine_of(agent)).is_some());
        if agent.is_started.get() {
            self.prompt(agent);
        }
    }

    /// Somebody edits the cache of a session by hand.
    fn edit_cache(&self, agent: &Agent) {
        let path = agent.cache_path();
        let Some(mut document) =
            fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Json>(&bytes).ok())
        else {
            return;
        };
        if document["sessionId"].as_str() != Some(agent.id.as_str()) {
            return;
        }
        let (place, text) = agent.add_write(WriteKind::Edit);
        self.note(&format!("m{} {} edits its cache: {text}", agent.machine, agent.id));
        document[StateField::Task.key()] = text.into();
        fs::write(path, serde_json::to_vec_pretty(&document).unwrap()).unwrap();
        agent.record.borrow_mut().unseen_edit = Some(place);
    }

    /// Nothing goes wrong from now on, and everybody does what is left to do.
    pub(crate) fn heal_and_drain(&self) {
        self.note("everything works from now on");
        self.is_healed.set(true);
        self.links.iter().for_each(|link| link.is_down.set(false));
        let started = || self.agents.iter().filter(|agent| agent.is_started.get());
        for _ in 0..3 {
            for agent in started() {
                self.clocks.advance(1_000);
                self.pull(agent);
                self.prompt(agent);
                self.push_nothing(agent);
            }
        }
        // Twice: a session may send what another has left.
        for agent in started().chain(started()) {
            self.pull(agent);
        }
    }
}
