//! Every code that a session start can find, with the exact text of its line.

use std::fs;

use serde_json::json;
use support::home::{FIRST_SESSION, Home, SECOND_SESSION, without_times};

#[test]
fn s_01_a_file_on_another_item_is_fixed_and_the_claim_stays() {
    let home = Home::new().with_held_item();
    home.edit_cache("currentSd", "SD-002B");
    let answer = home.start_session().ok();
    assert_eq!(answer.message(), ["⚠️ SD mismatch: file=SD-002B, db_claim=SD-002C"]);
    assert_eq!(home.read_cache()["currentSd"], "SD-002C");
    let holder: String =
        home.query_value("SELECT holder FROM work_items WHERE key = 'SD-002C'", []);
    assert_eq!(holder, FIRST_SESSION);
    let context = answer.context();
    let fixed = "Fixed from the database:\n<trueup-data NONCE>\n\
                  ⚠️ SD mismatch: file=SD-002B, db_claim=SD-002C\n</trueup-data NONCE>";
    assert!(context.replace(&answer.nonce(), "NONCE").contains(fixed), "{context}");
    assert_eq!(home.start_session().ok().message(), [""; 0], "what was fixed stays fixed");
}

#[test]
fn s_02_a_file_on_another_item_than_the_state_without_a_claim() {
    let home = Home::new();
    home.start_session().ok();
    home.set_state(FIRST_SESSION, "execution_state.currentSd", "SD-002C");
    home.send_prompt().ok();
    home.edit_cache("currentSd", "SD-002B");
    let lines = home.start_session().ok().message();
    assert_eq!(lines, ["⚠️ SD mismatch: file=SD-002B, db_state=SD-002C"]);
    assert_eq!(home.read_cache()["currentSd"], "SD-002C");
}

#[test]
fn s_03_a_mismatch_of_the_phase_alone_is_found_and_fixed() {
    let home = Home::new();
    home.start_session().ok();
    home.claim(FIRST_SESSION, "SD-002C");
    home.set_state(FIRST_SESSION, "execution_state.currentPhase", "LEAD");
    home.send_prompt().ok();
    home.set_state(FIRST_SESSION, "execution_state.currentPhase", "PLAN");
    let answer = home.start_session().ok();
    assert_eq!(answer.message(), ["⚠️ Phase mismatch: file=LEAD, db=PLAN"]);
    assert_eq!(home.read_cache()["currentPhase"], "PLAN");
    assert!(answer.context().contains("\nphase: PLAN\n"));
    assert_eq!(home.read_lines("journal.jsonl"), [json!(null); 0], "an old copy is no edit");
}

#[test]
fn s_04_tasks_are_quoted() {
    let home = Home::new().with_held_item();
    home.set_state(FIRST_SESSION, "execution_state.currentTask", "old task");
    home.send_prompt().ok();
    home.set_state(FIRST_SESSION, "execution_state.currentTask", "new task");
    let lines = home.start_session().ok().message();
    assert_eq!(lines, [r#"⚠️ Task mismatch: file="old task", db="new task""#]);
    assert_eq!(home.read_cache()["currentTask"], "new task");
}

#[test]
fn s_05_a_branch_that_names_another_item_is_reported_with_the_way_back() {
    let home = Home::new().with_held_item();
    home.run_git(&["branch", "feat/SD-002C-fence"]);
    home.execute_sql("INSERT INTO work_items (key) VALUES ('SD-002B')", []);
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
    let answer = home.start_session().ok();
    let line = "⚠️ Branch mismatch: branch=feat/SD-002B-x names SD-002B, db_claim=SD-002C";
    assert_eq!(answer.message(), [line]);
    let context = answer.context();
    assert!(context.contains(&format!("{line} (fix: git switch feat/SD-002C-fence)")));
    home.run_git(&["switch", "--quiet", "feat/SD-002C-fence"]);
    assert_eq!(home.start_session().ok().message(), [""; 0]);
}

#[test]
fn s_05_is_not_raised_by_a_branch_that_names_no_item() {
    let home = Home::new().with_held_item();
    for branch in ["feat/login", "sd-002c", "fix-2", "release/1.2.3"] {
        home.run_git(&["switch", "--quiet", "-c", branch]);
        assert_eq!(home.start_session().ok().message(), [""; 0], "{branch}");
    }
    home.add_item("login");
    home.run_git(&["switch", "--quiet", "feat/login"]);
    let line = "⚠️ Branch mismatch: branch=feat/login names login, db_claim=SD-002C";
    assert_eq!(home.start_session().ok().message(), [line], "a known item need not be well-formed");
}

#[test]
fn s_06_flags_are_named_by_their_key() {
    let home = Home::new().with_held_item();
    home.set_state(FIRST_SESSION, "auto_proceed", true);
    home.set_state(FIRST_SESSION, "chain_orchestrators", true);
    home.send_prompt().ok();
    home.set_state(FIRST_SESSION, "auto_proceed", false);
    home.set_state(FIRST_SESSION, "execution_state.wasInterrupted", true);
    assert_eq!(
        home.start_session().ok().message(),
        [
            "⚠️ Flag mismatch: wasInterrupted: file=false, db=true",
            "⚠️ Flag mismatch: autoProceed: file=true, db=false"
        ]
    );
    assert_eq!(home.read_cache()["autoProceed"], false);
    assert_eq!(home.read_cache()["chainOrchestrators"], true);
}

#[test]
fn s_07_a_missing_cache_is_written_without_a_word() {
    let home = Home::new().with_held_item();
    fs::remove_file(home.cache_path()).unwrap();
    assert_eq!(home.start_session().ok().message(), [""; 0]);
    assert_eq!(home.read_cache()["currentSd"], "SD-002C");
}

#[test]
fn s_13_a_claim_that_was_taken_is_reported_with_holder_and_time() {
    let home = Home::new().with_held_item();
    home.run_hook(
        "session-start-sync",
        &home.payload("session-start.startup").for_session(SECOND_SESSION),
    )
    .ok();
    home.give_item(SECOND_SESSION, "SD-002C");
    let since: String =
        home.query_value("SELECT claimed_at FROM work_items WHERE key = 'SD-002C'", []);
    let answer = home.run_hook("session-start-sync", &home.payload("session-start.resume"));
    let message = answer.clone().ok().message();
    let line = format!("⚠️ claim on SD-002C now belongs to {SECOND_SESSION} since {since}");
    assert!(message.contains(&line), "{message:?}");
    let context = answer.context();
    assert!(context.contains("item: none"), "{context}");
    assert!(context.contains("Next: stop work on that item"), "{context}");
    assert_eq!(home.read_cache()["currentSd"], json!(null));
    assert_eq!(home.read_cache()["isActive"], false);
}

#[test]
fn s_12_and_s_15_an_unreachable_database_with_writes_that_wait() {
    let home = Home::new().with_held_item();
    fs::write(home.trueup_home().join("trueup.db"), "no database at all, but long enough").unwrap();
    home.push_event("session-end.other");
    assert_eq!(home.read_lines("outbox.jsonl").len(), 1);
    let answer = home.start_session();
    assert_eq!(answer.code, Some(0));
    let lines = answer.message();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let rest = lines[0].strip_prefix("⚠️ database unreachable; cache used, ").unwrap();
    let (age, reason) = rest.split_once(" s old (").unwrap();
    assert!(age.parse::<u32>().is_ok_and(|age| age < 3_600), "{lines:?}");
    assert!(reason.contains("trueup.db: the database file is damaged"), "{lines:?}");
    assert_eq!(without_times(&lines[1]), "⚠️ 1 writes wait in the outbox, oldest TIME");
    let context = answer.context();
    assert!(context.contains("this is the local copy, which may be outdated"), "{context}");
    assert!(context.contains("currentSd: SD-002C\ncurrentPhase: PLAN\n"), "{context}");
    assert!(!answer.nonce().is_empty());
}

#[test]
fn every_line_stands_on_its_own() {
    let home = Home::new().with_held_item();
    home.set_state(FIRST_SESSION, "execution_state.currentPhase", "EXEC");
    home.edit_cache("currentSd", "SD-002B");
    home.execute_sql("INSERT INTO work_items (key) VALUES ('SD-002B')", []);
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
    assert_eq!(
        home.start_session().ok().message(),
        [
            "⚠️ SD mismatch: file=SD-002B, db_claim=SD-002C",
            "⚠️ Phase mismatch: file=PLAN, db=EXEC",
            "⚠️ Branch mismatch: branch=feat/SD-002B-x names SD-002B, db_claim=SD-002C",
        ]
    );
}
