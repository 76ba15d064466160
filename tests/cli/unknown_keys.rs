//! An unknown key, plan, kind or parent is refused by every command, also as a filter.

use crate::fixture::{data, object, started};

/// Every argument that must name something existing, of every command.
const UNKNOWN: &[(&str, &[&str])] = &[
    ("item_not_found", &["item", "show", "NO-1"]),
    ("item_not_found", &["item", "list", "--parent", "NO-1"]),
    ("item_not_found", &["item", "transition", "NO-1", "running"]),
    ("item_not_found", &["item", "reopen", "NO-1", "--reason", "r"]),
    ("item_not_found", &["item", "depend", "NO-1", "--on", "SD-1"]),
    ("item_not_found", &["item", "depend", "SD-1", "--on", "NO-1"]),
    ("item_not_found", &["item", "add", "SD-2", "--parent", "NO-1"]),
    ("item_not_found", &["item", "add", "SD-2", "--depends", "NO-1"]),
    ("item_not_found", &["item", "edit", "NO-1", "--title", "t"]),
    ("item_not_found", &["item", "edit", "SD-1", "--parent", "NO-1"]),
    ("item_not_found", &["item", "remove", "NO-1"]),
    ("kind_not_found", &["item", "list", "--kind", "nonsense"]),
    ("repo_not_found", &["item", "list", "--repo", "nowhere"]),
    ("item_not_found", &["claim", "NO-1"]),
    ("item_not_found", &["release", "NO-1"]),
    ("item_not_found", &["next", "--parent", "NO-1"]),
    ("item_not_found", &["next", "--claim", "--parent", "NO-1"]),
    ("item_not_found", &["queue", "list", "--item", "NO-1"]),
    ("item_not_found", &["queue", "add", "NO-1"]),
    ("phase_not_found", &["queue", "start", "NO-1:1"]),
    ("item_not_found", &["log", "--item", "NO-1"]),
    ("phantom_session", &["log", "--session", "nobody"]),
    ("kind_not_found", &["log", "--kind", "nonsense"]),
    ("entity_not_found", &["log", "--entity", "nonsense"]),
    ("actor_not_found", &["log", "--actor", "nobody"]),
    ("item_not_found", &["blame", "NO-1"]),
    ("phantom_session", &["status", "--session", "nobody"]),
    ("phantom_session", &["sessions", "show", "nobody"]),
    ("phantom_session", &["journal", "list", "--session", "nobody"]),
    ("phantom_session", &["journal", "show", "j-none", "--session", "nobody"]),
    ("phantom_session", &["handoff", "list", "--session", "nobody"]),
    ("phantom_session", &["queue", "list", "--session", "nobody"]),
    ("phantom_session", &["queue", "next", "--session", "nobody"]),
    ("phantom_session", &["plan", "list", "--session", "nobody"]),
    ("phantom_session", &["ports", "list", "--session", "nobody"]),
    ("phantom_session", &["repo", "list", "--session", "nobody"]),
    ("phantom_session", &["item", "list", "--session", "nobody"]),
    ("phantom_session", &["orchestrator", "list", "--session", "nobody"]),
    ("phantom_session", &["sessions", "list", "--session", "nobody"]),
    ("phantom_session", &["next", "--session", "nobody"]),
    ("handoff_not_found", &["handoff", "show", "h-0a1b2c3d4e"]),
    ("handoff_not_found", &["handoff", "accept", "h-0a1b2c3d4e"]),
    ("plan_not_found", &["plan", "status", "nonsense"]),
    ("plan_not_found", &["plan", "next", "--plan", "nonsense"]),
    ("plan_not_found", &["plan", "start", "1.1", "--plan", "nonsense"]),
    ("plan_not_found", &["plan", "export", "nonsense"]),
    ("plan_not_found", &["plan", "remove", "nonsense"]),
    ("plan_not_found", &["plan", "validate", "nonsense"]),
    ("plan_not_found", &["orchestrator", "register", "nonsense"]),
    ("orchestrator_not_found", &["orchestrator", "stop", "orch-none"]),
    ("entry_not_found", &["journal", "show", "j-none"]),
    ("not_reserved", &["ports", "release", "nobody"]),
    ("repo_not_found", &["repo", "remove", "nowhere"]),
    ("repo_not_found", &["state", "show", "nowhere"]),
    ("repo_not_found", &["check", "nowhere"]),
];

#[test]
fn what_is_not_there_is_exit_1_wherever_it_is_named() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    for (code, arguments) in UNKNOWN {
        let answer = object(&home, 1, arguments);
        assert_eq!(answer["error"]["code"], *code, "{arguments:?}: {answer}");
    }
    let start = ["orchestrator", "start", "--json", "nonsense", "--", "true"];
    let answer = crate::fixture::trueup(&home, &start);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert_eq!(answer.json()["error"]["code"], "plan_not_found");
}

#[test]
fn what_is_there_and_has_nothing_to_show_is_an_empty_answer() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    for arguments in [
        &["item", "list", "--parent", "SD-1"][..],
        &["item", "list", "--status", "failed"],
        &["item", "list", "--kind", "orchestrator"],
        &["queue", "list", "--item", "SD-1"],
        &["log", "--kind", "taken_over"],
        &["log", "--entity", "port"],
        &["next", "--parent", "SD-1"],
    ] {
        data(&home, arguments);
    }
}
