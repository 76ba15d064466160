//! `trueup meta`: metadata files of workflows are read, written, checked and fixed.

mod fixes;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use support::home::Home;

use crate::fixture::{codes, data, keys, object, refused, started, trueup};

const ID: &str = "77c90e61";

fn path(home: &Home, id: &str) -> PathBuf {
    home.project_dir().join("agents").join(id).join("adw_state.json")
}

fn write(home: &Home, id: &str, text: &str) {
    fs::create_dir_all(path(home, id).parent().unwrap()).unwrap();
    fs::write(path(home, id), text).unwrap();
}

fn text(home: &Home, id: &str) -> String {
    fs::read_to_string(path(home, id)).unwrap()
}

/// The message of the first finding of a code.
fn message(object: &Value, code: &str) -> String {
    let found = object["divergences"].as_array().unwrap();
    let first = found.iter().find(|d| d["code"] == code).unwrap();
    first["message"].as_str().unwrap().to_owned()
}

#[test]
fn fields_are_set_and_read_without_a_session_or_a_database() {
    let home = Home::new();
    let object = object(
        &home,
        0,
        &[
            "meta",
            "set",
            ID,
            "branch_name=feature/x",
            "backend_port=9107",
            "issue_number=170",
            "mine=0.10",
            "a.b=[1,2]",
        ],
    );
    assert_eq!(object["divergences"], json!([]));
    assert_eq!(keys(&object["data"]), ["changed", "id", "path", "state"]);
    assert_eq!(object["data"]["changed"]["backend_port"], json!({"from": null, "to": 9107}));
    assert_eq!(
        text(&home, ID),
        "{\n  \"adw_id\": \"77c90e61\",\n  \"branch_name\": \"feature/x\",\n  \
         \"backend_port\": 9107,\n  \"issue_number\": \"170\",\n  \"mine\": 0.10,\n  \
         \"a.b\": [1,2]\n}\n"
    );
    let all = data(&home, &["meta", "get", ID]);
    assert_eq!(keys(&all), ["id", "path", "state"]);
    assert_eq!(all["path"], *path(&home, ID).to_string_lossy());
    assert_eq!(all["state"]["issue_number"], "170");
    assert_eq!(all["state"]["mine"].to_string(), "0.10");
    for (field, line) in
        [("branch_name", "feature/x\n"), ("backend_port", "9107\n"), ("a.b", "[1,2]\n")]
    {
        assert_eq!(trueup(&home, &["meta", "get", ID, field]).ok().stdout, line);
    }
    let one = data(&home, &["meta", "get", ID, "mine"]);
    assert_eq!(keys(&one["state"]), ["mine"]);
    let answer = trueup(&home, &["meta", "set", ID, "branch_name=y"]).ok();
    assert_eq!(answer.stdout, "branch_name: feature/x -> y\n");
    assert!(!home.trueup_home().join("trueup.db").exists());
}

#[test]
fn every_byte_of_other_fields_stays() {
    let home = Home::new();
    let before = "{\"adw_id\": \"77c90e61\",\r\n\t\"huge\":1e400, \"cents\": 0.10,\"n\":\
                  -12345678901234567890123, \"e\":\"\\u00e9\", \"x\" : {\"status\":[1.0]}}";
    write(&home, ID, before);
    data(&home, &["meta", "set", ID, "cents=0.20"]);
    assert_eq!(text(&home, ID), before.replace("0.10", "0.20"));
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    let home = Home::new();
    refused(&home, "metadata_not_found", &["meta", "get", ID]);
    refused(&home, "metadata_not_found", &["meta", "check", ID]);
    refused(&home, "metadata_not_found", &["meta", "fix", ID]);
    data(&home, &["meta", "set", ID, "a=1"]);
    refused(&home, "field_not_found", &["meta", "get", ID, "b"]);
    refused(&home, "database_owned", &["meta", "get", ID, "status"]);
    assert_eq!(data(&home, &["meta", "check"]), json!({"checked": 1}));
    for arguments in [
        &["meta", "set", ID, "novalue"][..],
        &["meta", "set", ID, "=x"],
        &["meta", "set", ID],
        &["meta", "get", "../x"],
        &["meta", "set", "a/b", "x=1"],
        &["meta", "set", "..", "x=1"],
    ] {
        assert_eq!(object(&home, 2, arguments)["error"]["code"], "usage");
    }
}

#[test]
fn a_field_of_the_database_is_refused_with_its_command_and_nothing_is_written() {
    let home = Home::new();
    for (field, command) in [
        ("status", "trueup queue start"),
        ("current_phase", "trueup queue start"),
        ("assigned_to", "trueup queue start"),
        ("completed_at", "trueup queue complete"),
        ("error_message", "trueup queue fail"),
        ("parent_issue", "trueup item add"),
        ("depends_on_phases", "trueup queue add"),
    ] {
        let pair = format!("{field}=x");
        let object = refused(&home, "database_owned", &["meta", "set", ID, "a=1", &pair]);
        let message = object["error"]["message"].as_str().unwrap();
        assert!(message.contains(command), "{message}");
    }
    assert!(!path(&home, ID).exists());
}

#[test]
fn a_poisoned_file_is_savable_and_says_so() {
    let home = Home::new();
    write(
        &home,
        ID,
        r#"{"adw_id": "77c90e61", "status": "running", "all_adws": ["adw_build_iso"]}"#,
    );
    let object = object(&home, 0, &["meta", "set", ID, "worktree_path=/w"]);
    assert_eq!(codes(&object), ["F-01"]);
    let message = message(&object, "F-01");
    assert!(message.contains("status=running"), "{message}");
    assert!(message.contains("written by adw_build_iso"), "{message}");
    assert!(message.contains("`trueup queue start"), "{message}");
    assert_eq!(
        text(&home, ID),
        r#"{"adw_id": "77c90e61", "status": "running", "all_adws": ["adw_build_iso"], "worktree_path": "/w"}"#
    );
    let read = crate::fixture::object(&home, 0, &["meta", "get", ID]);
    assert_eq!(codes(&read), ["F-01"]);
    let answer = trueup(&home, &["meta", "get", ID, "worktree_path"]);
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), "/w\n"));
    assert!(answer.stderr.starts_with("warning: ⚠️ Metadata has"), "{answer:?}");
}

#[test]
fn the_id_is_that_of_the_directory() {
    let home = Home::new();
    refused(&home, "id_mismatch", &["meta", "set", ID, "adw_id=other"]);
    write(&home, ID, r#"{"adw_id": "other"}"#);
    let checked = object(&home, 1, &["meta", "check", ID]);
    assert_eq!(codes(&checked), ["F-03"]);
    let report = object(&home, 1, &["meta", "fix", ID]);
    assert_eq!(codes(&report), ["F-03"], "which of the two is wrong is for a person");
    assert_eq!(text(&home, ID), r#"{"adw_id": "other"}"#);
    data(&home, &["meta", "set", ID, "adw_id=77c90e61"]);
    data(&home, &["meta", "check", ID]);
}

#[test]
fn a_file_that_does_not_parse_is_exit_3_and_stays_byte_for_byte() {
    let home = started();
    for broken in ["{\n  \"a\": 1,\n", "", "[1]", "\u{1}", "{\"a\": NaN}"] {
        write(&home, ID, broken);
        for arguments in [&["meta", "get", ID][..], &["meta", "set", ID, "a=2"]] {
            let object = object(&home, 3, arguments);
            assert_eq!(object["error"]["code"], "metadata_corrupt", "{broken:?}");
            assert_eq!(codes(&object), ["F-02"], "{broken:?}");
        }
        for arguments in [&["meta", "check", ID][..], &["meta", "check"], &["meta", "fix"]] {
            let object = object(&home, 1, arguments);
            assert_eq!(codes(&object), ["F-02"], "{broken:?}");
        }
        assert_eq!(text(&home, ID), broken);
    }
    write(&home, ID, "{\n  \"a\": x\n}");
    let place = message(&object(&home, 1, &["meta", "check"]), "F-02");
    assert!(place.contains("agents/77c90e61/adw_state.json:2:8: "), "{place}");
}

#[test]
fn a_check_changes_nothing_and_looks_at_all() {
    let home = Home::new();
    write(&home, "a", r#"{"adw_id": "a", "status": 1, "current_phase": "x"}"#);
    write(&home, "b", r#"{"issue_number": 170, "adw_id": "b"}"#);
    write(&home, "c", "{}");
    let before = ["a", "b", "c"].map(|id| text(&home, id));
    let object = object(&home, 1, &["meta", "check"]);
    assert_eq!(object["data"], json!({"checked": 3}));
    assert_eq!(codes(&object), ["F-01", "F-01", "F-02", "F-03"]);
    assert_eq!(object["divergences"][2]["severity"], "warning");
    assert_eq!(object["divergences"][2]["found"], "issue_number");
    assert_eq!(["a", "b", "c"].map(|id| text(&home, id)), before);
    assert_eq!(trueup(&home, &["meta", "check", "b"]).code, Some(0));
    assert_eq!(trueup(&home, &["meta", "check", "b", "--strict"]).code, Some(1));
}

#[test]
fn a_phase_that_cannot_start_has_everything_named_at_once() {
    let home = Home::new();
    data(&home, &["meta", "set", ID, "worktree_path=trees/x", "plan_file=plan.md"]);
    fs::write(home.project_dir().join("plan.md"), "short").unwrap();
    let object = refused(&home, "phase_contract", &["meta", "check", ID, "--phase", "build"]);
    let message = object["error"]["message"].as_str().unwrap();
    for part in [
        "worktree_path trees/x is not a directory",
        "plan_file plan.md has 5 bytes",
        "branch_name is not set",
    ] {
        assert!(message.contains(part), "{message}");
    }
    fs::create_dir_all(home.project_dir().join("trees/x")).unwrap();
    fs::write(home.project_dir().join("plan.md"), "x".repeat(100)).unwrap();
    data(&home, &["meta", "set", ID, "branch_name=b"]);
    data(&home, &["meta", "check", ID, "--phase", "build"]);
}

#[test]
fn scripts_that_ask_the_file_are_named_with_the_command_to_use() {
    let home = Home::new();
    let script = "from adw_modules.state import ADWState\n\n\
                  state = ADWState.load(adw_id)\n\
                  if state.get('status') == 'running':\n    \
                  state.update(current_phase='test')\n";
    for (path, text) in [
        ("adws/adw_test_iso.py", script),
        ("adws/good.py", "workflow = repo.find(170)\nprint(workflow.status)\n"),
        ("node_modules/x/y.py", script),
        ("bin/look.sh", "jq -r .status agents/$1/adw_state.json\n"),
    ] {
        fs::create_dir_all(home.project_dir().join(path).parent().unwrap()).unwrap();
        fs::write(home.project_dir().join(path), text).unwrap();
    }
    let object = object(&home, 1, &["check", "--sources", "."]);
    assert_eq!(codes(&object), ["F-01"; 3]);
    assert_eq!(object["data"]["files"], 3);
    let subjects: Vec<&Value> =
        object["divergences"].as_array().unwrap().iter().map(|d| &d["subject"]).collect();
    assert_eq!(
        subjects,
        ["./adws/adw_test_iso.py:4:4", "./adws/adw_test_iso.py:5:5", "./bin/look.sh:1:7"]
    );
    let message = message(&object, "F-01");
    assert!(message.contains("reads status") && message.contains("trueup queue list"), "{message}");
    assert!(message.contains("if state.get('status') == 'running':"), "{message}");
    let answer = trueup(&home, &["check", "--sources", "adws"]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.stdout.contains("adws/adw_test_iso.py:5:5: writes current_phase"), "{answer:?}");
    let clean = data(&home, &["check", "--sources", "adws/good.py"]);
    assert_eq!(clean, json!({"repos": [], "files": 1, "sources": []}));
    assert_eq!(
        crate::fixture::object(&home, 3, &["check", "--sources", "none"])["error"]["code"],
        "io"
    );
}

#[cfg(unix)]
#[test]
fn a_symlink_in_a_repository_leads_no_write_out_of_it() {
    use std::os::unix::fs::symlink;
    let home = started();
    let outside = home.root().join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("adw_state.json"), r#"{"adw_id": "77c90e61", "status": 1}"#).unwrap();
    fs::create_dir(home.project_dir().join("agents")).unwrap();
    symlink(&outside, home.project_dir().join("agents").join(ID)).unwrap();
    for arguments in [&["meta", "get", ID][..], &["meta", "set", ID, "a=1"]] {
        let object = object(&home, 3, arguments);
        assert_eq!(object["error"]["code"], "metadata_symlink", "{arguments:?}");
    }
    for arguments in [&["meta", "check"][..], &["meta", "fix"]] {
        let object = object(&home, 1, arguments);
        assert_eq!(codes(&object), ["F-02"], "{arguments:?}");
    }
    let kept = fs::read_to_string(outside.join("adw_state.json")).unwrap();
    assert_eq!(kept, r#"{"adw_id": "77c90e61", "status": 1}"#);
}

/// Odd objects that may be in place of a metadata file, with a shell command that creates them.
#[cfg(unix)]
const ODD: [(&str, &str); 4] = [
    ("a FIFO", "mkfifo adw_state.json"),
    ("a directory", "mkdir adw_state.json"),
    ("a symlink", "ln -s /etc/passwd adw_state.json"),
    ("too large", "truncate -s 300M adw_state.json"),
];

#[cfg(unix)]
#[test]
fn one_odd_file_hides_none_of_the_others() {
    for (name, make) in ODD {
        let home = started();
        write(&home, ID, r#"{"adw_id": "77c90e61", "status": "running"}"#);
        for odd in ["00000000", "ffffffff"] {
            let dir = home.project_dir().join("agents").join(odd);
            fs::create_dir_all(&dir).unwrap();
            let made =
                std::process::Command::new("sh").args(["-c", make]).current_dir(&dir).status();
            assert!(made.unwrap().success());
        }
        let found = object(&home, 1, &["meta", "check"]);
        let mut found_codes = codes(&found);
        found_codes.sort_unstable();
        assert_eq!(found_codes, ["F-01", "F-02", "F-02"], "{name}");
        assert!(message(&found, "F-02").contains("agents/00000000/adw_state.json"), "{name}");
        let fixed = object(&home, 1, &["meta", "fix"]);
        assert_eq!(fixed["data"]["fixed"][0]["id"], ID, "{name}: {fixed}");
        assert_eq!(codes(&fixed), ["F-02", "F-02"], "{name}");
        assert!(!text(&home, ID).contains("status"), "{name}");
    }
}
