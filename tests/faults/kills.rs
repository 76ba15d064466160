//! `kill -9` at random moments: nothing torn, nothing acknowledged lost, nothing piled up.

use std::fs;
use std::io::Write as _;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use support::home::{Home, Run, SESSION};

/// Fewest kills of the main loop; those that came too late do not count.
const KILLS: usize = 220;

/// A small deterministic source of chance (xorshift).
pub(crate) struct Chance(u64);

impl Chance {
    /// Starts from `TRUEUP_TEST_SEED`, else from a fixed seed; every failure names it.
    pub(crate) fn new() -> Self {
        let seed = std::env::var("TRUEUP_TEST_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or(0x5EED_0001);
        println!("TRUEUP_TEST_SEED={seed}");
        Self(seed)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}

/// Starts a process, kills it after `moment`, and tells whether it was too late: it had ended
/// well before.
pub(crate) fn kill_after(mut run: Run<'_>, input: &[u8], moment: Duration) -> bool {
    let mut child = run.spawn();
    let mut stdin = child.stdin.take().unwrap();
    // The pipe holds a payload of this size; a process that died early closes it.
    let _ = stdin.write_all(input);
    drop(stdin);
    // Its end is awaited, but no longer than that.
    let mut stdout = child.stdout.take().unwrap();
    let (running, ended) = mpsc::channel::<()>();
    thread::spawn(move || {
        let _running = running;
        std::io::copy(&mut stdout, &mut std::io::sink())
    });
    let _ = ended.recv_timeout(moment);
    child.kill().unwrap();
    child.wait().unwrap().success()
}

#[track_caller]
fn assert_cache_is_whole(home: &Home) {
    match fs::read_to_string(home.cache()) {
        Ok(text) => {
            let cache: serde_json::Value = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("a torn cache ({error}): {text}"));
            assert_eq!(cache["sessionId"], SESSION);
        }
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
    }
}

#[track_caller]
fn assert_database_is_whole(home: &Home) {
    assert_eq!(home.ask::<String>("PRAGMA quick_check", []), "ok");
    assert_eq!(
        home.database()
            .prepare("PRAGMA foreign_key_check")
            .unwrap()
            .query([])
            .unwrap()
            .next()
            .unwrap()
            .map(|_| ()),
        None
    );
}

/// Lists what killed writers left: drafts of caches and databases.
fn drafts(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(home.trueup()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let all = names.chain(home.claude_names());
    all.filter(|name| name.contains(".tmp-") || name.starts_with(".new-database-"))
        .collect()
}

#[test]
fn nothing_is_torn_or_lost_by_220_kills() {
    let home = Home::new().holding();
    let mut chance = Chance::new();
    let begun = Instant::now();
    home.run("trueup")
        .args(["set", "--task", "0", "--session", SESSION])
        .finish()
        .ok();
    // The moments reach over the whole life of a process on this machine.
    let life = u64::try_from(begun.elapsed().as_micros())
        .unwrap()
        .max(3_000);
    let (mut kills, mut acknowledged, mut number) = (0, 0, 0);
    while kills < KILLS {
        number += 1;
        assert!(
            number < 20 * KILLS,
            "the processes end before they can be killed"
        );
        let moment = Duration::from_micros(chance.below(life));
        let late = match chance.below(5) {
            0 => {
                home.set(SESSION, "chain_orchestrators", number % 2 == 0);
                let payload = home.payload("session-start.resume").bytes();
                kill_after(home.run("session-start-sync"), &payload, moment)
            }
            1 => {
                if home.cache().exists() {
                    home.edit("autoProceed", number % 2 == 0);
                }
                let payload = home.payload("post-tool-use.write").bytes();
                kill_after(home.run("checkpoint-push"), &payload, moment)
            }
            2 => {
                let payload = home.payload("pre-tool-use.agent").bytes();
                kill_after(home.run("pre-handoff-validate"), &payload, moment)
            }
            _ => {
                let task = number.to_string();
                let run = home
                    .run("trueup")
                    .args(["set", "--task", &task, "--session", SESSION]);
                let late = kill_after(run, b"", moment);
                if late {
                    acknowledged = number;
                }
                late
            }
        };
        kills += usize::from(!late);
        assert_cache_is_whole(&home);
        let stored = home.state()["currentTask"]
            .as_str()
            .unwrap()
            .parse::<usize>()
            .unwrap();
        assert!(
            stored >= acknowledged,
            "{acknowledged} was acknowledged, {stored} is stored"
        );
        if number % 20 == 0 {
            assert_database_is_whole(&home);
        }
    }
    assert_database_is_whole(&home);
    let before = drafts(&home).len();
    home.set(SESSION, "execution_state.currentPhase", "DONE");
    assert_eq!(home.start().code, Some(0));
    assert_eq!(home.cached()["currentPhase"], "DONE");
    assert_eq!(
        drafts(&home),
        [""; 0],
        "{before} drafts were there before the last write"
    );
}

#[test]
fn a_database_whose_creation_was_killed_is_absent_or_whole() {
    let home = Home::new();
    let mut chance = Chance::new();
    let payload = home.payload("session-start.startup").bytes();
    let begun = Instant::now();
    home.start().ok();
    let life = u64::try_from(begun.elapsed().as_micros())
        .unwrap()
        .max(3_000);
    let mut kills = 0;
    for _ in 0..400 {
        for name in ["trueup.db", "trueup.db-wal", "trueup.db-shm"] {
            let _ = fs::remove_file(home.trueup().join(name));
        }
        let moment = Duration::from_micros(chance.below(life));
        kills += usize::from(!kill_after(
            home.run("session-start-sync"),
            &payload,
            moment,
        ));
        if home.trueup().join("trueup.db").exists() {
            assert_database_is_whole(&home);
            home.ask::<String>("SELECT value FROM trueup_meta WHERE key = 'lineage'", []);
        }
        if kills >= 40 {
            break;
        }
    }
    assert!(kills >= 40, "only {kills} were killed in time");
    let _ = fs::remove_file(home.trueup().join("trueup.db"));
    assert_eq!(home.start().code, Some(0));
    assert_eq!(drafts(&home), [""; 0]);
}
