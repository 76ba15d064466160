//! For whom a command in a plain shell acts: the newest live session here, else a person.

use serde_json::Value;
use support::home::{FIRST_SESSION, Home, SECOND_SESSION};

use crate::fixture::{claimed, data, object, refused, second, started, trueup};

fn end(home: &Home, session: &str) {
    home.execute_sql(
        "UPDATE claude_sessions SET status = 'ended', ended_reason = 'other' WHERE session_id = ?1",
        [session],
    );
}

fn actor_of(home: &Home, kind: &str) -> String {
    home.query_value("SELECT actor FROM events WHERE kind = ?1 ORDER BY seq DESC LIMIT 1", [kind])
}

fn status(home: &Home, session: &str) -> String {
    home.session_column("status", session)
}

#[test]
fn a_shell_beside_an_ended_session_is_a_persons() {
    let home = started();
    end(&home, FIRST_SESSION);
    for arguments in [
        &["status"][..],
        &["claim", "SD-1", "--create"],
        &["set", "--phase", "EXEC"],
        &["interrupt"],
        &["resume"],
        &["clear"],
        &["release"],
        &["next", "--claim"],
        &["handoff", "create", "PLAN-TO-EXEC"],
        &["handoff", "accept", "h-0a1b2c3d4e"],
    ] {
        let answer = object(&home, 2, arguments);
        assert_eq!(answer["error"]["code"], "no_session", "{arguments:?}");
        assert_eq!(status(&home, FIRST_SESSION), "ended", "{arguments:?} revived it");
    }
    data(&home, &["item", "add", "SD-1"]);
    assert_eq!(actor_of(&home, "added"), "user");
    data(&home, &["item", "transition", "SD-1", "running"]);
    assert_eq!(actor_of(&home, "status"), "user");
    data(&home, &["queue", "add", "SD-1", "--phases", "plan"]);
    data(&home, &["queue", "start", "SD-1:1"]);
    assert_eq!(actor_of(&home, "status"), "user");
    assert_eq!(status(&home, FIRST_SESSION), "ended");
}

#[test]
fn an_ended_session_is_read_and_not_changed() {
    let home = started();
    claimed(&home, "SD-1");
    end(&home, FIRST_SESSION);
    let of = ["--session", FIRST_SESSION];
    let answer = data(&home, &[&["status"][..], &of].concat());
    assert_eq!(answer["session"]["status"], "ended");
    for arguments in [
        &["claim", "SD-2", "--create"][..],
        &["set", "--phase", "EXEC"],
        &["release"],
        &["next", "--claim"],
        &["item", "add", "SD-3"],
        &["item", "transition", "SD-1", "completed"],
        &["queue", "add", "SD-1"],
        &["handoff", "create", "PLAN-TO-EXEC"],
        &["sessions", "sweep"],
    ] {
        refused(&home, "session_ended", &[arguments, &of].concat());
        assert_eq!(status(&home, FIRST_SESSION), "ended", "{arguments:?}");
    }
    // In the environment of that session it is the same.
    let run = home.prepare_run("trueup").args(["set", "--phase", "EXEC"]);
    let answer = run.env("TRUEUP_SESSION_ID", FIRST_SESSION).wait();
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert_eq!(status(&home, FIRST_SESSION), "ended");
}

#[test]
fn a_person_frees_what_the_dead_hold_and_nothing_else() {
    let home = started();
    claimed(&home, "SD-1");
    end(&home, FIRST_SESSION);
    second(&home, None);
    data(&home, &["claim", "SD-2", "--create", "--session", SECOND_SESSION]);
    let elsewhere = |key: &str| {
        let run = home.prepare_run("trueup").args(["release", key, "--json"]);
        run.cwd(home.user_home()).wait()
    };
    assert_eq!(elsewhere("SD-1").code, Some(0));
    let holder: Option<String> =
        home.query_value("SELECT holder FROM work_items WHERE key = 'SD-1'", []);
    assert_eq!(holder, None);
    let state: String =
        home.session_column("json_extract(metadata, '$.execution_state.currentSd')", FIRST_SESSION);
    assert_eq!(state, "SD-1", "its work stays readable");
    let answer = elsewhere("SD-2");
    assert_eq!(answer.code, Some(1));
    assert_eq!(answer.json()["error"]["code"], "not_holder");
    assert_eq!(elsewhere("SD-9").json()["error"]["code"], "item_not_found");
}

#[test]
fn an_id_may_be_shortened_to_a_prefix_that_names_one() {
    let home = started();
    second(&home, None);
    let short = SECOND_SESSION.strip_suffix("2").unwrap();
    let answer = object(&home, 2, &["status", "--session", short]);
    assert_eq!(answer["error"]["code"], "ambiguous_id");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains(FIRST_SESSION) && message.contains(SECOND_SESSION), "{message}");
    home.execute_sql("DELETE FROM claude_sessions WHERE session_id = ?1", [FIRST_SESSION]);
    let named = |answer: Value| answer["session"]["session_id"].clone();
    assert_eq!(named(data(&home, &["status", "--session", short])), SECOND_SESSION);
    assert_eq!(named(data(&home, &["sessions", "show", short])), SECOND_SESSION);
    refused(&home, "phantom_session", &["status", "--session", "ff"]);
}

#[test]
fn the_status_line_of_a_session_that_is_not_there_yet_is_short() {
    let home = started();
    let line = trueup(&home, &["statusline", "--session", "not-yet"]).ok().stdout;
    assert_eq!(line, "trueup: session not registered yet\n");
    end(&home, FIRST_SESSION);
    let line = trueup(&home, &["statusline"]).ok().stdout;
    assert_eq!(line, "trueup: no session here\n");
}

#[test]
fn a_session_that_died_is_revived_by_no_command_but_its_own() {
    let claim = ["claim", "SD-2", "--create", "--session", SECOND_SESSION];
    for (host, silence, is_swept, is_refused) in [
        // Its lease runs, or its process may be running where nobody here sees it.
        (None, 10, false, false),
        (Some("far"), 1_000, false, false),
        (Some("far"), 7_200, false, true),
        (None, 7_200, false, true),
        (None, 7_200, true, true),
    ] {
        let home = started();
        second(&home, None);
        data(&home, &["claim", "SD-1", "--create", "--session", SECOND_SESSION]);
        let sql = "UPDATE claude_sessions SET host = coalesce(?1, host) WHERE session_id = ?2";
        home.execute_sql(sql, (host, SECOND_SESSION));
        if silence > 60 {
            home.expire_lease(SECOND_SESSION, silence);
        }
        if is_swept {
            data(&home, &["sessions", "sweep"]);
        }
        let state = (host, silence, is_swept);
        let status: String = home.session_column("status", SECOND_SESSION);
        if !is_refused {
            data(&home, &claim);
            continue;
        }
        let object = refused(&home, "session_ended", &claim);
        let message = object["error"]["message"].as_str().unwrap();
        assert!(message.contains("is dead ("), "{message}");
        assert_eq!(home.session_column::<String>("status", SECOND_SESSION), status, "{state:?}");
        // It can be read, and its own agent goes on with it.
        data(&home, &["status", "--session", SECOND_SESSION]);
        let own = home.prepare_run("trueup").args(["claim", "SD-2", "--create"]);
        own.env("TRUEUP_SESSION_ID", SECOND_SESSION).wait().ok();
        assert_eq!(home.session_column::<String>("status", SECOND_SESSION), "active");
    }
}
