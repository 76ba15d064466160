//! Divergences that `validate-session-state` finds; without `--fix` it changes nothing.

use std::fs;

use serde_json::json;
use support::home::{FIRST_SESSION, Home, SECOND_SESSION, spawn_bystander};

use crate::fixture::{codes, findings, second, validate};
use crate::state_snapshot::StateSnapshot;

/// Creates a session that holds `SD-002C` in phase PLAN and has the divergence of this code.
pub(crate) fn drifted(code: &str) -> Home {
    let home = Home::new();
    if code == "S-02" {
        home.start_session().ok();
        home.set_state(FIRST_SESSION, "execution_state.currentSd", "SD-002C");
        home.send_prompt().ok();
        home.edit_cache("currentSd", "SD-002B");
        return home;
    }
    let home = home.with_held_item();
    match code {
        "S-01" => home.edit_cache("currentSd", "SD-002B"),
        "S-03" => home.set_state(FIRST_SESSION, "execution_state.currentPhase", "EXEC"),
        "S-04" => home.set_state(FIRST_SESSION, "execution_state.currentTask", "new"),
        "S-05" => {
            home.execute_sql("INSERT INTO work_items (key) VALUES ('SD-002B')", []);
            home.run_git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
        }
        "S-06" => home.set_state(FIRST_SESSION, "auto_proceed", true),
        "S-07" => fs::remove_file(home.cache_path()).unwrap(),
        "S-08" => home.write_cache("{ broken"),
        "S-09" => {
            let mut cache = home.read_cache();
            cache["_trueup"]["lineage"] = json!("0a1b2c3d-9999-4000-8000-000000000009");
            home.write_cache(cache.to_string());
        }
        "S-10" => home.edit_cache("currentPhase", "EXEC"),
        "S-11" => {
            home.edit_cache("currentTask", "mine");
            home.set_state(FIRST_SESSION, "execution_state.currentTask", "theirs");
        }
        "S-13" => {
            second(&home, None);
            home.give_item(SECOND_SESSION, "SD-002C");
        }
        "S-15" => {
            let end = home.payload("session-end.other");
            let other = home.open_database();
            other.execute_batch("BEGIN EXCLUSIVE").unwrap();
            let run = home.prepare_run("checkpoint-push").payload(&end);
            run.env("TRUEUP_DEADLINE_MS", "200").wait();
            other.execute_batch("COMMIT").unwrap();
            assert_eq!(home.read_lines("outbox.jsonl").len(), 1);
        }
        other => panic!("no way to drift into {other}"),
    }
    home
}

#[test]
fn findings_are_exit_1_with_their_line() {
    for (code, line) in [
        ("S-01", "⚠️ SD mismatch: file=SD-002B, db_claim=SD-002C"),
        ("S-02", "⚠️ SD mismatch: file=SD-002B, db_state=SD-002C"),
        ("S-03", "⚠️ Phase mismatch: file=PLAN, db=EXEC"),
        ("S-04", "⚠️ Task mismatch: file=none, db=\"new\""),
        ("S-05", "⚠️ Branch mismatch: branch=feat/SD-002B-x names SD-002B, db_claim=SD-002C"),
        ("S-06", "⚠️ Flag mismatch: autoProceed: file=false, db=true"),
        ("S-08", "⚠️ cache unreadable; will be kept aside as *.corrupt-<time> ("),
        ("S-09", "⚠️ cache written for another database"),
        ("S-11", "⚠️ local edit lost to a newer database state, will be kept in the journal as "),
        ("S-13", "⚠️ claim on SD-002C now belongs to 0a1b2c3d-0000-4000-8000-000000000002 since "),
    ] {
        let home = drifted(code);
        let before = StateSnapshot::take(&home);
        let answer = validate(&home, &["--session", FIRST_SESSION]);
        assert_eq!((answer.code, answer.stderr.as_str()), (Some(1), ""), "{code}");
        let found = answer.stdout.lines().any(|text| text.starts_with(line));
        assert!(found, "{code}: {}", answer.stdout);
        let object = findings(&home, 1, &["--session", FIRST_SESSION]);
        assert!(codes(&object).contains(&code), "{code}: {object}");
        assert_eq!(object["data"]["consistent"], false);
        assert!(object["error"].is_null(), "findings are no error");
        let divergences = object["divergences"].as_array().unwrap();
        let divergence = divergences.iter().find(|d| d["code"] == code).unwrap();
        assert_eq!(divergence["severity"], "error");
        assert_eq!(divergence["subject"], FIRST_SESSION);
        assert!(divergence["message"].as_str().unwrap().starts_with(line));
        assert!(divergence["fix"].is_string());
        assert_eq!(StateSnapshot::take(&home), before, "{code}: looking changed something");
    }
}

#[test]
fn what_is_no_finding_is_exit_0_unless_strict() {
    for (code, line) in [
        ("S-07", "cache missing"),
        ("S-10", "local edit not yet pushed: currentPhase"),
        ("S-15", "⚠️ 1 writes wait in the outbox, oldest "),
    ] {
        let home = drifted(code);
        let before = StateSnapshot::take(&home);
        let answer = validate(&home, &["--session", FIRST_SESSION]).ok();
        assert!(answer.stdout.contains(line), "{code}: {}", answer.stdout);
        let object = findings(&home, 0, &["--session", FIRST_SESSION]);
        assert_eq!(codes(&object), [code]);
        assert_ne!(object["divergences"][0]["severity"], "error");
        assert_eq!(object["data"]["consistent"], true);
        findings(&home, 1, &["--session", FIRST_SESSION, "--strict"]);
        assert_eq!(StateSnapshot::take(&home), before, "{code}: looking changed something");
    }
}

#[test]
fn company_in_the_worktree_is_no_finding_unless_strict() {
    let home = Home::new().with_held_item();
    let process = spawn_bystander();
    second(&home, Some(&process));
    let before = StateSnapshot::take(&home);
    let object = findings(&home, 0, &["--session", FIRST_SESSION]);
    assert_eq!(codes(&object), ["S-14"]);
    let message = object["divergences"][0]["message"].as_str().unwrap();
    let line = format!("⚠️ another live session works in this worktree: {SECOND_SESSION}");
    assert_eq!(message, line);
    findings(&home, 1, &["--session", FIRST_SESSION, "--strict"]);
    assert_eq!(StateSnapshot::take(&home), before);
}

#[test]
fn agreement_is_one_line_and_exit_0_even_when_strict() {
    let home = Home::new().with_held_item();
    let before = StateSnapshot::take(&home);
    let answer = validate(&home, &["--strict"]).ok();
    let revision: i64 = home.session_column("revision", FIRST_SESSION);
    let line = format!("session {FIRST_SESSION} is consistent at revision {revision}\n");
    assert_eq!(answer.stdout, line);
    assert_eq!(StateSnapshot::take(&home), before);
}

#[test]
fn all_looks_at_every_session_of_this_machine() {
    let home = drifted("S-03");
    second(&home, None);
    let object = findings(&home, 1, &["--all"]);
    let sessions = object["data"]["sessions"].as_array().unwrap();
    let of = |id: &str| sessions.iter().find(|row| row["session_id"] == id).unwrap();
    assert_eq!(of(FIRST_SESSION)["consistent"], false);
    assert_eq!(of(SECOND_SESSION)["consistent"], true);
    let subject = |code: &str| {
        let divergences = object["divergences"].as_array().unwrap();
        divergences.iter().find(|d| d["code"] == code).unwrap()["subject"].clone()
    };
    assert_eq!(subject("S-03"), FIRST_SESSION);
    assert_eq!(validate(&home, &["--all", "--session", FIRST_SESSION]).code, Some(2));
}

#[test]
fn keys_that_make_no_sense_or_are_gone_differ_from_what_the_database_says() {
    for change in [json!(7), json!({}), json!(null)] {
        let home = Home::new().with_held_item();
        let mut cache = home.read_cache();
        cache["currentSd"] = change.clone();
        cache["isActive"] = json!("yes");
        home.write_cache(cache.to_string());
        let found = findings(&home, 1, &[]);
        assert_eq!(codes(&found), ["S-01", "S-06"], "{change}");
        let report = findings(&home, 0, &["--fix"]);
        assert_eq!(report["data"]["mended"], json!(["S-01", "S-06"]));
        assert_eq!(home.read_cache()["currentSd"], "SD-002C");
    }
    let home = Home::new().with_held_item();
    let mut cache = home.read_cache();
    cache.as_object_mut().unwrap().remove("currentSd");
    home.write_cache(cache.to_string());
    assert_eq!(codes(&findings(&home, 1, &[])), ["S-01"]);
}
