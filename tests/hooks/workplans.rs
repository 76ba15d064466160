//! A check is suggested at the end of a turn in which workplans changed.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::json;
use support::home::Home;

const OFFER: &str = "`trueup check --fix`";

/// Saves a workplan with a time after now, whatever the resolution of the file system's clock.
fn save(home: &Home, name: &str, seconds: u64) {
    let path = home.project_dir().join("workplans").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "---\nid: A-WP-0001\nstatus: active\n---\n").unwrap();
    set_modified_time(&path, seconds);
}

fn set_modified_time(path: &Path, seconds: u64) {
    let file = fs::File::options().append(true).open(path).unwrap();
    let time = SystemTime::now() + Duration::from_secs(seconds);
    file.set_modified(time).unwrap();
}

fn find_offer(home: &Home) -> Option<String> {
    let answer = home.push_event("stop").ok();
    if answer.stdout.is_empty() {
        return None;
    }
    let message = &answer.json()["systemMessage"];
    message.as_str().filter(|text| text.contains(OFFER)).map(str::to_owned)
}

#[test]
fn a_check_is_suggested_once_for_workplans_changed_in_the_session() {
    let home = Home::new();
    save(&home, "A-WP-0001.md", 0);
    home.start_session().ok();
    // A file from before the session is not a change of the session.
    let path = home.project_dir().join("workplans/A-WP-0001.md");
    fs::File::options()
        .append(true)
        .open(&path)
        .unwrap()
        .set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1))
        .unwrap();
    assert_eq!(find_offer(&home), None);
    save(&home, "A-WP-0001.md", 10);
    save(&home, "archived/A-WP-0002.md", 10);
    save(&home, "README.md", 10);
    let text = find_offer(&home).unwrap();
    assert!(text.starts_with("workplans/A-WP-0001.md and 1 other workplans changed"), "{text}");
    // Noted before what was saved after now.
    set_modified_time(&path, 0);
    set_modified_time(&home.project_dir().join("workplans/archived/A-WP-0002.md"), 0);
    let mark = home
        .trueup_home()
        .join("counters")
        .join(format!("{}.offered", support::home::FIRST_SESSION));
    set_modified_time(&mark, 20);
    assert_eq!(find_offer(&home), None);
    save(&home, "A-WP-0001.md", 30);
    assert!(find_offer(&home).is_some());
}

#[test]
fn no_check_is_suggested_for_workplans_checked_since() {
    let home = Home::new();
    home.start_session().ok();
    save(&home, "A-WP-0001.md", 0);
    let run = home.prepare_run("trueup").args(["check", "--fix", "--json"]);
    assert_eq!(run.wait().json()["data"]["repos"][0]["files"], json!(1));
    assert_eq!(find_offer(&home), None);
}

#[test]
fn workplans_of_packages_are_watched_once_a_check_has_found_them() {
    let home = Home::new();
    home.start_session().ok();
    let name = "../packages/api/workplans/A-WP-0001.md";
    save(&home, name, 0);
    assert_eq!(find_offer(&home), None);
    let run = home.prepare_run("trueup").args(["check", "--fix", "--json"]);
    assert_eq!(run.wait().json()["data"]["repos"][0]["files"], json!(1));
    assert_eq!(find_offer(&home), None);
    save(&home, name, 30);
    let offer = find_offer(&home).unwrap();
    assert!(offer.starts_with("packages/api/workplans/A-WP-0001.md changed"), "{offer}");
}

#[test]
fn without_workplans_nothing_is_offered() {
    let home = Home::new();
    home.start_session().ok();
    assert_eq!(find_offer(&home), None);
}
