//! Clocks that are wrong, and databases that go back in time.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use support::home::Payload;
use support::network::faulty_proxy::{Fault, FaultyProxy};

use super::super::scene::{SHORT_DEADLINE_MS, Server, url_by};
use super::fixture::{RemoteSession, step_name};

/// Finds the library that fakes the clock of a program; says so where there is none. The program of
/// the same name would wait for what the hook leaves behind.
fn find_fake_clock() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut libraries = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    let found = libraries.find(|library| library.exists());
    if found.is_none() {
        println!("SKIPPED: there is no libfaketime; install the package faketime");
    }
    found
}

#[test]
fn a_clock_that_is_an_hour_off_loses_and_reorders_nothing() {
    let Some(library) = find_fake_clock() else { return };
    let Some(server) = Server::start() else { return };
    let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
    let session = RemoteSession::start(&server, url_by("agent", proxy.port));
    let prepare = |offset: &str, hook: &str, payload: &Payload| {
        let run = session.prepare_hook(hook, payload);
        run.env("LD_PRELOAD", &library).env("FAKETIME", offset)
    };
    let offsets = ["+0h", "+1h", "-1h", "+0h", "-1h", "+1h"];
    for (is_away, steps) in [(true, 0..12), (false, 12..24)] {
        network.set(if is_away { Fault::CutAfter(0) } else { Fault::None });
        for (number, offset) in steps.zip(offsets.iter().cycle()) {
            let output = prepare(offset, "checkpoint-push", &session.step(number)).wait();
            assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
        }
    }
    session.check_arrived("clocks", 0..24);
    // A late pull of a hook has the clock of that hook.
    session.await_quiet();
    session.pull();
    // How old the replica is, a clock that went back cannot tell: the hand-off is not decided on it.
    network.set(Fault::CutAfter(0));
    let handoff = session.payload("pre-tool-use.agent");
    for (offset, decision) in [("+0h", Value::Null), ("-1h", json!("ask")), ("+1h", json!("ask"))] {
        // It waits for half of its time for a pull to bring what is missing.
        let run = prepare(offset, "pre-handoff-validate", &handoff);
        let output = run.env("TRUEUP_DEADLINE_MS", SHORT_DEADLINE_MS).wait();
        let found = output.json()["hookSpecificOutput"]["permissionDecision"].clone();
        assert_eq!(found, decision, "{offset}: {output:?}");
    }
}

#[test]
fn a_server_whose_clock_is_stepped_loses_nothing_and_frees_nothing_that_lives() {
    let Some(server) = Server::start() else { return };
    let session = RemoteSession::start(&server, server.url());
    let set_clock = |offset: &str| {
        let sql = format!(
            "CREATE OR REPLACE FUNCTION trueup.clock() RETURNS timestamptz LANGUAGE sql STABLE
             RETURN coalesce(nullif(current_setting('trueup.clock', true), '')::timestamptz,
                 clock_timestamp()) + interval '{offset}'"
        );
        server.postgres.run_sql("work", &sql);
    };
    let held = format!("SELECT count(*) FROM trueup.work_items WHERE holder = '{}'", session.id);
    for (number, offset) in ["1 hour", "0", "-1 hour", "0", "1 hour"].into_iter().enumerate() {
        set_clock(offset);
        session.push(number).ok();
        session.pull();
        // Whoever starts sweeps dead sessions.
        RemoteSession::start(&server, server.url());
        assert_eq!(server.postgres.run_sql("work", &held).trim(), "1", "{offset}");
    }
    session.check_arrived("the server's clock", 0..5);
    session.prompt().assert_silent();
}

#[test]
fn a_database_restored_from_a_backup_is_noticed_and_what_only_the_session_knew_is_kept() {
    let Some(server) = Server::start() else { return };
    let session = RemoteSession::start(&server, server.url());
    session.push(0).ok();
    session.pull();
    let sql = |text: &str| server.postgres.run_sql("work", text);
    sql("CREATE TABLE backup AS SELECT * FROM trueup.claude_sessions;
         CREATE TABLE backup_end AS SELECT max(seq) AS seq FROM trueup.events");
    for number in 1..4 {
        session.push(number).ok();
        session.pull();
    }
    session.prompt().ok();
    sql("SET session_replication_role = replica;
         UPDATE trueup.claude_sessions SET metadata = b.metadata, revision = b.revision,
             moved_revision = b.moved_revision, acknowledged_revision = b.acknowledged_revision
         FROM backup AS b;
         DELETE FROM trueup.events WHERE seq > (SELECT seq FROM backup_end)");
    session.pull();
    let told = session.prompt().ok().message();
    assert!(told.iter().any(|line| line.contains("restored from a backup?")), "{told:?}");
    let journal = session.home.read_lines("journal.jsonl");
    assert_eq!(journal.len(), 1, "{journal:?}");
    assert_eq!(journal[0]["fields"]["Task"], step_name(3));
    assert_eq!(session.home.read_cache()["currentTask"], step_name(0));
    session.push(4).ok();
    session.pull();
    assert_eq!(session.list_tasks(), [step_name(0), step_name(4)]);
}
