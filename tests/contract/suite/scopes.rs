//! The repository scope of lists: this repository and unassigned items, one repository alone, or
//! all.

use trueup_core::model::{ItemStatus, NewItem, NextItem, RepoScope};
use trueup_core::store::{ClaimNextRequest, ItemFilter, NextItemQuery, Store};

use crate::fixture::StoreFixture;
use crate::requests::{
    LEASE_SECONDS, claim_item, item_key, last_event_id, load_item, move_item, new_item,
    new_provenance, register_session, session_id,
};

on_every_store! {
    a_list_has_what_its_scope_includes
    a_list_filters_by_scope_and_by_all_else_at_once
    what_comes_next_keeps_to_its_scope
    what_is_behind_the_one_held_keeps_to_its_scope
    moving_on_claims_nothing_outside_its_scope
    what_keeps_an_item_is_named_within_the_scope
}

/// A repository name with SQL in it, which must only ever be a bound value.
const HOSTILE_REPO: &str = "a' OR '1' = '1";

fn all_scopes() -> [(RepoScope, &'static str); 8] {
    let text = |text: &str| text.to_owned();
    let here = |repo: &str| RepoScope::Here(Some(text(repo)));
    [
        (RepoScope::All, "of-a of-b of-none"),
        (here("a"), "of-a of-none"),
        (here("unknown"), "of-none"),
        (here(HOSTILE_REPO), "of-none"),
        (RepoScope::Here(None), "of-none"),
        (RepoScope::Only(text("a")), "of-a"),
        (RepoScope::Only(text("unknown")), ""),
        (RepoScope::Only(text(HOSTILE_REPO)), ""),
    ]
}

fn add_item_of(store: &mut dyn Store, text: &str, repo: Option<&str>, parent: Option<&str>) {
    let new =
        NewItem { repo: repo.map(str::to_owned), parent: parent.map(item_key), ..new_item(text) };
    store.add_item(&new, &new_provenance("user")).unwrap();
}

/// Adds an item of each of two repositories, and one without a repository.
fn add_items_of_repos(store: &mut dyn Store) {
    add_item_of(store, "of-a", Some("a"), None);
    add_item_of(store, "of-b", Some("b"), None);
    add_item_of(store, "of-none", None, None);
}

fn list_keys(store: &mut dyn Store, filter: &ItemFilter) -> String {
    let found = store.list_items(filter).unwrap();
    let keys: Vec<&str> = found.iter().map(|item| item.key.as_str()).collect();
    keys.join(" ")
}

fn offered_key(store: &mut dyn Store, session: Option<&str>, scope: &RepoScope) -> Option<String> {
    let query =
        NextItemQuery { session: session.map(session_id), parent: None, scope: scope.clone() };
    match store.find_next_item(&query).unwrap() {
        NextItem::Offer { item, .. } => Some(item.key.to_string()),
        _ => None,
    }
}

fn next_request(scope: &RepoScope) -> ClaimNextRequest {
    ClaimNextRequest {
        session: session_id("s1"),
        parent: None,
        scope: scope.clone(),
        may_release_unfinished: true,
        lease_seconds: LEASE_SECONDS,
        provenance: new_provenance("s1"),
    }
}

fn a_list_has_what_its_scope_includes(f: &mut impl StoreFixture) {
    add_items_of_repos(f.store());
    for (scope, expected) in all_scopes() {
        let filter = ItemFilter { scope: scope.clone(), ..ItemFilter::default() };
        assert_eq!(list_keys(f.store(), &filter), expected, "{scope:?}");
    }
}

fn a_list_filters_by_scope_and_by_all_else_at_once(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_items_of_repos(f.store());
    for (text, repo) in [("x", Some("a")), ("y", Some("b")), ("z", None)] {
        add_item_of(f.store(), text, repo, Some("of-a"));
    }
    claim_item(f.store(), "s1", "x");
    move_item(f.store(), "user", "z", ItemStatus::Blocked);
    let here =
        || ItemFilter { scope: RepoScope::Here(Some("a".to_owned())), ..ItemFilter::default() };
    let children = ItemFilter { parent: Some(item_key("of-a")), ..here() };
    assert_eq!(list_keys(f.store(), &children), "x z");
    let filter = ItemFilter { held: true, ..here() };
    assert_eq!(list_keys(f.store(), &filter), "x");
    let blocked = ItemFilter {
        statuses: vec![ItemStatus::Blocked, ItemStatus::Failed],
        kind: Some("task".to_owned()),
        ..children
    };
    assert_eq!(list_keys(f.store(), &blocked), "z");
    let other = ItemFilter { scope: RepoScope::Only("b".to_owned()), ..blocked };
    assert_eq!(list_keys(f.store(), &other), "");
}

fn what_comes_next_keeps_to_its_scope(f: &mut impl StoreFixture) {
    add_items_of_repos(f.store());
    for (scope, expected) in all_scopes() {
        let first = expected.split(' ').next().filter(|key| !key.is_empty());
        let offer = offered_key(f.store(), None, &scope);
        assert_eq!(offer.as_deref(), first, "{scope:?}");
    }
}

fn what_is_behind_the_one_held_keeps_to_its_scope(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let children = [("P", None), ("Q", None)];
    for (text, parent) in children {
        add_item_of(f.store(), text, None, parent);
    }
    for (text, repo) in [("1", Some("a")), ("2", Some("b")), ("3", Some("a"))] {
        add_item_of(f.store(), text, repo, Some("P"));
    }
    claim_item(f.store(), "s1", "1");
    let here = RepoScope::Here(Some("a".to_owned()));
    assert_eq!(offered_key(f.store(), Some("s1"), &here).unwrap(), "3");
    let all = offered_key(f.store(), Some("s1"), &RepoScope::All);
    assert_eq!(all.unwrap(), "2");
}

fn moving_on_claims_nothing_outside_its_scope(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_item_of(f.store(), "of-a", Some("a"), None);
    add_item_of(f.store(), "of-b", Some("b"), None);
    let before = last_event_id(f.store());
    let scope = RepoScope::Only("c".to_owned());
    let found = f.store().claim_next_item(&next_request(&scope)).unwrap();
    assert!(matches!(found.next, NextItem::Nothing { .. }), "{found:?}");
    assert_eq!(last_event_id(f.store()), before);
    let scope = RepoScope::Here(Some("b".to_owned()));
    f.store().claim_next_item(&next_request(&scope)).unwrap();
    assert_eq!(load_item(f.store(), "of-b").holder, Some(session_id("s1")));
    assert_eq!(load_item(f.store(), "of-a").holder, None);
}

fn what_keeps_an_item_is_named_within_the_scope(f: &mut impl StoreFixture) {
    add_items_of_repos(f.store());
    for text in ["of-a", "of-b", "of-none"] {
        move_item(f.store(), "user", text, ItemStatus::Blocked);
    }
    for (scope, expected) in all_scopes() {
        let query = NextItemQuery { scope: scope.clone(), ..NextItemQuery::default() };
        let found = f.store().find_next_item(&query).unwrap();
        let NextItem::Nothing { blockers: hindrances, .. } = found else {
            panic!("{scope:?}: {found:?}")
        };
        let keys: Vec<&str> = hindrances.iter().map(|it| it.item.as_str()).collect();
        assert_eq!(keys.join(" "), expected, "{scope:?}");
    }
}
