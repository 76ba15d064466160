//! Following a refusal ends it: in a state with each divergence, every advised command is run
//! literally, and the divergence must be gone.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use support::client::find_binary;
use support::home::{FIRST_SESSION, Home, Payload, ProcessOutput, SECOND_SESSION};

/// A state with a divergence.
struct State {
    /// The beginning of its message.
    line: &'static str,
    /// Creates the state, in a session that holds SD-002C.
    make: fn(&Home),
    /// How many commands are advised.
    ways: usize,
}

const STATES: [State; 8] = [
    State { line: "Branch mismatch", make: |home| wrong_branch(home, "feat/SD-002B-x"), ways: 2 },
    State {
        line: "Branch mismatch",
        make: |home| {
            home.run_git(&["branch", "feat/SD-002C-handoff"]);
            wrong_branch(home, "feat/sd-002b-handoff");
        },
        ways: 2,
    },
    State {
        line: "Branch mismatch",
        make: |home| {
            wrong_branch(home, "feat/SD-002B-x");
            held_by_second(home, "SD-002B");
        },
        ways: 1,
    },
    State {
        line: "Branch mismatch",
        make: |home| {
            wrong_branch(home, "feat/SD-002B-x");
            home.execute_sql("UPDATE work_items SET status = 'running' WHERE key = 'SD-002B'", []);
            home.execute_sql(
                "UPDATE work_items SET status = 'completed' WHERE key = 'SD-002B'",
                [],
            );
        },
        ways: 1,
    },
    State {
        line: "Branch mismatch",
        make: |home| {
            // The branch of the item is checked out elsewhere, so git does not switch to it.
            let elsewhere = home.root().join("elsewhere");
            let elsewhere = elsewhere.to_str().unwrap();
            home.run_git(&["worktree", "add", "--quiet", "-b", "feat/SD-002C", elsewhere]);
            wrong_branch(home, "feat/SD-002B-x");
        },
        ways: 2,
    },
    State {
        line: "Branch mismatch",
        make: |home| {
            wrong_branch(home, "feat");
            home.run_git(&["switch", "--quiet", "-c", "SD-002B"]);
            fs::write(home.project_dir().join("dirty.txt"), "x").unwrap();
        },
        ways: 2,
    },
    State {
        line: "claim on SD-002C now belongs to",
        make: |home| held_by_second(home, "SD-002C"),
        ways: 1,
    },
    State {
        line: "claim on SD-002C now belongs to nobody",
        make: |home| {
            home.execute_sql("UPDATE work_items SET holder = NULL WHERE key = 'SD-002C'", []);
        },
        ways: 1,
    },
];

fn wrong_branch(home: &Home, branch: &str) {
    home.execute_sql("INSERT INTO work_items (key) VALUES ('SD-002B')", []);
    home.run_git(&["switch", "--quiet", "-c", branch]);
}

fn held_by_second(home: &Home, item: &str) {
    let start = home.payload("session-start.startup").for_session(SECOND_SESSION);
    home.run_hook("session-start-sync", &start);
    home.give_item(SECOND_SESSION, item);
}

fn run_guard(home: &Home) -> ProcessOutput {
    home.run_hook("pre-handoff-validate", &home.payload("stop"))
}

/// Lists the commands that a refusal names.
fn commands(answer: &ProcessOutput) -> Vec<String> {
    let ways = ["Run: ", "Then: ", "Or: "];
    let command = |line: &str| {
        let way = ways.iter().find_map(|way| line.split_once(way));
        way.map(|(_, command)| command.to_owned())
    };
    answer.stderr.lines().filter_map(command).collect()
}

/// Runs a command in a shell, as an agent does.
fn shell(home: &Home, command: &str) {
    let binaries: PathBuf = find_binary("trueup").unwrap().parent().unwrap().to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(home.project_dir())
        .env_clear()
        .env("HOME", home.user_home())
        .env("TRUEUP_HOME", home.trueup_home())
        .env("TRUEUP_SESSION_ID", FIRST_SESSION)
        .env("CLAUDE_PID", std::process::id().to_string())
        .env("PATH", format!("{}:{path}", binaries.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
}

#[test]
fn each_advised_command_ends_the_refusal() {
    for (number, state) in STATES.iter().enumerate() {
        let made = || {
            let home = Home::new().with_held_item();
            (state.make)(&home);
            let answer = run_guard(&home);
            assert_eq!(answer.code, Some(2), "state {number}: {answer:?}");
            assert!(answer.stderr.contains(state.line), "state {number}: {answer:?}");
            let advised = commands(&answer);
            assert_eq!(advised.len(), state.ways, "state {number}: {advised:?}");
            (home, advised)
        };
        for way in 0..state.ways {
            let (home, advised) = made();
            let command = &advised[way];
            // The guard allows the advised command itself.
            let bash = home.payload("pre-tool-use.bash").with_input("command", command.as_str());
            home.run_hook("pre-handoff-validate", &bash).assert_silent();
            shell(&home, command);
            let answer = run_guard(&home);
            assert_eq!(answer.code, Some(0), "state {number}, {command}: {answer:?}");
            assert!(!answer.stderr.contains(state.line), "{command}: {answer:?}");
        }
    }
}

#[test]
fn another_sessions_work_is_not_reported_as_ones_own() {
    let home = Home::new().with_held_item();
    fs::write(home.trueup_home().join("trueup.db"), "garbage, no database".repeat(20)).unwrap();
    let start = |session: &str| -> String {
        let payload: Payload = home.payload("session-start.startup").for_session(session);
        home.run_hook("session-start-sync", &payload).context()
    };
    let others = start(SECOND_SESSION);
    assert!(
        others.contains(&format!("belongs to session {FIRST_SESSION}, not to this one")),
        "{others}"
    );
    let own = start(FIRST_SESSION);
    assert!(own.contains("so this is the local copy, which may be outdated"), "{own}");
}

/// A state with a divergence of the session, by its code.
struct Difference {
    code: &'static str,
    /// Creates the state, in a session that holds SD-002C.
    make: fn(&Home),
}

const DIFFERENCES: [Difference; 13] = [
    Difference { code: "S-01", make: |home| home.edit_cache("currentSd", "SD-002B") },
    Difference {
        code: "S-02",
        make: |home| {
            shell(home, "trueup release");
            home.edit_cache("currentSd", "SD-002B");
        },
    },
    Difference {
        code: "S-03",
        make: |home| home.set_state(FIRST_SESSION, "execution_state.currentPhase", "VERIFY"),
    },
    Difference {
        code: "S-04",
        make: |home| home.set_state(FIRST_SESSION, "execution_state.currentTask", "another"),
    },
    Difference { code: "S-05", make: |home| wrong_branch(home, "feat/SD-002B-x") },
    Difference {
        code: "S-06",
        make: |home| home.set_state(FIRST_SESSION, "chain_orchestrators", true),
    },
    Difference { code: "S-07", make: |home| fs::remove_file(home.cache_path()).unwrap() },
    Difference { code: "S-08", make: |home| home.write_cache("{") },
    Difference {
        code: "S-08",
        make: |home| {
            fs::rename(home.cache_path(), home.root().join("elsewhere")).unwrap();
            std::os::unix::fs::symlink(home.root().join("elsewhere"), home.cache_path()).unwrap();
        },
    },
    Difference {
        code: "S-08",
        make: |home| {
            let (dir, elsewhere) = (home.project_dir().join(".claude"), home.root().join("a b"));
            fs::rename(&dir, &elsewhere).unwrap();
            std::os::unix::fs::symlink(&elsewhere, &dir).unwrap();
        },
    },
    Difference {
        code: "S-09",
        make: |home| {
            let mut cache = home.read_cache();
            cache["_trueup"]["lineage"] = "another".into();
            home.write_cache(cache.to_string());
        },
    },
    Difference { code: "S-10", make: |home| home.edit_cache("currentTask", "mine") },
    Difference { code: "S-13", make: |home| held_by_second(home, "SD-002C") },
];

#[test]
fn each_fix_of_a_session_ends_its_finding() {
    for (number, difference) in DIFFERENCES.iter().enumerate() {
        let home = Home::new().with_held_item();
        (difference.make)(&home);
        let find = || {
            let run = home.prepare_run("validate-session-state").args([
                "--json",
                "--session",
                FIRST_SESSION,
            ]);
            let answer = run.wait().json();
            let found = answer["divergences"].as_array().unwrap();
            found.iter().find(|d| d["code"] == difference.code).cloned()
        };
        let found = find().unwrap_or_else(|| panic!("{number}: no {}", difference.code));
        let fix = found["fix"].as_str().unwrap_or_else(|| panic!("{number}: {found}"));
        shell(&home, fix);
        assert_eq!(find(), None, "{number}: {fix}");
    }
}
