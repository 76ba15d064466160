//! What commands say beside their result: warnings, notices and the state of copies.

use support::home::{FIRST_SESSION, Home, SECOND_SESSION, spawn_bystander};

use crate::fixture::{
    claimed, data, object, second, started, started_with_plans, trueup, validate,
};

/// Returns the warnings of a command that succeeds.
#[track_caller]
fn warnings(home: &Home, arguments: &[&str]) -> Vec<String> {
    let object = object(home, 0, arguments);
    let warnings = object["warnings"].as_array().unwrap().iter();
    warnings.map(|warning| warning.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_claim_warns_of_open_dependencies_and_tells_the_quiet_period() {
    let home = started();
    data(&home, &["item", "add", "A"]);
    data(&home, &["item", "add", "B", "--depends", "A"]);
    let claim = warnings(&home, &["claim", "B", "--session", FIRST_SESSION]);
    assert_eq!(claim, ["B depends on A, which is queued"]);
    let claim = trueup(&home, &["claim", "A", "--span", "20m"]).ok().stdout;
    assert!(claim.contains("\nquiet period until 20"), "{claim}");
    let status = trueup(&home, &["status"]).ok().stdout;
    assert!(status.contains("\nquiet period until 20"), "{status}");
}

#[test]
fn a_key_that_differs_only_in_case_is_warned_of() {
    let home = started();
    data(&home, &["item", "add", "SD-003"]);
    let similar = warnings(&home, &["item", "add", "sd-003"]);
    assert_eq!(similar, ["sd-003 and SD-003 are different items: keys are case-sensitive"]);
}

#[test]
fn a_long_phase_is_shortened_where_items_are_listed() {
    let home = started();
    claimed(&home, "SD-1");
    data(&home, &["set", "--phase", &"x".repeat(20_000)]);
    let long = |text: &str| text.lines().find(|line| line.len() > 400).map(str::to_owned);
    for command in [&["item", "list"][..], &["next"], &["status"], &["item", "show", "SD-1"]] {
        let text = trueup(&home, command).ok().stdout;
        assert_eq!(long(&text), None, "{command:?}");
    }
}

#[test]
fn a_change_in_a_shared_worktree_names_the_session() {
    let home = started();
    let process = spawn_bystander();
    second(&home, Some(&process));
    data(&home, &["claim", "SD-1", "--create", "--session", SECOND_SESSION]);
    let notices = warnings(&home, &["interrupt"]);
    assert!(
        notices.iter().any(|notice| notice.contains(&format!("the newest, {SECOND_SESSION};"))),
        "{notices:?}"
    );
    assert_eq!(warnings(&home, &["status"]), [""; 0], "looking needs no notice");
}

#[test]
fn status_tells_an_outdated_and_an_unreadable_cache_from_an_edited_one() {
    let home = started();
    let state = || data(&home, &["status", "--session", FIRST_SESSION])["cache"]["state"].clone();
    home.set_state(FIRST_SESSION, "execution_state.currentPhase", "EXEC");
    assert_eq!(state(), "outdated");
    std::fs::remove_file(home.cache_path()).unwrap();
    std::fs::create_dir(home.cache_path()).unwrap();
    let text = trueup(&home, &["status", "--session", FIRST_SESSION]).ok().stdout;
    assert_eq!(state(), "unreadable", "{text}");
    assert!(text.contains("cache    unreadable: "), "{text}");
}

#[test]
fn a_program_that_cannot_run_starts_no_run() {
    let home = started_with_plans();
    for (program, code) in [("/nope", 127), ("no-such-program", 127), ("/", 126)] {
        let answer = trueup(&home, &["orchestrator", "start", "P", "--", program]);
        assert_eq!(answer.code, Some(code), "{answer:?}");
        assert!(!answer.stderr.contains("now runs"), "{answer:?}");
    }
    let runs: i64 = home.query_value("SELECT count(*) FROM orchestrators", []);
    assert_eq!(runs, 0);
}

#[test]
fn a_session_with_an_edit_is_not_called_consistent() {
    let home = crate::validate::drifted("S-10");
    let text = validate(&home, &["--session", FIRST_SESSION]).stdout;
    assert!(text.contains(" has no errors at revision "), "{text}");
    assert!(text.contains("; 1 edit waits to be pushed"), "{text}");
}

#[test]
fn an_edit_is_shown_with_its_reason_and_restored_once() {
    let home = crate::validate::drifted("S-11");
    validate(&home, &["--fix", "--session", FIRST_SESSION]);
    let entries = data(&home, &["journal", "list"])["entries"].clone();
    let id = entries[0]["id"].as_str().unwrap();
    let shown = trueup(&home, &["journal", "show", id]).ok().stdout;
    assert!(shown.contains("\nreason: ") && shown.contains("\nmade from revision "), "{shown}");
    let restore = ["journal", "restore", id];
    trueup(&home, &restore).ok();
    assert_eq!(trueup(&home, &restore).ok().stdout, format!("{id} is already restored\n"));
}

#[test]
fn lists_of_hand_offs_and_checks_of_metadata_say_what_they_counted() {
    let home = started();
    let list = |all: &[&str]| trueup(&home, &[&["handoff", "list"], all].concat()).ok().stdout;
    assert!(list(&[]).starts_with("no open hand-offs"));
    assert!(list(&["--all"]).starts_with("no hand-offs"));
    let dir = home.project_dir().join("agents/a");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("adw_state.json"), "{").unwrap();
    let fix = trueup(&home, &["meta", "fix"]).stdout;
    assert!(fix.starts_with("nothing could be fixed\n"), "{fix}");
    let check = trueup(&home, &["meta", "check"]).stdout;
    assert!(check.ends_with("1 checked, 1 error, 0 warnings\n"), "{check}");
}
