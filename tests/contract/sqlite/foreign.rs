//! Plain SQL by others may write unprotected columns, and each such change is an event.

use crate::fixture::{DatabaseFile, new_sqlite};
use crate::requests::{
    add_item, claim_item, item_key, last_event_id, list_event_kinds, list_events, load_item,
    load_session, new_provenance, phase_push, register_holder, register_session, session_id,
};
use serde_json::json;
use trueup_core::model::{Epoch, Event, Session};
use trueup_core::store::{HookStore as _, SessionStore as _, Store};

fn newest_event(file: &mut DatabaseFile) -> Event {
    list_events(&mut file.store).pop().unwrap()
}

#[test]
fn a_foreign_change_of_the_state_raises_the_revision_and_is_an_event() {
    let mut file = new_sqlite();
    let before = register_session(&mut file.store, "s1");
    for (at, sql) in [
        "json_set(metadata, '$.execution_state.currentPhase', 'EXEC')",
        "json_set(metadata, '$.auto_proceed', json('true'))",
        "json_set(metadata, '$.chain_orchestrators', 'x')",
        "json_remove(metadata, '$.execution_state')",
    ]
    .into_iter()
    .enumerate()
    {
        file.execute_sql(&format!(
            "UPDATE claude_sessions SET metadata = {sql} WHERE session_id = 's1'"
        ));
        let after = load_session(&mut file.store, "s1");
        assert_eq!(after.revision.0, before.revision.0 + 1 + at as u64, "{sql}");
        let event = newest_event(&mut file);
        assert_eq!((event.actor.as_str(), event.kind.as_str()), ("sql", "state"));
        assert_eq!(event.op_id, None);
    }
    let session = load_session(&mut file.store, "s1");
    file.store.push_state(&phase_push(&session, "PLAN")).unwrap();
    assert_eq!(newest_event(&mut file).actor, "s1");
}

#[test]
fn a_foreign_change_of_another_key_is_an_event_alone() {
    let mut file = new_sqlite();
    let before = register_session(&mut file.store, "s1");
    file.execute_sql("UPDATE claude_sessions SET metadata = json_set(metadata, '$.cost', 1.5)");
    let after = load_session(&mut file.store, "s1");
    assert_eq!(after.revision, before.revision);
    assert_eq!(after.metadata["cost"], json!(1.5));
    let event = newest_event(&mut file);
    assert_eq!((event.actor.as_str(), event.kind.as_str()), ("sql", "metadata"));
    let at = last_event_id(&mut file.store);
    file.execute_sql(
        "UPDATE claude_sessions SET metadata = json_set(metadata, '$.cost', 1.5), repo = 'r'",
    );
    assert_eq!(list_event_kinds(&mut file.store, at), Vec::<String>::new());
}

#[test]
fn a_holder_changed_by_plain_sql_is_fenced_and_both_sessions_see_it() {
    let mut file = new_sqlite();
    let token = register_holder(&mut file.store);
    register_session(&mut file.store, "s2");
    let revisions = |file: &mut DatabaseFile| {
        ["s1", "s2"].map(|name| load_session(&mut file.store, name).revision.0)
    };
    let [one, two] = revisions(&mut file);
    file.execute_sql("UPDATE work_items SET holder = 's2' WHERE key = 'A'");
    let item = load_item(&mut file.store, "A");
    assert_eq!((item.holder, item.epoch), (Some(session_id("s2")), Epoch(token.0 + 1)));
    assert_eq!(revisions(&mut file), [one + 1, two + 1]);
    let event = newest_event(&mut file);
    assert_eq!((event.actor.as_str(), event.kind.as_str()), ("sql", "taken_over"));
    assert_eq!(event.epoch, Some(Epoch(token.0 + 1)), "the event names the new fence");
    let session = load_session(&mut file.store, "s1");
    let mut old = phase_push(&session, "EXEC");
    old.fencing_token = Some((item_key("A"), token));
    crate::requests::expect_refusal(file.store.push_state(&old), "conflict");
    file.execute_sql("UPDATE work_items SET holder = NULL WHERE key = 'A'");
    assert_eq!(revisions(&mut file), [one + 1, two + 2]);
    assert_eq!(newest_event(&mut file).kind, "released");
    assert_eq!(load_item(&mut file.store, "A").claimed_at, None);
}

#[test]
fn a_title_changed_by_plain_sql_raises_the_items_revision() {
    let mut file = new_sqlite();
    let before = add_item(&mut file.store, "A");
    file.execute_sql("UPDATE work_items SET title = 'new'");
    let after = load_item(&mut file.store, "A");
    assert_eq!(after.revision.0, before.revision.0 + 1);
    let event = newest_event(&mut file);
    assert_eq!((event.actor.as_str(), event.kind.as_str()), ("sql", "changed"));
    assert_eq!(event.after["title"], json!("new"));
}

#[test]
fn what_trueup_does_after_plain_sql_is_its_own_again() {
    let mut file = new_sqlite();
    register_holder(&mut file.store);
    file.execute_sql(
        "UPDATE work_items SET title = 'x'; UPDATE claude_sessions SET metadata = '{}'",
    );
    add_item(&mut file.store, "B");
    let at = last_event_id(&mut file.store);
    claim_item(&mut file.store, "s1", "B");
    let actors: Vec<String> =
        list_events(&mut file.store).into_iter().filter(|e| e.seq > at).map(|e| e.actor).collect();
    assert_eq!(actors, ["s1", "s1", "s1"]);
}

#[test]
fn a_session_and_an_item_made_by_plain_sql_are_read() {
    let mut file = new_sqlite();
    file.execute_sql(
        "INSERT INTO claude_sessions (session_id, metadata) VALUES ('s1', '{\"branch\": \"x\"}');
         INSERT INTO work_items (key, title) VALUES ('A', 't');",
    );
    assert_eq!(load_session(&mut file.store, "s1").branch(), Some("x"));
    assert_eq!(list_event_kinds(&mut file.store, 0), ["s1 registered", "A added"]);
    assert!(list_events(&mut file.store).iter().all(|e| e.actor == "sql"));
    assert_eq!(claim_item(&mut file.store, "s1", "A").item.epoch, Epoch(1));
}

#[test]
fn metadata_that_is_no_object_of_ours_never_breaks_a_write() {
    let mut file = new_sqlite();
    register_session(&mut file.store, "s1");
    file.execute_sql(
        r#"UPDATE claude_sessions SET metadata = '{"execution_state": 7, "branch": []}'"#,
    );
    let session = load_session(&mut file.store, "s1");
    assert_eq!(session.branch(), None);
    let session = file.store.push_state(&phase_push(&session, "PLAN")).unwrap();
    assert_eq!(session.execution_state().work.phase.as_deref(), Some("PLAN"));
}

fn list_expired(store: &mut impl Store) -> Vec<Session> {
    let now = store.database_time().unwrap();
    store.sessions_with_expired_lease(now, 9).unwrap()
}

#[test]
fn an_item_given_by_plain_sql_to_a_session_that_is_gone_is_swept() {
    let mut file = new_sqlite();
    register_session(&mut file.store, "s1");
    add_item(&mut file.store, "A");
    crate::fixture::StoreFixture::advance_time(&mut file, 10_000);
    let read = load_session(&mut file.store, "s1");
    file.store.mark_lost(&read, &new_provenance("s2")).unwrap();
    assert_eq!(list_expired(&mut file.store).len(), 0);
    file.execute_sql("UPDATE work_items SET holder = 's1' WHERE key = 'A'");
    let expired = list_expired(&mut file.store);
    assert_eq!(expired.len(), 1);
    file.store.mark_lost(&expired[0], &new_provenance("s2")).unwrap();
    assert_eq!(load_item(&mut file.store, "A").holder, None);
    assert_eq!(list_expired(&mut file.store).len(), 0);
}

#[test]
fn an_item_inserted_with_a_holder_is_seen_by_that_session() {
    let mut file = new_sqlite();
    let before = register_session(&mut file.store, "s1");
    file.execute_sql("INSERT INTO work_items (key, holder) VALUES ('A', 's1')");
    let after = load_session(&mut file.store, "s1");
    assert_eq!(after.item, Some(item_key("A")));
    assert_eq!(after.revision.0, before.revision.0 + 1);
}
