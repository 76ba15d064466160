//! Local edits: pushed when based on the current revision, journaled when the database changed
//! since.

use serde_json::json;
use support::home::{FIRST_SESSION, Home};

/// Returns the journal id in the line about a rejected edit of `keys`.
#[track_caller]
fn lost_id(line: &str, keys: &str) -> String {
    let start = "⚠️ local edit lost to a newer database state, kept in the journal as ";
    let id = line.strip_prefix(start).and_then(|rest| rest.strip_suffix(&format!(" ({keys})")));
    id.unwrap_or_else(|| panic!("{line}")).to_owned()
}

#[test]
fn s_10_an_edit_on_the_current_revision_is_pushed_by_the_next_hook_of_either_kind() {
    for hook in ["start", "prompt", "push"] {
        let home = Home::new().with_held_item();
        home.edit_cache("currentPhase", "EXEC");
        home.edit_cache("currentTask", "by hand");
        home.edit_cache("autoProceed", true);
        let answer = match hook {
            "start" => home.start_session(),
            "prompt" => home.send_prompt(),
            _ => home.push_event("post-tool-use.write"),
        };
        let answer = answer.ok();
        assert_eq!(answer.message(), [""; 0], "{hook}: a proposal that is taken is no finding");
        assert_eq!(home.execution_state()["currentPhase"], "EXEC", "{hook}");
        assert_eq!(home.execution_state()["currentTask"], "by hand", "{hook}");
        assert_eq!(
            home.session_column::<i64>("json_extract(metadata, '$.auto_proceed')", FIRST_SESSION),
            1
        );
        assert_eq!(home.read_cache()["currentPhase"], "EXEC", "{hook}");
        let revision: i64 = home.session_column("revision", FIRST_SESSION);
        assert_eq!(home.read_cache()["_trueup"]["revision"], revision, "{hook}");
        assert_eq!(home.read_lines("journal.jsonl").len(), 0, "{hook}");
        home.send_prompt().assert_silent();
        let phase: String =
            home.query_value("SELECT phase FROM work_items WHERE key = 'SD-002C'", []);
        assert_eq!(phase, "EXEC", "the item held moves with its session");
    }
}

#[test]
fn s_11_an_edit_loses_to_a_newer_database_and_is_in_the_journal() {
    for hook in ["start", "prompt", "push"] {
        let home = Home::new().with_held_item();
        home.edit_cache("currentPhase", "EXEC");
        home.set_state(FIRST_SESSION, "execution_state.currentPhase", "LEAD");
        let base = home.read_cache()["_trueup"]["revision"].clone();
        let answer = match hook {
            "start" => home.start_session(),
            "prompt" => home.send_prompt(),
            _ => home.push_event("post-tool-use.write"),
        };
        let lines = answer.ok().message();
        let id = lost_id(lines.last().unwrap(), "currentPhase");
        assert_eq!(home.read_cache()["currentPhase"], "LEAD", "{hook}");
        assert_eq!(home.execution_state()["currentPhase"], "LEAD", "{hook}");
        let journal = home.read_lines("journal.jsonl");
        assert_eq!(journal.len(), 1, "{hook}: {journal:?}");
        assert_eq!(journal[0]["id"], id, "{hook}");
        assert_eq!(journal[0]["session"], FIRST_SESSION);
        assert_eq!(journal[0]["reason"], "database_moved_on");
        assert_eq!(journal[0]["base"], base);
        assert_eq!(journal[0]["database"], home.session_column::<i64>("revision", FIRST_SESSION));
        assert_eq!(journal[0]["fields"].to_string(), r#"{"Phase":"EXEC"}"#, "{hook}");
    }
}

#[test]
fn an_edit_of_another_field_than_the_one_that_moved_loses_too_and_is_kept() {
    let home = Home::new().with_held_item();
    home.edit_cache("currentTask", "mine");
    home.set_state(FIRST_SESSION, "execution_state.currentPhase", "EXEC");
    let lines = home.start_session().ok().message();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0], "⚠️ Phase mismatch: file=PLAN, db=EXEC");
    assert_eq!(lines[1], r#"⚠️ Task mismatch: file="mine", db=none"#);
    lost_id(&lines[2], "currentTask");
    assert_eq!(home.read_cache()["currentTask"], json!(null));
    assert_eq!(home.read_lines("journal.jsonl").len(), 1);
}

#[test]
fn an_edit_undone_by_hand_is_nothing() {
    let home = Home::new().with_held_item();
    home.edit_cache("currentPhase", "EXEC");
    home.edit_cache("currentPhase", "PLAN");
    assert_eq!(home.start_session().ok().message(), [""; 0]);
    assert_eq!(home.read_lines("journal.jsonl").len(), 0);
}

#[test]
fn an_edit_in_the_file_of_a_session_that_is_gone_is_kept_for_it() {
    let home = Home::new().with_held_item();
    home.edit_cache("currentTask", "unsaved thought");
    home.execute_sql(
        "UPDATE claude_sessions SET status = 'ended' WHERE session_id = ?1",
        [FIRST_SESSION],
    );
    let next = home.payload("session-start.startup").for_session(support::home::SECOND_SESSION);
    let lines = home.run_hook("session-start-sync", &next).ok().message();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lost_id(&lines[0], "currentTask");
    assert_eq!(home.read_lines("journal.jsonl")[0]["session"], FIRST_SESSION);
    assert_eq!(home.read_cache()["sessionId"], support::home::SECOND_SESSION);
}

#[test]
fn a_value_of_a_foreign_type_is_replaced_and_breaks_nothing() {
    let home = Home::new().with_held_item();
    home.edit_cache("currentPhase", json!({"not": "a phase"}));
    home.edit_cache("isActive", "yes");
    home.start_session().ok();
    assert_eq!(home.read_cache()["currentPhase"], "PLAN");
    assert_eq!(home.read_cache()["isActive"], true);
}

#[test]
fn an_edit_that_is_too_long_is_kept_in_the_journal_and_not_pushed() {
    let home = Home::new().with_held_item();
    home.edit_cache("currentTask", "x".repeat(20_000));
    let lines = home.start_session().ok().message();
    assert!(lines.iter().all(|line| line.chars().count() < 300), "{lines:?}");
    assert_eq!(home.read_cache()["currentTask"], json!(null));
    assert_eq!(home.read_lines("journal.jsonl").len(), 1);
}

/// Copies the database with its write-ahead log.
fn copy(home: &Home) -> std::path::PathBuf {
    let copy = home.root().join("copy.db");
    let run = home.prepare_run("trueup").args(["db", "backup", copy.to_str().unwrap()]);
    assert_eq!(run.wait().code, Some(0));
    copy
}

fn restore(home: &Home, copy: &std::path::Path) {
    let run = home.prepare_run("trueup").args(["db", "restore", copy.to_str().unwrap()]);
    let answer = run.wait();
    assert_eq!(answer.code, Some(0), "{answer:?}");
}

#[test]
fn values_unknown_to_a_restored_database_are_kept_at_any_later_revision() {
    for hook in ["start", "prompt", "push", "guard", "next session"] {
        let home = Home::new().with_held_item();
        let old = copy(&home);
        home.set_state(FIRST_SESSION, "execution_state.currentTask", "only in the file");
        home.send_prompt().ok();
        let held = home.read_cache()["_trueup"]["revision"].as_i64().unwrap();
        restore(&home, &old);
        // Its revision is past the file's, with other values each time.
        for number in 0..4 {
            home.set_state(FIRST_SESSION, "execution_state.currentTask", format!("later {number}"));
        }
        assert!(home.session_column::<i64>("revision", FIRST_SESSION) > held);
        match hook {
            "start" => drop(home.start_session().ok()),
            "prompt" => drop(home.send_prompt().ok()),
            "push" => drop(home.push_event("post-tool-use.write").ok()),
            "guard" => drop(home.run_hook("pre-handoff-validate", &home.payload("stop")).ok()),
            _ => {
                home.execute_sql(
                    "UPDATE claude_sessions SET status = 'ended' WHERE session_id = ?1",
                    [FIRST_SESSION],
                );
                let next = home.payload("session-start.startup");
                let next = next.for_session(support::home::SECOND_SESSION);
                home.run_hook("session-start-sync", &next).ok();
            }
        }
        let journal = home.read_lines("journal.jsonl");
        assert_eq!(journal.len(), 1, "{hook}: {journal:?}");
        assert_eq!(journal[0]["fields"], json!({"Task": "only in the file"}), "{hook}");
        assert_eq!(journal[0]["reason"], "older_database_adopted", "{hook}");
        assert_eq!(journal[0]["base"], held, "{hook}");
    }
}

#[test]
fn values_that_the_database_once_had_are_not_reported_lost() {
    let home = Home::new().with_held_item();
    for task in ["one", "two", "three"] {
        home.set_state(FIRST_SESSION, "execution_state.currentTask", task);
        if task == "one" {
            home.send_prompt().ok();
        }
    }
    home.send_prompt().ok();
    assert_eq!(home.read_cache()["currentTask"], "three");
    assert_eq!(home.read_lines("journal.jsonl").len(), 0);
}

#[test]
fn edits_lost_as_a_session_ended_are_reported_once_at_the_next_start() {
    let home = Home::new().with_held_item();
    home.edit_cache("currentPhase", "EXEC");
    home.set_state(FIRST_SESSION, "execution_state.currentPhase", "LEAD");
    let at_the_end = home.push_event("session-end.other").ok().message();
    let id = lost_id(at_the_end.last().unwrap(), "currentPhase");
    // Not in another project.
    let elsewhere = home.root().join("elsewhere");
    home.init_repository(&elsewhere);
    let third = "0a1b2c3d-0000-4000-8000-000000000003";
    let there = support::home::Payload::from_fixture("session-start.startup", third, &elsewhere);
    let there = home.prepare_run("session-start-sync").cwd(&elsewhere).payload(&there);
    assert_eq!(there.wait().ok().message(), [""; 0]);
    let next = home.payload("session-start.startup");
    let next = next.for_session(support::home::SECOND_SESSION);
    let message = home.run_hook("session-start-sync", &next).ok().message();
    assert_eq!(message.len(), 1, "{message:?}");
    assert_eq!(lost_id(&message[0], "currentPhase"), id);
    let again = home.payload("session-start.resume");
    let again =
        home.run_hook("session-start-sync", &again.for_session(support::home::SECOND_SESSION));
    assert_eq!(again.ok().message(), [""; 0]);
}
