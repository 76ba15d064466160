//! Everything that a run consists of, and what its parts share.
//!
//! A run is one thread. What happens at once in the world happens nested here: while a request is on
//! its way, other machines and the hooks of the same one go on. So no part holds a borrow of a cell
//! while it sends a request.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use crate::agent::Agent;
use crate::clock::{Clocks, Computer};
use crate::faults::{Fate, Link};
use crate::machine::Machine;
use crate::server::Server;
use crate::trace::Trace;

/// How many machines there are.
pub(crate) const MACHINES: usize = 3;

/// How many sessions each of them has.
pub(crate) const SESSIONS_PER_MACHINE: usize = 2;

/// How many items there are.
pub(crate) const ITEMS: usize = 3;

/// A run.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clocks: Clocks,
    pub(crate) server: Server,
    pub(crate) machines: Vec<Machine>,
    pub(crate) links: Vec<Link>,
    pub(crate) agents: Vec<Agent>,
    /// Whether nothing goes wrong any more.
    pub(crate) is_healed: Cell<bool>,
    /// The machines with a process that is between two requests, the innermost last.
    pub(crate) busy_machines: RefCell<Vec<usize>>,
    /// How many things happened beside a process that was between two requests.
    pub(crate) interruptions: Cell<u64>,
    pub(crate) commands: Cell<u64>,
    /// Which session held an item at an epoch.
    pub(crate) claims: RefCell<BTreeMap<(String, u64), String>>,
    random: RefCell<fastrand::Rng>,
    trace: RefCell<Trace>,
    failure: RefCell<Option<String>>,
    /// Whether this process may give itself host names.
    renames_host: bool,
}

/// What a run needs from outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<'p> {
    pub(crate) run_dir: &'p Path,
    pub(crate) clock_file: &'p Path,
    pub(crate) template: &'p Path,
    pub(crate) seed: u64,
    pub(crate) is_loud: bool,
    pub(crate) renames_host: bool,
}

impl World {
    /// Makes the world of a seed, in which nothing has happened.
    pub(crate) fn create(setting: Setting<'_>) -> Rc<Self> {
        let clocks = Clocks::open(setting.clock_file, MACHINES);
        let server = Server::create_from(setting.template, &setting.run_dir.join("server.db"));
        let machines: Vec<Machine> =
            (0..MACHINES).map(|number| Machine::create(number, setting.run_dir)).collect();
        let agents = (0..MACHINES * SESSIONS_PER_MACHINE).map(|number| {
            let machine = number % MACHINES;
            Agent::create(number, machine, &machines[machine])
        });
        let world = Self {
            clocks,
            server,
            agents: agents.collect(),
            machines,
            links: (0..MACHINES).map(|_| Link::default()).collect(),
            is_healed: Cell::new(false),
            busy_machines: RefCell::default(),
            interruptions: Cell::new(0),
            commands: Cell::new(0),
            claims: RefCell::default(),
            random: RefCell::new(fastrand::Rng::with_seed(setting.seed)),
            trace: RefCell::new(Trace::new(setting.is_loud)),
            failure: RefCell::default(),
            renames_host: setting.renames_host,
        };
        world.add_items();
        Rc::new(world)
    }

    /// Draws a number below a bound.
    pub(crate) fn below(&self, bound: u32) -> u32 {
        self.random.borrow_mut().u32(..bound)
    }

    /// Draws a number of any size.
    pub(crate) fn draw_bits(&self) -> u64 {
        self.random.borrow_mut().u64(..)
    }

    /// Draws an index of a list.
    pub(crate) fn pick(&self, count: usize) -> usize {
        self.random.borrow_mut().usize(..count)
    }

    /// Draws whether something happens that happens `share` times in `of`.
    pub(crate) fn chance(&self, share: u32, of: u32) -> bool {
        self.below(of) < share
    }

    /// Runs something on a machine: by its clock, and under its host name.
    pub(crate) fn run_on_machine<T>(&self, machine: usize, part: impl FnOnce() -> T) -> T {
        self.clocks.run_on(Computer::Machine(machine), || {
            self.rename_host(machine);
            part()
        })
    }

    /// Gives the machine whose process goes on its host name back.
    pub(crate) fn rename_host(&self, machine: usize) {
        if self.renames_host {
            let name = format!("machine-{machine}");
            rustix::system::sethostname(name.as_bytes()).unwrap();
        }
    }

    /// Adds a line to the trace.
    pub(crate) fn note(&self, line: &str) {
        let depth = self.busy_machines.borrow().len();
        let mut trace = self.trace.borrow_mut();
        let (step, seconds) = (trace.steps, self.clocks.elapsed_seconds());
        trace.add(format!("{step:>6} {seconds:>7}s {}{line}", "  ".repeat(depth)));
    }

    /// Counts a step.
    pub(crate) fn count_step(&self) {
        self.trace.borrow_mut().steps += 1;
    }

    /// Returns how many steps there were.
    pub(crate) fn steps(&self) -> u64 {
        self.trace.borrow().steps
    }

    /// Returns the digest of everything that was noted.
    pub(crate) fn digest(&self) -> u64 {
        self.trace.borrow().digest()
    }

    /// Returns the last lines of the trace.
    pub(crate) fn render_trace(&self) -> String {
        self.trace.borrow().render()
    }

    /// Notes a request on the network, which is a step, and takes time.
    pub(crate) fn note_request(&self, machine: usize, kind: &str, fate: Fate) {
        self.count_step();
        self.clocks.advance(i64::from(self.below(60)));
        if fate == Fate::Arrives {
            self.note(&format!("m{machine} {kind}"));
        } else {
            self.note(&format!("m{machine} {kind}: {fate:?}"));
        }
    }

    /// Notes that a promise is broken. The run ends with the first one.
    pub(crate) fn fail(&self, problem: String) {
        self.note(&format!("BROKEN: {problem}"));
        self.failure.borrow_mut().get_or_insert(problem);
    }

    /// Returns the broken promise.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }

    /// Returns the machine of a session.
    pub(crate) fn machine_of(&self, agent: &Agent) -> &Machine {
        &self.machines[agent.machine]
    }
}
