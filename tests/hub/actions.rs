//! `/api/actions`: what an administrator ends for others.

use serde_json::{Value as Json, json};
use support::home::Home;

use super::hub_process::{HubProcess, make_token};

struct Office {
    hub: HubProcess,
    admin: String,
    home: Home,
}

impl Office {
    /// A hub whose items `SD-1` and `SD-2` are held by `gone`, whose lease is over, and `here`.
    fn new() -> Self {
        let home = Home::without_git();
        let admin = make_token(&home, "boss", "admin");
        home.execute_sql(
            "INSERT INTO claude_sessions (session_id, host) VALUES ('gone', 'far'), ('here', 'far')",
            [],
        );
        home.claim("gone", "SD-1");
        home.claim("here", "SD-2");
        home.expire_lease("gone", 5_000);
        Self { hub: HubProcess::start(&home), admin, home }
    }

    fn act(&self, action: &str, body: &Json) -> (u16, Json) {
        let answer = self.hub.post(&format!("/api/actions/{action}"), &self.admin, body);
        (answer.status, answer.json())
    }

    fn item(&self, key: &str) -> Json {
        self.hub.get(&format!("/api/items/{key}"), &self.admin).json()
    }
}

#[test]
fn a_claim_of_a_dead_session_is_released_in_the_name_of_the_caller() {
    let office = Office::new();
    let (status, answer) =
        office.act("release", &json!({"target": "SD-1", "reason": "it is dead"}));
    assert_eq!((status, &answer["undo"]), (200, &Json::Null), "{answer}");
    assert!(answer["done"].as_str().unwrap().contains("SD-1"), "{answer}");
    let shown = office.item("SD-1");
    assert_eq!(shown["item"]["holder"], Json::Null);
    let event = shown["events"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&event["kind"], &event["actor"], &event["via"], &event["reason"]),
        (&json!("released"), &json!("boss"), &json!("boss"), &json!("it is dead"))
    );
    let (status, answer) = office.act("release", &json!({"target": "SD-1"}));
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("not_held")));
}

#[test]
fn a_claim_of_a_live_session_is_released_by_force_alone() {
    let office = Office::new();
    let (status, answer) = office.act("release", &json!({"target": "SD-2"}));
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("holder_may_live")));
    assert_eq!(office.item("SD-2")["item"]["holder"], "here");
    let (status, _) = office.act("release", &json!({"target": "SD-2", "force": true}));
    assert_eq!(status, 200);
    assert_eq!(office.item("SD-2")["item"]["holder"], Json::Null);
    let state: String = office.home.session_column("status", "here");
    assert_eq!(state, "active", "the session lives on");
}

#[test]
fn an_announced_silence_is_no_death() {
    let office = Office::new();
    office.home.execute_sql(
        "UPDATE claude_sessions SET silent_until = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+600 seconds'),
             heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1000 seconds')
         WHERE session_id = 'gone'",
        [],
    );
    let (status, answer) = office.act("release", &json!({"target": "SD-1"}));
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("holder_may_live")), "{answer}");
}

#[test]
fn an_item_is_reopened_with_a_reason() {
    let office = Office::new();
    office
        .home
        .execute_sql("INSERT INTO work_items (key, status) VALUES ('SD-3', 'completed')", []);
    for body in [json!({"target": "SD-3"}), json!({"target": "SD-3", "reason": "  "})] {
        assert_eq!(office.act("reopen", &body).0, 400, "{body}");
    }
    let (status, answer) =
        office.act("reopen", &json!({"target": "SD-3", "reason": "it broke again"}));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["done"], "SD-3: completed -> queued");
    let shown = office.item("SD-3");
    let event = shown["events"].as_array().unwrap().last().unwrap();
    assert_eq!((&event["kind"], &event["actor"]), (&json!("reopened"), &json!("boss")));
}

#[test]
fn a_hand_off_that_nobody_takes_is_rejected_in_the_name_of_the_caller() {
    let office = Office::new();
    let create = ["handoff", "create", "X", "--session", "here", "--json"];
    let created = office.home.prepare_run("trueup").args(create).wait().ok().json();
    let id = created["data"]["handoff"]["id"].as_str().unwrap();
    let shown = office.hub.get("/api/overview", &office.admin).json();
    let needs = shown["needs_me"]["rows"].as_array().unwrap();
    let need = needs.iter().find(|need| need["kind"] == "open_handoff").unwrap();
    assert_eq!(need["actions"], json!(["reject"]), "{need}");
    for body in [json!({"target": id}), json!({"target": id, "reason": "  "})] {
        assert_eq!(office.act("reject", &body).0, 400, "{body}");
    }
    let (status, answer) = office.act("reject", &json!({"target": id, "reason": "no taker"}));
    assert_eq!((status, &answer["undo"]), (200, &Json::Null), "{answer}");
    let (actor, reason): (String, String) = (
        office.home.query_value("SELECT actor FROM events WHERE kind = 'rejected'", []),
        office.home.query_value("SELECT reject_reason FROM handoffs", []),
    );
    assert_eq!((actor.as_str(), reason.as_str()), ("boss", "no taker"));
    assert_eq!(office.item("SD-2")["item"]["holder"], "here", "its sender keeps it");
    let (status, answer) = office.act("reject", &json!({"target": id, "reason": "again"}));
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("handoff_decided")));
}

#[test]
fn what_cannot_be_done_is_refused_by_name() {
    let office = Office::new();
    for (action, body, status, code) in [
        ("release", json!({"target": "NONE"}), 404, "item_not_found"),
        ("release", json!({"target": ".."}), 400, "bad_json"),
        ("release", json!({"target": "SD-1", "forse": true}), 400, "bad_json"),
        ("reopen", json!({"target": "NONE", "reason": "r"}), 404, "item_not_found"),
        ("reopen", json!({"target": "SD-1", "reason": "r"}), 409, "not_holder"),
        ("reject", json!({"target": "h-0", "reason": "r"}), 404, "handoff_not_found"),
        ("explode", json!({"target": "SD-1"}), 404, "no_such_path"),
    ] {
        let (found, answer) = office.act(action, &body);
        assert_eq!((found, &answer["error"]["code"]), (status, &json!(code)), "{action} {body}");
    }
}

#[test]
fn only_administrators_act() {
    let office = Office::new();
    for role in ["reader", "agent"] {
        let token = make_token(&office.home, role, role);
        let body = json!({"target": "SD-1", "reason": "r"});
        for action in [
            "release",
            "reopen",
            "reject",
            "restore_journal",
            "drop_journal",
            "resend",
            "drop_dead_letter",
            "reinstate",
        ] {
            let answer = office.hub.post(&format!("/api/actions/{action}"), &token, &body);
            assert_eq!((answer.status, answer.error_code().as_str()), (403, "role_too_low"));
        }
    }
    assert_eq!(office.item("SD-1")["item"]["holder"], "gone");
}

/// Reports of a rejected edit and a refused write of session `here`, as hooks make them.
fn report(office: &Office) {
    let entry = json!({"id": "j-1", "at": "2026-01-02T03:04:05.678Z", "session": "here",
        "reason": "database_moved_on", "base": 1, "database": 2, "fields": {"Phase": "EXEC"}});
    let refused = json!({"reason": "a rule", "record": {"op_id": "op-12345", "at":
        "2026-01-02T03:04:05.678Z", "session": "here", "write": "resumed"}});
    for (id, kind, content) in [
        ("journal_entry:j-1", "journal_entry", entry),
        ("dead_letter:op-12345", "dead_letter", refused),
    ] {
        office.home.execute_sql(
            "INSERT INTO attention (id, kind, session, host, line, content)
             VALUES (?1, ?2, 'here', 'far', 'a line', ?3)",
            [id, kind, &content.to_string()],
        );
    }
}

#[test]
fn a_rejected_edit_is_restored_once() {
    let office = Office::new();
    report(&office);
    let listed = office.hub.get("/api/journal", &office.admin).json();
    let row = &listed["journal"][0];
    assert_eq!(
        (&row["id"], &row["target"]),
        (&json!("j-1"), &json!("journal_entry:j-1")),
        "{listed}"
    );
    assert_eq!(row["lost"], json!({"currentPhase": "EXEC"}));
    let (status, answer) = office.act("restore_journal", &json!({"target": "j-1"}));
    assert_eq!(status, 200, "{answer}");
    let phase: String = office
        .home
        .session_column("json_extract(metadata, '$.execution_state.currentPhase')", "here");
    assert_eq!(phase, "EXEC");
    assert_eq!(office.hub.get("/api/journal", &office.admin).json()["journal"], json!([]));
    let (status, answer) = office.act("restore_journal", &json!({"target": "j-1"}));
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("already_ended")));
}

#[test]
fn what_is_dropped_is_listed_again_by_its_undo() {
    let office = Office::new();
    report(&office);
    for (action, target) in
        [("drop_journal", "journal_entry:j-1"), ("drop_dead_letter", "dead_letter:op-12345")]
    {
        let is_open = || -> bool {
            let query = "SELECT ended_at IS NULL FROM attention WHERE id = ?1";
            office.home.query_value(query, [target])
        };
        let (status, answer) = office.act(action, &json!({"target": target, "reason": "known"}));
        assert_eq!(status, 200, "{answer}");
        assert!(!is_open());
        let undo = answer["undo"]["action"].as_str().unwrap();
        assert_eq!(office.act(undo, &json!({"target": answer["undo"]["target"]})).0, 200);
        assert!(is_open());
        let (status, answer) = office.act(undo, &json!({"target": target}));
        assert_eq!((status, &answer["error"]["code"]), (409, &json!("not_dropped")));
    }
}

#[test]
fn a_refused_write_is_sent_again() {
    let office = Office::new();
    report(&office);
    let (status, answer) = office.act("resend", &json!({"target": "op-12345"}));
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = office.act("resend", &json!({"target": "dead_letter:op-12345"}));
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("already_ended")));
}
