//! `kill -9` of hooks and pulls at random moments, of several sessions at once.

use std::fs;
use std::thread;

use super::super::super::kill_loop::{Fate, KillLoop};
use super::super::scene::Server;
use super::fixture::{RemoteSession, step_name};

/// How many sessions there are, and how often hooks and pulls of each are killed: 500 in all.
const SESSIONS: u64 = 5;
const KILLS_OF_HOOKS: usize = 50;
const KILLS_OF_PULLS: usize = 50;

/// Kills hooks and pulls of a session; returns the steps that were acknowledged, and how many there
/// were.
fn kill_again_and_again(session: &RemoteSession<'_>, number: u64) -> (Vec<String>, usize) {
    let mut hooks = KillLoop::new(KILLS_OF_HOOKS).with_stream(2 * number);
    let mut pulls = KillLoop::new(KILLS_OF_PULLS).with_stream(2 * number + 1);
    let (mut step, mut acknowledged) = (0, Vec::new());
    while hooks.goes_on() || pulls.goes_on() {
        let payload = session.step(step);
        let push = session.prepare_hook("checkpoint-push", &payload);
        match hooks.kill(push, &payload.to_bytes()) {
            Fate::Done => acknowledged.push(step_name(step)),
            Fate::Killed => {}
            Fate::Failed => panic!("step {step} failed"),
        }
        step += 1;
        pulls.kill(session.prepare_command(&["pull"]), b"");
    }
    (acknowledged, step)
}

fn check_after_kills(session: &RemoteSession<'_>, number: u64) {
    let (acknowledged, steps) = kill_again_and_again(session, number);
    // The session goes on as if nothing had been.
    session.push(steps).ok();
    session.pull();
    let arrived = session.list_tasks();
    assert!(arrived.is_sorted_by(|before, after| before < after), "{arrived:?}");
    let is_lost = |step: &&String| !arrived.contains(step);
    assert_eq!(acknowledged.iter().find(is_lost), None, "{arrived:?}");
    assert_eq!(arrived.last(), Some(&step_name(steps)));
    assert_eq!(session.home.read_cache()["currentTask"], step_name(steps));
    session.check_nothing_set_aside("kills");
    let folder = session.replica_path().parent().map(fs::read_dir).unwrap();
    let left: Vec<_> = folder.unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 1, "beside the replica lies what killed processes left: {left:?}");
}

#[test]
fn hooks_and_pulls_that_are_killed_lose_nothing_and_write_nothing_twice() {
    let Some(server) = Server::start() else { return };
    let server = &server;
    thread::scope(|scope| {
        for number in 0..SESSIONS {
            scope.spawn(move || {
                check_after_kills(&RemoteSession::start(server, server.url()), number);
            });
        }
    });
}
