//! Many processes at once: one winner, and no lost update.

use std::thread;

use serde_json::Value;
use support::home::{Answer, Home, SESSION};

pub(crate) const PROCESSES: usize = 64;
pub(crate) const ROUNDS: usize = 5;

/// Runs `trueup` by as many processes at once as race.
pub(crate) fn at_once(home: &Home, arguments: impl Fn(usize) -> Vec<String> + Sync) -> Vec<Answer> {
    so_many_at_once(home, PROCESSES, arguments)
}

/// Runs `trueup` this often at once.
pub(crate) fn so_many_at_once(
    home: &Home,
    count: usize,
    arguments: impl Fn(usize) -> Vec<String> + Sync,
) -> Vec<Answer> {
    thread::scope(|scope| {
        let arguments = &arguments;
        let start = |n| scope.spawn(move || home.run("trueup").args(arguments(n)).finish());
        let workers: Vec<_> = (0..count).map(start).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .collect()
    })
}

#[test]
fn of_64_processes_that_claim_one_item_exactly_one_wins() {
    let home = Home::new();
    home.start().ok();
    let id = |n: usize| format!("racer-{n:02}");
    for n in 0..PROCESSES {
        home.sql(
            "INSERT INTO claude_sessions (session_id, worktree) VALUES (?1, ?2)",
            [id(n), home.project().display().to_string()],
        );
    }
    for round in 0..ROUNDS {
        let key = format!("RACE-{round}");
        home.add_item(&key);
        let answers = at_once(&home, |n| {
            ["claim", &key, "--json", "--session", &id(n)]
                .map(str::to_owned)
                .to_vec()
        });
        let winners: Vec<usize> = (0..PROCESSES)
            .filter(|n| answers[*n].code == Some(0))
            .collect();
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        let holder: String = home.ask("SELECT holder FROM work_items WHERE key = ?1", [&key]);
        assert_eq!(holder, id(winners[0]));
        for (n, answer) in answers.iter().enumerate().filter(|(n, _)| *n != winners[0]) {
            assert_eq!(answer.code, Some(1), "round {round}, {n}: {answer:?}");
            assert_eq!(
                answer.json()["error"]["code"],
                "held_by_live_session",
                "{answer:?}"
            );
            assert_eq!(answer.json()["data"]["holder"]["session_id"], holder);
        }
        assert_eq!(home.events("claimed", &key), 1);
        let epoch: i64 = home.ask("SELECT claim_epoch FROM work_items WHERE key = ?1", [&key]);
        assert_eq!(epoch, 1);
    }
}

#[test]
fn of_64_processes_that_push_different_keys_none_is_lost() {
    let home = Home::new();
    home.start().ok();
    for round in 0..ROUNDS {
        let answers = at_once(&home, |n| {
            let pair = format!("k{round}_{n}={n}");
            ["set", "--metadata", &pair, "--session", SESSION]
                .map(str::to_owned)
                .to_vec()
        });
        for answer in &answers {
            assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), ""));
        }
        let text: String = home.session("metadata", SESSION);
        let metadata: Value = serde_json::from_str(&text).unwrap();
        for earlier in 0..=round {
            for n in 0..PROCESSES {
                assert_eq!(
                    metadata[format!("k{earlier}_{n}")],
                    n,
                    "round {round}: {text}"
                );
            }
        }
        assert_eq!(metadata["branch"], "main");
    }
}

#[test]
fn sessions_that_start_at_once_share_one_new_database() {
    for _ in 0..ROUNDS {
        let home = Home::new();
        thread::scope(|scope| {
            for n in 0..16 {
                let payload = home.payload("session-start.startup").of(&format!("s{n}"));
                let home = &home;
                scope.spawn(move || home.hook("session-start-sync", &payload).ok());
            }
        });
        let known: i64 = home.ask("SELECT count(*) FROM claude_sessions", []);
        assert_eq!(known, 16);
        assert_eq!(
            home.ask::<i64>("SELECT count(*) FROM trueup_meta WHERE key = 'lineage'", []),
            1
        );
        let exclude = home.project().join(".git/info/exclude");
        let text = std::fs::read_to_string(exclude).unwrap();
        assert!(text.contains("**/.claude/auto-proceed-state*\n"), "{text}");
        assert!(
            home.claude_names()
                .iter()
                .all(|name| !name.contains(".tmp-"))
        );
    }
}
