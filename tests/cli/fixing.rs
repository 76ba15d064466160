//! What `validate-session-state --fix` fixes, what it leaves, and what it advises then.

use serde_json::json;
use support::home::FIRST_SESSION;

use crate::fixture::{assert_in_step, codes, findings, validate};
use crate::state_snapshot::StateSnapshot;
use crate::validate::drifted;

#[test]
fn fix_lists_the_fixed_codes_and_exits_0() {
    for code in ["S-01", "S-02", "S-03", "S-04", "S-06", "S-07", "S-08", "S-09", "S-10"] {
        let home = drifted(code);
        let object = findings(&home, 0, &["--fix"]);
        let fixes = object["data"]["mended"].as_array().unwrap();
        assert!(fixes.contains(&json!(code)), "{code}: {object}");
        assert_eq!(object["data"]["consistent"], true);
        assert_eq!(codes(&object), [""; 0], "{code}");
        assert_in_step(&home);
        let before = StateSnapshot::take(&home);
        let object = findings(&home, 0, &["--fix"]);
        assert_eq!(object["data"]["mended"], json!([]), "{code}: a second --fix fixes nothing");
        assert_eq!(StateSnapshot::take(&home), before, "{code}: a second --fix writes nothing");
    }
}

#[test]
fn a_file_ahead_of_its_database_shows_every_difference_and_fix_keeps_its_values() {
    let home = drifted("S-01");
    let mut cache = home.read_cache();
    cache["_trueup"]["revision"] = json!(99_999);
    home.write_cache(cache.to_string());
    let found = findings(&home, 1, &[]);
    assert_eq!(codes(&found), ["S-01", "S-09", "S-11"], "{found}");
    assert_eq!(home.read_lines("journal.jsonl").len(), 0, "looking writes nothing");
    let object = findings(&home, 0, &["--fix"]);
    assert_eq!(object["data"]["mended"], json!(["S-01", "S-09", "S-11"]));
    let journal = home.read_lines("journal.jsonl");
    assert_eq!(journal[0]["fields"], json!({"Item": "SD-002B"}));
    assert_in_step(&home);
}

#[test]
fn fix_reports_what_it_fixed() {
    let home = drifted("S-03");
    let answer = validate(&home, &["--fix"]).ok();
    let revision: i64 = home.session_column("revision", FIRST_SESSION);
    let [fix, conclusion] = answer.stdout.lines().collect::<Vec<_>>()[..] else {
        panic!("{answer:?}");
    };
    assert!(fix.starts_with("fixed S-03: ") && fix.contains("mismatch"), "{fix}");
    let expected = format!("session {FIRST_SESSION} is consistent at revision {revision}");
    assert_eq!(conclusion, expected);
}

#[test]
fn fix_keeps_a_rejected_edit_in_the_journal() {
    let home = drifted("S-11");
    let object = findings(&home, 0, &["--fix"]);
    let fixes = object["data"]["mended"].as_array().unwrap();
    assert!(fixes.contains(&json!("S-04")) && fixes.contains(&json!("S-11")), "{object}");
    assert_eq!(home.read_cache()["currentTask"], "theirs");
    assert_eq!(home.read_lines("journal.jsonl")[0]["fields"], json!({"Task": "mine"}));
    findings(&home, 0, &["--fix"]);
    assert_eq!(home.read_lines("journal.jsonl").len(), 1);
}

#[test]
fn fix_pushes_an_edit_on_the_current_revision() {
    let home = drifted("S-10");
    findings(&home, 0, &["--fix"]);
    assert_eq!(home.execution_state()["currentPhase"], "EXEC");
}

#[test]
fn fix_sends_the_writes_in_the_outbox() {
    let home = drifted("S-15");
    findings(&home, 0, &["--fix", "--session", FIRST_SESSION]);
    assert_eq!(home.read_lines("outbox.jsonl").len(), 0);
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "ended");
}

#[test]
fn fix_keeps_a_damaged_and_a_foreign_file_aside() {
    for (code, part) in [("S-08", ".corrupt-"), ("S-09", ".foreign-")] {
        let home = drifted(code);
        findings(&home, 0, &["--fix"]);
        let names = home.claude_names();
        let aside: Vec<_> = names.iter().filter(|name| name.contains(part)).collect();
        assert_eq!(aside.len(), 1, "{names:?}");
    }
}

#[test]
fn a_branch_and_a_lost_claim_are_left_to_the_user() {
    // A command without `--session` would act for the second session, which is newer.
    let clear = format!("trueup clear --session {FIRST_SESSION}");
    for (code, way) in [("S-05", "git switch -c feat/SD-002C"), ("S-13", clear.as_str())] {
        let home = drifted(code);
        let object = findings(&home, 1, &["--fix", "--session", FIRST_SESSION]);
        assert!(codes(&object).contains(&code), "{code}: {object}");
        let divergences = object["divergences"].as_array().unwrap();
        let divergence = divergences.iter().find(|d| d["code"] == code).unwrap();
        assert_eq!(divergence["fix"], way, "{code}");
        let fixes = object["data"]["mended"].as_array().unwrap();
        assert!(!fixes.contains(&json!(code)), "{code}: {object}");
        let answer = validate(&home, &["--session", FIRST_SESSION]);
        assert!(answer.stdout.contains(&format!("  fix: {way}\n")), "{}", answer.stdout);
    }
}

#[test]
fn advice_for_a_branch_switches_to_the_branch_of_the_held_item() {
    let home = drifted("S-05");
    home.run_git(&["branch", "feat/SD-002C-fence"]);
    let object = findings(&home, 1, &["--fix"]);
    assert_eq!(object["divergences"][0]["fix"], "git switch feat/SD-002C-fence");
    home.run_git(&["switch", "--quiet", "feat/SD-002C-fence"]);
    findings(&home, 0, &[]);
}

#[test]
fn fix_with_all_fixes_every_session() {
    let home = drifted("S-03");
    let object = findings(&home, 0, &["--all", "--fix"]);
    assert_eq!(object["data"]["sessions"][0]["mended"], json!(["S-03"]));
    assert_in_step(&home);
}
