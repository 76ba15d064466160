//! `trueup mcp`: the commands as tools, by real processes that speak the protocol.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout};
use std::time::Duration;

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, ProcessOutput, ProcessRun, skip_over_postgres};
use trueup_core::deadline::Deadline;
use trueup_core::store::CommandStore as _;
use trueup_core::store::sqlite::SqliteStore;

use crate::fixture::{create_database, data, started};

/// A client that is connected with a server of its own.
struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    last_id: u64,
}

impl Client {
    /// Starts a server and reads nothing.
    fn open(mut run: ProcessRun<'_>) -> Self {
        let mut child = run.spawn();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { stdin: child.stdin.take(), child, stdout, last_id: 0 }
    }

    /// Connects as a client of this name.
    fn connect(home: &Home, name: &str) -> Self {
        let mut client = Self::open(prepare(home));
        client.initialize(name);
        client
    }

    fn initialize(&mut self, name: &str) -> Value {
        let params = json!({
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": name, "version": "1.2"},
        });
        let answer = self.request("initialize", &params);
        self.send(br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        answer["result"].clone()
    }

    fn send(&mut self, line: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(line).unwrap();
        stdin.write_all(b"\n").unwrap();
    }

    fn receive(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn request(&mut self, method: &str, params: &Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(request.to_string().as_bytes());
        let answer = self.receive();
        assert_eq!((&answer["id"], &answer["jsonrpc"]), (&json!(id), &json!("2.0")), "{answer}");
        answer
    }

    /// Calls a tool; returns whether it failed, and its text.
    fn call_any(&mut self, tool: &str, arguments: &Value) -> (bool, String) {
        let answer = self.request("tools/call", &json!({"name": tool, "arguments": arguments}));
        let result = &answer["result"];
        let [content] = result["content"].as_array().unwrap().as_slice() else {
            panic!("{answer}");
        };
        assert_eq!(content["type"], "text", "{answer}");
        (result["isError"].as_bool().unwrap(), content["text"].as_str().unwrap().to_owned())
    }

    #[track_caller]
    fn call(&mut self, tool: &str, arguments: &Value) -> String {
        let (failed, text) = self.call_any(tool, arguments);
        assert!(!failed, "{tool} {arguments}: {text}");
        text
    }

    #[track_caller]
    fn call_refused(&mut self, tool: &str, arguments: &Value) -> String {
        let (failed, text) = self.call_any(tool, arguments);
        assert!(failed, "{tool} {arguments}: {text}");
        text
    }

    /// Returns the id of the session that the calls act for.
    fn session(&mut self) -> String {
        let status = self.call("status", &json!({}));
        status.split_ascii_whitespace().nth(1).unwrap().to_owned()
    }

    /// Closes stdin, as a client does that ends, and waits for the server.
    fn close(mut self) -> ProcessOutput {
        drop(self.stdin.take());
        self.wait()
    }

    fn wait(self) -> ProcessOutput {
        ProcessOutput::wait_for(self.child)
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &pid]).status();
        assert!(sent.unwrap().success());
    }
}

fn prepare(home: &Home) -> ProcessRun<'_> {
    home.prepare_run("trueup").without("CLAUDE_PID").args(["mcp"])
}

fn show_session(home: &Home, id: &str) -> Value {
    data(home, &["sessions", "show", id])["session"].clone()
}

#[test]
fn a_client_is_told_the_version_and_eight_tools_that_cost_little() {
    let home = Home::new();
    let mut client = Client::open(prepare(&home));
    let welcome = client.initialize("cursor");
    assert_eq!(welcome["protocolVersion"], "2025-06-18");
    assert_eq!(welcome["serverInfo"]["name"], "trueup");
    assert!(welcome["capabilities"]["tools"].is_object());
    let list = client.request("tools/list", &json!({}))["result"].clone();
    assert!(list.to_string().len() / 4 < 1_500, "{} bytes", list.to_string().len());
    let tools = list["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    let all = ["status", "next", "claim", "checkpoint", "release", "handoff", "plan", "log"];
    assert_eq!(names, all);
    for tool in tools {
        jsonschema::validator_for(&tool["inputSchema"]).unwrap();
        assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
    }
    assert_eq!(client.request("ping", &json!({}))["result"], json!({}));
    let output = client.close();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_day_of_work_needs_no_shell() {
    let home = Home::new();
    create_database(&home);
    for key in ["SD-1", "SD-2"] {
        data(&home, &["item", "add", key]);
    }
    let plan = "# P\n\n## Phase 1: All\n\n- [ ] 1.1 One\n- [ ] 1.2 Two\n";
    std::fs::write(home.project_dir().join("plan.md"), plan).unwrap();
    data(&home, &["plan", "import", "plan.md"]);
    let mut client = Client::connect(&home, "Cursor (nightly)");
    let session = client.session();
    assert!(session.ends_with("-mcp-cursor--nightly"), "{session}");
    let shown = show_session(&home, &session);
    assert_eq!(shown["alive"], "alive", "{shown}");
    let client_info = json!({"name": "Cursor (nightly)", "version": "1.2", "protocol": "mcp"});
    assert_eq!(shown["metadata"]["client"], client_info);

    assert!(client.call("next", &json!({})).contains("SD-1"));
    assert!(client.call("next", &json!({"claim": true})).contains("claimed SD-1"));
    client.call("checkpoint", &json!({"phase": "EXEC", "task": "--read \"it\""}));
    client.call("plan", &json!({"action": "start", "task": "1.1"}));
    client.call("plan", &json!({"action": "complete", "task": "1.1"}));
    assert!(client.call("plan", &json!({"action": "next"})).contains("1.2"));
    assert!(client.call("status", &json!({"of": "items"})).contains("SD-2"));
    let shown = show_session(&home, &session);
    assert_eq!(shown["execution_state"]["currentPhase"], "EXEC");
    assert_eq!(shown["execution_state"]["currentTask"], "--read \"it\"");
    let done = json!({"item": "SD-1", "status": "completed", "evidence": "PR 17"});
    client.call("release", &done);
    assert_eq!(data(&home, &["item", "show", "SD-1"])["item"]["status"], "completed");
    client.call("claim", &json!({"item": "SD-2"}));
    let notes =
        json!({"action": "create", "type": "PLAN-TO-EXEC", "summary": "s", "known_issues": "none"});
    client.call("handoff", &notes);
    assert!(client.call("handoff", &json!({"action": "list"})).contains("SD-2"));
    client.call("release", &json!({"reason": "over"}));
    assert_eq!(data(&home, &["item", "show", "SD-2"])["item"]["holder"], Value::Null);
    assert!(client.call("log", &json!({"item": "SD-1"})).contains("claimed SD-1"));
    client.close();
    let shown = show_session(&home, &session);
    assert_eq!((&shown["status"], &shown["item"]), (&json!("ended"), &Value::Null));
}

#[test]
fn a_connection_that_ends_leaves_its_work_to_others() {
    for ending in ["close", "TERM", "INT"] {
        let home = Home::new();
        let mut client = Client::connect(&home, "a");
        client.call("claim", &json!({"item": "SD-1", "create": true}));
        let session = client.session();
        let output = if ending == "close" {
            client.close()
        } else {
            client.signal(ending);
            client.wait()
        };
        assert_eq!(output.code, Some(0), "{ending}: {output:?}");
        let shown = show_session(&home, &session);
        assert_eq!(shown["status"], "ended", "{ending}");
        assert_eq!(shown["execution_state"]["wasInterrupted"], true, "{ending}");
        // It is free for the next who asks.
        let mut other = Client::connect(&home, "b");
        other.call("claim", &json!({"item": "SD-1"}));
    }
}

#[test]
fn a_killed_server_is_dead_once_its_lease_is_over() {
    let home = Home::new();
    let mut client = Client::connect(&home, "a");
    client.call("claim", &json!({"item": "SD-1", "create": true}));
    let session = client.session();
    let mut other = Client::connect(&home, "b");
    let refusal = other.call_refused("claim", &json!({"item": "SD-1"}));
    assert!(refusal.contains(&session[..8]) && refusal.contains("hint: "), "{refusal}");
    client.signal("KILL");
    client.wait();
    home.expire_lease(&session, 10);
    other.call("claim", &json!({"item": "SD-1"}));
    assert_eq!(show_session(&home, &session)["item"], Value::Null);
}

#[test]
fn connections_at_once_are_sessions_of_their_own() {
    let home = Home::new();
    let mut clients: Vec<Client> =
        ["a", "b", "c", "d"].map(|name| Client::connect(&home, name)).into();
    for (number, client) in clients.iter_mut().enumerate() {
        client.last_id += 1;
        let arguments = json!({"item": "SD-1", "create": true});
        let params = json!({"name": "claim", "arguments": arguments});
        let id = client.last_id;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
        client.send(request.to_string().as_bytes());
        assert!(number < 4);
    }
    let answers: Vec<Value> = clients.iter_mut().map(Client::receive).collect();
    let winners = answers.iter().filter(|answer| answer["result"]["isError"] == false);
    assert_eq!(winners.count(), 1, "{answers:#?}");
    let sessions: std::collections::BTreeSet<String> =
        clients.iter_mut().map(Client::session).collect();
    assert_eq!(sessions.len(), 4);
}

#[test]
fn whatever_is_sent_is_answered_or_ignored_and_the_next_request_works() {
    let home = Home::new();
    let mut client = Client::connect(&home, "a");
    let huge = [&b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\""[..], &vec![b'x'; 5 << 20]].concat();
    let deep = [vec![b'['; 200_000], vec![b']'; 200_000]].concat();
    for (line, code) in [
        (&b"garbage"[..], -32_700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"meth", -32_700),
        (b"\xff\xfe\x00", -32_700),
        (&deep, -32_700),
        (&huge, -32_600),
        (b"7", -32_600),
        (b"[]", -32_600),
        (b"{\"id\":1,\"method\":\"ping\"}", -32_600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/list\"}", -32_601),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}", -32_602),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"rm\"}}", -32_602),
    ] {
        client.send(line);
        assert_eq!(client.receive()["error"]["code"], code, "{}", String::from_utf8_lossy(&line[..line.len().min(80)]));
    }
    // These have no answer: the next one is that of the ping.
    for line in [
        &b""[..],
        b"  ",
        br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        br#"{"jsonrpc":"2.0","method":"notifications/unheard-of"}"#,
        br#"{"jsonrpc":"2.0","id":9,"result":{"roots":[]}}"#,
    ] {
        client.send(line);
    }
    assert_eq!(client.request("ping", &json!({}))["result"], json!({}));
    client
        .send(br#"[{"jsonrpc":"2.0","id":"x","method":"ping"},{"jsonrpc":"2.0","method":"n"},3]"#);
    let batch = client.receive();
    assert_eq!(batch[0], json!({"jsonrpc": "2.0", "id": "x", "result": {}}));
    assert_eq!(batch[1]["error"]["code"], -32_600);
    assert_eq!(batch.as_array().unwrap().len(), 2);
    for (tool, arguments) in [
        ("claim", json!({"item": "a\u{0}b"})),
        ("claim", json!({"item": "../../etc"})),
        ("claim", json!({"item": "--force"})),
        ("checkpoint", json!({"task": "x".repeat(3 << 20)})),
        ("status", json!({"of": "everything"})),
        ("log", json!({"since": "yesterday-ish"})),
    ] {
        client.call_refused(tool, &arguments);
    }
    client.call("checkpoint", &json!({"task": "line\nbreak \u{1b}[31m"}));
    let status = client.call("status", &json!({}));
    assert!(!status.contains('\u{1b}'), "{status}");
    client.close();
}

#[test]
fn a_client_without_a_beginning_names_the_version_in_each_request() {
    let home = Home::new();
    let mut client = Client::open(prepare(&home));
    let meta = |version: &str| {
        json!({
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientInfo": {"name": "modern", "version": "9"},
            "io.modelcontextprotocol/clientCapabilities": {},
        })
    };
    let params = json!({"_meta": meta("2026-07-28")});
    let found = client.request("server/discover", &params)["result"].clone();
    assert_eq!(found["supportedVersions"][0], "2026-07-28");
    assert_eq!(found["resultType"], "complete");
    let called = json!({"name": "status", "_meta": meta("2026-07-28")});
    let result = client.request("tools/call", &called)["result"].clone();
    assert_eq!((&result["resultType"], &result["isError"]), (&json!("complete"), &json!(false)));
    assert!(result["content"][0]["text"].as_str().unwrap().contains("-mcp-modern"), "{result}");
    let refused = client.request("tools/list", &json!({"_meta": meta("2031-01-01")}));
    assert_eq!(refused["error"]["code"], -32_022, "{refused}");
}

#[test]
fn a_broken_database_or_configuration_is_the_answer_of_each_call() {
    if skip_over_postgres("the file of the database is broken") {
        return;
    }
    for (file, garbage, expected) in [
        ("trueup.db", "this is no database, and it stays as it is", "hint: "),
        ("config.toml", "database = [", "config.toml"),
    ] {
        let home = Home::new();
        let path = home.trueup_home().join(file);
        std::fs::write(&path, garbage).unwrap();
        let mut client = Client::connect(&home, "a");
        let refusal = client.call_refused("status", &json!({}));
        assert!(refusal.contains(expected) && refusal.contains("hint: "), "{refusal}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), garbage);
        // Once it is usable, the connection is.
        std::fs::remove_file(&path).unwrap();
        client.call("claim", &json!({"item": "SD-1", "create": true}));
        assert_eq!(client.close().code, Some(0));
    }
}

#[test]
fn a_session_that_is_named_is_acted_for_and_not_ended() {
    for by_environment in [false, true] {
        let home = started();
        let run = prepare(&home);
        let run = if by_environment {
            run.env("TRUEUP_SESSION_ID", FIRST_SESSION)
        } else {
            run.args(["--session", &FIRST_SESSION[..30]])
        };
        let run = run.env("CLAUDE_PID", std::process::id().to_string());
        let mut client = Client::open(run);
        client.initialize("a");
        client.call("claim", &json!({"item": "SD-1", "create": true}));
        client.close();
        let shown = show_session(&home, FIRST_SESSION);
        assert_eq!((&shown["status"], &shown["item"]), (&json!("active"), &json!("SD-1")));
        assert_eq!(data(&home, &["sessions", "list"])["sessions"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn the_session_of_the_clients_environment_is_used_if_it_is_registered() {
    let home = started();
    for (session, is_used) in
        [(FIRST_SESSION, true), ("0a1b2c3d-0000-4000-8000-000000000009", false)]
    {
        let mut client = Client::open(prepare(&home).env("CLAUDE_CODE_SESSION_ID", session));
        client.initialize("a");
        assert_eq!(client.session() == session, is_used);
        client.close();
    }
    assert_eq!(show_session(&home, FIRST_SESSION)["status"], "active");
}

#[test]
fn the_lease_is_renewed_while_the_client_is_silent() {
    if skip_over_postgres("the change of the file is awaited") {
        return;
    }
    let home = Home::new();
    let run = prepare(&home).env("TRUEUP_LEASE_SECONDS", "6");
    let mut client = Client::open(run);
    client.initialize("a");
    let session = client.session();
    let first = show_session(&home, &session)["lease_expires_at"].clone();
    let limit = Duration::from_mins(1);
    let path = home.trueup_home().join("trueup.db");
    let mut watch = SqliteStore::open(&path, Deadline::after(limit)).unwrap();
    loop {
        let seen = watch.change_mark().unwrap();
        if show_session(&home, &session)["lease_expires_at"] != first {
            return;
        }
        watch.wait_for_change(seen, limit).unwrap().expect("the lease is renewed");
    }
}
