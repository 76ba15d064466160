//! The checkpoint counter, exact under concurrent calls.

use std::thread;

use support::home::{FIRST_SESSION, Home, ProcessOutput};

fn calls(home: &Home, count: usize) -> Vec<ProcessOutput> {
    thread::scope(|scope| {
        let workers: Vec<_> =
            (0..count).map(|_| scope.spawn(|| home.push_event("post-tool-use.write"))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    })
}

#[test]
fn thirty_calls_at_once_are_exactly_two_checkpoints() {
    let home = Home::new().with_held_item();
    let answers = calls(&home, 30);
    assert!(answers.iter().all(|answer| answer.code == Some(0) && answer.stderr.is_empty()));
    assert_eq!(home.count_events("checkpoint", FIRST_SESSION), 2);
    let counts: String = home.query_value(
        "SELECT group_concat(json_extract(after, '$.operations'))
         FROM (SELECT after FROM events WHERE kind = 'checkpoint' ORDER BY 1)",
        [],
    );
    assert_eq!(counts, "15,30");
    let outputs: Vec<&ProcessOutput> =
        answers.iter().filter(|answer| !answer.stdout.is_empty()).collect();
    assert_eq!(outputs.len(), 2, "each checkpoint reminds once");
    assert!(outputs.iter().all(|answer| answer.context().starts_with("trueup checkpoint: ")));
}

#[test]
fn only_tool_calls_count_and_every_session_for_itself() {
    let home = Home::new().with_held_item();
    for _ in 0..14 {
        home.push_event("post-tool-use.write").assert_silent();
    }
    for fixture in ["stop", "task-created", "subagent-stop"] {
        home.push_event(fixture).assert_silent();
    }
    let other = home.payload("post-tool-use.write").for_session(support::home::SECOND_SESSION);
    home.run_hook("checkpoint-push", &other).assert_silent();
    assert_eq!(home.count_events("checkpoint", FIRST_SESSION), 0);
    let answer = home.push_event("post-tool-use.bash").ok();
    assert_eq!(
        answer.context(),
        "trueup checkpoint: 15 operations in this session. If phase or task changed, record it: \
         `trueup set --phase P --task T`."
    );
    assert_eq!(home.count_events("checkpoint", FIRST_SESSION), 1);
}

#[test]
fn how_often_is_configured_and_without_an_item_nobody_is_reminded() {
    let home = Home::new();
    std::fs::write(home.trueup_home().join("config.toml"), "checkpoint_every = 3\n").unwrap();
    home.start_session().ok();
    for _ in 0..7 {
        home.push_event("post-tool-use.write").assert_silent();
    }
    assert_eq!(home.count_events("checkpoint", FIRST_SESSION), 2);
}
