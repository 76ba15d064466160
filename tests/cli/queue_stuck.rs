//! Running phases whose worker is gone, and loops that restart themselves.

use serde_json::json;
use support::home::{FIRST_SESSION, Home};

use crate::fixture::{claimed, data};
use crate::queue::{expect_queue_refusal, home_with_queue, run_queue_command, statuses};

#[test]
fn a_loop_that_starts_itself_again_is_stopped() {
    let home = home_with_queue("plan");
    for _ in 0..3 {
        run_queue_command(&home, FIRST_SESSION, &["start", "SD-1:1"]);
        run_queue_command(&home, FIRST_SESSION, &["fail", "SD-1:1", "--error", "x"]);
        run_queue_command(&home, FIRST_SESSION, &["reopen", "SD-1:1", "--reason", "again"]);
    }
    let limit = expect_queue_refusal(&home, "retry_limit", FIRST_SESSION, &["start", "SD-1:1"]);
    let (since, until) = (&limit["data"]["since"], &limit["data"]["until"]);
    assert_eq!(limit["data"]["starts"], 3);
    let message = limit["error"]["message"].as_str().unwrap();
    for part in ["3 times", "30 min", since.as_str().unwrap(), until.as_str().unwrap()] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(statuses(&home), "ready");
}

/// Makes a phase run since `seconds` ago, without a heartbeat of its session since.
fn silent(home: &Home, seconds: u32) {
    home.expire_lease(FIRST_SESSION, seconds);
    home.execute_sql(
        "UPDATE phase_queue SET updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?1)
         WHERE status = 'running'",
        [format!("-{seconds} seconds")],
    );
}

#[test]
fn a_sweep_fails_what_is_stuck_and_a_read_does_not() {
    let home = home_with_queue("plan,build");
    claimed(&home, "SD-1");
    run_queue_command(&home, FIRST_SESSION, &["start", "SD-1:1"]);
    silent(&home, 7_100);
    assert_eq!(data(&home, &["sessions", "sweep"])["failed"], json!([]));
    silent(&home, 7_300);
    data(&home, &["queue", "list"]);
    data(&home, &["queue", "next"]);
    assert_eq!(statuses(&home), "running queued");
    let swept = data(&home, &["sessions", "sweep"]);
    assert_eq!(swept["failed"], json!(["SD-1:1"]));
    assert_eq!(statuses(&home), "failed blocked");
    let message: String =
        home.query_value("SELECT error_message FROM phase_queue WHERE status = 'failed'", []);
    assert!(
        message.starts_with(&format!("no heartbeat of session {FIRST_SESSION} for 73")),
        "{message}"
    );
    assert!(message.ends_with("the limit is 7200 s"), "{message}");
}

#[test]
fn how_long_silence_is_endured_can_be_set() {
    let home = home_with_queue("plan");
    run_queue_command(&home, FIRST_SESSION, &["start", "SD-1:1"]);
    silent(&home, 100);
    let sweep = |seconds: &str| {
        let run = home.prepare_run("trueup").args(["sessions", "sweep", "--json"]);
        let answer = run.env("TRUEUP_STUCK_SECONDS", seconds).wait().ok();
        answer.json()["data"]["failed"].clone()
    };
    assert_eq!(sweep("200"), json!([]));
    assert_eq!(sweep("60"), json!(["SD-1:1"]));
}
