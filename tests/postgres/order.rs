//! Writers that commit at once.

use std::collections::BTreeSet;
use std::io::Write as _;

use support::postgres::{TestDatabase, start_psql};

use crate::requests::{insert_item, request};

const WRITERS: usize = 4;
const COMMITS: usize = 60;

/// The script of a writer: exchanges, and for one of the writers plain SQL.
fn writer_script(writer: usize) -> String {
    let commit = |number: usize| {
        let key = format!("W{writer}-{number}");
        if writer == 0 {
            return format!("INSERT INTO trueup.work_items (key) VALUES ('{key}');\n");
        }
        let request = request("commit", &[insert_item(&key, &key)]);
        format!("SELECT trueup.exchange($r${request}$r$);\n")
    };
    (0..COMMITS).map(commit).collect()
}

#[test]
fn no_event_appears_behind_one_that_was_seen() {
    let Some(database) = TestDatabase::create() else { return };
    let start = |script: String| {
        let mut child = start_psql(&database.url());
        let mut stdin = child.stdin.take().unwrap();
        let feeder = std::thread::spawn(move || drop(stdin.write_all(script.as_bytes())));
        (child, feeder)
    };
    let writers: Vec<_> = (0..WRITERS).map(|writer| start(writer_script(writer))).collect();
    let look = "SELECT string_agg(seq::text, ' ' ORDER BY seq) FROM trueup.events;
        SELECT pg_sleep(0.002) IS NULL;\n";
    let (reader, _) = start(look.repeat(400));
    let looks = String::from_utf8(reader.wait_with_output().unwrap().stdout).unwrap();
    for (writer, _) in writers {
        let output = writer.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let mut seen: BTreeSet<u64> = BTreeSet::new();
    let mut sizes = BTreeSet::new();
    for look in looks.lines().filter(|line| *line != "f") {
        let now: BTreeSet<u64> = look.split(' ').filter_map(|seq| seq.parse().ok()).collect();
        let last = seen.last().copied().unwrap_or(0);
        let late: Vec<_> = now.difference(&seen).filter(|seq| **seq < last).collect();
        assert!(late.is_empty(), "{late:?} appeared behind {last}");
        sizes.insert(now.len());
        seen = now;
    }
    assert!(sizes.len() > 3, "the reader looked while the writers wrote: {sizes:?}");
    let all = database.run("SELECT count(*), count(DISTINCT key) FROM trueup.events").unwrap();
    let expected = WRITERS * COMMITS;
    assert_eq!(all, format!("{expected}|{expected}"));
}

#[test]
fn times_follow_the_order_of_commits() {
    let Some(database) = TestDatabase::create() else { return };
    let mut children = Vec::new();
    for writer in 0..WRITERS {
        let mut child = start_psql(&database.url());
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(writer_script(writer).as_bytes()).unwrap();
        children.push(child);
    }
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    let backwards = "SELECT count(*) FROM (
         SELECT at, lag(at) OVER (ORDER BY seq) AS earlier FROM trueup.events) e WHERE at < earlier";
    assert_eq!(database.run(backwards).unwrap(), "0");
}

#[test]
fn of_two_dependencies_that_complete_at_once_none_stays_open() {
    let Some(database) = TestDatabase::create() else { return };
    for round in 0..10 {
        let (a, b, c) = (format!("A{round}"), format!("B{round}"), format!("C{round}"));
        database
            .run(&format!(
                "SET search_path = trueup;
                 INSERT INTO work_items (key) VALUES ('{a}'), ('{b}'), ('{c}');
                 INSERT INTO item_dependencies VALUES ('{c}', '{a}'), ('{c}', '{b}')"
            ))
            .unwrap();
        let mut children = Vec::new();
        for key in [&a, &b] {
            let mut child = start_psql(&database.url());
            let sql = format!(
                "BEGIN; UPDATE trueup.work_items SET status = 'completed' WHERE key = '{key}';
                 SELECT pg_sleep(0.02); COMMIT;"
            );
            child.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
            children.push(child);
        }
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        let open = format!("SELECT open_dependencies FROM trueup.work_items WHERE key = '{c}'");
        assert_eq!(database.run(&open).unwrap(), "0");
    }
}
