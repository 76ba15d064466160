//! Hooks of a session whose server is far away, gone, or comes back.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, Payload, ProcessOutput};
use support::network::faulty_proxy::{Fault, FaultyProxy};

use super::super::kill_loop::{Fate, KillLoop};
use super::scene::{Server, prepare_command, url_by};

/// How often a session does something while its server is away.
const STEPS: usize = 40;

/// Kills of the loop.
const KILLS: usize = 60;

/// How long something may take that nobody waits for.
const PATIENCE: Duration = Duration::from_mins(2);

/// A session that began while its server could be reached.
struct RemoteSession<'s> {
    home: Home,
    server: &'s Server,
    url: String,
}

impl<'s> RemoteSession<'s> {
    fn start(server: &'s Server, port: u16) -> Self {
        let session = Self { home: Home::new(), server, url: url_by("agent", port) };
        session.hook("session-start-sync", &session.home.payload("session-start.startup")).ok();
        session.command(&["claim", "A-1", "--create"]).ok();
        session
    }

    fn hook(&self, hook: &str, payload: &Payload) -> ProcessOutput {
        let run = self.home.prepare_run(hook).payload(payload);
        run.env("TRUEUP_DATABASE_URL", &self.url).wait()
    }

    fn command(&self, arguments: &[&str]) -> ProcessOutput {
        let session = ["--session", FIRST_SESSION];
        prepare_command(&self.home, &self.url, &[arguments, &session].concat()).wait()
    }

    fn prompt(&self) -> ProcessOutput {
        self.hook("session-start-sync", &self.home.payload("user-prompt-submit"))
    }

    fn step(&self, number: usize) -> Payload {
        let todos = json!([{"content": step_name(number), "status": "in_progress"}]);
        self.home.payload("post-tool-use.todo-write").with_input("todos", todos)
    }

    /// Waits until everything that waits has reached the server.
    fn pull(&self) {
        let begun = Instant::now();
        loop {
            let output = self.command(&["pull"]);
            let is_idle = self.home.read_lines("outbox.jsonl").is_empty();
            if output.code == Some(0) && is_idle {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{output:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The tasks that the session had, in the order of the events.
    fn list_tasks(&self) -> Vec<String> {
        let sql = format!(
            "SELECT coalesce(json_agg(after #>> '{{execution_state,currentTask}}' ORDER BY seq), '[]')
             FROM trueup.events WHERE key = '{FIRST_SESSION}' AND kind = 'state'
                 AND after #>> '{{execution_state,currentTask}}' LIKE 'step %'"
        );
        let tasks: Value =
            serde_json::from_str(&self.server.postgres.run_sql("work", &sql)).unwrap();
        let tasks = tasks.as_array().unwrap().iter();
        tasks.map(|task| task.as_str().unwrap().to_owned()).collect()
    }
}

fn step_name(number: usize) -> String {
    format!("step {number:03}")
}

#[test]
fn an_outage_is_told_once_and_every_step_in_it_arrives_once() {
    let Some(server) = Server::start() else { return };
    let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
    let session = RemoteSession::start(&server, proxy.port);
    session.prompt().ok();
    session.pull();
    network.set(Fault::BlackHole);
    for number in 0..STEPS {
        let output = session.hook("checkpoint-push", &session.step(number));
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
        assert!(!output.stdout.contains("systemMessage"), "{output:?}");
    }
    assert_eq!(session.home.read_cache()["currentTask"], step_name(STEPS - 1));
    let begun = Instant::now();
    let told = loop {
        let output = session.prompt();
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
        if !output.stdout.is_empty() {
            break output.message();
        }
        assert!(begun.elapsed() < PATIENCE, "nobody was told");
        thread::sleep(Duration::from_millis(100));
    };
    assert!(told.len() == 1 && told[0].starts_with("⚠️ database unreachable since "), "{told:?}");
    session.prompt().assert_silent();
    network.set(Fault::None);
    session.pull();
    assert_eq!(session.list_tasks(), (0..STEPS).map(step_name).collect::<Vec<_>>());
    session.prompt().assert_silent();
}

#[test]
fn hooks_and_pulls_that_are_killed_lose_nothing_and_write_nothing_twice() {
    let Some(server) = Server::start() else { return };
    let session = RemoteSession::start(&server, server.postgres.port);
    let mut kill_loop = KillLoop::new(KILLS);
    let (mut number, mut acknowledged) = (0, Vec::new());
    while kill_loop.goes_on() {
        let push = session.home.prepare_run("checkpoint-push");
        let push = push.env("TRUEUP_DATABASE_URL", &session.url);
        if kill_loop.kill(push, &session.step(number).to_bytes()) == Fate::Done {
            acknowledged.push(step_name(number));
        }
        number += 1;
        let pull = ["pull", "--session", FIRST_SESSION];
        kill_loop.kill(prepare_command(&session.home, &session.url, &pull), b"");
    }
    session.pull();
    let arrived = session.list_tasks();
    assert!(arrived.is_sorted_by(|before, after| before < after), "{arrived:?}");
    let is_lost = |step: &&String| !arrived.contains(step);
    assert_eq!(acknowledged.iter().find(is_lost), None, "{arrived:?}");
    assert_eq!(session.home.read_lines("journal.jsonl"), [Value::Null; 0]);
    assert_eq!(session.home.read_lines("outbox.dead.jsonl"), [Value::Null; 0]);
}
