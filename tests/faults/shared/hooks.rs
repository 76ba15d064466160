//! Hooks of a session whose server is far away, gone, or comes back.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, Payload, ProcessOutput};
use support::network::faulty_proxy::{Fault, FaultyProxy};
use trueup_core::model::{FieldValue, StateField};
use trueup_core::outbox::{Outbox, PendingChange, PendingWrite};

use super::super::kill_loop::{Fate, KillLoop};
use super::scene::{Server, prepare_command, url_by};

/// How often a session does something while its server is away.
const STEPS: usize = 40;

/// How many writes wait when the server comes back.
const WAITING: usize = 5_000;

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

/// Finds the library that fakes the clock of a program; says so where there is none. The program of
/// the same name would wait for what the hook leaves behind.
fn find_fake_clock() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut libraries = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    let found = libraries.find(|library| library.exists());
    if found.is_none() {
        println!("SKIPPED: there is no libfaketime; install the package faketime");
    }
    found
}

fn step_name(number: usize) -> String {
    format!("step {number:04}")
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

#[test]
fn thousands_of_writes_arrive_once_and_in_order_while_the_session_goes_on() {
    let Some(server) = Server::start() else { return };
    let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
    let session = RemoteSession::start(&server, proxy.port);
    network.set(Fault::BlackHole);
    session.hook("checkpoint-push", &session.step(0)).ok();
    let outbox = Outbox::new(session.home.trueup_home().join("outbox.jsonl"));
    let first = outbox.list_waiting().unwrap().remove(0);
    let later = (1..WAITING).map(|number| {
        let task = FieldValue::Text(Some(step_name(number)));
        let changes = [(StateField::Task, task)].into();
        let write = PendingChange::State { changes, branch: None };
        PendingWrite { op_id: format!("op-{number}"), write, ..first.clone() }
    });
    let later: Vec<PendingWrite> = later.collect();
    outbox.put_all(&later.iter().collect::<Vec<_>>()).unwrap();
    network.set(Fault::None);
    for number in WAITING..WAITING + STEPS {
        let output = session.hook("checkpoint-push", &session.step(number));
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    }
    session.pull();
    let expected: Vec<String> = (0..WAITING + STEPS).map(step_name).collect();
    assert!(session.list_tasks() == expected, "in order, each once");
    assert_eq!(session.home.read_lines("journal.jsonl"), [Value::Null; 0]);
}

#[test]
fn a_clock_that_is_an_hour_off_loses_and_reorders_nothing() {
    let Some(library) = find_fake_clock() else { return };
    let Some(server) = Server::start() else { return };
    let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
    let session = RemoteSession::start(&server, proxy.port);
    let hook = |offset: &str, hook: &str, payload: &Payload| {
        let run = session.home.prepare_run(hook).payload(payload);
        let run = run.env("TRUEUP_DATABASE_URL", &session.url);
        let run = run.env("CLAUDE_CODE_SESSION_ATTENDED", "1");
        run.env("LD_PRELOAD", &library).env("FAKETIME", offset).wait()
    };
    let offsets = ["+0h", "+1h", "-1h", "+0h", "-1h", "+1h"];
    for (is_away, steps) in [(true, 0..12), (false, 12..24)] {
        network.set(if is_away { Fault::CutAfter(0) } else { Fault::None });
        for (number, offset) in steps.zip(offsets.iter().cycle()) {
            let output = hook(offset, "checkpoint-push", &session.step(number));
            assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
        }
    }
    session.pull();
    assert_eq!(session.list_tasks(), (0..24).map(step_name).collect::<Vec<_>>());
    assert_eq!(session.home.read_lines("journal.jsonl"), [Value::Null; 0]);
    // How old the replica is, a clock that went back cannot tell: the hand-off is not decided on it.
    network.set(Fault::CutAfter(0));
    let handoff = session.home.payload("pre-tool-use.agent");
    for (offset, decision) in [("+0h", Value::Null), ("-1h", json!("ask")), ("+1h", json!("ask"))] {
        let output = hook(offset, "pre-handoff-validate", &handoff);
        let found = output.json()["hookSpecificOutput"]["permissionDecision"].clone();
        assert_eq!(found, decision, "{offset}: {output:?}");
    }
}

#[test]
fn a_database_restored_from_a_backup_is_noticed_and_what_only_the_session_knew_is_kept() {
    let Some(server) = Server::start() else { return };
    let session = RemoteSession::start(&server, server.postgres.port);
    session.hook("checkpoint-push", &session.step(0)).ok();
    session.pull();
    let sql = |text: &str| server.postgres.run_sql("work", text);
    sql("CREATE TABLE backup AS SELECT * FROM trueup.claude_sessions;
         CREATE TABLE backup_end AS SELECT max(seq) AS seq FROM trueup.events");
    for number in 1..4 {
        session.hook("checkpoint-push", &session.step(number)).ok();
        session.pull();
    }
    session.prompt().ok();
    sql("SET session_replication_role = replica;
         UPDATE trueup.claude_sessions SET metadata = b.metadata, revision = b.revision,
             moved_revision = b.moved_revision, acknowledged_revision = b.acknowledged_revision
         FROM backup AS b;
         DELETE FROM trueup.events WHERE seq > (SELECT seq FROM backup_end)");
    session.pull();
    let told = session.prompt().ok().message();
    assert!(told.iter().any(|line| line.contains("restored from a backup?")), "{told:?}");
    let journal = session.home.read_lines("journal.jsonl");
    assert_eq!(journal.len(), 1, "{journal:?}");
    assert_eq!(journal[0]["fields"]["Task"], step_name(3));
    assert_eq!(session.home.read_cache()["currentTask"], step_name(0));
    session.hook("checkpoint-push", &session.step(4)).ok();
    session.pull();
    assert_eq!(session.list_tasks(), [step_name(0), step_name(4)]);
}
