//! The server of a session goes away in its middle: the user is told once, and no step is lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::client::{HarnessResult, Scratch, Turn};
use support::network::faulty_proxy::{Fault, FaultSwitch, FaultyProxy};
use support::postgres::TestDatabase;

use crate::fixture::session_with_claim;

/// How long something may take that nobody waits for.
const PATIENCE: Duration = Duration::from_mins(2);

/// A turn in which the network gets a fault, set by the test when the file appears.
fn switch_turn(file: &Path) -> Turn {
    let file = file.display();
    Turn::bash(&format!("touch {file}; until [ -e {file}.done ]; do sleep 0.02; done"))
}

/// A turn in which the agent goes on to a step.
fn step_turn(number: usize) -> Turn {
    let todo = json!({"content": step(number), "status": "in_progress", "activeForm": "Going on"});
    Turn::call("TodoWrite", json!({"todos": [todo]}))
}

fn step(number: usize) -> String {
    format!("step {number}")
}

/// Sets a fault once a file appears, and says so.
fn set_when(file: PathBuf, network: FaultSwitch, fault: Fault) {
    thread::spawn(move || {
        await_file(&file);
        network.set(fault);
        // Without it the test waits in vain, and says for what.
        drop(fs::write(file.with_extension("done"), ""));
    });
}

fn await_file(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < PATIENCE, "{} does not come", path.display());
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a pull has found that the server is away.
fn is_outage_known(scratch: &Scratch) -> bool {
    let folders = fs::read_dir(scratch.trueup_home().join("replica")).into_iter().flatten();
    let files = folders.flatten().flat_map(|folder| fs::read_dir(folder.path()));
    files.flatten().flatten().any(|file| {
        let replica: Option<Value> =
            fs::read(file.path()).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        replica.is_some_and(|replica| !replica["outage_since"].is_null())
    })
}

#[test]
fn an_outage_in_the_middle_of_a_session_costs_one_line_and_no_step() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let Some(database) = TestDatabase::create() else {
        return Ok(());
    };
    let direct = database.add_user("trueup_client");
    let (_, rest) = direct.rsplit_once(':').ok_or("the URL has no port")?;
    let (port, _) = rest.split_once('/').ok_or("the URL has no database")?;
    let (proxy, network) = FaultyProxy::start_switched(port.parse()?);
    let url = direct.replace(&format!(":{port}/"), &format!(":{}/", proxy.port));
    let config = scratch.trueup_home().join("config.toml");
    fs::write(config, format!("database_url = {url:?}\n"))?;
    let session = session_with_claim(&scratch)?;

    let (gone, back) = (scratch.repo().join("gone"), scratch.repo().join("back"));
    set_when(gone.clone(), network.clone(), Fault::BlackHole);
    set_when(back.clone(), network, Fault::None);
    let turns =
        [step_turn(1), switch_turn(&gone), step_turn(2), step_turn(3), step_turn(4), step_turn(5)];
    let mut live = scratch
        .plan_run(turns)
        .resume(&session)
        .option("--model", "claude-sonnet-4-5")
        .env("CLAUDE_CODE_ENABLE_TASKS", "false")
        .open_session()?;
    live.send("go on")?;
    let begun = Instant::now();
    while !is_outage_known(&scratch) {
        assert!(begun.elapsed() < PATIENCE, "nobody noticed");
        thread::sleep(Duration::from_millis(20));
    }
    live.send("and on")?;
    live.send("still there?")?;
    fs::write(&back, "")?;
    await_file(&back.with_extension("done"));
    let begun = Instant::now();
    while scratch.run_trueup(&session, &["pull"])?["ok"] != true {
        assert!(begun.elapsed() < PATIENCE, "the server does not answer");
        thread::sleep(Duration::from_millis(20));
    }
    live.send("and now?")?;
    let run = live.finish()?;

    let messages: Vec<String> =
        run.hooks("").iter().map(support::client::HookResponse::system_message).collect();
    let lines: Vec<&String> = messages.iter().filter(|text| !text.is_empty()).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let told = lines.first().map_or("", |told| told.as_str());
    assert!(told.starts_with("⚠️ database unreachable since "), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    let log = scratch.run_trueup(&session, &["log", "--kind", "state"])?;
    let events = log["data"]["events"].as_array().into_iter().flatten();
    let tasks: Vec<&str> = events
        .filter_map(|event| event["after"]["execution_state"]["currentTask"].as_str())
        .filter(|task| task.starts_with("step "))
        .collect();
    assert_eq!(tasks, (1..=5).map(step).collect::<Vec<_>>());
    Ok(())
}
