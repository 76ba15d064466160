//! Whose items are looked at: of this repository and of none, of one repository alone, of all.

use trueup_core::model::{ItemStatus, NewItem, Next, RepoScope};
use trueup_core::store::{ItemFilter, NextRequest, NextWish, Store};

use crate::fixture::Fixture;
use crate::request::{LEASE, by, claim, cursor, id, item, key, move_to, new_item, register};

on_every_store! {
    a_list_has_what_its_scope_includes
    a_list_filters_by_scope_and_by_all_else_at_once
    what_comes_next_keeps_to_its_scope
    what_is_behind_the_one_held_keeps_to_its_scope
    moving_on_claims_nothing_outside_its_scope
    what_keeps_an_item_is_named_within_the_scope
}

/// The name of a repository as an attacker would choose it: it is a value, never text of a query.
const HOSTILE: &str = "a' OR '1' = '1";

fn all() -> [(RepoScope, &'static str); 8] {
    let text = |text: &str| text.to_owned();
    let here = |repo: &str| RepoScope::Here(Some(text(repo)));
    [
        (RepoScope::All, "of-a of-b of-none"),
        (here("a"), "of-a of-none"),
        (here("unknown"), "of-none"),
        (here(HOSTILE), "of-none"),
        (RepoScope::Here(None), "of-none"),
        (RepoScope::Only(text("a")), "of-a"),
        (RepoScope::Only(text("unknown")), ""),
        (RepoScope::Only(text(HOSTILE)), ""),
    ]
}

fn add_of(store: &mut dyn Store, text: &str, repo: Option<&str>, parent: Option<&str>) {
    let new = NewItem {
        repo: repo.map(str::to_owned),
        parent: parent.map(key),
        ..new_item(text)
    };
    store.add_item(&new, &by("user")).unwrap();
}

/// An item of each of two repositories, and one of none.
fn given(store: &mut dyn Store) {
    add_of(store, "of-a", Some("a"), None);
    add_of(store, "of-b", Some("b"), None);
    add_of(store, "of-none", None, None);
}

fn listed(store: &mut dyn Store, filter: &ItemFilter) -> String {
    let found = store.items(filter).unwrap();
    let keys: Vec<&str> = found.iter().map(|item| item.key.as_str()).collect();
    keys.join(" ")
}

fn offered(store: &mut dyn Store, session: Option<&str>, scope: &RepoScope) -> Option<String> {
    let wish = NextWish {
        session: session.map(id),
        parent: None,
        scope: scope.clone(),
    };
    match store.next_item(&wish).unwrap() {
        Next::Offer { item, .. } => Some(item.key.to_string()),
        _ => None,
    }
}

fn request(scope: &RepoScope) -> NextRequest {
    NextRequest {
        session: id("s1"),
        parent: None,
        scope: scope.clone(),
        give_up: true,
        lease_seconds: LEASE,
        provenance: by("s1"),
    }
}

fn a_list_has_what_its_scope_includes(f: &mut impl Fixture) {
    given(f.store());
    for (scope, expected) in all() {
        let filter = ItemFilter {
            scope: scope.clone(),
            ..ItemFilter::default()
        };
        assert_eq!(listed(f.store(), &filter), expected, "{scope:?}");
    }
}

fn a_list_filters_by_scope_and_by_all_else_at_once(f: &mut impl Fixture) {
    register(f.store(), "s1");
    given(f.store());
    for (text, repo) in [("x", Some("a")), ("y", Some("b")), ("z", None)] {
        add_of(f.store(), text, repo, Some("of-a"));
    }
    claim(f.store(), "s1", "x");
    move_to(f.store(), "user", "z", ItemStatus::Blocked);
    let here = || ItemFilter {
        scope: RepoScope::Here(Some("a".to_owned())),
        ..ItemFilter::default()
    };
    let children = ItemFilter {
        parent: Some(key("of-a")),
        ..here()
    };
    assert_eq!(listed(f.store(), &children), "x z");
    let held = ItemFilter {
        held: true,
        ..here()
    };
    assert_eq!(listed(f.store(), &held), "x");
    let blocked = ItemFilter {
        statuses: vec![ItemStatus::Blocked, ItemStatus::Failed],
        kind: Some("task".to_owned()),
        ..children
    };
    assert_eq!(listed(f.store(), &blocked), "z");
    let other = ItemFilter {
        scope: RepoScope::Only("b".to_owned()),
        ..blocked
    };
    assert_eq!(listed(f.store(), &other), "");
}

fn what_comes_next_keeps_to_its_scope(f: &mut impl Fixture) {
    given(f.store());
    for (scope, expected) in all() {
        let first = expected.split(' ').next().filter(|key| !key.is_empty());
        let offer = offered(f.store(), None, &scope);
        assert_eq!(offer.as_deref(), first, "{scope:?}");
    }
}

fn what_is_behind_the_one_held_keeps_to_its_scope(f: &mut impl Fixture) {
    register(f.store(), "s1");
    let children = [("P", None), ("Q", None)];
    for (text, parent) in children {
        add_of(f.store(), text, None, parent);
    }
    for (text, repo) in [("1", Some("a")), ("2", Some("b")), ("3", Some("a"))] {
        add_of(f.store(), text, repo, Some("P"));
    }
    claim(f.store(), "s1", "1");
    let here = RepoScope::Here(Some("a".to_owned()));
    assert_eq!(offered(f.store(), Some("s1"), &here).unwrap(), "3");
    let all = offered(f.store(), Some("s1"), &RepoScope::All);
    assert_eq!(all.unwrap(), "2");
}

fn moving_on_claims_nothing_outside_its_scope(f: &mut impl Fixture) {
    register(f.store(), "s1");
    add_of(f.store(), "of-a", Some("a"), None);
    add_of(f.store(), "of-b", Some("b"), None);
    let before = cursor(f.store());
    let scope = RepoScope::Only("c".to_owned());
    let found = f.store().claim_next(&request(&scope)).unwrap();
    assert!(matches!(found.next, Next::Nothing { .. }), "{found:?}");
    assert_eq!(cursor(f.store()), before);
    let scope = RepoScope::Here(Some("b".to_owned()));
    f.store().claim_next(&request(&scope)).unwrap();
    assert_eq!(item(f.store(), "of-b").holder, Some(id("s1")));
    assert_eq!(item(f.store(), "of-a").holder, None);
}

fn what_keeps_an_item_is_named_within_the_scope(f: &mut impl Fixture) {
    given(f.store());
    for text in ["of-a", "of-b", "of-none"] {
        move_to(f.store(), "user", text, ItemStatus::Blocked);
    }
    for (scope, expected) in all() {
        let wish = NextWish {
            scope: scope.clone(),
            ..NextWish::default()
        };
        let found = f.store().next_item(&wish).unwrap();
        let Next::Nothing { hindrances, .. } = found else {
            panic!("{scope:?}: {found:?}")
        };
        let keys: Vec<&str> = hindrances.iter().map(|it| it.item.as_str()).collect();
        assert_eq!(keys.join(" "), expected, "{scope:?}");
    }
}
