//! Lists and `next` are limited to the repository here; `--all-repos` lifts that.

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home};

use crate::fixture::{data, envelope, object, started, trueup};

/// Items `here` and `loose`, which is of no repository, and `there`, which is of another.
fn home_with_three_items() -> Home {
    let home = started();
    for (key, repo) in [("here", None), ("loose", Some("NULL")), ("there", Some("'other'"))] {
        data(&home, &["item", "add", key]);
        if let Some(repo) = repo {
            let set = format!("UPDATE work_items SET repo = {repo} WHERE key = ?1");
            home.execute_sql(&set, [key]);
        }
    }
    home
}

fn keys(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().into_iter().flatten();
    items.filter_map(|item| item["key"].as_str()).collect()
}

#[test]
fn a_list_is_of_this_repository_and_of_what_has_none() {
    let home = home_with_three_items();
    assert_eq!(keys(&data(&home, &["item", "list"])), ["here", "loose"]);
    let all = data(&home, &["item", "list", "--all-repos"]);
    assert_eq!(keys(&all), ["here", "loose", "there"]);
    let other = data(&home, &["item", "list", "--repo", "other"]);
    assert_eq!(keys(&other), ["there"]);
    let own = data(&home, &["item", "list", "--repo", "project"]);
    assert_eq!(keys(&own), ["here"]);
}

#[test]
fn next_takes_nothing_of_another_repository_unless_told() {
    let home = home_with_three_items();
    for key in ["here", "loose"] {
        let next = data(&home, &["next", "--claim"]);
        assert_eq!(next["item"]["key"], key);
        data(&home, &["item", "transition", key, "completed"]);
    }
    let none = data(&home, &["next", "--claim"]);
    assert_eq!(none["item"], Value::Null);
    let text = trueup(&home, &["next"]).ok().stdout;
    assert!(text.contains("other repositories"), "{text}");
    let next = data(&home, &["next", "--claim", "--all-repos"]);
    assert_eq!(next["item"]["key"], "there");
}

#[test]
fn the_hint_takes_what_was_shown() {
    let home = home_with_three_items();
    let next_text = trueup(&home, &["next"]).ok().stdout;
    let hint = next_text.split('`').nth(1).unwrap();
    assert_eq!(hint, "trueup claim here");
    let arguments: Vec<&str> = hint.split_whitespace().skip(1).collect();
    trueup(&home, &arguments).ok();
    let holder: String = home.query_value("SELECT holder FROM work_items WHERE key = 'here'", []);
    assert_eq!(holder, FIRST_SESSION);
    // Now it names the item that would be released.
    let next_text = trueup(&home, &["next"]).ok().stdout;
    assert!(next_text.contains("gives up unfinished here"), "{next_text}");
}

#[test]
fn a_child_of_what_is_finished_is_added_with_a_warning() {
    let home = home_with_three_items();
    data(&home, &["item", "transition", "here", "completed"]);
    let answer = object(&home, 0, &["item", "add", "late", "--parent", "here"]);
    let warning = answer["warnings"][0].as_str().unwrap();
    assert!(warning.contains("here is already completed"), "{warning}");
}

/// Runs a command with a terminal as stdout; returns what it shows.
fn on_a_terminal(home: &Home, line: &str) -> String {
    let through = |binary: &std::ffi::OsStr| {
        let command = format!("{} {line}", binary.to_string_lossy());
        vec!["-qec".into(), command.into(), "/dev/null".into()]
    };
    home.prepare_run("trueup").run_through("script", through).wait().stdout
}

#[test]
fn a_table_has_a_header_on_a_terminal_and_none_in_a_pipe() {
    let home = home_with_three_items();
    let shown = on_a_terminal(&home, "item list");
    assert!(shown.contains("KEY") && shown.contains("STATUS"), "{shown:?}");
    let piped = trueup(&home, &["item", "list"]).ok().stdout;
    assert!(piped.starts_with("here "), "{piped}");
}

/// Runs a command in another repository of the same database.
fn elsewhere(home: &Home, name: &str, code: i32, arguments: &[&str]) -> Value {
    let dir = home.root().join(name);
    if !dir.is_dir() {
        home.run_git(&["init", "--quiet", dir.to_str().unwrap()]);
    }
    let run = home.prepare_run("trueup").cwd(&dir).without("CLAUDE_PROJECT_DIR");
    envelope(&run.args(arguments).args(["--json"]).wait(), code)
}

#[test]
fn a_plan_is_of_the_repository_that_has_its_file() {
    let home = started();
    let plan = "# Plan\n\n- [ ] 1. One\n";
    std::fs::write(home.project_dir().join("mine.md"), plan).unwrap();
    data(&home, &["plan", "import", "mine.md"]);
    for (arguments, rows) in [(&["plan", "list"][..], 0), (&["plan", "list", "--all-repos"], 1)] {
        let listed = elsewhere(&home, "other", 0, arguments);
        assert_eq!(listed["data"]["plans"].as_array().unwrap().len(), rows, "{listed}");
    }
    for arguments in [&["plan", "next"][..], &["plan", "status"], &["plan", "complete", "1"]] {
        let refused = elsewhere(&home, "other", 2, arguments);
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains("--all-repos looks at 1 plan of other repositories"), "{message}");
    }
    assert_eq!(data(&home, &["plan", "status"])["tasks"][0]["status"], "pending");
    std::fs::write(home.root().join("other/theirs.md"), plan).unwrap();
    elsewhere(&home, "other", 0, &["plan", "import", "theirs.md"]);
    // Each repository has one plan, which needs no name.
    elsewhere(&home, "other", 0, &["plan", "complete", "1"]);
    let state = |plan: &str| {
        let state = elsewhere(&home, "other", 0, &["plan", "status", "--plan", plan]);
        state["data"]["tasks"][0]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!((state("mine").as_str(), state("theirs").as_str()), ("pending", "completed"));
    data(&home, &["plan", "start", "1"]);
    assert_eq!(state("mine"), "in_progress");
    let several = object(&home, 2, &["plan", "next", "--all-repos"]);
    assert_eq!(several["error"]["message"], "there are 2 plans: mine, theirs");
    // Plans that a client keeps outside of repositories are everybody's.
    std::fs::write(home.root().join("kept.md"), plan).unwrap();
    elsewhere(&home, "other", 0, &["plan", "import", "../kept.md"]);
    let listed = data(&home, &["plan", "list"]);
    let ids = listed["plans"].as_array().unwrap().iter().map(|row| row["plan_id"].clone());
    assert_eq!(ids.collect::<Vec<_>>(), ["kept", "mine"]);
}

#[test]
fn a_log_tells_of_this_repository_and_of_what_has_none() {
    let home = home_with_three_items();
    std::fs::write(home.project_dir().join("mine.md"), "# Plan\n\n- [ ] 1. One\n").unwrap();
    data(&home, &["plan", "import", "mine.md"]);
    data(&home, &["item", "edit", "there", "--title", "t"]);
    let logged = |answer: &Value| -> Vec<String> {
        let events = answer["events"].as_array().unwrap().iter();
        let items = events.filter(|event| event["entity"] != "session");
        items.map(|event| event["key"].as_str().unwrap().to_owned()).collect()
    };
    let all = logged(&data(&home, &["log", "--limit", "0", "--all-repos"]));
    let here = logged(&data(&home, &["log", "--limit", "0"]));
    assert!(all.iter().any(|key| key == "there"), "{all:?}");
    assert!(here.iter().all(|key| key != "there"), "{here:?}");
    assert!(here.iter().any(|key| key == "mine/1"), "{here:?}");
    assert!(here.iter().any(|key| key == "loose"), "{here:?}");
    // The newest one is elsewhere; the limit counts what is told.
    let newest = data(&home, &["log", "--limit", "1"]);
    assert_eq!(logged(&newest), here[here.len() - 1..]);
    assert_eq!(data(&home, &["log", "--after", &newest["next"].to_string()])["events"], json!([]));
    // What happens elsewhere is passed over once: the cursor goes on, and the answer says why.
    let seen = newest["next"].to_string();
    data(&home, &["item", "edit", "there", "--title", "again"]);
    let later = data(&home, &["log", "--after", &seen]);
    assert_eq!(later["events"], json!([]));
    assert!(later["next"].as_i64() > newest["next"].as_i64(), "{later}");
    let told = trueup(&home, &["log", "--after", &seen]).ok().stdout;
    assert_eq!(told, "no events here; --all-repos shows those of all repositories\n");
    let mut paged = Vec::new();
    let mut after = "0".to_owned();
    loop {
        let page = data(&home, &["log", "--after", &after, "--limit", "2"]);
        if page["events"] == json!([]) {
            break;
        }
        paged.extend(logged(&page));
        after = page["next"].to_string();
    }
    assert_eq!(paged, here);
    let theirs = elsewhere(&home, "other", 0, &["log", "--limit", "0"]);
    let theirs = logged(&theirs["data"]);
    assert!(theirs.iter().all(|key| key != "here" && key != "mine/1"), "{theirs:?}");
    assert!(logged(&data(&home, &["log", "--item", "there"])).len() >= 2);
}
