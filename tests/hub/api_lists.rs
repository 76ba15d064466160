//! The lists of `/api`: their filters, and reading on from page to page.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use support::home::Home;

use super::hub_process::{HubProcess, make_token};
use super::sample_work::{ROWS, add_work};

struct Reader {
    // Before the home, whose files the hub has open.
    hub: HubProcess,
    token: String,
    home: Home,
}

impl Reader {
    fn new() -> Self {
        let home = Home::without_git();
        let token = make_token(&home, "lead", "reader");
        add_work(&home);
        Self { hub: HubProcess::start(&home), token, home }
    }

    fn read(&self, path: &str) -> Json {
        let answer = self.hub.get(path, &self.token);
        assert_eq!(answer.status, 200, "{path}: {}", answer.json());
        answer.json()
    }

    /// Returns the rows of a list, under its name.
    fn rows(&self, path: &str) -> Vec<Json> {
        let name = path.strip_prefix("/api/").unwrap();
        let name = name.split('?').next().unwrap();
        self.read(path)[name].as_array().unwrap().clone()
    }

    /// Reads a list to its end; returns all rows and the number of pages.
    fn read_on(&self, name: &str, limit: usize) -> (Vec<Json>, usize) {
        let mut rows = Vec::new();
        let mut since = String::new();
        for pages in 1.. {
            let page = self.read(&format!("/api/{name}?limit={limit}{since}"));
            rows.extend(page[name].as_array().unwrap().iter().cloned());
            match &page["next"] {
                Json::Null => return (rows, pages),
                Json::String(cursor) => since = format!("&since={cursor}"),
                cursor => since = format!("&since={cursor}"),
            }
        }
        unreachable!("a list ends")
    }
}

fn keys(rows: &[Json], key: &str) -> Vec<String> {
    let text = |row: &Json| row[key].as_str().map_or_else(|| row[key].to_string(), str::to_owned);
    rows.iter().map(text).collect()
}

#[test]
fn who_reads_on_sees_every_row_once() {
    let reader = Reader::new();
    for (name, key, expected) in [
        ("sessions", "session_id", ROWS),
        ("items", "key", ROWS),
        ("queue", "queue_id", ROWS),
        ("repos", "slug", ROWS),
        ("plans", "plan_id", ROWS / 10),
    ] {
        for limit in [7, 250, 1000] {
            let (rows, pages) = reader.read_on(name, limit);
            assert_eq!(rows.len(), expected, "{name} by {limit}");
            let keys: BTreeSet<String> = keys(&rows, key).into_iter().collect();
            assert_eq!(keys.len(), expected, "{name} by {limit}");
            assert_eq!(pages, expected.div_ceil(limit), "{name} by {limit}");
        }
    }
    let (events, _) = reader.read_on("events", 333);
    let seqs: Vec<i64> = events.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert!(seqs.len() > 2 * ROWS && seqs.is_sorted_by(|a, b| a < b), "{} events", seqs.len());
}

#[test]
fn rows_that_come_and_go_between_pages_hide_none() {
    let reader = Reader::new();
    let first = reader.read("/api/items?limit=500");
    let since = first["next"].as_str().unwrap();
    let last = first["items"].as_array().unwrap().last().unwrap()["key"].as_str().unwrap();
    reader.home.execute_sql("DELETE FROM work_items WHERE key = ?1", [last]);
    reader.home.execute_sql("INSERT INTO work_items (key) VALUES ('AAA')", []);
    let rest = reader.rows(&format!("/api/items?limit=1000&since={since}"));
    assert_eq!(rest.len(), ROWS - 500);
}

#[test]
fn filters_keep_what_matches() {
    let reader = Reader::new();
    for (path, count) in [
        ("/api/sessions?limit=1000&status=ended", 100),
        ("/api/sessions?limit=1000&status=ended,active", 1000),
        ("/api/sessions?limit=1000&host=box-1", 100),
        ("/api/sessions?limit=1000&host=box-1&status=active", 0),
        ("/api/sessions?limit=1000&repo=ALPHA", 500),
        ("/api/items?limit=1000&status=completed", 250),
        ("/api/items?limit=1000&repo=alpha", 333),
        ("/api/items?limit=1000&repo=repo-7", 0),
        ("/api/items?limit=1000&parent=ITEM-1", 10),
        ("/api/items?limit=1000&kind=orchestrator", 200),
        ("/api/items?limit=1000&held=true", 1),
        ("/api/items?limit=1000&held=false", 999),
        ("/api/items?limit=1000&holder=session-1", 1),
        ("/api/items?limit=1000&holder=session-2", 0),
        ("/api/items?limit=1000&text=TITLE%20of%2099", 11),
        ("/api/items?limit=1000&text=item-100", 2),
        ("/api/queue?limit=1000&item=ITEM-3", 10),
        ("/api/queue?limit=1000&status=ready", 500),
        ("/api/plans?limit=1000&status=completed", 10),
        ("/api/plans?limit=1000&status=pending", 90),
        ("/api/repos?limit=1000&passive=true", 500),
        ("/api/repos?limit=1000&host=box-3", 250),
        ("/api/events?limit=1000&item=ITEM-2", 11),
        ("/api/events?limit=1000&session=session-1", 1),
        ("/api/events?limit=1000&entity=session&kind=registered", 1000),
        ("/api/events?limit=1000&actor=nobody", 0),
        ("/api/events?limit=1000&from=2999-01-01T00:00:00Z", 0),
        ("/api/divergences", 0),
    ] {
        assert_eq!(reader.rows(path).len(), count, "{path}");
    }
}

#[test]
fn the_newest_events_are_the_last_ones_in_order() {
    let reader = Reader::new();
    let newest = reader.read("/api/events?order=newest&limit=3");
    let all = reader.read_on("events", 1000).0;
    assert_eq!(newest["events"].as_array().unwrap()[..], all[all.len() - 3..]);
    assert_eq!(newest["next"], Json::Null);
}

#[test]
fn a_row_is_the_one_that_commands_show() {
    let reader = Reader::new();
    for (path, command, list) in [
        ("/api/items?limit=1000", vec!["item", "list", "--all-repos", "--limit", "0"], "items"),
        ("/api/sessions?limit=1000", vec!["sessions", "list", "--all"], "sessions"),
        ("/api/plans?limit=1000", vec!["plan", "list", "--all-repos"], "plans"),
        ("/api/repos?limit=1000", vec!["repo", "list"], "repos"),
    ] {
        let shown = reader.home.prepare_run("trueup").args(&command).args(["--json"]).wait().ok();
        let mut shown = shown.json()["data"][list].as_array().unwrap().clone();
        let mut rows = reader.rows(path);
        let by_text = |row: &Json| row.to_string();
        rows.sort_by_cached_key(by_text);
        shown.sort_by_cached_key(by_text);
        assert_eq!(rows.len(), shown.len(), "{path}");
        assert!(rows == shown, "{path}: {} and {}", rows[0], shown[0]);
    }
}

#[test]
fn a_violation_is_a_divergence_with_an_id_that_stays() {
    let reader = Reader::new();
    reader.home.execute_unchecked("UPDATE work_items SET created_at = 'x' WHERE key = 'ITEM-9';");
    reader.home.execute_unchecked(
        "UPDATE claude_sessions SET registered_at = 'x' WHERE session_id = 'session-9';",
    );
    let (rows, pages) = reader.read_on("divergences", 1);
    assert_eq!((rows.len(), pages), (2, 2), "{rows:?}");
    let ids: BTreeSet<String> = keys(&rows, "id").into_iter().collect();
    assert_eq!(ids.len(), 2);
    let tables: BTreeSet<&str> =
        rows.iter().map(|row| row["violation"]["table"].as_str().unwrap()).collect();
    assert_eq!(tables, BTreeSet::from(["claude_sessions", "work_items"]));
    assert_eq!(rows, reader.read_on("divergences", 1).0);
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let reader = Reader::new();
    for (path, status, code) in [
        ("/api/items?since=..", 400, "bad_cursor"),
        ("/api/items?since=", 400, "bad_cursor"),
        ("/api/sessions?since=a%20b", 400, "bad_cursor"),
        ("/api/queue?since=%2Fetc", 400, "bad_cursor"),
        ("/api/plans?since=a:b", 400, "bad_cursor"),
        ("/api/repos?since=_", 400, "bad_cursor"),
        ("/api/events?since=-1", 400, "bad_cursor"),
        ("/api/events?since=1e3", 400, "bad_cursor"),
        ("/api/events?since=99999999999999999999", 400, "bad_cursor"),
        ("/api/events?since=99999999999", 400, "cursor_ahead"),
        ("/api/divergences?since=%00", 400, "bad_cursor"),
        ("/api/items?limit=0", 400, "bad_parameter"),
        ("/api/items?limit=1001", 400, "bad_parameter"),
        ("/api/items?stauts=ready", 400, "bad_parameter"),
        ("/api/items?status=redy", 400, "bad_parameter"),
        ("/api/items?status=ready&status=queued", 400, "bad_parameter"),
        ("/api/items?held=yes", 400, "bad_parameter"),
        ("/api/items?parent=..", 400, "bad_parameter"),
        ("/api/events?from=yesterday", 400, "bad_parameter"),
        ("/api/events?order=random", 400, "bad_parameter"),
        ("/api/items?parent=NONE", 404, "item_not_found"),
        ("/api/items?holder=nobody", 404, "session_not_found"),
        ("/api/items?kind=colour", 404, "kind_not_found"),
        ("/api/items?repo=nowhere", 404, "repo_not_found"),
        ("/api/sessions?repo=nowhere", 404, "repo_not_found"),
        ("/api/queue?item=NONE", 404, "item_not_found"),
        ("/api/events?item=NONE", 404, "item_not_found"),
        ("/api/events?session=nobody", 404, "session_not_found"),
        ("/api/nothing", 404, "no_such_path"),
    ] {
        let answer = reader.hub.get(path, &reader.token);
        assert_eq!((answer.status, answer.error_code().as_str()), (status, code), "{path}");
    }
}

#[test]
fn a_cursor_is_one_of_its_list() {
    let reader = Reader::new();
    let page = reader.read("/api/items?limit=1");
    let of_items = page["next"].as_str().unwrap();
    let lists = ["sessions", "items", "queue", "plans", "repos", "divergences", "journal"];
    for list in lists {
        for cursor in ["zzz", "ITEM-1", "1", of_items] {
            let path = format!("/api/{list}?since={cursor}");
            let answer = reader.hub.get(&path, &reader.token);
            if list == "items" && cursor == of_items {
                assert_eq!(answer.status, 200, "{path}");
            } else {
                assert_eq!(answer.error_code(), "bad_cursor", "{path}");
                assert_eq!(answer.status, 400, "{path}");
            }
        }
    }
}

#[test]
fn who_asks_is_told_who_they_are() {
    let reader = Reader::new();
    assert_eq!(reader.read("/api/me"), serde_json::json!({"name": "lead", "role": "reader"}));
}
