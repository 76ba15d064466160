//! `trueup doctor` and `trueup demo`.

mod codex;
mod plugin;

use std::fs;

use serde_json::{Value, json};
use support::home::{Home, skip_over_postgres};

use crate::fixture::{data, keys, object, started, trueup};
use crate::state_snapshot::StateSnapshot;

fn check<'c>(data: &'c Value, name: &str) -> &'c Value {
    let checks = data["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}: {data}"))
}

#[test]
fn every_check_has_a_status_and_what_is_wrong_a_fix() {
    let home = started();
    let before = StateSnapshot::take(&home);
    let data = data(&home, &["doctor"]);
    assert_eq!(keys(&data), ["checks"]);
    for check in data["checks"].as_array().unwrap() {
        assert_eq!(keys(check), ["detail", "fix", "name", "status"]);
        let status = check["status"].as_str().unwrap();
        assert!(["ok", "skip", "warn", "fail"].contains(&status), "{check}");
        assert_eq!(check["fix"].is_null(), ["ok", "skip"].contains(&status), "{check}");
    }
    for name in ["data directory", "database", "outbox", "journal", "project"] {
        assert_ne!(check(&data, name)["status"], "fail", "{name}");
    }
    assert_eq!(check(&data, "database")["status"], "ok");
    assert_eq!(StateSnapshot::take(&home), before, "looking changes nothing");
}

#[test]
fn a_missing_database_is_reported_and_made_by_fix_alone() {
    if skip_over_postgres("the file is missing") {
        return;
    }
    let home = Home::new();
    let path = home.trueup_home().join("trueup.db");
    let told = data(&home, &["doctor"]);
    assert_eq!(check(&told, "database")["status"], "warn");
    assert_eq!(check(&told, "database")["fix"], "trueup db migrate");
    assert_eq!(fs::read_dir(home.trueup_home()).unwrap().count(), 0, "nothing was written");
    let report = data(&home, &["doctor", "--fix"]);
    assert_eq!(check(&report, "database")["status"], "ok");
    assert!(path.exists());
    data(&home, &["db", "status"]);
}

#[test]
fn a_row_that_breaks_a_rule_is_a_finding_of_doctor_and_of_db_status() {
    let home = started();
    assert_eq!(data(&home, &["db", "status"])["compliance"], json!([]));
    home.execute_sql("UPDATE claude_sessions SET registered_at = 'yesterday'", []);
    let status = object(&home, 1, &["db", "status"]);
    let flaw = &status["data"]["compliance"][0];
    assert_eq!(keys(flaw), ["field", "problem", "row", "table"]);
    assert_eq!(
        (&flaw["table"], &flaw["field"]),
        (&json!("claude_sessions"), &json!("registered_at"))
    );
    let warning = status["warnings"][0].as_str().unwrap();
    assert!(warning.contains("registered_at") && warning.contains("yesterday"), "{warning}");
    let doctor = object(&home, 1, &["doctor"]);
    assert_eq!(check(&doctor["data"], "rows")["status"], "fail");
}

#[test]
fn a_damaged_database_is_a_finding_and_stays_even_with_fix() {
    if skip_over_postgres("the file is damaged") {
        return;
    }
    let home = started();
    let path = home.trueup_home().join("trueup.db");
    fs::write(&path, "garbage ".repeat(99)).unwrap();
    let before = fs::read(&path).unwrap();
    for arguments in [&["doctor"][..], &["doctor", "--fix"]] {
        let object = object(&home, 1, arguments);
        assert_eq!(check(&object["data"], "database")["status"], "fail");
        assert!(object["error"].is_null());
        assert!(fs::read(&path).unwrap() == before);
    }
}

#[cfg(unix)]
#[test]
fn a_directory_open_to_others_is_reported_and_closed_by_fix() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = started();
    let mode =
        |mode| fs::set_permissions(home.trueup_home(), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o755);
    assert_eq!(check(&data(&home, &["doctor"]), "data directory")["status"], "warn");
    let report = data(&home, &["doctor", "--fix"]);
    assert_eq!(check(&report, "data directory")["status"], "ok");
    let now = fs::metadata(home.trueup_home()).unwrap().permissions().mode();
    assert_eq!(now & 0o777, 0o700);
}

#[test]
fn hand_off_commands_that_the_client_would_never_show_are_reported() {
    let home = started();
    let text = "handoff_commands = [\"make ship*\"]\n";
    fs::write(home.project_dir().join(".trueup.toml"), text).unwrap();
    let report = data(&home, &["doctor"]);
    let doctor_check = check(&report, "hand-off commands");
    assert_eq!(doctor_check["status"], "warn");
    assert!(doctor_check["detail"].as_str().unwrap().contains("make ship*"), "{doctor_check}");
}

#[test]
fn the_demo_shows_the_incident_before_and_after() {
    let home = Home::new();
    let text = trueup(&home, &["demo"]).ok().stdout;
    let (before, after) = text.split_once("\nAfter, ").unwrap();
    assert!(before.contains("  file      currentSd SD-002B, currentPhase LEAD"), "{text}");
    assert!(before.contains("⚠️ SD mismatch: file=SD-002B, db_claim=SD-002C"), "{text}");
    assert!(before.contains("⚠️ Phase mismatch: file=LEAD, db=PLAN"), "{text}");
    assert!(after.contains("  file      currentSd SD-002C, currentPhase PLAN"), "{text}");
    assert!(text.ends_with("Nothing outside a temporary directory was touched.\n"), "{text}");
}

#[test]
fn the_demo_touches_nothing_of_the_user() {
    let home = started();
    let before = StateSnapshot::take(&home);
    let object = object(&home, 0, &["demo"]);
    assert_eq!(keys(&object["data"]), ["after", "before", "consistent", "mended"]);
    assert_eq!(object["data"]["consistent"], true);
    let fixes = object["data"]["mended"].as_array().unwrap();
    assert!(fixes.contains(&json!("S-01")) && fixes.contains(&json!("S-03")), "{object}");
    assert_eq!(object["divergences"][0]["code"], "S-01");
    assert_eq!(StateSnapshot::take(&home), before);
}

#[test]
fn a_broken_configuration_stops_every_command_but_doctor() {
    let home = started();
    fs::write(home.trueup_home().join("config.toml"), "lease_seconds = \"many\"").unwrap();
    let status = object(&home, 3, &["status"]);
    let message = status["error"]["message"].as_str().unwrap();
    assert!(message.contains("config.toml:1:"), "{message}");
    let report = object(&home, 1, &["doctor"]);
    assert_eq!(check(&report["data"], "database")["status"], "ok", "{report}");
    fs::write(home.trueup_home().join("config.toml"), "branch_pattern = \"(\"").unwrap();
    object(&home, 3, &["status"]);
    let report = object(&home, 1, &["doctor"]);
    assert_eq!(check(&report["data"], "configuration")["status"], "fail");
}
