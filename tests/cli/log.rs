//! The log and its filters.

use std::io::{BufRead as _, BufReader};

use serde_json::Value;
use support::home::{FIRST_SESSION, Home, SECOND_SESSION};

use crate::fixture::{claimed, data, object, second, started, trueup};
use crate::state_snapshot::StateSnapshot;

fn home_with_events() -> Home {
    let home = started();
    claimed(&home, "SD-1");
    data(&home, &["set", "--phase", "PLAN"]);
    data(&home, &["set", "--phase", "EXEC"]);
    claimed(&home, "SD-2");
    second(&home, None);
    home
}

fn events(home: &Home, arguments: &[&str]) -> Vec<Value> {
    let log = data(home, &[&["log"], arguments].concat());
    log["events"].as_array().unwrap().clone()
}

fn sequence(events: &[Value]) -> Vec<i64> {
    events.iter().map(|event| event["seq"].as_i64().unwrap()).collect()
}

#[test]
fn events_come_in_the_order_they_happened_and_looking_adds_none() {
    let home = home_with_events();
    let before = StateSnapshot::take(&home);
    let all = sequence(&events(&home, &["--limit", "0"]));
    assert!(all.is_sorted() && all.len() > 5, "{all:?}");
    assert_eq!(StateSnapshot::take(&home), before);
    let text = trueup(&home, &["log", "--limit", "0"]).ok().stdout;
    assert_eq!(text.lines().count(), all.len());
    // The other session's id differs in the last character alone.
    for deed in [" went to phase EXEC", " claimed SD-1"] {
        // A database of several users adds whose login it was.
        let is_told = |line: &str| line.contains(FIRST_SESSION) && line.ends_with(deed);
        assert!(text.lines().any(is_told), "{deed}: {text}");
    }
    let whole = trueup(&home, &["log", "--limit", "0", "--verbose"]).ok().stdout;
    assert!(whole.contains(FIRST_SESSION) && whole.contains("  #1\n"), "{whole}");
    let told = trueup(&home, &["log", "--limit", "0", "--times", "relative"]).ok().stdout;
    assert!(told.lines().next().unwrap().ends_with(", today (UTC)"), "{told}");
}

#[test]
fn by_item() {
    let home = home_with_events();
    let found = events(&home, &["--item", "SD-1"]);
    assert!(found.len() >= 2);
    assert!(found.iter().all(|e| e["entity"] == "item" && e["key"] == "SD-1"), "{found:?}");
    assert_eq!(trueup(&home, &["log", "--item", "SD-9"]).code, Some(1));
}

#[test]
fn by_session() {
    let home = home_with_events();
    let found = events(&home, &["--session", SECOND_SESSION]);
    assert!(!found.is_empty());
    assert!(
        found.iter().all(|e| e["key"] == SECOND_SESSION || e["actor"] == SECOND_SESSION),
        "{found:?}"
    );
    let found = events(&home, &["--session", FIRST_SESSION]);
    assert!(found.iter().any(|e| e["entity"] == "item"), "what it did to items is its too");
    assert!(
        found.iter().all(|e| e["key"] == FIRST_SESSION || e["actor"] == FIRST_SESSION),
        "{found:?}"
    );
}

#[test]
fn a_time_is_read_as_it_is_written() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let logged = |since: &str| {
        let answer = object(&home, 0, &["log", "--limit", "0", "--since", since]);
        let warned = answer["warnings"].as_array().unwrap().len();
        (answer["data"]["events"].as_array().unwrap().len(), warned)
    };
    let all = logged("100000w").0;
    assert!(all > 1);
    home.execute_unchecked("UPDATE events SET at = '2020-06-01T10:00:00.000Z'");
    for (since, expected) in [
        ("2020-06-01", (all, 0)),
        ("20200601", (all, 0)),
        ("2020-06-02", (0, 0)),
        ("2020-06-01T10:00:00Z", (all, 0)),
        ("2020-06-01 10:00:00", (all, 0)),
        ("2020-06-01T10:00:00.001Z", (0, 0)),
        // Elsewhere it is not the same time.
        ("2020-06-01T12:00:00+02:00", (all, 0)),
        ("2020-06-01T06:30:00-03:30", (all, 0)),
        ("2020-06-01T10:00:00-01:00", (0, 0)),
        ("1h30m", (0, 0)),
        ("99999999999w", (all, 0)),
        ("2999-01-01", (0, 1)),
    ] {
        assert_eq!(logged(since), expected, "{since}");
    }
    // A number alone may be a year, or seconds.
    for wrong in ["2020", "45", "0h", "2 hours ago", "25:00", "2020-02-30", "1h30", "-2h"] {
        let object = object(&home, 2, &["log", &format!("--since={wrong}")]);
        assert_eq!(object["error"]["code"], "usage", "{wrong}");
        let hint = object["error"]["hint"].as_str().unwrap();
        assert!(hint.contains("2026-02-02T03:00:00Z") && hint.contains("2h"), "{hint}");
    }
}

#[test]
fn since_a_time_or_so_long_ago() {
    let home = home_with_events();
    let all = events(&home, &["--limit", "0"]).len();
    assert_eq!(events(&home, &["--since", "2h", "--limit", "0"]).len(), all);
    assert_eq!(events(&home, &["--since", "2000-01-01T00:00:00Z", "--limit", "0"]).len(), all);
    assert_eq!(events(&home, &["--since", "2999-01-01T00:00:00Z"]).len(), 0);
    for wrong in ["yesterday", "", "-1h"] {
        let arguments = ["log", &format!("--since={wrong}")];
        assert_eq!(object(&home, 2, &arguments)["error"]["code"], "usage", "{wrong}");
    }
}

#[test]
fn the_newest_few() {
    let home = home_with_events();
    let all = sequence(&events(&home, &["--limit", "0"]));
    let newest = sequence(&events(&home, &["--limit", "2"]));
    assert_eq!(newest, all[all.len() - 2..]);
}

#[test]
fn pages_by_cursor_miss_nothing() {
    let home = home_with_events();
    let all = sequence(&events(&home, &["--limit", "0"]));
    let (mut paged, mut cursor) = (Vec::new(), "0".to_owned());
    loop {
        let page = data(&home, &["log", "--after", &cursor, "--limit", "2"]);
        let events = page["events"].as_array().unwrap();
        assert!(events.len() <= 2);
        if events.is_empty() {
            assert_eq!(page["next"].to_string(), cursor, "the end is a cursor too");
            break;
        }
        paged.extend(sequence(events));
        cursor = page["next"].to_string();
    }
    assert_eq!(paged, all);
    data(&home, &["set", "--phase", "LEAD"]);
    let later = data(&home, &["log", "--after", &cursor]);
    assert!(!later["events"].as_array().unwrap().is_empty());
}

#[test]
fn a_foreign_change_is_an_event_too() {
    let home = home_with_events();
    home.execute_sql("UPDATE work_items SET title = 'by plain SQL' WHERE key = 'SD-1'", []);
    let last = events(&home, &["--item", "SD-1"]).pop().unwrap();
    assert!(last["after"].to_string().contains("by plain SQL"), "{last}");
    assert!(last["actor"] != FIRST_SESSION, "{last}");
}

#[test]
fn by_kind_thing_and_actor() {
    let home = home_with_events();
    home.execute_sql("UPDATE work_items SET title = 'x' WHERE key = 'SD-1'", []);
    for (flag, value, column) in
        [("--entity", "item", "entity"), ("--kind", "claimed", "kind"), ("--actor", "sql", "actor")]
    {
        let found = events(&home, &[flag, value]);
        assert!(!found.is_empty(), "{flag}");
        assert!(found.iter().all(|e| e[column] == value), "{found:?}");
    }
    let both = events(&home, &["--item", "SD-1", "--kind", "claimed"]);
    assert_eq!(both.len(), 1);
    assert_eq!(events(&home, &["--kind", "taken_over"]).len(), 0);
}

#[test]
fn the_phases_of_an_item_are_shown_with_it() {
    let home = home_with_events();
    for key in ["SD-1:1", "SD-1:12", "SD-1:x", "SD-11:1"] {
        home.execute_sql(
            "INSERT INTO events (actor, entity, key, kind) VALUES ('a', 'phase', ?1, 'status')",
            [key],
        );
    }
    let found = events(&home, &["--item", "SD-1", "--entity", "phase"]);
    let keys: Vec<&str> = found.iter().map(|e| e["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["SD-1:1", "SD-1:12"]);
    assert!(events(&home, &["--item", "SD-1"]).len() > 3);
}

#[test]
fn who_follows_sees_what_others_write() {
    let home = home_with_events();
    let arguments = ["log", "--follow", "--json", "--limit", "1", "--entity", "item"];
    let mut child = home.prepare_run("trueup").args(arguments).spawn();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let newest = sequence(&events(&home, &["--limit", "1", "--entity", "item"]));
    assert_eq!(next()["seq"], newest[0], "what was there already");
    for n in 0..3 {
        let key = format!("NEW-{n}");
        data(&home, &["item", "add", &key]);
        let event = next();
        assert_eq!((&event["key"], &event["kind"]), (&Value::from(key), &Value::from("added")));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn who_follows_and_finds_nobody_reading_ends() {
    let home = home_with_events();
    let mut child = home.prepare_run("trueup").args(["log", "--follow"]).spawn();
    drop(child.stdout.take());
    data(&home, &["item", "add", "NEW"]);
    assert!(child.wait().unwrap().success());
}

#[test]
fn tasks_that_an_import_added_are_one_line_and_a_retry_tells_no_data() {
    let home = started();
    let plan = "# Plan\n\n## Phase 1: Build\n\n- [ ] 1.1 Write\n- [ ] 1.2 Check\n- [ ] 1.3 Ship\n";
    std::fs::create_dir_all(home.project_dir().join("docs")).unwrap();
    std::fs::write(home.project_dir().join("docs/short.md"), plan).unwrap();
    data(&home, &["plan", "import", "docs/short.md"]);
    for step in [["start", "1.1"], ["fail", "1.1"], ["retry", "1.1"]] {
        let reason: &[&str] = if step[0] == "fail" { &["--error", "no disk"] } else { &[] };
        data(&home, &[&["plan"], &step[..], reason].concat());
    }
    let text = trueup(&home, &["log", "--limit", "0"]).ok().stdout;
    assert_eq!(text.matches(" added 3 tasks to plan short\n").count(), 1, "{text}");
    assert!(text.contains(" reopened task short/1.1 \"Write\" from failed to pending"), "{text}");
    assert!(!text.contains(['{', '[']) && !text.contains("started by"), "{text}");
    let whole = trueup(&home, &["log", "--limit", "0", "--verbose"]).ok().stdout;
    assert!(whole.contains(" added task short/1.2 \"Check\""), "{whole}");
}

#[test]
fn sessions_whose_ids_begin_alike_are_told_apart() {
    let home = home_with_events();
    for (old, new) in [
        (FIRST_SESSION, "019aa000-1111-7000-8000-000000000001"),
        (SECOND_SESSION, "019aa000-2111-7000-8000-000000000002"),
    ] {
        home.execute_unchecked(&format!("UPDATE events SET actor = '{new}' WHERE actor = '{old}'"));
    }
    let text = trueup(&home, &["log", "--limit", "0"]).ok().stdout;
    assert!(text.contains(" 019aa000-1 ") && text.contains(" 019aa000-2 "), "{text}");
}
