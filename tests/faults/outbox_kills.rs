//! `kill -9` during a drain: every write is delivered once, in order.

use support::home::{FIRST_SESSION, Home};

use super::kill_loop::KillLoop;
use super::outbox::{carried_out, fill_outbox};

/// Kills of the loop.
const KILLS: usize = 40;

#[test]
fn a_drain_that_is_killed_again_and_again_loses_nothing_and_writes_nothing_twice() {
    let home = Home::new().with_held_item();
    let all = fill_outbox(&home, 3_000);
    let mut kill_loop = KillLoop::new(KILLS);
    let push = home.payload("post-tool-use.bash").to_bytes();
    while kill_loop.goes_on() {
        // Little time for each, so that many drains are needed.
        let run = home.prepare_run("checkpoint-push");
        kill_loop.kill(run.env("TRUEUP_DEADLINE_MS", "100"), &push);
        let so_far = carried_out(&home);
        assert_eq!(so_far, all[..so_far.len()], "in order, each once");
    }
    home.send_prompt().ok();
    assert_eq!(carried_out(&home), all);
    assert_eq!(home.read_lines("journal.jsonl").len(), 0);
    assert_eq!(home.session_column::<i64>("revision > 3000", FIRST_SESSION), 1);
}
