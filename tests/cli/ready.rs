//! `trueup ready`: what can be begun, why, and what would let the rest begin.

use serde_json::json;
use support::home::Home;

use crate::fixture::{create_database, data, trueup};

fn home_with_items(items: &[&[&str]]) -> Home {
    let home = Home::new();
    create_database(&home);
    for item in items {
        data(&home, &[&["item", "add"], *item].concat());
    }
    home
}

fn keys(answer: &serde_json::Value, list: &str) -> Vec<String> {
    let items = answer[list].as_array().unwrap().iter();
    items.map(|item| item["key"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_most_urgent_come_first_with_why_and_what_they_unblock() {
    let home = home_with_items(&[
        &["SD-1", "--title", "First"],
        &["SD-2", "--priority", "P0", "--title", "Urgent"],
        &["SD-3", "--depends", "SD-1,SD-2"],
        &["SD-4", "--depends", "SD-3"],
    ]);
    let answer = data(&home, &["ready"]);
    assert_eq!(keys(&answer, "items"), ["SD-2", "SD-1"]);
    assert_eq!(answer["items"][0]["why"], "free");
    assert_eq!(answer["items"][0]["unblocks"], json!(["SD-3"]));
    assert_eq!(answer["items"][0]["unblocks_total"], 2);
    assert_eq!(keys(&answer, "blockers"), ["SD-1", "SD-2", "SD-3"]);
    let text = trueup(&home, &["ready"]).ok().stdout;
    let lines: Vec<&str> = text.lines().collect();
    let urgent = "P0  Urgent  queued, and nothing blocks it; unblocks SD-3 and 1 more";
    assert!(lines[0].starts_with("SD-2 ") && lines[0].ends_with(urgent), "{text}");
    assert!(lines[1].starts_with("SD-1 ") && lines[1].contains("-   First"), "{text}");
    assert_eq!(lines[2], "what unblocks the rest:");
    assert_eq!(lines[3], "  SD-1 (queued): 2 items wait for it: SD-3 and 1 more");
    for key in ["SD-1", "SD-2"] {
        data(&home, &["item", "transition", key, "completed"]);
    }
    let answer = data(&home, &["ready"]);
    assert_eq!(
        (keys(&answer, "items"), &answer["items"][0]["why"]),
        (vec!["SD-3".to_owned()], &json!("dependencies_completed"))
    );
    let text = trueup(&home, &["ready"]).ok().stdout;
    assert!(text.contains("completed: SD-1, SD-2; unblocks SD-4"), "{text}");
}

#[test]
fn a_limit_says_that_there_are_more() {
    let home = home_with_items(&[&["SD-1"], &["SD-2"], &["SD-3"]]);
    let answer = data(&home, &["ready", "--limit", "2"]);
    assert_eq!((keys(&answer, "items").len(), &answer["has_more"]), (2, &json!(true)));
    let text = trueup(&home, &["ready", "--limit", "2"]).ok().stdout;
    assert!(text.ends_with("more are ready; `trueup ready --limit 0` shows all\n"), "{text}");
    assert_eq!(data(&home, &["ready", "--limit", "0"])["has_more"], false);
}

#[test]
fn where_nothing_is_ready_it_says_where_to_look() {
    let home = home_with_items(&[]);
    let text = trueup(&home, &["ready"]).ok().stdout;
    assert_eq!(text, "nothing is ready; `trueup item list --unfinished` shows what is left\n");
    data(&home, &["item", "add", "SD-1"]);
    home.execute_sql("UPDATE work_items SET repo = 'other'", []);
    let text = trueup(&home, &["ready"]).ok().stdout;
    assert_eq!(text, "nothing is ready here; use --all-repos to see other repositories\n");
    assert_eq!(keys(&data(&home, &["ready", "--all-repos"]), "items"), ["SD-1"]);
}

#[test]
fn ready_tasks_of_plans_stand_below_the_items() {
    let home = home_with_items(&[]);
    let plan =
        "# Fix\n\n## Phase 1: a\n- [ ] 1.1 Write\n- [ ] 1.2 Test (depends: 1.1)\n- [ ] 1.3 Ship\n";
    std::fs::write(home.project_dir().join("fix.md"), plan).unwrap();
    data(&home, &["plan", "import", "fix.md"]);
    data(&home, &["plan", "start", "1.3"]);
    let text = trueup(&home, &["ready"]).ok().stdout;
    let expected = "no item is ready\n\
        ready in plans (`trueup plan start PLAN/TASK` begins one):\n  fix/1.1  Write\n";
    assert_eq!(text, expected);
    let answer = data(&home, &["ready"]);
    assert_eq!(answer["tasks"][0]["id"], "1.1", "{answer}");
    data(&home, &["item", "add", "SD-1"]);
    let text = trueup(&home, &["ready"]).ok().stdout;
    assert!(text.starts_with("SD-1 ") && text.contains("\n  fix/1.1  Write\n"), "{text}");
    // The plan of another repository is shown where it is asked for.
    let elsewhere = home.user_home().join("other");
    std::fs::create_dir_all(&elsewhere).unwrap();
    let run = |arguments: &[&str]| {
        home.prepare_run("trueup").cwd(&elsewhere).args(arguments).wait().ok().stdout
    };
    assert!(!run(&["ready"]).contains("fix/1.1"));
    assert!(run(&["ready", "--all-repos"]).contains("fix/1.1"));
}
