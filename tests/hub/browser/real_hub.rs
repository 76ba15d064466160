//! The dashboard of a hub with a real database, which other processes write to.

use support::client::find_binary;
use support::home::Home;

use super::install::find_browser;
use super::scenario::play;
use crate::hub_process::make_token;

/// A lead sees what needs a person, ends it from the page, and sees it ended; what another process
/// writes appears, also when the hub was restarted in between.
#[test]
fn what_other_processes_do_appears_and_a_need_is_ended_from_the_page() {
    let Some(browser) = find_browser() else { return };
    let home = Home::new();
    let admin = make_token(&home, "lead", "admin");
    let reader = make_token(&home, "guest", "reader");
    let added = home.execute_sql(
        "INSERT INTO claude_sessions (session_id, host) VALUES ('gone', 'far'), ('here', 'far')",
        [],
    );
    assert_eq!(added, 2);
    home.claim("gone", "SD-1");
    home.claim("here", "SD-2");
    home.expire_lease("gone", 5_000);
    let directories = [home.user_home(), home.trueup_home()];
    let text = |index: usize| directories.get(index).unwrap().to_str().unwrap();
    let program = |name: &str| find_binary(name).unwrap().to_str().unwrap().to_owned();
    play(
        browser,
        "real_hub",
        &[
            ("TRUEUP_TEST_HUB", &program("trueup-hub")),
            ("TRUEUP_TEST_COMMAND", &program("trueup")),
            ("TRUEUP_TEST_ADMIN", &admin),
            ("TRUEUP_TEST_READER", &reader),
            ("HOME", text(0)),
            ("TRUEUP_HOME", text(1)),
        ],
    );
    let holder: Option<String> =
        home.query_value("SELECT holder FROM work_items WHERE key = ?1", ["SD-1"]);
    assert_eq!(holder, None);
}
