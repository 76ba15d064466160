//! Ids of every kind may be shortened to a beginning that names one.

use support::home::{FIRST_SESSION, Home};

use crate::fixture::{claimed, data, object, refused, started};

#[track_caller]
fn assert_ambiguous(home: &Home, arguments: &[&str], candidates: &[&str]) {
    let answer = object(home, 2, arguments);
    assert_eq!(answer["error"]["code"], "ambiguous_id", "{answer}");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(candidates.iter().all(|candidate| message.contains(candidate)), "{message}");
}

#[test]
fn items() {
    let home = started();
    for key in ["auth-login", "auth-logout", "billing", "SD-10"] {
        data(&home, &["item", "add", key]);
    }
    assert_eq!(data(&home, &["item", "show", "bill"])["item"]["key"], "billing");
    assert_eq!(data(&home, &["claim", "bill"])["item"]["key"], "billing");
    assert_eq!(data(&home, &["release", "bill"])["item"]["key"], "billing");
    assert_eq!(data(&home, &["blame", "bill"])["item"], "billing");
    assert_eq!(data(&home, &["item", "edit", "bill", "--title", "t"])["item"]["title"], "t");
    assert_eq!(data(&home, &["queue", "add", "bill"])["rows"][0]["item"], "billing");
    let log = data(&home, &["log", "--item", "bill"]);
    assert_eq!(log["events"][0]["key"], "billing");
    assert_ambiguous(&home, &["claim", "auth-"], &["auth-login", "auth-logout"]);
    // Another number is another item.
    refused(&home, "item_not_found", &["claim", "SD-1"]);
    // What is made has the name that was given.
    assert_eq!(claimed(&home, "bil")["item"]["key"], "bil");
}

#[test]
fn a_beginning_reaches_into_no_other_repository() {
    let home = started();
    data(&home, &["item", "add", "auth-login"]);
    home.execute_sql("UPDATE work_items SET repo = 'other' WHERE key = ?1", ["auth-login"]);
    for arguments in
        [["item", "remove", "auth"], ["item", "show", "auth"], ["queue", "add", "auth"]]
    {
        refused(&home, "item_not_found", &arguments);
    }
    data(&home, &["item", "remove", "auth-login"]);
}

#[test]
fn a_repetition_with_an_operation_id_is_answered_again() {
    let home = started();
    data(&home, &["item", "add", "billing"]);
    let edit = ["item", "edit", "bill", "--title", "t", "--op-id", "operation-1"];
    assert_eq!(data(&home, &edit), data(&home, &edit));
}

#[test]
fn phases_hand_offs_plans_and_the_runs_of_plans() {
    let home = started();
    data(&home, &["item", "add", "billing"]);
    data(&home, &["queue", "add", "billing", "--phases", "plan,build"]);
    assert_ambiguous(&home, &["queue", "start", "bill"], &["billing:1", "billing:2"]);
    let claim = ["claim", "billing", "--session", FIRST_SESSION];
    data(&home, &claim);
    let created = data(&home, &["handoff", "create", "X", "--summary", "s"]);
    let id = created["handoff"]["id"].as_str().unwrap();
    assert_eq!(data(&home, &["handoff", "show", &id[..5]])["handoff"]["id"], id);
    refused(&home, "handoff_not_found", &["handoff", "show", "h-nothing"]);
    std::fs::write(home.project_dir().join("sync-plan.md"), "- [ ] 1.1 first\n").unwrap();
    data(&home, &["plan", "import", "sync-plan.md"]);
    assert_eq!(data(&home, &["plan", "status", "sync"])["plan"]["plan_id"], "sync-plan");
    let run = data(&home, &["orchestrator", "register", "sync-plan"]);
    let run = run["orchestrator"]["id"].as_str().unwrap();
    let short = &run[..run.len() - 2];
    let beat = data(&home, &["orchestrator", "heartbeat", short]);
    assert_eq!(beat["orchestrator"]["id"], run);
}

#[test]
fn tasks_of_plans_in_every_command_that_takes_one() {
    let home = started();
    std::fs::write(home.project_dir().join("TODO.md"), "# L\n\n- [ ] Write it\n- [ ] Read it\n")
        .unwrap();
    data(&home, &["plan", "import", "TODO.md"]);
    let tasks = data(&home, &["plan", "status", "TODO"])["tasks"].clone();
    let id = tasks[0]["id"].as_str().unwrap();
    let other = tasks[1]["id"].as_str().unwrap();
    let short = (3..id.len()).map(|length| &id[..length]).find(|it| !other.starts_with(it));
    let short = short.unwrap();
    let qualified = format!("TODO/{short}");
    for (task, command, more) in [
        (short, "start", &[][..]),
        (short, "fail", &["--error", "e"]),
        (short, "retry", &[]),
        (qualified.as_str(), "start", &[]),
        (short, "complete", &[]),
        (short, "reopen", &["--reason", "r"]),
        (qualified.as_str(), "skip", &["--reason", "r"]),
    ] {
        let arguments = [&["plan", command, "--plan", "TODO", task], more].concat();
        assert_eq!(data(&home, &arguments)["task"]["id"], id, "{command}");
    }
    assert_ambiguous(&home, &["plan", "start", "--plan", "TODO", "t-"], &[id, other]);
    refused(&home, "task_not_found", &["plan", "start", "--plan", "TODO", "t-none"]);
}
