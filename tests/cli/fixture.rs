//! Runs commands and sets up the sessions they act for.

use serde_json::{Value, json};
use support::home::{
    Bystander, FIRST_SESSION, Home, Payload, ProcessOutput, SECOND_SESSION, spawn_bystander,
};

/// The hook that registers sessions.
pub(crate) const SYNC: &str = "session-start-sync";

/// A scratch with [`SESSION`] registered.
pub(crate) fn started() -> Home {
    let home = Home::new();
    home.start_session().ok();
    home
}

/// Creates the database without a session. One on a server is there from the start.
pub(crate) fn create_database(home: &Home) {
    if home.shared_url().is_none() {
        data(home, &["db", "migrate"]);
    }
}

/// [`started`], and the database has plans `P`, `Q`, `P0` to `P29` and `master-plan`.
pub(crate) fn started_with_plans() -> Home {
    let home = started();
    let numbered = (0..30).map(|n| format!("P{n}"));
    let named = ["P", "Q", "master-plan"].map(str::to_owned);
    for plan in numbered.chain(named) {
        let path = format!("/plans/{plan}.md");
        home.execute_sql("INSERT INTO plans (plan_id, path) VALUES (?1, ?2)", [plan, path]);
    }
    home
}

/// Runs `trueup` for the newest live session of the project.
pub(crate) fn trueup(home: &Home, arguments: &[&str]) -> ProcessOutput {
    home.prepare_run("trueup").args(arguments).wait()
}

/// Runs `validate-session-state`.
pub(crate) fn validate(home: &Home, arguments: &[&str]) -> ProcessOutput {
    home.prepare_run("validate-session-state").args(arguments).wait()
}

/// Runs `trueup … --json`; asserts the exit code and the envelope.
#[track_caller]
pub(crate) fn object(home: &Home, code: i32, arguments: &[&str]) -> Value {
    envelope(&home.prepare_run("trueup").args(arguments).args(["--json"]).wait(), code)
}

/// Runs `trueup … --json`, which must succeed; returns its `data`.
#[track_caller]
pub(crate) fn data(home: &Home, arguments: &[&str]) -> Value {
    object(home, 0, arguments)["data"].clone()
}

/// Runs `trueup … --json`, which must be refused with this code; returns the object.
#[track_caller]
pub(crate) fn refused(home: &Home, code: &str, arguments: &[&str]) -> Value {
    let object = object(home, 1, arguments);
    assert_eq!(object["error"]["code"], code, "{object}");
    object
}

/// Runs `validate-session-state … --json`.
#[track_caller]
pub(crate) fn findings(home: &Home, code: i32, arguments: &[&str]) -> Value {
    let run = home.prepare_run("validate-session-state").args(arguments);
    envelope(&run.args(["--json"]).wait(), code)
}

/// Removes the colours that the program itself uses, so that what else acts on a terminal is left.
pub(crate) fn without_own_styles(text: &str) -> String {
    ["0", "1", "2", "31", "32", "33", "36"]
        .iter()
        .fold(text.to_owned(), |text, code| text.replace(&format!("\u{1b}[{code}m"), ""))
}

/// Returns the codes of the divergences in an object.
pub(crate) fn codes(object: &Value) -> Vec<&str> {
    let found = object["divergences"].as_array().into_iter().flatten();
    found.filter_map(|d| d["code"].as_str()).collect()
}

/// Asserts one complete object on stdout, nothing else anywhere, and the exit code.
#[track_caller]
pub(crate) fn envelope(answer: &ProcessOutput, code: i32) -> Value {
    assert_eq!(answer.code, Some(code), "{answer:?}");
    assert_eq!(answer.stderr, "", "{answer:?}");
    assert_eq!(answer.stdout.lines().count(), 1, "{answer:?}");
    let object = answer.json();
    let all = ["command", "data", "divergences", "error", "ok", "warnings"];
    assert_eq!(keys(&object), all, "{object}");
    assert_eq!(object["ok"], code == 0, "{object}");
    assert!(object["warnings"].is_array(), "{object}");
    for divergence in object["divergences"].as_array().into_iter().flatten() {
        let all =
            ["authority", "code", "expected", "fix", "found", "message", "severity", "subject"];
        assert_eq!(keys(divergence), all, "{divergence}");
    }
    match &object["error"] {
        Value::Null => {}
        error => {
            assert_eq!(keys(error), ["code", "hint", "message"], "{error}");
            assert!(error["code"].is_string() && error["message"].is_string());
            assert_ne!(code, 0, "{object}");
        }
    }
    object
}

/// Returns the keys of an object, in order of the alphabet.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object();
    let mut keys: Vec<&str> =
        object.into_iter().flat_map(|o| o.keys()).map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// Registers [`SECOND`] in the same worktree, with a client's process or none.
pub(crate) fn second(home: &Home, process: Option<&Bystander>) {
    let payload = home.payload("session-start.startup").for_session(SECOND_SESSION);
    start(home, &payload, process);
}

/// Runs a session start whose client is this process or unknown.
pub(crate) fn start(home: &Home, payload: &Payload, process: Option<&Bystander>) {
    let run = home.prepare_run(SYNC).payload(payload);
    let run = match process {
        Some(process) => run.env("CLAUDE_PID", process.pid()),
        None => run.without("CLAUDE_PID"),
    };
    assert_eq!(run.wait().code, Some(0));
}

/// [`SESSION`] and [`SECOND`], of which the second holds `SD-1` in a process that lives as
/// long as the answer's second part.
pub(crate) fn held_by_second(extra: &[&str]) -> (Home, Bystander) {
    let home = started();
    let process = spawn_bystander();
    second(&home, Some(&process));
    let arguments = ["claim", "SD-1", "--create", "--session", SECOND_SESSION];
    data(&home, &[&arguments[..], extra].concat());
    (home, process)
}

/// Claims an item for [`SESSION`], making it.
#[track_caller]
pub(crate) fn claimed(home: &Home, key: &str) -> Value {
    data(home, &["claim", key, "--create", "--session", FIRST_SESSION])
}

/// Asserts that the cache equals the database's state and revision.
#[track_caller]
pub(crate) fn assert_in_step(home: &Home) {
    let cache = home.read_cache();
    let metadata: String = home.session_column("metadata", FIRST_SESSION);
    let metadata: Value = serde_json::from_str(&metadata).unwrap_or_default();
    let state = &metadata["execution_state"];
    for key in [
        "currentSd",
        "currentPhase",
        "currentTask",
        "isActive",
        "wasInterrupted",
        "lastUpdatedAt",
        "lastInterruptedAt",
        "lastResumedAt",
        "resumeCount",
    ] {
        let absent = match key {
            "isActive" | "wasInterrupted" => json!(false),
            "resumeCount" => json!(0),
            _ => Value::Null,
        };
        let expected = state.get(key).filter(|v| !v.is_null()).unwrap_or(&absent);
        assert_eq!(&cache[key], expected, "{key}");
    }
    let flag = |key: &str| metadata[key].as_bool().unwrap_or(false);
    assert_eq!(cache["autoProceed"], flag("auto_proceed"));
    assert_eq!(cache["chainOrchestrators"], flag("chain_orchestrators"));
    assert_eq!(cache["sessionId"], FIRST_SESSION);
    let revision: i64 = home.session_column("revision", FIRST_SESSION);
    assert_eq!(cache["_trueup"]["revision"], revision, "{cache}");
    let status = data(home, &["status", "--session", FIRST_SESSION]);
    assert_eq!(status["cache"]["state"], "fresh", "{status}");
}
