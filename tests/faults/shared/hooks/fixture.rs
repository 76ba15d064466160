//! A session that began while its server could be reached, and what must hold of it later.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::home::{Home, Payload, ProcessOutput, ProcessRun};
use support::postgres::PostgresServer;
use trueup_core::outbox::Outbox;
use trueup_core::settings::Paths;

use super::super::scene::{Ends, Server, new_key, prepare_command, prepare_program, run_failing};

/// How long something may take that nobody waits for.
const PATIENCE: Duration = Duration::from_mins(2);

/// The pause between two looks at it.
const INTERVAL: Duration = Duration::from_millis(20);

/// A session of the database `work` of a server.
pub(super) struct RemoteSession<'s> {
    pub(super) home: Home,
    pub(super) id: String,
    pub(super) url: String,
    /// Where the facts are read.
    postgres: &'s PostgresServer,
}

impl<'s> RemoteSession<'s> {
    /// Starts a session that holds an item, and whose replica has all that the server has.
    pub(super) fn start(server: &'s Server, url: impl Into<String>) -> Self {
        Self::start_in(Home::new(), &server.postgres, url)
    }

    /// Starts a session in a home.
    pub(super) fn start_in(
        home: Home,
        postgres: &'s PostgresServer,
        url: impl Into<String>,
    ) -> Self {
        let session = Self { home, id: new_session_id(), url: url.into(), postgres };
        session.begin("session-start.startup").ok();
        session.command(&["claim", &new_key(), "--create"]).ok();
        // A prompt would tell of the claim as well, and start a pull that may be late.
        session.resume().ok();
        session
    }

    /// Resumes the session of another machine.
    pub(super) fn resume_elsewhere(&self, url: impl Into<String>) -> Self {
        let (home, id) = (Home::new(), self.id.clone());
        let session = Self { home, id, url: url.into(), postgres: self.postgres };
        session.resume().ok();
        session
    }

    /// Makes a payload of the session from a fixture.
    pub(super) fn payload(&self, fixture: &str) -> Payload {
        self.home.payload(fixture).for_session(&self.id)
    }

    /// Prepares a run of a hook.
    pub(super) fn prepare_hook(&self, hook: &str, payload: &Payload) -> ProcessRun<'_> {
        let run = prepare_program(&self.home, hook, &self.url).payload(payload);
        run.env("CLAUDE_CODE_SESSION_ATTENDED", "1")
    }

    /// Runs a hook, which must end before one would that waits for its deadline.
    #[track_caller]
    pub(super) fn hook(&self, hook: &str, payload: &Payload) -> ProcessOutput {
        run_failing(hook, self.prepare_hook(hook, payload), Ends::AtOnce)
    }

    /// Prepares a command for the session.
    pub(super) fn prepare_command(&self, arguments: &[&str]) -> ProcessRun<'_> {
        let session = ["--session", &self.id];
        prepare_command(&self.home, &self.url, &[arguments, &session].concat())
    }

    pub(super) fn command(&self, arguments: &[&str]) -> ProcessOutput {
        self.prepare_command(arguments).wait()
    }

    pub(super) fn resume(&self) -> ProcessOutput {
        self.begin("session-start.resume")
    }

    /// Starts the session, which alone waits for the server.
    fn begin(&self, fixture: &str) -> ProcessOutput {
        self.prepare_hook("session-start-sync", &self.payload(fixture)).wait()
    }

    pub(super) fn prompt(&self) -> ProcessOutput {
        self.hook("session-start-sync", &self.payload("user-prompt-submit"))
    }

    /// The payload after the agent went on to a step.
    pub(super) fn step(&self, number: usize) -> Payload {
        let todos = json!([{"content": step_name(number), "status": "in_progress"}]);
        self.payload("post-tool-use.todo-write").with_input("todos", todos)
    }

    pub(super) fn push(&self, number: usize) -> ProcessOutput {
        self.hook("checkpoint-push", &self.step(number))
    }

    pub(super) fn outbox(&self) -> Outbox {
        Outbox::new(self.home.trueup_home().join("outbox.jsonl"))
    }

    /// Finds the replica of the session.
    pub(super) fn replica_path(&self) -> PathBuf {
        let folders = fs::read_dir(self.home.trueup_home().join("replica")).unwrap();
        let mut replicas =
            folders.map(|folder| folder.unwrap().path().join(format!("{}.json", self.id)));
        replicas.find(|path| path.exists()).unwrap()
    }

    /// Finds the lock of the replica.
    pub(super) fn replica_lock_path(&self) -> PathBuf {
        let paths = Paths { config: self.home.trueup_home(), data: self.home.trueup_home() };
        paths.lock_of(&self.replica_path())
    }

    /// Waits until everything that waits has reached the server.
    #[track_caller]
    pub(super) fn pull(&self) {
        await_event(|| {
            let output = self.command(&["pull"]);
            if output.code == Some(0) && self.outbox().is_idle() {
                return Ok(());
            }
            Err(output)
        });
    }

    /// Waits until nothing of the session runs that hooks left behind.
    #[track_caller]
    pub(super) fn await_quiet(&self) {
        let mark = format!("TRUEUP_HOME={}\0", self.home.trueup_home().display());
        let has_mark = |environment: &[u8]| {
            environment.windows(mark.len()).any(|part| part == mark.as_bytes())
        };
        await_event(|| {
            let processes = fs::read_dir("/proc").unwrap().flatten();
            let mut running = processes.filter(|process| {
                fs::read(process.path().join("environ")).is_ok_and(|it| has_mark(&it))
            });
            running.next().map_or(Ok(()), |process| Err(process.path()))
        });
    }

    /// The tasks that the session had in the database, in the order of the events.
    pub(super) fn list_tasks(&self) -> Vec<String> {
        list_tasks(self.postgres, "work", &self.id)
    }

    /// Sends what waits, and checks that these steps were done in order, each once, and that
    /// nothing was set aside.
    #[track_caller]
    pub(super) fn check_arrived(&self, name: &str, steps: Range<usize>) {
        self.pull();
        assert_eq!(self.list_tasks(), steps.map(step_name).collect::<Vec<_>>(), "{name}");
        self.check_nothing_set_aside(name);
    }

    /// Checks that no write came too late, was refused or damaged.
    #[track_caller]
    pub(super) fn check_nothing_set_aside(&self, name: &str) {
        for file in ["journal.jsonl", "outbox.dead.jsonl"] {
            assert_eq!(self.home.read_lines(file), [Value::Null; 0], "{name}: {file}");
        }
        assert_eq!(self.outbox().count_damaged().unwrap(), 0, "{name}");
    }
}

/// Reads the tasks that a session had in a database, in the order of the events.
pub(super) fn list_tasks(postgres: &PostgresServer, database: &str, session: &str) -> Vec<String> {
    let sql = format!(
        "SELECT coalesce(json_agg(after #>> '{{execution_state,currentTask}}' ORDER BY seq), '[]')
         FROM trueup.events WHERE key = '{session}' AND kind = 'state'
             AND after #>> '{{execution_state,currentTask}}' LIKE 'step %'"
    );
    let tasks: Vec<String> = serde_json::from_str(&postgres.run_sql(database, &sql)).unwrap();
    tasks
}

/// Waits until something happened; fails with the last thing that was seen instead.
#[track_caller]
pub(super) fn await_event<T, E: std::fmt::Debug>(mut look: impl FnMut() -> Result<T, E>) -> T {
    let begun = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) => assert!(begun.elapsed() < PATIENCE, "it did not come: {seen:?}"),
        }
        thread::sleep(INTERVAL);
    }
}

pub(super) fn step_name(number: usize) -> String {
    format!("step {number:04}")
}

/// Returns the id of a session that no test of this process has used.
fn new_session_id() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    format!("0a1b2c3d-0000-4000-8000-{:012}", NUMBER.fetch_add(1, Ordering::Relaxed))
}
