//! What hooks find that needs a person is reported to the database, once, and ended when it is over.

use support::home::{FIRST_SESSION, Home, Payload};

use crate::handoff_guard::{bash, on_the_wrong_branch, run_guard};

/// The reports of a kind: whether each is open, and its line.
fn reports(home: &Home, kind: &str) -> Vec<(bool, String)> {
    let count: i64 = home.query_value("SELECT count(*) FROM attention WHERE kind = ?1", [kind]);
    let sql = "SELECT (ended_at IS NULL) || '|' || line FROM attention WHERE kind = ?1
               ORDER BY id LIMIT 1 OFFSET ?2";
    let read = |at: i64| -> String { home.query_value(sql, (kind, at)) };
    (0..count)
        .map(|at| {
            let row = read(at);
            let (open, line) = row.split_once('|').unwrap();
            (open == "1", line.to_owned())
        })
        .collect()
}

fn count_events(home: &Home, kind: &str) -> i64 {
    let sql = "SELECT count(*) FROM events WHERE entity = 'attention' AND kind = ?1";
    home.query_value(sql, [kind])
}

fn notification(home: &Home) -> Payload {
    home.payload("notification")
}

#[test]
fn a_refused_handoff_is_reported_once_and_ends_with_one_that_passes() {
    let home = on_the_wrong_branch();
    for _ in 0..2 {
        let answer = run_guard(&home, &bash(&home, "make handoff"));
        assert_eq!(answer.code, Some(2), "{answer:?}");
    }
    let refusals = reports(&home, "gate_refusal");
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    assert!(refusals[0].0 && refusals[0].1.contains("Branch mismatch"), "{refusals:?}");
    let command: String = home.query_value("SELECT command FROM attention", []);
    let expected = format!(
        "(cd {} && git switch -c feat/SD-002C && validate-session-state --fix --session \
         {FIRST_SESSION})",
        home.project_dir().display()
    );
    assert_eq!(command, expected, "it works from anywhere");
    assert_eq!((count_events(&home, "raised"), count_events(&home, "settled")), (1, 0));
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002C"]);
    run_guard(&home, &bash(&home, "make handoff")).ok();
    run_guard(&home, &bash(&home, "make handoff")).ok();
    assert!(!reports(&home, "gate_refusal")[0].0);
    assert_eq!((count_events(&home, "raised"), count_events(&home, "settled")), (1, 1));
}

#[test]
fn what_a_hook_cannot_true_up_is_reported_until_it_is_gone() {
    let home = on_the_wrong_branch();
    for _ in 0..3 {
        home.send_prompt();
    }
    let found = reports(&home, "divergence");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0 && found[0].1.contains("Branch mismatch"), "{found:?}");
    assert_eq!(count_events(&home, "raised"), 1, "the same again is no news");
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002C"]);
    home.send_prompt();
    assert!(!reports(&home, "divergence")[0].0);
    assert_eq!(count_events(&home, "settled"), 1);
}

#[test]
fn a_session_in_step_reports_nothing_and_leaves_no_note() {
    let home = Home::new().with_held_item();
    home.start_session().ok();
    home.send_prompt();
    run_guard(&home, &bash(&home, "make handoff")).ok();
    assert_eq!(count_events(&home, "raised"), 0);
    let counters = home.trueup_home().join("counters");
    let notes = std::fs::read_dir(counters).into_iter().flatten().map(|it| it.unwrap().file_name());
    let notes: Vec<_> = notes.filter(|name| *name != *FIRST_SESSION).collect();
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn an_agent_that_waits_is_reported_until_the_next_prompt() {
    let home = Home::new().with_held_item();
    home.start_session().ok();
    for _ in 0..2 {
        home.run_hook("checkpoint-push", &notification(&home)).ok();
    }
    let waits = reports(&home, "waits_for_input");
    assert_eq!(waits, [(true, "waits for input: Claude needs your permission".to_owned())]);
    home.send_prompt();
    assert!(!reports(&home, "waits_for_input")[0].0);
    let other = notification(&home).with("notification_type", "auth_success");
    home.run_hook("checkpoint-push", &other).ok();
    assert!(!reports(&home, "waits_for_input")[0].0, "nobody waits");
    assert_eq!((count_events(&home, "raised"), count_events(&home, "settled")), (1, 1));
}

#[test]
fn a_rejected_edit_is_reported_with_what_restores_it() {
    let home = Home::new().with_held_item();
    home.start_session().ok();
    home.edit_cache("currentPhase", "EXEC");
    home.set_state(FIRST_SESSION, "execution_state.currentPhase", "LEAD");
    home.send_prompt();
    let entry = &home.read_lines("journal.jsonl")[0];
    let id = format!("journal_entry:{}", entry["id"].as_str().unwrap());
    let content: String =
        home.query_value("SELECT content FROM attention WHERE id = ?1 AND ended_at IS NULL", [&id]);
    let content: serde_json::Value = serde_json::from_str(&content).unwrap();
    assert_eq!(&content, entry);
}

#[test]
fn the_terminal_tells_once_what_needs_its_user_and_only_where_that_is_wanted() {
    let sequence = |home: &Home| {
        let answer = run_guard(home, &bash(home, "make handoff"));
        assert_eq!(answer.code, Some(2), "{answer:?}");
        answer.json()["terminalSequence"].as_str().map(str::to_owned)
    };
    let configure = |home: &Home, line: &str| {
        std::fs::write(home.trueup_home().join("config.toml"), line).unwrap();
    };
    let home = on_the_wrong_branch();
    assert_eq!(sequence(&home), None, "off by default");
    for (word, start) in
        [("terminal", "\u{1b}]9;trueup: "), ("terminal-777", "\u{1b}]777;notify;trueup;")]
    {
        let home = on_the_wrong_branch();
        configure(&home, &format!("notify = \"{word}\"\n"));
        let told = sequence(&home).expect("it is told");
        assert!(told.starts_with(&format!("{start}hand-off refused: ")), "{told:?}");
        assert!(told.ends_with('\u{7}'), "{told:?}");
        assert_eq!(sequence(&home), None, "the same again is no news");
    }
}
