//! Hooks and commands of several machines whose database is a hub.

use serde_json::{Value, json};
use support::home::{Home, Payload, ProcessOutput, ProcessRun};

use super::hub_process::{HubProcess, make_token, prepare_hub};

/// The session of the machine.
const SESSION: &str = "77f0a0a6-1d4e-4f5e-9a70-5f6f8b1c2d3e";

/// A machine that knows the hub and nothing of its database.
struct Machine {
    home: Home,
    url: String,
    token: String,
}

impl Machine {
    fn new(hub: &HubProcess, token: &str) -> Self {
        let url = format!("http://{}", hub.address);
        Self { home: Home::new(), url, token: token.to_owned() }
    }

    fn prepare(&self, program: &str) -> ProcessRun<'_> {
        self.home
            .prepare_run(program)
            .env("TRUEUP_DATABASE_URL", &self.url)
            .env("TRUEUP_API_TOKEN", &self.token)
    }

    fn command(&self, arguments: &[&str]) -> ProcessOutput {
        self.prepare("trueup").args(arguments).wait()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.command(&[arguments, &["--json"]].concat()).ok().json()
    }

    fn hook(&self, hook: &str, payload: &Payload) -> ProcessOutput {
        self.prepare(hook).payload(payload).wait().ok()
    }

    fn payload(&self, fixture: &str) -> Payload {
        self.home.payload(fixture).for_session(SESSION)
    }

    /// Works on a task, as the client's own list says.
    fn work_on(&self, task: &str) {
        let todos = json!([{"content": task, "status": "in_progress"}]);
        let payload = self.payload("post-tool-use.todo-write").with_input("todos", todos);
        self.hook("checkpoint-push", &payload);
    }

    /// Brings what waits to the hub.
    fn pull(&self) {
        self.command(&["pull", "--session", SESSION]).ok();
    }
}

/// Lists the events with a text in what they changed.
fn events_with<'a>(log: &'a Value, text: &str) -> Vec<&'a Value> {
    let events = log["data"]["events"].as_array().unwrap();
    events.iter().filter(|event| event["after"].to_string().contains(text)).collect()
}

#[test]
fn what_a_session_does_over_a_hub_is_there_once_for_every_machine() {
    let server = Home::without_git();
    let (worker, lead) =
        (make_token(&server, "worker", "agent"), make_token(&server, "lead", "reader"));
    let hub = HubProcess::start(&server);
    let (machine, other) = (Machine::new(&hub, &worker), Machine::new(&hub, &lead));
    machine.hook("session-start-sync", &machine.payload("session-start.startup"));
    machine.command(&["claim", "HUB-1", "--create", "--session", SESSION]).ok();
    machine.work_on("write the test");
    machine.hook("session-start-sync", &machine.payload("user-prompt-submit"));
    machine.pull();
    machine.pull();
    let log = other.json(&["log", "--all-repos"]);
    let tasks = events_with(&log, "write the test");
    assert_eq!(tasks.len(), 1, "{log:#}");
    assert_eq!(tasks[0]["via"], "worker", "{log:#}");
    let item = other.json(&["item", "show", "HUB-1"]);
    assert_eq!(item["data"]["item"]["holder"], SESSION, "{item:#}");
}

#[test]
fn a_token_that_may_not_is_refused_with_what_helps() {
    let server = Home::without_git();
    let reader = make_token(&server, "lead", "reader");
    let hub = HubProcess::start(&server);
    let refused = Machine::new(&hub, &reader).command(&["item", "add", "X", "--json"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    let error = &refused.json()["error"];
    assert_eq!(error["code"], "not_permitted", "{error:#}");
    assert!(error["message"].as_str().unwrap().contains("role agent"), "{error:#}");
    let unknown = Machine::new(&hub, "tuh_nobody").command(&["log", "--json"]);
    assert_eq!(unknown.code, Some(3), "{unknown:?}");
    let hint = unknown.json()["error"]["hint"].to_string();
    assert!(hint.contains("trueup-hub token create"), "{hint}");
}

#[test]
fn the_check_of_a_machine_says_what_its_token_may_do() {
    let server = Home::without_git();
    for (role, status) in [("reader", "fail"), ("agent", "ok"), ("admin", "warn")] {
        let token = make_token(&server, &format!("the-{role}"), role);
        let hub = HubProcess::start(&server);
        let machine = Machine::new(&hub, &token);
        let doctor = machine.command(&["doctor", "--json"]).json();
        let checks = doctor["data"]["checks"].as_array().unwrap();
        let user = checks.iter().find(|check| check["name"] == "database user").unwrap();
        assert_eq!(user["status"], status, "{user:#}");
        assert!(user["detail"].as_str().unwrap().contains(&format!("the-{role}")), "{user:#}");
        let server = &machine.json(&["db", "status"])["data"]["server"];
        assert_eq!(
            (&server["user"], &server["role"]),
            (&json!(format!("the-{role}")), &json!(role))
        );
    }
}

#[test]
fn the_log_tells_whose_token_a_change_came_with() {
    let server = Home::without_git();
    let token = make_token(&server, "worker", "agent");
    let hub = HubProcess::start(&server);
    let machine = Machine::new(&hub, &token);
    machine.command(&["item", "add", "HUB-1"]).ok();
    for arguments in [&["log"][..], &["blame", "HUB-1"]] {
        let text = machine.command(arguments).ok().stdout;
        assert!(text.contains("user via worker"), "{text}");
    }
}

#[test]
fn what_needs_the_database_itself_says_where_to_run_it() {
    let server = Home::without_git();
    let token = make_token(&server, "worker", "agent");
    let hub = HubProcess::start(&server);
    let machine = Machine::new(&hub, &token);
    let status = machine.json(&["db", "status"]);
    assert_eq!(status["data"]["server"]["software"], "trueup-hub", "{status:#}");
    for arguments in
        [&["db", "export", "all.jsonl"][..], &["db", "import", "all.jsonl"], &["db", "migrate"]]
    {
        let refused = machine.command(&[arguments, &["--json"]].concat());
        assert_eq!(refused.code, Some(3), "{arguments:?}: {refused:?}");
        let hint = refused.json()["error"]["hint"].to_string();
        assert!(hint.contains("TRUEUP_DATABASE_URL"), "{arguments:?}: {hint}");
    }
}

#[test]
fn a_hub_that_is_restarted_is_waited_for() {
    let server = Home::without_git();
    let token = make_token(&server, "worker", "agent");
    let hub = HubProcess::start(&server);
    let machine = Machine::new(&hub, &token);
    machine.command(&["item", "add", "A"]).ok();
    let address = hub.address.to_string();
    drop(hub);
    std::thread::scope(|threads| {
        let added = threads.spawn(|| machine.command(&["item", "add", "B"]));
        let listen = prepare_hub(&server, &["serve", "--listen", &address]);
        let _again = HubProcess::begin(listen);
        added.join().unwrap().ok();
        let items = machine.json(&["item", "list"]);
        assert_eq!(items["data"]["items"].as_array().unwrap().len(), 2, "{items:#}");
    });
}
