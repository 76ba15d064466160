//! `trueup init`: what a repository begins with.

use std::fs;

use serde_json::json;
use support::home::Home;

use crate::fixture::{codes, create_database, data, object, trueup};
use crate::state_snapshot::StateSnapshot;

fn read(home: &Home, path: &str) -> String {
    fs::read_to_string(home.project_dir().join(path)).unwrap()
}

#[test]
fn a_repository_gets_a_workplan_that_passes_and_settings_that_set_nothing() {
    let home = Home::new();
    create_database(&home);
    let dry = data(&home, &["init", "--dry-run"]);
    let all = json!(["workplans/PROJECT-WP-0001.md", ".trueup.toml"]);
    assert_eq!((&dry["written"], &dry["repo"]), (&all, &json!(null)));
    assert_eq!(fs::read_dir(home.project_dir()).unwrap().count(), 1, "only .git");
    assert_eq!(data(&home, &["repo", "list"])["repos"], json!([]));

    let done = data(&home, &["init"]);
    assert_eq!((&done["written"], &done["kept"]), (&all, &json!([])));
    assert_eq!(done["repo"]["slug"], "project");
    assert!(read(&home, ".trueup.toml").contains("# branch_pattern = "));
    // It is checked without an error, linked, and its tasks can be claimed in order.
    let checked = object(&home, 0, &["check"]);
    assert_eq!(checked["data"]["repos"][0]["files"], 1, "{checked}");
    home.run_git(&["add", "--all"]);
    home.run_git(&["commit", "--quiet", "-m", "begin"]);
    for (name, value) in [("user.name", "t"), ("user.email", "t@example.org")] {
        home.run_git(&["config", name, value]);
    }
    object(&home, 0, &["check", "--fix"]);
    assert_eq!(codes(&object(&home, 0, &["check"])), [""; 0]);
    let next = data(&home, &["next", "--parent", "PROJECT-WP-0001"]);
    assert_eq!(next["item"]["key"], "PROJECT-WP-0001-T01", "{next}");
}

#[test]
fn a_second_run_changes_nothing_and_what_is_there_stays() {
    let home = Home::new();
    create_database(&home);
    fs::write(home.project_dir().join(".trueup.toml"), "repo = \"shop\"\n").unwrap();
    let first = data(&home, &["init"]);
    assert_eq!(first["written"], json!(["workplans/SHOP-WP-0001.md"]));
    assert_eq!(first["kept"], json!([".trueup.toml"]));
    assert_eq!(read(&home, ".trueup.toml"), "repo = \"shop\"\n");
    fs::write(home.project_dir().join("workplans/SHOP-WP-0001.md"), "mine").unwrap();
    let before = StateSnapshot::take(&home);
    let second = data(&home, &["init"]);
    assert_eq!(second["written"], json!([]));
    assert_eq!(second["kept"], json!(["workplans/SHOP-WP-0001.md", ".trueup.toml"]));
    assert!(StateSnapshot::take(&home) == before);
    assert_eq!(read(&home, "workplans/SHOP-WP-0001.md"), "mine");
    // Other workplans are a beginning as well.
    let path = home.project_dir().join("workplans/SHOP-WP-0001.md");
    fs::rename(&path, path.with_file_name("other.md")).unwrap();
    assert_eq!(data(&home, &["init"])["written"], json!([]));
}

#[test]
fn without_a_database_the_files_are_written_and_the_next_step_says_so() {
    let home = Home::new();
    if home.shared_url().is_some() {
        return;
    }
    let answer = trueup(&home, &["init"]).ok();
    assert!(answer.stdout.contains("next: `trueup db migrate && trueup repo add "), "{answer:?}");
    assert!(answer.stdout.contains("wrote workplans/PROJECT-WP-0001.md"), "{answer:?}");
    assert!(!home.trueup_home().join("trueup.db").exists());
}

#[test]
fn outside_of_a_repository_it_is_refused_and_writes_nothing() {
    let home = Home::without_git();
    create_database(&home);
    let refused = object(&home, 1, &["init"]);
    assert_eq!(refused["error"]["code"], "not_a_repository");
    assert_eq!(fs::read_dir(home.project_dir()).unwrap().count(), 0);
}
