//! Edits made by hand before a command are pushed by it, not overwritten.

use serde_json::json;
use support::home::{FIRST_SESSION, Home};

use crate::fixture::{assert_in_step, claimed, data, started};

#[test]
fn an_edit_before_a_command_reaches_the_database_with_it() {
    for arguments in [&["set", "--phase", "EXEC"][..], &["interrupt"]] {
        let home = started();
        claimed(&home, "SD-1");
        data(&home, &["set", "--phase", "PLAN"]);
        home.edit_cache("currentTask", "by hand");
        home.edit_cache("autoProceed", true);
        data(&home, arguments);
        assert_eq!(home.execution_state()["currentTask"], "by hand", "{arguments:?}");
        assert_eq!(home.read_cache()["currentTask"], "by hand", "{arguments:?}");
        assert_eq!(home.read_cache()["autoProceed"], true, "{arguments:?}");
        assert_eq!(home.read_lines("journal.jsonl").len(), 0, "{arguments:?}");
        assert_in_step(&home);
    }
}

#[test]
fn an_edit_before_the_item_changes_is_recorded_under_the_first() {
    for arguments in [&["claim", "SD-2", "--create"][..], &["release"]] {
        let home = started();
        claimed(&home, "SD-1");
        home.edit_cache("currentTask", "by hand");
        home.edit_cache("autoProceed", true);
        data(&home, arguments);
        let recorded = data(&home, &["log", "--session", FIRST_SESSION])["events"].to_string();
        assert!(recorded.contains("by hand"), "{arguments:?}: {recorded}");
        assert_eq!(home.read_cache()["autoProceed"], true, "{arguments:?}");
        assert!(home.read_cache()["currentTask"].is_null(), "a task belongs to its item");
        assert_eq!(home.read_lines("journal.jsonl").len(), 0, "{arguments:?}");
        assert_in_step(&home);
    }
}

#[test]
fn a_command_wins_over_an_edit_of_the_same_field() {
    let home = started();
    home.edit_cache("currentPhase", "LEAD");
    let changed = &data(&home, &["set", "--phase", "EXEC"])["changed"];
    assert_eq!(changed["currentPhase"], json!({"from": "LEAD", "to": "EXEC"}));
    assert_in_step(&home);
}

#[test]
fn an_edit_of_the_item_moves_no_claim() {
    let home = started();
    claimed(&home, "SD-1");
    home.edit_cache("currentSd", "SD-2");
    data(&home, &["set", "--phase", "EXEC"]);
    assert_eq!(home.read_cache()["currentSd"], "SD-1");
    assert_in_step(&home);
}

#[test]
fn unknown_keys_of_the_cache_survive() {
    let home = started();
    let mut cache = home.read_cache();
    cache["mine"] = json!({"kept": [1, 2.50]});
    home.write_cache(cache.to_string());
    data(&home, &["set", "--phase", "EXEC"]);
    assert_eq!(home.read_cache()["mine"], json!({"kept": [1, 2.50]}));
}

#[test]
fn a_damaged_cache_is_kept_aside_and_written_anew() {
    let home = started();
    home.write_cache("{ broken");
    data(&home, &["set", "--phase", "EXEC"]);
    assert_in_step(&home);
    let aside = Home::claude_names(&home);
    assert!(aside.iter().any(|name| name.contains(".corrupt-")), "{aside:?}");
}
