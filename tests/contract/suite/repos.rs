//! Repositories: their checkouts, names and STATE.md.

use serde_json::json;
use trueup_core::model::{NewItem, Repo, RepoPlace, RepoSlug, RepoState, StateSummary};
use trueup_core::store::{RepoNaming, RepoPlacement, SessionRegistration, Store, StoreError};

use crate::fixture::StoreFixture;
use crate::requests::{
    expect_refusal, last_event_id, list_event_kinds, list_events, load_item, load_session,
    new_provenance, registration,
};

on_every_store! {
    a_repository_lies_where_each_machine_says
    further_checkouts_belong_to_their_repository
    a_slug_is_one_whatever_its_case
    saying_the_same_again_changes_nothing
    the_last_machine_takes_the_repository_with_it
    a_state_that_says_the_same_keeps_its_time
    a_state_comes_back_exactly
    every_change_of_a_repository_is_one_event_without_the_text
    a_state_needs_its_repository
    a_repository_that_nobody_registered_has_one_name
    what_a_repository_is_renamed_to_its_rows_are_renamed_to
}

pub(crate) fn repo_slug(text: &str) -> RepoSlug {
    text.parse().unwrap()
}

pub(crate) fn placement(name: &str, machine: &str, path: &str) -> RepoPlacement {
    RepoPlacement {
        slug: repo_slug(name),
        passive: None,
        machine: machine.to_owned(),
        place: RepoPlace {
            host: format!("{machine}-host"),
            path: path.to_owned(),
            checkouts: Vec::new(),
            identity: None,
        },
        is_additional: false,
        missing_checkouts: Vec::new(),
        provenance: new_provenance("user"),
    }
}

fn add_repo(store: &mut dyn Store, name: &str, machine: &str, path: &str) -> Repo {
    store.place_repo(&placement(name, machine, path)).unwrap()
}

pub(crate) fn repo_state(content: &str) -> RepoState {
    let head = StateSummary {
        synced_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        synced_by: "nobody".to_owned(),
        source_digest: format!("source of {content}"),
        digest: format!("digest of {content}"),
        redacted: 2,
        summary: "all well".to_owned(),
    };
    RepoState { head, content: content.to_owned() }
}

fn a_repository_lies_where_each_machine_says(f: &mut impl StoreFixture) {
    add_repo(f.store(), "beta", "m1", "/b");
    add_repo(f.store(), "alpha", "m1", "/a");
    let twice = add_repo(f.store(), "alpha", "m2", "/elsewhere/a");
    assert_eq!(twice.path_on("m1"), Some("/a"));
    assert_eq!(twice.path_on("m2"), Some("/elsewhere/a"));
    assert_eq!(twice.path_on("m3"), None);
    assert_eq!(twice.places["m2"].host, "m2-host");
    assert!(!twice.passive && twice.state.is_none());
    let moved_repo = add_repo(f.store(), "alpha", "m1", "/moved");
    assert_eq!(moved_repo.path_on("m1"), Some("/moved"));
    let all = f.store().list_repos().unwrap();
    let slugs: Vec<&str> = all.iter().map(|repo| repo.slug.as_str()).collect();
    assert_eq!(slugs, ["alpha", "beta"]);
    assert_eq!(all[0], moved_repo);
}

fn further_checkouts_belong_to_their_repository(f: &mut impl StoreFixture) {
    let mut further = |path: &str, gone: &[&str]| {
        let mut request = placement("alpha", "m1", path);
        request.is_additional = path != "/a";
        request.place.identity = Some("host/alpha".to_owned());
        request.missing_checkouts = gone.iter().map(|path| (*path).to_owned()).collect();
        let repo = f.store().place_repo(&request).unwrap();
        let all: Vec<String> = repo.checkouts_on("m1").map(str::to_owned).collect();
        assert_eq!(f.store().list_repos().unwrap(), [repo]);
        all
    };
    assert_eq!(further("/a", &[]), ["/a"]);
    assert_eq!(further("/b", &[]), ["/a", "/b"]);
    assert_eq!(further("/c", &[]), ["/a", "/b", "/c"]);
    assert_eq!(further("/b", &[]), ["/a", "/b", "/c"]);
    assert_eq!(further("/d", &["/b"]), ["/a", "/c", "/d"]);
    // Its own path may be given again, and is not an additional place then.
    let repo = add_repo(f.store(), "alpha", "m1", "/c");
    assert_eq!(repo.path_on("m1"), Some("/c"));
    assert!(repo.has_checkout("m1", "/d") && !repo.has_checkout("m1", "/a"));
    assert_eq!(repo.places["m1"].identity.as_deref(), Some("host/alpha"));
    assert_eq!(repo.checkouts_on("m2").count(), 0);
}

fn a_slug_is_one_whatever_its_case(f: &mut impl StoreFixture) {
    add_repo(f.store(), "Alpha", "m1", "/a");
    let again = add_repo(f.store(), "ALPHA", "m2", "/b");
    assert_eq!(again.slug.as_str(), "Alpha");
    assert_eq!(again.places.len(), 2);
    f.store()
        .update_repo_state(&repo_slug("alpha"), &repo_state("x"), &new_provenance("user"))
        .unwrap();
    let read = f.store().load_repo_state(&repo_slug("aLPHA")).unwrap().unwrap();
    assert_eq!(read.content, "x");
}

fn saying_the_same_again_changes_nothing(f: &mut impl StoreFixture) {
    let first = add_repo(f.store(), "alpha", "m1", "/a");
    f.advance_time(5);
    let before = last_event_id(f.store());
    assert_eq!(add_repo(f.store(), "alpha", "m1", "/a").updated_at, first.updated_at);
    assert_eq!(list_event_kinds(f.store(), before), [""; 0]);
    let passive = RepoPlacement { passive: Some(true), ..placement("alpha", "m1", "/a") };
    assert!(f.store().place_repo(&passive).unwrap().passive);
    // A flag that is not given stays unchanged.
    assert!(add_repo(f.store(), "alpha", "m2", "/b").passive);
    assert_eq!(list_event_kinds(f.store(), before), ["alpha changed", "alpha changed"]);
}

fn the_last_machine_takes_the_repository_with_it(f: &mut impl StoreFixture) {
    add_repo(f.store(), "alpha", "m1", "/a");
    add_repo(f.store(), "alpha", "m2", "/b");
    let store = f.store();
    store
        .update_repo_state(&repo_slug("alpha"), &repo_state("x"), &new_provenance("user"))
        .unwrap();
    expect_refusal(
        store.remove_repo_place(&repo_slug("alpha"), "m3", &new_provenance("user")),
        "conflict",
    );
    let was = store.remove_repo_place(&repo_slug("alpha"), "m1", &new_provenance("user")).unwrap();
    assert_eq!(was.places.len(), 2);
    assert_eq!(store.list_repos().unwrap()[0].path_on("m1"), None);
    assert!(store.load_repo_state(&repo_slug("alpha")).unwrap().is_some());
    store.remove_repo_place(&repo_slug("alpha"), "m2", &new_provenance("user")).unwrap();
    assert_eq!(store.list_repos().unwrap(), []);
    assert_eq!(store.load_repo_state(&repo_slug("alpha")).unwrap(), None);
    expect_refusal(
        store.remove_repo_place(&repo_slug("alpha"), "m2", &new_provenance("user")),
        "conflict",
    );
}

fn a_state_that_says_the_same_keeps_its_time(f: &mut impl StoreFixture) {
    add_repo(f.store(), "alpha", "m1", "/a");
    let put = |f: &mut dyn Store, content: &str| {
        let state = repo_state(content);
        let repo = f.update_repo_state(&repo_slug("alpha"), &state, &new_provenance("s1")).unwrap();
        repo.state.unwrap()
    };
    let first = put(f.store(), "x");
    assert_eq!(first.synced_by, "s1");
    f.advance_time(60);
    let before = last_event_id(f.store());
    let again = put(f.store(), "x");
    assert_eq!(again.digest, first.digest);
    assert_eq!(list_event_kinds(f.store(), before), [""; 0]);
    let changed = put(f.store(), "y");
    assert_eq!(changed.digest, "digest of y");
    assert_eq!(list_event_kinds(f.store(), before), ["alpha state"]);
}

fn a_state_comes_back_exactly(f: &mut impl StoreFixture) {
    add_repo(f.store(), "alpha", "m1", "/a");
    assert_eq!(f.store().load_repo_state(&repo_slug("alpha")).unwrap(), None);
    let text = "# T\r\n\r\n## State\n```\n---\n\u{feff}é no end";
    f.store()
        .update_repo_state(&repo_slug("alpha"), &repo_state(text), &new_provenance("user"))
        .unwrap();
    let read = f.store().load_repo_state(&repo_slug("alpha")).unwrap().unwrap();
    assert_eq!(read.content, text);
    assert_eq!((read.head.redacted, &*read.head.summary), (2, "all well"));
    let state = f.store().list_repos().unwrap().remove(0).state.unwrap();
    assert_eq!(state, read.head);
}

fn every_change_of_a_repository_is_one_event_without_the_text(f: &mut impl StoreFixture) {
    let before = last_event_id(f.store());
    add_repo(f.store(), "alpha", "m1", "/a");
    let put = new_provenance("s1");
    for _ in 0..2 {
        f.store().update_repo_state(&repo_slug("alpha"), &repo_state("the text"), &put).unwrap();
    }
    f.store().remove_repo_place(&repo_slug("alpha"), "m1", &new_provenance("user")).unwrap();
    let expected = ["alpha added", "alpha state", "alpha removed"];
    assert_eq!(list_event_kinds(f.store(), before), expected);
    let all = list_events(f.store());
    assert!(all.iter().all(|e| e.entity == "repo" && e.op_id.is_some()));
    assert_eq!(all[0].after["places"]["m1"]["path"], json!("/a"));
    assert_eq!(all[1].after["digest"], json!("digest of the text"));
    let changes = all.iter().map(|e| format!("{} {}", e.before, e.after));
    assert!(changes.into_iter().all(|text| !text.contains("\"the text\"")));
}

fn a_state_needs_its_repository(f: &mut impl StoreFixture) {
    let put =
        f.store().update_repo_state(&repo_slug("alpha"), &repo_state("x"), &new_provenance("user"));
    expect_refusal(put, "conflict");
}

fn choose_name(
    store: &mut dyn Store,
    identity: &str,
    name: &str,
    old: Option<&str>,
) -> Option<String> {
    let naming = RepoNaming {
        identity: identity.to_owned(),
        name: name.to_owned(),
        shared_with: old.map(str::to_owned),
        replaces_name: false,
    };
    match store.name_repo(&naming) {
        Err(StoreError::Conflict(_)) => None,
        other => Some(other.unwrap()),
    }
}

fn a_repository_that_nobody_registered_has_one_name(f: &mut impl StoreFixture) {
    let store = f.store();
    assert_eq!(store.find_repo_name("r").unwrap(), None);
    assert_eq!(choose_name(store, "r", "app", None).as_deref(), Some("app"));
    assert_eq!(choose_name(store, "r", "clone", None).as_deref(), Some("app"));
    assert_eq!(store.find_repo_name("r").unwrap().as_deref(), Some("app"));
    assert_eq!(store.list_repo_identities("APP").unwrap(), ["r"]);
    // A name belongs to one repository, which may have several identities.
    assert_eq!(choose_name(store, "q", "App", None), None);
    assert_eq!(choose_name(store, "q", "app", Some("other")), None);
    assert_eq!(choose_name(store, "q", "app", Some("r")).as_deref(), Some("app"));
    assert_eq!(store.list_repo_identities("app").unwrap(), ["q", "r"]);
    // Another repository may be at that path by now.
    let anew = RepoNaming {
        identity: "q".to_owned(),
        name: "new".to_owned(),
        shared_with: None,
        replaces_name: true,
    };
    assert_eq!(store.name_repo(&anew).unwrap(), "new");
    assert_eq!(store.list_repo_identities("app").unwrap(), ["r"]);
}

fn what_a_repository_is_renamed_to_its_rows_are_renamed_to(f: &mut impl StoreFixture) {
    let store = f.store();
    choose_name(store, "r", "app", None);
    choose_name(store, "place", "app", Some("r"));
    for (key, repo) in [("A", Some("app")), ("B", Some("other")), ("C", None)] {
        let item = NewItem {
            repo: repo.map(str::to_owned),
            ..NewItem::new(crate::requests::item_key(key))
        };
        store.add_item(&item, &new_provenance("user")).unwrap();
    }
    let of_it = SessionRegistration { repo: Some("app".to_owned()), ..registration("s1") };
    store.register_session(&of_it).unwrap();
    let before = last_event_id(store);
    store.rename_repo("r", "acme", &new_provenance("user")).unwrap();
    assert_eq!(store.list_repo_identities("acme").unwrap(), ["place", "r"]);
    let mut repo_of = |key: &str| load_item(store, key).repo;
    assert_eq!(repo_of("A").as_deref(), Some("acme"));
    assert_eq!(repo_of("B").as_deref(), Some("other"));
    assert_eq!(repo_of("C"), None);
    let session = load_session(store, "s1");
    assert_eq!(session.repo.as_deref(), Some("acme"));
    // The event names the actor.
    let key_and_actor = list_events(store).into_iter().filter(|e| e.seq > before);
    let key_and_actor: Vec<(String, String)> = key_and_actor.map(|e| (e.key, e.actor)).collect();
    assert_eq!(key_and_actor, [("A".to_owned(), "user".to_owned())]);
    // A repository without a name has no rows of its own.
    store.rename_repo("q", "other", &new_provenance("user")).unwrap();
    assert_eq!(store.find_repo_name("q").unwrap(), None);
}
