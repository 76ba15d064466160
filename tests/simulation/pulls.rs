//! Pulls, which the scheduler starts in the place of hooks.

use std::fs::{File, FileTimes};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use trueup_core::deadline::Deadline;
use trueup_core::hook::Client;
use trueup_core::store::StoreError;
use trueup_core::store::sql::SqlStore;
use trueup_core::sync::{SyncError, now};
use trueup_hooks::{PullError, PullReport, PullRequest, pull_session};

use crate::agent::Agent;
use crate::network::{Crash, NetworkEngine, NetworkStore};
use crate::world::World;

/// How often a pull is repeated while more waits than one of them can send, as `trueup pull` does.
const MAX_ROUNDS: usize = 64;

/// Longer than any run takes: no outcome depends on the speed of the machine.
pub(crate) const AMPLE_TIME: Duration = Duration::from_hours(1);

/// How a pull ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PullEnd {
    Done,
    Failed,
    Crashed,
}

thread_local! {
    /// The world of the run that this thread plays. A store is opened without any other way to it.
    static WORLD: std::cell::RefCell<Option<Rc<World>>> = const { std::cell::RefCell::new(None) };
}

/// Makes a world that of this thread.
pub(crate) fn enter_world(world: Option<Rc<World>>) {
    WORLD.with(|current| *current.borrow_mut() = world);
}

/// Connects a process on a machine to the server.
pub(crate) fn connect(machine: usize) -> NetworkStore {
    let world = WORLD.with(|current| current.borrow().clone()).unwrap();
    SqlStore::new(NetworkEngine::connect(world, machine))
}

impl World {
    /// Pulls for a session, and checks what came of it.
    pub(crate) fn pull(&self, agent: &Agent) -> PullEnd {
        let machine = agent.machine;
        self.note(&format!("m{machine} {} pull", agent.id));
        self.busy_machines.borrow_mut().push(machine);
        let depth = self.busy_machines.borrow().len();
        let before = self.interruptions.get();
        let read_at = || agent.read_replica(self.machine_of(agent)).map(|it| it.session.read_at);
        let read_before = read_at();
        let ended = catch_unwind(AssertUnwindSafe(|| {
            self.run_on_machine(machine, || self.run_rounds(agent))
        }));
        self.busy_machines.borrow_mut().truncate(depth - 1);
        let end = match ended {
            Ok(end) => end,
            Err(payload) if payload.is::<Crash>() => PullEnd::Crashed,
            Err(payload) => {
                self.fail(format!("a pull panicked: {}", describe_panic(&*payload)));
                PullEnd::Crashed
            }
        };
        self.note(&format!("m{machine} {} pull ends: {end:?}", agent.id));
        self.date_contact(agent);
        if read_at() != read_before {
            agent.note_server_reached();
        }
        let was_alone = self.interruptions.get() == before;
        self.check_after_pull(agent, end, was_alone);
        end
    }

    /// Does what `trueup pull --detached` does once it has its turn.
    fn run_rounds(&self, agent: &Agent) -> PullEnd {
        let on = self.machine_of(agent);
        for _ in 0..MAX_ROUNDS {
            let begun_at = now();
            let request = PullRequest {
                session: &agent.id,
                directory: &agent.dir,
                client: Client::unmarked(),
                start: None,
            };
            let deadline = Deadline::after(AMPLE_TIME);
            let context = request.build_context(&on.environment, on.settings.clone(), deadline);
            let pulled = pull_session(&context, &mut connect(agent.machine), None);
            match pulled {
                Ok(report) if is_unfinished(&report) => {}
                Ok(_) => return PullEnd::Done,
                Err(error) => {
                    self.note(&format!("m{} {} pull fails: {error}", agent.machine, agent.id));
                    let PullError::Sync(SyncError::Store(cause)) = &error else {
                        self.fail(format!("a pull failed: {error}"));
                        return PullEnd::Failed;
                    };
                    if !StoreError::is_out_of_use(cause) {
                        self.fail(format!("a pull failed: {error}"));
                    } else if let Some(file) = agent.find_replica_file(on) {
                        file.note_outage(begun_at, AMPLE_TIME).unwrap();
                    }
                    return PullEnd::Failed;
                }
            }
        }
        self.fail(format!("a pull of {} has no end", agent.id));
        PullEnd::Failed
    }

    /// Gives the note of the last contact the time by the machine's clock: the kernel dates files by
    /// its own.
    fn date_contact(&self, agent: &Agent) {
        let counters = self.machine_of(agent).settings.paths.counters();
        let path = counters.join(format!("{}.contact", agent.id));
        let Ok(note) = File::options().write(true).open(path) else {
            return;
        };
        let shown = self.run_on_machine(agent.machine, || self.clocks.shown_ms());
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(shown.unsigned_abs());
        // One that was dated by this clock before is dated later: the pull may not have come so far.
        let dated = note.metadata().and_then(|data| data.modified()).unwrap();
        if dated.duration_since(time).is_ok_and(|ahead| ahead > Duration::from_hours(24)) {
            note.set_times(FileTimes::new().set_modified(time)).unwrap();
        }
    }
}

fn is_unfinished(report: &PullReport) -> bool {
    let counts = &report.drained.counts;
    counts.is_waiting && counts.problem.is_none()
}

/// Returns the message of a panic.
pub(crate) fn describe_panic(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    let text = text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string));
    text.unwrap_or_else(|| "without a message".to_owned())
}
