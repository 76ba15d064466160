//! `kill -9` of commands that write to a server: all or nothing, and a repetition takes effect once.

use std::time::Instant;

use super::super::kill_loop::{Fate, KillLoop};
use super::scene::{Scene, Server, new_key};

/// Kills of the loop.
const KILLS: usize = 15;

#[test]
fn what_was_killed_is_whole_or_absent_and_is_done_once_when_repeated() {
    let Some(server) = Server::shared() else { return };
    let scene = Scene::new(server);
    let url = server.url();
    let (key, begun) = (new_key(), Instant::now());
    let add = ["item", "add", &key, "--title", "killed", "--op-id", &key];
    scene.command(&url, &add).wait().ok();
    let mut kill_loop = KillLoop::new(KILLS).with_life(begun.elapsed());
    scene.check_repetition("not killed", &add, &key);
    while kill_loop.goes_on() {
        let key = new_key();
        let add = ["item", "add", &key, "--title", "killed", "--op-id", &key];
        let fate = kill_loop.kill(scene.command(&url, &add), b"");
        assert_ne!(fate, Fate::Failed, "{key}");
        let (items, events) = scene.count(&key);
        assert!(items == events && items <= 1, "{key}: {items} items, {events} events");
        assert!(fate == Fate::Killed || items == 1, "{key} was acknowledged");
        scene.command(&url, &add).wait().ok();
        assert_eq!(scene.count(&key), (1, 1), "{key}");
    }
}
