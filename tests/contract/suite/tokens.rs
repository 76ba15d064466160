//! Tokens of a hub, and who called by which.

use serde_json::json;
use trueup_core::model::{AccessToken, EventFilter, EventOrder, RetentionRules, TokenRole};
use trueup_core::store::{Caller, NewToken, Result, Store};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, expect_refusal, last_event_id, list_event_kinds, list_events, new_provenance,
    register_session,
};

on_every_database! {
    a_token_is_found_by_its_digest_until_it_is_revoked
    a_name_is_one_tokens_even_after_that_is_revoked
    what_is_no_new_token_is_refused
    every_change_of_a_token_is_an_event_without_its_digest
    repeating_a_change_of_a_token_gives_the_first_answer
    an_event_names_the_token_by_which_it_was_called
    callers_go_with_the_last_event_of_their_operation
    a_page_of_events_begins_behind_the_cursor
}

/// A digest that differs by its letter.
pub(crate) fn digest(letter: char) -> String {
    letter.to_string().repeat(64)
}

pub(crate) fn new_token(name: &str, role: TokenRole, letter: char) -> NewToken {
    NewToken { name: name.parse().unwrap(), role, digest: digest(letter) }
}

fn create_token(
    store: &mut dyn Store,
    name: &str,
    role: TokenRole,
    letter: char,
) -> Result<AccessToken> {
    store.create_token(&new_token(name, role, letter), &new_provenance("lead"))
}

fn a_token_is_found_by_its_digest_until_it_is_revoked(f: &mut impl StoreFixture) {
    let made = create_token(f.store(), "build-7.example.com", TokenRole::Agent, 'a').unwrap();
    assert_eq!((made.role, made.created_by.as_str()), (TokenRole::Agent, "lead"));
    assert_eq!((made.revoked_at, &made.revoked_by), (None, &None));
    create_token(f.store(), "ann", TokenRole::Reader, 'b').unwrap();
    assert_eq!(f.store().find_token(&digest('a')).unwrap(), Some(made.clone()));
    assert_eq!(f.store().find_token(&digest('c')).unwrap(), None);
    let revoked = f.store().revoke_token(&made.name, &new_provenance("ben")).unwrap();
    assert!(revoked.revoked_at.is_some());
    assert_eq!(revoked.revoked_by.as_deref(), Some("ben"));
    assert_eq!(f.store().find_token(&digest('a')).unwrap(), None);
    let again = f.store().revoke_token(&made.name, &new_provenance("lead")).unwrap();
    assert_eq!(again, revoked, "it stays revoked by whoever did it first");
    let listed = f.store().list_tokens().unwrap();
    let names: Vec<&str> = listed.iter().map(|token| token.name.as_str()).collect();
    assert_eq!(names, ["ann", "build-7.example.com"]);
}

fn a_name_is_one_tokens_even_after_that_is_revoked(f: &mut impl StoreFixture) {
    let first = create_token(f.store(), "ann", TokenRole::Admin, 'a').unwrap();
    expect_refusal(create_token(f.store(), "ann", TokenRole::Reader, 'b'), "denied");
    assert_eq!(f.store().find_token(&digest('a')).unwrap(), Some(first.clone()));
    f.store().revoke_token(&first.name, &new_provenance("lead")).unwrap();
    expect_refusal(create_token(f.store(), "ann", TokenRole::Reader, 'b'), "denied");
    let listed = f.store().list_tokens().unwrap();
    assert_eq!((listed.len(), listed[0].role), (1, TokenRole::Admin));
    assert!(listed[0].revoked_at.is_some(), "what was revoked stays in the list");
    for letter in ['a', 'b'] {
        assert_eq!(f.store().find_token(&digest(letter)).unwrap(), None);
    }
}

fn what_is_no_new_token_is_refused(f: &mut impl StoreFixture) {
    create_token(f.store(), "ann", TokenRole::Agent, 'a').unwrap();
    expect_refusal(create_token(f.store(), "ben", TokenRole::Agent, 'a'), "denied");
    expect_refusal(create_token(f.store(), "ben", TokenRole::Agent, 'A'), "invalid");
    let short = NewToken { digest: "abc".to_owned(), ..new_token("ben", TokenRole::Agent, 'b') };
    expect_refusal(f.store().create_token(&short, &new_provenance("lead")), "invalid");
    let unknown = f.store().revoke_token(&"ben".parse().unwrap(), &new_provenance("lead"));
    expect_refusal(unknown, "invalid");
    assert_eq!(f.store().list_tokens().unwrap().len(), 1);
}

fn every_change_of_a_token_is_an_event_without_its_digest(f: &mut impl StoreFixture) {
    create_token(f.store(), "ann", TokenRole::Admin, 'a').unwrap();
    f.store().revoke_token(&"ann".parse().unwrap(), &new_provenance("ben")).unwrap();
    f.store().revoke_token(&"ann".parse().unwrap(), &new_provenance("ben")).unwrap();
    assert_eq!(list_event_kinds(f.store(), 0), ["ann created", "ann revoked"]);
    let events = list_events(f.store());
    assert!(events.iter().all(|event| event.entity == "token"));
    assert_eq!(events[0].after, json!({"role": "admin", "revoked": false}));
    assert_eq!(events[1].before, events[0].after);
    assert_eq!(events[1].after, json!({"role": "admin", "revoked": true}));
    assert_eq!(events[1].actor, "ben");
    assert!(!format!("{events:?}").contains(&digest('a')));
}

fn repeating_a_change_of_a_token_gives_the_first_answer(f: &mut impl StoreFixture) {
    let (new, by) = (new_token("ann", TokenRole::Agent, 'a'), new_provenance("lead"));
    let first = f.store().create_token(&new, &by).unwrap();
    let repeated = by.clone().under_id(by.op_id);
    assert_eq!(f.store().create_token(&new, &repeated).unwrap(), first);
    let (name, by) = (first.name, new_provenance("lead"));
    let revoked = f.store().revoke_token(&name, &by).unwrap();
    let repeated = by.clone().under_id(by.op_id);
    assert_eq!(f.store().revoke_token(&name, &repeated).unwrap(), revoked);
    assert_eq!(list_event_kinds(f.store(), 0), ["ann created", "ann revoked"]);
}

fn an_event_names_the_token_by_which_it_was_called(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_item(f.store(), "A");
    let events = list_events(f.store());
    let (of_session, of_item) = (events[0].clone(), events[1].clone());
    let caller =
        |name: &str| Caller { op_id: of_item.op_id.clone().unwrap(), name: name.parse().unwrap() };
    f.store().record_callers(&[caller("ann"), caller("ben")]).unwrap();
    f.store().record_callers(&[caller("ben")]).unwrap();
    f.store().record_callers(&[]).unwrap();
    let events = list_events(f.store());
    assert_eq!(events[0].via, of_session.via, "nobody said who called");
    assert_eq!(events[1].via.as_deref(), Some("ann"));
    let filter = EventFilter { item: Some("A".to_owned()), ..EventFilter::default() };
    assert_eq!(f.store().list_events(&filter).unwrap()[0].via.as_deref(), Some("ann"));
}

fn callers_go_with_the_last_event_of_their_operation(f: &mut impl StoreFixture) {
    create_token(f.store(), "ann", TokenRole::Agent, 'a').unwrap();
    create_token(f.store(), "ben", TokenRole::Agent, 'b').unwrap();
    let events = list_events(f.store());
    let callers: Vec<Caller> = events
        .iter()
        .map(|event| Caller { op_id: event.op_id.clone().unwrap(), name: "x".parse().unwrap() })
        .collect();
    f.store().record_callers(&callers).unwrap();
    f.age_events(2 * 86_400);
    let rules = RetentionRules {
        before: f.store().database_time().unwrap(),
        named: std::collections::BTreeSet::new(),
    };
    assert_eq!(f.store().remove_events(&[events[0].seq], &rules).unwrap(), 1);
    // Whoever brings the operation again is not taken for the former caller.
    let again = Caller { name: "y".parse().unwrap(), ..callers[0].clone() };
    f.store()
        .record_callers(&[again.clone(), Caller { op_id: callers[1].op_id.clone(), ..again }])
        .unwrap();
    let by = new_provenance("lead").under_id(callers[0].op_id.clone());
    f.store().create_token(&new_token("eve", TokenRole::Agent, 'e'), &by).unwrap();
    let via: Vec<Option<String>> = list_events(f.store()).into_iter().map(|it| it.via).collect();
    assert_eq!(via, [Some("x".to_owned()), Some("y".to_owned())]);
}

fn a_page_of_events_begins_behind_the_cursor(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    for item in ["A", "B", "C"] {
        add_item(f.store(), item);
    }
    let all = list_events(f.store());
    let last = last_event_id(f.store());
    let of_item =
        |item: &str| EventFilter { item: Some(item.to_owned()), ..EventFilter::default() };
    let filters = [
        (EventFilter::default(), all.clone()),
        (
            EventFilter { actor: Some("user".to_owned()), ..EventFilter::default() },
            all[1..].to_vec(),
        ),
        (
            EventFilter { session: Some("s1".to_owned()), ..EventFilter::default() },
            all[..1].to_vec(),
        ),
        (of_item("B"), all[2..3].to_vec()),
        (EventFilter::of_operation(all[3].op_id.as_ref().unwrap()), all[3..].to_vec()),
    ];
    for (filter, expected) in filters {
        let mut found = Vec::new();
        let mut after = 0;
        while after < last {
            let page = EventFilter { after, limit: 2, order: EventOrder::Oldest, ..filter.clone() };
            let page = f.store().list_events(&page).unwrap();
            assert!(page.len() <= 2);
            after = page.last().map_or(last, |event| event.seq);
            found.extend(page);
        }
        assert_eq!(found, expected, "{filter:?}");
    }
}
