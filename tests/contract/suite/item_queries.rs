//! Questions about many items: what is ready, where words occur, how many there are.

use trueup_core::model::{ItemKey, ItemPriority, ItemStatus, NewItem, RepoScope};
use trueup_core::store::{ItemFilter, ReadyItems, ReadyQuery, SearchQuery, Store, UnblockingItem};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, claim_item, item_key, move_item, new_item, new_provenance, provenance_because,
    register_session,
};
use crate::suite::plans::new_plan;

on_every_store! {
    the_most_urgent_ready_item_comes_first_then_the_oldest
    what_is_held_waits_or_is_blocked_is_not_ready
    a_parent_waits_for_its_children_and_children_for_what_their_parent_waits_for
    ready_items_keep_to_their_repositories
    what_waits_is_counted_and_what_most_wait_for_comes_first
    a_list_ends_at_its_limit_and_is_counted
    kinds_and_repositories_of_items_are_known
    words_are_found_in_keys_titles_and_descriptions
    words_are_found_in_plans_and_reasons
    letters_of_a_pattern_mean_themselves
}

fn add(store: &mut dyn Store, new: &NewItem) {
    store.add_item(new, &new_provenance("user")).unwrap();
}

fn depends(text: &str, on: &[&str]) -> NewItem {
    NewItem { depends_on: on.iter().map(|on| item_key(on)).collect(), ..new_item(text) }
}

fn child(text: &str, parent: &str) -> NewItem {
    NewItem { parent: Some(item_key(parent)), ..new_item(text) }
}

fn find_ready(store: &mut dyn Store, scope: RepoScope) -> ReadyItems {
    store.list_ready_items(&ReadyQuery { scope, limit: 50, blocker_limit: 3 }).unwrap()
}

fn keys_of(items: &[UnblockingItem]) -> String {
    items.iter().map(|found| found.item.key.as_str()).collect::<Vec<_>>().join(" ")
}

fn ready_keys(store: &mut dyn Store) -> String {
    keys_of(&find_ready(store, RepoScope::All).items)
}

/// Describes each as `A: direct keys, total`.
fn describe(items: &[UnblockingItem]) -> Vec<String> {
    let each = items.iter().map(|found| {
        let direct: Vec<&str> = found.unblocking.direct.iter().map(ItemKey::as_str).collect();
        format!("{}: {} {}", found.item.key, direct.join("+"), found.unblocking.total)
    });
    each.collect()
}

fn the_most_urgent_ready_item_comes_first_then_the_oldest(f: &mut impl StoreFixture) {
    for (text, priority) in
        [("a", Some(3)), ("b", None), ("c", Some(2)), ("m", Some(0)), ("z", None)]
    {
        let priority = priority.map(|number| ItemPriority::try_from(number).unwrap());
        add(f.store(), &NewItem { priority, ..new_item(text) });
    }
    assert_eq!(ready_keys(f.store()), "m b c z a");
    let query = ReadyQuery { limit: 2, ..ReadyQuery::default() };
    let first = f.store().list_ready_items(&query).unwrap();
    assert_eq!((keys_of(&first.items).as_str(), first.has_more), ("m b", true));
    let query = ReadyQuery { limit: 5, ..ReadyQuery::default() };
    assert!(!f.store().list_ready_items(&query).unwrap().has_more);
}

fn what_is_held_waits_or_is_blocked_is_not_ready(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    for text in ["held", "blocked", "done", "failed", "begun"] {
        add_item(f.store(), text);
    }
    add(f.store(), &depends("waits", &["blocked", "done"]));
    add(f.store(), &depends("free", &["done"]));
    claim_item(f.store(), "s1", "held");
    for (text, to) in [
        ("blocked", ItemStatus::Blocked),
        ("done", ItemStatus::Completed),
        ("failed", ItemStatus::Failed),
        ("begun", ItemStatus::Running),
    ] {
        move_item(f.store(), "user", text, to);
    }
    assert_eq!(ready_keys(f.store()), "begun free");
}

fn a_parent_waits_for_its_children_and_children_for_what_their_parent_waits_for(
    f: &mut impl StoreFixture,
) {
    // In the order of their keys too: two may be added in one millisecond.
    for new in [
        new_item("A"),
        new_item("P"),
        child("P.1", "P"),
        child("P.1.1", "P.1"),
        depends("Q", &["A"]),
        child("Q.1", "Q"),
        child("Q.1.1", "Q.1"),
    ] {
        add(f.store(), &new);
    }
    assert_eq!(ready_keys(f.store()), "A P.1.1");
    move_item(f.store(), "user", "P.1.1", ItemStatus::Completed);
    assert_eq!(ready_keys(f.store()), "A P.1");
    move_item(f.store(), "user", "A", ItemStatus::Completed);
    assert_eq!(ready_keys(f.store()), "P.1 Q.1.1");
    move_item(f.store(), "user", "Q", ItemStatus::Blocked);
    assert_eq!(ready_keys(f.store()), "P.1");
}

fn ready_items_keep_to_their_repositories(f: &mut impl StoreFixture) {
    for (text, repo) in [("of-a", Some("a")), ("of-b", Some("b")), ("of-none", None)] {
        let repo = repo.map(str::to_owned);
        add(f.store(), &NewItem { repo: repo.clone(), ..new_item(text) });
        let waits = format!("{text}-waits");
        add(f.store(), &NewItem { repo, ..depends(&waits, &[text]) });
    }
    for (scope, ready, blockers) in [
        (RepoScope::All, "of-a of-b of-none", "of-a of-b of-none"),
        (RepoScope::Here(Some("a".to_owned())), "of-a of-none", "of-a of-none"),
        (RepoScope::Here(None), "of-none", "of-none"),
        (RepoScope::Only("b".to_owned()), "of-b", "of-b"),
    ] {
        let found = find_ready(f.store(), scope.clone());
        let keys = (keys_of(&found.items), keys_of(&found.blockers));
        assert_eq!(keys, (ready.to_owned(), blockers.to_owned()), "{scope:?}");
    }
}

fn what_waits_is_counted_and_what_most_wait_for_comes_first(f: &mut impl StoreFixture) {
    for new in [
        new_item("A"),
        new_item("B"),
        depends("C", &["A"]),
        depends("D", &["C", "B"]),
        depends("E", &["D"]),
        depends("F", &["B"]),
    ] {
        add(f.store(), &new);
    }
    let found = find_ready(f.store(), RepoScope::All);
    assert_eq!(describe(&found.items), ["A: C 3", "B: D+F 3"]);
    assert_eq!(describe(&found.blockers), ["A: C 3", "B: D+F 3", "C: D 2"]);
    assert!(!found.is_partial);
    move_item(f.store(), "user", "A", ItemStatus::Completed);
    // What failed is waited for as well.
    move_item(f.store(), "user", "B", ItemStatus::Failed);
    let found = find_ready(f.store(), RepoScope::All);
    assert_eq!(describe(&found.items), ["C: D 2"]);
    assert_eq!(describe(&found.blockers), ["B: D+F 3", "C: D 2", "D: E 1"]);
    for text in ["C", "D", "E", "F"] {
        move_item(f.store(), "user", text, ItemStatus::Cancelled);
    }
    assert_eq!(find_ready(f.store(), RepoScope::All), ReadyItems::default());
}

fn a_list_ends_at_its_limit_and_is_counted(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_item(f.store(), "P");
    for text in ["a", "b", "c"] {
        add(f.store(), &NewItem { repo: Some("r".to_owned()), ..child(text, "P") });
    }
    add(f.store(), &NewItem { kind: Some("bug".to_owned()), ..new_item("z") });
    claim_item(f.store(), "s1", "b");
    move_item(f.store(), "user", "c", ItemStatus::Completed);
    let all = ItemFilter::default;
    let of_parent = || ItemFilter { parent: Some(item_key("P")), ..all() };
    for (filter, expected) in [
        (all(), "P z a b c"),
        (of_parent(), "a b c"),
        (ItemFilter { held: true, ..all() }, "b"),
        (ItemFilter { held: true, ..of_parent() }, "b"),
        (ItemFilter { statuses: vec![ItemStatus::Completed], ..all() }, "c"),
        (ItemFilter { kind: Some("bug".to_owned()), ..all() }, "z"),
        (ItemFilter { scope: RepoScope::Only("r".to_owned()), ..all() }, "a b c"),
        (ItemFilter { scope: RepoScope::Here(None), ..all() }, "P z"),
        (ItemFilter { kind: Some("none".to_owned()), ..all() }, ""),
    ] {
        let expected: Vec<&str> = expected.split_whitespace().collect();
        for limit in [0, 1, 2, 9] {
            let listed = f.store().list_items(&ItemFilter { limit, ..filter.clone() }).unwrap();
            let listed: Vec<&str> = listed.iter().map(|item| item.key.as_str()).collect();
            let most = if limit == 0 { expected.len() } else { expected.len().min(limit as usize) };
            assert_eq!(listed, expected[..most], "{filter:?}");
            let count = f.store().count_items(&filter, limit).unwrap();
            assert_eq!(count, most as u64, "{filter:?}");
        }
    }
}

fn kinds_and_repositories_of_items_are_known(f: &mut impl StoreFixture) {
    assert_eq!(f.store().list_item_kinds().unwrap(), Vec::<String>::new());
    for (text, kind, repo) in [("a", "task", None), ("b", "bug", Some("Rep")), ("c", "bug", None)] {
        let (kind, repo) = (Some(kind.to_owned()), repo.map(str::to_owned));
        add(f.store(), &NewItem { kind, repo, ..new_item(text) });
    }
    assert_eq!(f.store().list_item_kinds().unwrap(), ["bug", "task"]);
    for (name, expected) in [("Rep", Some("Rep")), ("rEP", Some("Rep")), ("re", None)] {
        assert_eq!(f.store().find_repo_of_items(name).unwrap().as_deref(), expected, "{name}");
    }
}

fn found_items(store: &mut dyn Store, words: &[&str], scope: RepoScope, limit: u32) -> String {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    let hits = store.find_search_hits(&SearchQuery { words, scope, limit }).unwrap();
    hits.items.iter().map(|item| item.key.as_str()).collect::<Vec<_>>().join(" ")
}

fn words_are_found_in_keys_titles_and_descriptions(f: &mut impl StoreFixture) {
    for (text, title, description, repo) in [
        ("SD-1", "Sync on start", "Nothing", Some("r")),
        ("SD-2", "Übergabe", "the SYNC of\nall", None),
        ("sync-3", "Other", "", Some("other")),
        ("SD-4", "Start the sync", "", Some("r")),
        ("SD-5", "Ubergabe", "", None),
    ] {
        let new = NewItem {
            title: Some(title.to_owned()),
            description: Some(description.to_owned()),
            repo: repo.map(str::to_owned),
            ..new_item(text)
        };
        add(f.store(), &new);
    }
    move_item(f.store(), "user", "SD-1", ItemStatus::Completed);
    let all = || RepoScope::All;
    for (words, scope, expected) in [
        // Keys first, then titles, and of those what is unfinished.
        (&["sync"][..], all(), "sync-3 SD-4 SD-1 SD-2"),
        (&["SYNC", "start"], all(), "SD-4 SD-1"),
        (&["sd-2", "all"], all(), "SD-2"),
        (&["über"], all(), "SD-2"),
        (&["BERGABE", "sd-5"], all(), "SD-5"),
        (&["sync"], RepoScope::Here(Some("r".to_owned())), "SD-4 SD-1 SD-2"),
        (&["sync"], RepoScope::Only("other".to_owned()), "sync-3"),
        (&["sync", "none"], all(), ""),
        (&["s", "y", "n", "c", "start", "on"], all(), "SD-1"),
        (&[" "], all(), ""),
    ] {
        assert_eq!(
            found_items(f.store(), words, scope.clone(), 9),
            expected,
            "{words:?} {scope:?}"
        );
    }
    assert_eq!(found_items(f.store(), &["sync"], all(), 2), "sync-3 SD-4");
}

fn words_are_found_in_plans_and_reasons(f: &mut impl StoreFixture) {
    f.store().import_plan(&new_plan("/p.md", &["1.1", "1.2"]), &new_provenance("user")).unwrap();
    for (text, repo) in [("A", "a"), ("B", "b")] {
        let new = NewItem { repo: Some(repo.to_owned()), ..new_item(text) };
        f.store().add_item(&new, &provenance_because("user", "The Lawyers said so")).unwrap();
    }
    let search = |store: &mut dyn Store, word: &str, scope| {
        store
            .find_search_hits(&SearchQuery { words: vec![word.to_owned()], scope, limit: 9 })
            .unwrap()
    };
    let tasks = search(f.store(), "1.2", RepoScope::All).tasks;
    assert_eq!(tasks.iter().map(|task| task.id.as_str()).collect::<Vec<_>>(), ["1.2"]);
    for (scope, expected) in [
        (RepoScope::All, &["B", "A"][..]),
        (RepoScope::Here(Some("a".to_owned())), &["A"]),
        (RepoScope::Here(None), &[]),
    ] {
        let events = search(f.store(), "lawyers", scope).events;
        assert_eq!(events.iter().map(|event| event.key.as_str()).collect::<Vec<_>>(), expected);
    }
}

fn letters_of_a_pattern_mean_themselves(f: &mut impl StoreFixture) {
    for (text, title) in
        [("A", "at 100% of it"), ("B", "at 1000 of it"), ("C", "a_b!"), ("D", "axb!")]
    {
        add(f.store(), &NewItem { title: Some(title.to_owned()), ..new_item(text) });
    }
    for (word, expected) in [("100%", "A"), ("a_b", "C"), ("xB!", "D"), ("%", "A"), ("''", "")] {
        assert_eq!(found_items(f.store(), &[word], RepoScope::All, 9), expected, "{word}");
    }
}
