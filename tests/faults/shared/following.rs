//! `trueup log --follow` and `trueup plan watch` while their server is stopped, killed and started
//! again: they go on where they were.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::scene::{Scene, Server, new_key};

/// How long a line may take on a machine that has much else to do.
const LIMIT: Duration = Duration::from_mins(2);

/// A command that follows, and the objects that it prints.
struct Follower {
    child: Child,
    lines: Receiver<Value>,
}

impl Follower {
    fn start(scene: &Scene<'_>, url: &str, arguments: &[&str]) -> Self {
        let mut run = scene.command(url, arguments).env("TRUEUP_DEADLINE_MS", "1000");
        let mut child = run.spawn();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, lines }
    }

    /// Waits for an object that is as it should be, and returns those before it as well.
    fn wait_for(&mut self, is_it: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut seen = Vec::new();
        loop {
            let line = self.lines.recv_timeout(LIMIT);
            let line = line.unwrap_or_else(|_| {
                let ended = self.child.try_wait().unwrap();
                panic!("nothing follows {seen:?}; ended: {ended:?}")
            });
            let is_found = is_it(&line);
            seen.push(line);
            if is_found {
                return seen;
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn who_follows_outlasts_an_outage_and_misses_nothing() {
    let Some(server) = Server::start() else { return };
    let url = server.url();
    let scene = Scene::new(&server);
    let plan = scene.home.project_dir().join("plan.md");
    fs::write(&plan, "# Plan\n\n## Phase 1: All\n\n- [ ] 1.1 One\n- [ ] 1.2 Two\n").unwrap();
    let run = |arguments: &[&str]| scene.command(&url, arguments).wait().ok();
    run(&["plan", "import", plan.to_str().unwrap()]);
    let follow = ["log", "--follow", "--json", "--limit", "0"];
    let mut log = Follower::start(&scene, &url, &follow);
    let mut watch = Follower::start(&scene, &url, &["plan", "watch", "--json"]);
    watch.wait_for(|_| true);
    let mut sequence = Vec::new();
    let mut add_and_see = |log: &mut Follower| {
        let key = new_key();
        run(&["item", "add", &key]);
        let seen = log.wait_for(|event| event["key"] == key.as_str());
        sequence.extend(seen.iter().map(|event| event["seq"].as_i64().unwrap()));
    };
    add_and_see(&mut log);

    server.postgres.freeze();
    let frozen =
        scene.command(&url, &["item", "add", "FAULT-X1"]).env("TRUEUP_DEADLINE_MS", "1000");
    assert_eq!(frozen.wait().code, Some(3));
    server.postgres.thaw();
    add_and_see(&mut log);

    server.postgres.crash();
    let refused = scene.command(&url, &["item", "add", "FAULT-X2"]).wait();
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("the connection was refused"), "{refused:?}");
    server.postgres.start_again();
    add_and_see(&mut log);
    run(&["plan", "skip", "1.1", "--reason", "after the outage"]);
    watch.wait_for(|plan| plan.to_string().contains("skipped"));
    log.wait_for(|event| event["entity"] == "plan_task" && event["after"] != Value::Null);

    let all = server.postgres.run_sql("work", "SELECT seq FROM trueup.events ORDER BY seq");
    let all: Vec<i64> = all.lines().map(|line| line.parse().unwrap()).collect();
    assert!(all.starts_with(&sequence), "{sequence:?} of {all:?}");
}
