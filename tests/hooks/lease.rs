//! The lease is renewed when it is due, and not more often.

use support::home::{Home, SESSION};

/// Makes the last sign of life `seconds` old; returns it.
fn silent_for(home: &Home, seconds: u32) -> String {
    home.sql(
        "UPDATE claude_sessions SET heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?1)",
        [format!("-{seconds} seconds")],
    );
    home.session("heartbeat_at", SESSION)
}

#[test]
fn the_lease_is_renewed_at_most_every_120_seconds() {
    let home = Home::new().holding();
    for (silence, renewed) in [(0, false), (100, false), (121, true), (800, true)] {
        let before = silent_for(&home, silence);
        home.push("post-tool-use.write").assert_silent();
        let after: String = home.session("heartbeat_at", SESSION);
        assert_eq!(after != before, renewed, "{silence} s");
    }
}

#[test]
fn a_short_lease_is_renewed_every_third_of_it() {
    let home = Home::new().holding();
    for (silence, renewed) in [(8, false), (11, true)] {
        let before = silent_for(&home, silence);
        let payload = home.payload("post-tool-use.write");
        let run = home
            .run("checkpoint-push")
            .payload(&payload)
            .env("TRUEUP_LEASE_SECONDS", "30");
        run.finish().assert_silent();
        let after: String = home.session("heartbeat_at", SESSION);
        assert_eq!(after != before, renewed, "{silence} s");
    }
}

#[test]
fn a_renewed_lease_lasts_as_long_as_configured() {
    let home = Home::new().holding();
    let length = "CAST(round((julianday(lease_expires_at) - julianday(heartbeat_at)) * 86400)
                  AS INTEGER)";
    assert_eq!(home.session::<i64>(length, SESSION), 900);
    silent_for(&home, 200);
    let payload = home.payload("user-prompt-submit");
    let run = home
        .run("session-start-sync")
        .payload(&payload)
        .env("TRUEUP_LEASE_SECONDS", "60");
    run.finish().ok();
    assert_eq!(home.session::<i64>(length, SESSION), 60);
}

#[test]
fn an_end_does_not_renew() {
    let home = Home::new().holding();
    let before = silent_for(&home, 300);
    home.push("session-end.other").assert_silent();
    assert_eq!(home.session::<String>("heartbeat_at", SESSION), before);
}
