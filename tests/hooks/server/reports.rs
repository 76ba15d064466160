//! What needs a person, reported by a hook that contacts no server.

use support::home::FIRST_SESSION;

use super::fixture::{claim_item, home_with_server, pull, query};
use crate::handoff_guard::{bash, run_guard};

#[test]
fn a_refusal_waits_in_the_outbox_and_is_raised_and_settled_once() {
    let Some((home, database)) = home_with_server() else { return };
    home.start_session().ok();
    claim_item(&home, FIRST_SESSION, "SD-002C");
    claim_item(&home, FIRST_SESSION, "SD-002B");
    pull(&home, FIRST_SESSION);
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002C"]);
    for _ in 0..2 {
        let answer = run_guard(&home, &bash(&home, "make handoff"));
        assert_eq!(answer.code, Some(2), "{answer:?}");
    }
    pull(&home, FIRST_SESSION);
    let open = "SELECT kind || ' ' || session || ' ' || (ended_at IS NULL) FROM attention
                WHERE kind = 'gate_refusal'";
    assert_eq!(query(&database, open), format!("gate_refusal {FIRST_SESSION} true"));
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002B"]);
    run_guard(&home, &bash(&home, "make handoff"));
    pull(&home, FIRST_SESSION);
    assert_eq!(query(&database, open), format!("gate_refusal {FIRST_SESSION} false"));
    let events = "SELECT string_agg(kind, ' ' ORDER BY seq) FROM events
                  WHERE entity = 'attention' AND key LIKE 'gate_refusal%'";
    assert_eq!(query(&database, events), "raised settled");
}
