//! What a session holds is its own to move.

use support::home::{SECOND, SESSION, bystander};

use super::scene::{Clone, of_code};
use crate::fixture::{codes, data, second};

fn say_done(clone: &Clone) {
    clone.swap("T01\nstatus: todo", "T01\nstatus: done");
    clone.git(&["commit", "-q", "-a", "-m", "done"]);
}

#[test]
fn what_another_live_session_holds_is_not_moved_and_that_is_said() {
    let clone = Clone::linked();
    clone.home.start().ok();
    let process = bystander();
    second(&clone.home, Some(&process));
    data(
        &clone.home,
        &["claim", "CUST-WP-0026-T01", "--session", SECOND],
    );
    say_done(&clone);
    for session in [SESSION, SESSION] {
        let object = clone.object(0, &["--fix", "--session", session]);
        assert_eq!(codes(&object), ["C-10"]);
        let warnings = object["warnings"].to_string();
        assert!(
            warnings.contains(SECOND) && warnings.contains("CUST-WP-0026-T01"),
            "{object}"
        );
        assert_eq!(clone.status("CUST-WP-0026-T01"), "running");
    }
    let text = clone.run(&["--fix", "--session", SESSION]).ok().stdout;
    assert!(
        text.contains(&format!("session {SECOND} holds it")),
        "{text}"
    );
    assert_eq!(text.matches(SECOND).count(), 1, "{text}");
    // Its own run may.
    let object = clone.object(0, &["--fix", "--session", SECOND]);
    assert_eq!(of_code(&object, "C-10").len(), 1);
    assert_eq!(object["data"]["repos"][0]["mended"][0], "C-10");
    assert_eq!(clone.status("CUST-WP-0026-T01"), "completed");
}

#[test]
fn the_sessions_own_item_goes_on_and_its_cache_with_it() {
    let clone = Clone::linked();
    clone.home.start().ok();
    data(
        &clone.home,
        &["claim", "CUST-WP-0026-T01", "--session", SESSION],
    );
    assert_eq!(clone.home.cached()["currentSd"], "CUST-WP-0026-T01");
    say_done(&clone);
    clone.object(0, &["--fix", "--session", SESSION]);
    assert_eq!(clone.status("CUST-WP-0026-T01"), "completed");
    crate::fixture::assert_in_step(&clone.home);
    let phantom = clone.object(1, &["--fix", "--session", "nobody"]);
    assert_eq!(phantom["error"]["code"], "phantom_session");
}
