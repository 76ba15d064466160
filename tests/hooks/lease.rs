//! The lease is renewed when that is due, and not more often.

use support::home::{FIRST_SESSION, Home};

/// Makes the last heartbeat `seconds` old; returns its time.
fn silent_for(home: &Home, seconds: u32) -> String {
    home.execute_sql(
        "UPDATE claude_sessions SET heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?1)",
        [format!("-{seconds} seconds")],
    );
    home.session_column("heartbeat_at", FIRST_SESSION)
}

#[test]
fn the_lease_is_renewed_at_most_every_120_seconds() {
    let home = Home::new().with_held_item();
    for (silence, renewed) in [(0, false), (100, false), (121, true), (800, true)] {
        let before = silent_for(&home, silence);
        home.push_event("post-tool-use.write").assert_silent();
        let after: String = home.session_column("heartbeat_at", FIRST_SESSION);
        assert_eq!(after != before, renewed, "{silence} s");
    }
}

#[test]
fn a_short_lease_is_renewed_every_third_of_it() {
    let home = Home::new().with_held_item();
    for (silence, renewed) in [(8, false), (11, true)] {
        let before = silent_for(&home, silence);
        let payload = home.payload("post-tool-use.write");
        let run =
            home.prepare_run("checkpoint-push").payload(&payload).env("TRUEUP_LEASE_SECONDS", "30");
        run.wait().assert_silent();
        let after: String = home.session_column("heartbeat_at", FIRST_SESSION);
        assert_eq!(after != before, renewed, "{silence} s");
    }
}

#[test]
fn a_renewed_lease_lasts_as_long_as_configured() {
    let home = Home::new().with_held_item();
    let length = "CAST(round((julianday(lease_expires_at) - julianday(heartbeat_at)) * 86400)
                  AS INTEGER)";
    assert_eq!(home.session_column::<i64>(length, FIRST_SESSION), 900);
    silent_for(&home, 200);
    let payload = home.payload("user-prompt-submit");
    let run =
        home.prepare_run("session-start-sync").payload(&payload).env("TRUEUP_LEASE_SECONDS", "60");
    run.wait().ok();
    assert_eq!(home.session_column::<i64>(length, FIRST_SESSION), 60);
}

#[test]
fn an_end_does_not_renew() {
    let home = Home::new().with_held_item();
    let before = silent_for(&home, 300);
    home.push_event("session-end.other").assert_silent();
    assert_eq!(home.session_column::<String>("heartbeat_at", FIRST_SESSION), before);
}
