//! Items that a session holds are moved by that session only.

use support::home::{FIRST_SESSION, SECOND_SESSION, spawn_bystander};

use super::scene::{Clone, of_code};
use crate::fixture::{codes, data, second};

fn say_done(clone: &Clone) {
    clone.swap("T01\nstatus: todo", "T01\nstatus: done");
    clone.git(&["commit", "-q", "-a", "-m", "done"]);
}

#[test]
fn items_held_by_another_live_session_are_reported_and_not_moved() {
    let clone = Clone::linked();
    clone.home.start_session().ok();
    let process = spawn_bystander();
    second(&clone.home, Some(&process));
    data(&clone.home, &["claim", "CUST-WP-0026-T01", "--session", SECOND_SESSION]);
    say_done(&clone);
    for session in [FIRST_SESSION, FIRST_SESSION] {
        let object = clone.object(0, &["--fix", "--session", session]);
        assert_eq!(codes(&object), ["C-10"]);
        let warnings = object["warnings"].to_string();
        assert!(
            warnings.contains(SECOND_SESSION) && warnings.contains("CUST-WP-0026-T01"),
            "{object}"
        );
        assert_eq!(clone.status("CUST-WP-0026-T01"), "running");
    }
    let text = clone.run(&["--fix", "--session", FIRST_SESSION]).ok().stdout;
    assert!(text.contains(&format!("session {SECOND_SESSION} holds it")), "{text}");
    assert_eq!(text.matches(SECOND_SESSION).count(), 1, "{text}");
    // Its own run may.
    let object = clone.object(0, &["--fix", "--session", SECOND_SESSION]);
    assert_eq!(of_code(&object, "C-10").len(), 1);
    assert_eq!(object["data"]["repos"][0]["mended"][0], "C-10");
    assert_eq!(clone.status("CUST-WP-0026-T01"), "completed");
}

#[test]
fn the_sessions_own_item_goes_on_and_its_cache_with_it() {
    let clone = Clone::linked();
    clone.home.start_session().ok();
    data(&clone.home, &["claim", "CUST-WP-0026-T01", "--session", FIRST_SESSION]);
    assert_eq!(clone.home.read_cache()["currentSd"], "CUST-WP-0026-T01");
    say_done(&clone);
    clone.object(0, &["--fix", "--session", FIRST_SESSION]);
    assert_eq!(clone.status("CUST-WP-0026-T01"), "completed");
    crate::fixture::assert_in_step(&clone.home);
    let phantom = clone.object(1, &["--fix", "--session", "nobody"]);
    assert_eq!(phantom["error"]["code"], "phantom_session");
}
