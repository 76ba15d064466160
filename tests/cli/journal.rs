//! `trueup journal`: rejected edits are listed, shown and restored.

use serde_json::json;
use support::home::{FIRST_SESSION, Home};

use crate::fixture::{assert_in_step, claimed, data, keys, refused, started, trueup};
use crate::state_snapshot::StateSnapshot;

/// A session whose edit of phase and flag lost to a foreign change.
fn home_with_rejected_edit() -> (Home, String) {
    let home = started();
    claimed(&home, "SD-1");
    home.edit_cache("currentPhase", "EXEC");
    home.edit_cache("autoProceed", true);
    home.set_state(FIRST_SESSION, "execution_state.currentPhase", "LEAD");
    home.send_prompt();
    let id = home.read_lines("journal.jsonl")[0]["id"].as_str().unwrap().to_owned();
    (home, id)
}

#[test]
fn an_entry_is_listed_and_shown_completely() {
    let (home, id) = home_with_rejected_edit();
    let before = StateSnapshot::take(&home);
    for arguments in [&["journal", "list"][..], &["journal", "show", &id]] {
        let data = data(&home, arguments);
        let entry = &data["entries"][0];
        let all =
            ["at", "base_revision", "database_revision", "id", "lost", "reason", "session_id"];
        assert_eq!(keys(entry), all);
        assert_eq!(entry["id"], *id);
        assert_eq!(entry["session_id"], FIRST_SESSION);
        assert_eq!(entry["lost"], json!({"currentPhase": "EXEC", "autoProceed": true}));
        assert_eq!(data["entries"].as_array().unwrap().len(), 1);
    }
    let text = trueup(&home, &["journal", "list"]).ok().stdout;
    assert!(text.starts_with(&id) && text.contains("currentPhase=\"EXEC\""), "{text}");
    assert_eq!(StateSnapshot::take(&home), before);
}

#[test]
fn a_restored_edit_holds_in_database_and_cache() {
    let (home, id) = home_with_rejected_edit();
    let answer = trueup(&home, &["journal", "restore", &id]).ok();
    assert!(answer.stdout.starts_with(&format!("restored {id}")), "{}", answer.stdout);
    assert!(answer.stdout.contains("\nphase: LEAD -> EXEC\n"), "{}", answer.stdout);
    assert!(answer.stdout.contains("\nauto-proceed: off -> on\n"), "{}", answer.stdout);
    assert_eq!(home.execution_state()["currentPhase"], "EXEC");
    assert_eq!(home.read_cache()["autoProceed"], true);
    assert_in_step(&home);
    let reason: String = home.query_value(
        "SELECT reason FROM events WHERE entity = 'session' ORDER BY seq DESC LIMIT 1",
        [],
    );
    assert_eq!(reason, format!("restored {id}"));
}

#[test]
fn an_edit_made_since_is_not_lost_to_a_restoration() {
    let (home, id) = home_with_rejected_edit();
    home.edit_cache("currentTask", "since");
    data(&home, &["journal", "restore", &id]);
    assert_eq!(home.execution_state()["currentTask"], "since");
    assert_in_step(&home);
}

#[test]
fn an_unknown_entry_is_refused() {
    let (home, _) = home_with_rejected_edit();
    for verb in ["show", "restore"] {
        refused(&home, "entry_not_found", &["journal", verb, "j-0000000000"]);
    }
}

#[test]
fn a_damaged_line_is_skipped_and_said() {
    let (home, id) = home_with_rejected_edit();
    let path = home.trueup_home().join("journal.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("garbage in a line\n{text}")).unwrap();
    let answer = trueup(&home, &["journal", "list"]);
    assert!(answer.stdout.starts_with(&id), "{answer:?}");
    assert!(answer.stderr.starts_with("warning: 1 line "), "{answer:?}");
}

/// Whether the database still lists the entry as something that needs a person.
fn is_open(home: &Home, id: &str) -> bool {
    let sql = "SELECT count(*) FROM attention WHERE id = ?1 AND ended_at IS NULL";
    home.query_value::<i64>(sql, [format!("journal_entry:{id}")]) == 1
}

#[test]
fn a_restored_entry_needs_nobody_any_more() {
    let (home, id) = home_with_rejected_edit();
    assert!(is_open(&home, &id));
    data(&home, &["journal", "restore", &id]);
    assert!(!is_open(&home, &id));
}

#[test]
fn the_list_tells_what_was_restored_here_or_at_a_hub() {
    let (home, id) = home_with_rejected_edit();
    assert_eq!(data(&home, &["journal", "list"]).get("ended"), None);
    home.execute_sql(
        "UPDATE attention SET ended_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
             ended_by = 'boss', ended_reason = 'restored' WHERE id = ?1",
        [format!("journal_entry:{id}")],
    );
    let text = trueup(&home, &["journal", "list"]).ok().stdout;
    assert!(text.contains("restored by boss "), "{text}");
    let listed = data(&home, &["journal", "list"]);
    let ended = &listed["ended"][0];
    assert_eq!((&ended["id"], &ended["how"]), (&json!(id), &json!("restored")));
    // The file is listed without the database as well.
    let nowhere = format!("sqlite:{}", home.root().join("none.db").display());
    let run = home.prepare_run("trueup").env("TRUEUP_DATABASE_URL", nowhere);
    let text = run.args(["journal", "list"]).wait().ok().stdout;
    assert!(text.starts_with(&id) && !text.contains("boss"), "{text}");
}

#[test]
fn a_dropped_entry_is_listed_nowhere() {
    let (home, id) = home_with_rejected_edit();
    let refusal = trueup(&home, &["journal", "drop", &id]);
    assert_eq!(refusal.code, Some(2), "nobody can be asked: {refusal:?}");
    assert!(is_open(&home, &id));
    let dropped = data(&home, &["journal", "drop", &id, "--yes"]);
    assert_eq!(dropped["dropped"], json!([id]));
    assert!(!is_open(&home, &id));
    assert_eq!(data(&home, &["journal", "list"])["entries"], json!([]));
    refused(&home, "entry_not_found", &["journal", "restore", &id]);
    home.send_prompt();
    assert!(!is_open(&home, &id));
}
