//! Items are edited and removed; events keep their earlier values.

use serde_json::{Value as Json, json};
use trueup_core::model::{Event, Item, ItemStatus, NewItem};
use trueup_core::store::{ItemEditRequest, ItemUse, OptionalItemField, Store};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, claim_item, expect_refusal, item_key, last_event_id, list_event_kinds, list_events,
    load_item, move_item, new_item, new_phases, new_provenance, provenance_because,
    register_session, release_request, session_id,
};

on_every_store! {
    an_edit_changes_what_it_names_and_nothing_else
    what_an_item_may_be_without_is_taken_away
    events_repeat_no_description_that_stayed
    a_description_loses_its_secrets
    an_edit_is_one_event_with_who_and_why
    an_edit_that_changes_nothing_writes_nothing
    an_edit_of_nothing_that_exists_is_denied
    a_parent_that_waits_for_its_child_is_denied
    an_edit_leaves_the_claim_alone
    a_repeated_edit_does_not_undo_what_came_after
    an_item_that_nothing_needs_is_removed
    a_removal_takes_the_dependencies_of_the_item_along
    what_is_needed_stays_and_says_by_what
    removing_nothing_is_denied
    a_repeated_removal_removes_no_successor
}

fn item_edit(text: &str) -> ItemEditRequest {
    ItemEditRequest::new(item_key(text), new_provenance("user"))
}

fn title_edit(text: &str, title: &str) -> ItemEditRequest {
    ItemEditRequest { title: Some(title.to_owned()), ..item_edit(text) }
}

fn parent_edit(text: &str, parent: &str) -> ItemEditRequest {
    ItemEditRequest { parent: Some(item_key(parent)), ..item_edit(text) }
}

fn add_waiting(store: &mut dyn Store, text: &str, on: &str) -> Item {
    let new = NewItem { depends_on: vec![item_key(on)], ..new_item(text) };
    store.add_item(&new, &new_provenance("user")).unwrap()
}

fn add_child(store: &mut dyn Store, text: &str, parent: &str) {
    let new = NewItem { parent: Some(item_key(parent)), ..new_item(text) };
    store.add_item(&new, &new_provenance("user")).unwrap();
}

fn last_event(store: &mut dyn Store) -> Event {
    list_events(store).pop().unwrap()
}

fn an_edit_changes_what_it_names_and_nothing_else(f: &mut impl StoreFixture) {
    add_item(f.store(), "P");
    let mut expected = add_item(f.store(), "A");
    let mut step = |change: ItemEditRequest, expect: &dyn Fn(&mut Item)| {
        let edited = f.store().edit_item(&change).unwrap();
        expect(&mut expected);
        expected.revision.0 += 1;
        expected.updated_at = edited.updated_at;
        assert_eq!(edited, expected);
        assert_eq!(load_item(f.store(), "A"), expected);
    };
    step(title_edit("A", "über \"x\""), &|item| {
        item.title = Some("über \"x\"".to_owned());
    });
    let kind = ItemEditRequest { kind: Some("orchestrator".to_owned()), ..item_edit("A") };
    step(kind, &|item| "orchestrator".clone_into(&mut item.kind));
    step(parent_edit("A", "P"), &|item| {
        item.parent = Some(item_key("P"));
    });
    let position = ItemEditRequest { position: Some(-3), ..item_edit("A") };
    step(position, &|item| item.position = Some(-3));
    let both = ItemEditRequest { position: Some(2), ..title_edit("A", "y") };
    step(both, &|item| {
        item.title = Some("y".to_owned());
        item.position = Some(2);
    });
    let urgent = ItemEditRequest { priority: "P0".parse().ok(), ..item_edit("A") };
    step(urgent, &|item| item.priority = "0".parse().ok());
    let text = "## Über\n\n- \"x\"\r\n";
    let described = ItemEditRequest { description: Some(text.to_owned()), ..item_edit("A") };
    step(described, &|item| item.description = Some(text.to_owned()));
    let extra = json!({"labels": ["ü", "b"], "estimate": 2.5, "none": null});
    let extra = extra.as_object().unwrap();
    let brought = ItemEditRequest { extra: Some(extra.clone()), ..item_edit("A") };
    step(brought, &|item| item.extra.clone_from(extra));
}

fn what_an_item_may_be_without_is_taken_away(f: &mut impl StoreFixture) {
    add_item(f.store(), "P");
    let full = NewItem {
        title: Some("t".to_owned()),
        parent: Some(item_key("P")),
        position: Some(3),
        priority: "4".parse().ok(),
        description: Some("d".to_owned()),
        ..new_item("A")
    };
    f.store().add_item(&full, &new_provenance("user")).unwrap();
    let before = last_event_id(f.store());
    let fields = [
        OptionalItemField::Title,
        OptionalItemField::Parent,
        OptionalItemField::Position,
        OptionalItemField::Priority,
        OptionalItemField::Description,
    ];
    for field in fields {
        // A new value of what goes is ignored; everything else stays.
        let position = Some(9).filter(|_| field == OptionalItemField::Position);
        let change = ItemEditRequest { position, unset: vec![field], ..item_edit("A") };
        let was = load_item(f.store(), "A").event_facts();
        let is = f.store().edit_item(&change).unwrap().event_facts();
        for (name, value) in was.as_object().unwrap() {
            let expected = if name == field.as_str() { &Json::Null } else { value };
            assert_eq!(&is[name], expected, "{name} without {}", field.as_str());
        }
    }
    assert_eq!(list_event_kinds(f.store(), before), ["A changed"; 5]);
    let all = ItemEditRequest { unset: fields.to_vec(), ..title_edit("A", "t") };
    assert_eq!(f.store().edit_item(&all).unwrap().title, None);
    assert_eq!(list_event_kinds(f.store(), before), ["A changed"; 5], "nothing was left to take");
}

fn events_repeat_no_description_that_stayed(f: &mut impl StoreFixture) {
    let extra = json!({"labels": ["a"]});
    let new = NewItem {
        description: Some("long".to_owned()),
        extra: extra.as_object().unwrap().clone(),
        ..new_item("A")
    };
    f.store().add_item(&new, &new_provenance("user")).unwrap();
    let added = last_event(f.store()).after;
    assert_eq!((&added["description"], &added["extra"]), (&json!("long"), &extra));
    f.store().edit_item(&title_edit("A", "t")).unwrap();
    let titled = last_event(f.store());
    for facts in [&titled.before, &titled.after] {
        assert_eq!((facts.get("description"), facts.get("extra")), (None, None));
        assert_eq!(facts["kind"], "task");
    }
    let described = ItemEditRequest { description: Some("short".to_owned()), ..item_edit("A") };
    f.store().edit_item(&described).unwrap();
    let described = last_event(f.store());
    let texts = (&described.before["description"], &described.after["description"]);
    assert_eq!(texts, (&json!("long"), &json!("short")));
    assert_eq!(described.after.get("extra"), None);
    f.store().remove_item(&item_key("A"), &new_provenance("user")).unwrap();
    let removed = last_event(f.store()).before;
    assert_eq!((&removed["description"], &removed["extra"]), (&json!("short"), &extra));
}

fn a_description_loses_its_secrets(f: &mut impl StoreFixture) {
    let secret = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
    let new = NewItem {
        description: Some(format!("use {secret}")),
        extra: json!({"note": secret}).as_object().unwrap().clone(),
        ..new_item("A")
    };
    let item = f.store().add_item(&new, &new_provenance("user")).unwrap();
    let change = ItemEditRequest {
        description: Some(format!("or {secret}")),
        extra: Some(new.extra.clone()),
        ..item_edit("A")
    };
    let edited = f.store().edit_item(&change).unwrap();
    let events = format!("{:?}", list_events(f.store()));
    for text in [format!("{item:?}"), format!("{edited:?}"), events] {
        assert!(!text.contains(secret), "{text}");
    }
}

fn an_edit_is_one_event_with_who_and_why(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    let before = last_event_id(f.store());
    let change = ItemEditRequest {
        provenance: provenance_because("ann", "a typing error"),
        ..title_edit("A", "t")
    };
    f.store().edit_item(&change).unwrap();
    assert_eq!(list_event_kinds(f.store(), before), ["A changed"]);
    let event = last_event(f.store());
    assert_eq!(event.actor, "ann");
    assert_eq!(event.reason.as_deref(), Some("a typing error"));
    assert_eq!(event.op_id.as_deref(), Some(change.provenance.op_id.as_str()));
    assert_eq!(event.before["title"], Json::Null);
    assert_eq!(event.after["title"], json!("t"));
}

fn an_edit_that_changes_nothing_writes_nothing(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    f.store().edit_item(&title_edit("A", "t")).unwrap();
    let before = (last_event_id(f.store()), load_item(f.store(), "A"));
    for change in [item_edit("A"), title_edit("A", "t")] {
        assert_eq!(f.store().edit_item(&change).unwrap(), before.1);
    }
    assert_eq!((last_event_id(f.store()), load_item(f.store(), "A")), before);
}

fn an_edit_of_nothing_that_exists_is_denied(f: &mut impl StoreFixture) {
    let first = add_item(f.store(), "A");
    expect_refusal(f.store().edit_item(&title_edit("B", "t")), "denied");
    let change = ItemEditRequest { parent: Some(item_key("B")), ..title_edit("A", "t") };
    expect_refusal(f.store().edit_item(&change), "denied");
    assert_eq!(load_item(f.store(), "A"), first, "all of it or nothing");
    assert_eq!(f.store().load_item(&item_key("B")).unwrap(), None);
}

fn a_parent_that_waits_for_its_child_is_denied(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    add_waiting(f.store(), "W", "A");
    add_waiting(f.store(), "V", "W");
    add_child(f.store(), "C", "A");
    let before = last_event_id(f.store());
    // A parent waits for its children, so none of them may wait for it: directly, through
    // others, as the parent's parent or as itself.
    for (text, parent) in [("V", "W"), ("V", "A"), ("A", "C"), ("A", "A")] {
        let error = expect_refusal(f.store().edit_item(&parent_edit(text, parent)), "denied");
        assert!(error.to_string().contains("waits for"), "{error}");
    }
    assert_eq!(last_event_id(f.store()), before);
    assert_eq!(load_item(f.store(), "V").parent, None);
    let waits_for_it = f.store().edit_item(&parent_edit("W", "V")).unwrap();
    assert_eq!(waits_for_it.parent, Some(item_key("V")));
}

fn an_edit_leaves_the_claim_alone(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_item(f.store(), "A");
    let item = claim_item(f.store(), "s1", "A").item;
    let edited = f.store().edit_item(&title_edit("A", "t")).unwrap();
    assert_eq!(
        (edited.holder, edited.epoch, edited.status),
        (item.holder, item.epoch, item.status)
    );
    assert_eq!(edited.claimed_at, item.claimed_at);
    f.store().release(&release_request("s1", "A")).unwrap();
}

fn a_repeated_edit_does_not_undo_what_came_after(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    let first = title_edit("A", "first");
    f.store().edit_item(&first).unwrap();
    f.store().edit_item(&title_edit("A", "second")).unwrap();
    let before = last_event_id(f.store());
    let again = f.store().edit_item(&first).unwrap();
    assert_eq!(again.title.as_deref(), Some("second"));
    assert_eq!(last_event_id(f.store()), before);
}

fn an_item_that_nothing_needs_is_removed(f: &mut impl StoreFixture) {
    let new = NewItem { title: Some("t".to_owned()), ..new_item("A") };
    f.store().add_item(&new, &new_provenance("user")).unwrap();
    let facts = load_item(f.store(), "A").event_facts();
    let before = last_event_id(f.store());
    assert_eq!(f.store().find_item_use(&item_key("A")).unwrap(), None);
    let why = provenance_because("ann", "added by mistake");
    f.store().remove_item(&item_key("A"), &why).unwrap();
    assert_eq!(f.store().load_item(&item_key("A")).unwrap(), None);
    assert_eq!(f.store().find_item_keys(&["A"]).unwrap(), Vec::<String>::new());
    assert_eq!(list_event_kinds(f.store(), before), ["A removed"]);
    let event = last_event(f.store());
    assert_eq!((event.actor.as_str(), event.reason.as_deref()), ("ann", Some("added by mistake")));
    assert_eq!(event.op_id.as_deref(), Some(why.op_id.as_str()));
    assert_eq!((event.before, event.after), (facts, Json::Null));
    let again = add_item(f.store(), "A");
    assert_eq!((again.title, again.revision.0), (None, 1), "a new one");
}

fn a_removal_takes_the_dependencies_of_the_item_along(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    add_waiting(f.store(), "W", "A");
    f.store().remove_item(&item_key("W"), &new_provenance("user")).unwrap();
    assert_eq!(f.store().list_waiting_items(&item_key("A")).unwrap(), []);
    assert_eq!(f.store().find_item_use(&item_key("A")).unwrap(), None);
    let again = add_item(f.store(), "W");
    assert_eq!((again.depends_on, again.open_dependencies), (vec![], 0));
    move_item(f.store(), "user", "A", ItemStatus::Completed);
    assert_eq!(load_item(f.store(), "W").status, ItemStatus::Queued);
}

fn what_is_needed_stays_and_says_by_what(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    for text in ["held", "parent", "needed", "queued"] {
        add_item(f.store(), text);
    }
    claim_item(f.store(), "s1", "held");
    add_child(f.store(), "c1", "parent");
    add_child(f.store(), "c2", "parent");
    add_waiting(f.store(), "w2", "needed");
    add_waiting(f.store(), "w1", "needed");
    f.store().add_phases(&new_phases("queued", &[&[]]), &new_provenance("user")).unwrap();
    let before = last_event_id(f.store());
    for (text, used) in [
        ("held", ItemUse::Held(session_id("s1"))),
        ("parent", ItemUse::Children(2)),
        ("needed", ItemUse::DependedOn(item_key("w1"))),
        ("queued", ItemUse::Phases),
    ] {
        let found = f.store().find_item_use(&item_key(text)).unwrap();
        assert_eq!(found.as_ref(), Some(&used), "{text}");
        let error = expect_refusal(
            f.store().remove_item(&item_key(text), &new_provenance("user")),
            "denied",
        );
        assert!(error.to_string().contains(&used.to_string()), "{error}");
        load_item(f.store(), text);
    }
    assert_eq!(last_event_id(f.store()), before);
    // Without the dependency, the removal is allowed.
    f.store().release(&release_request("s1", "held")).unwrap();
    for text in ["held", "c1", "c2", "parent", "w1", "w2", "needed"] {
        f.store().remove_item(&item_key(text), &new_provenance("user")).unwrap();
    }
}

fn removing_nothing_is_denied(f: &mut impl StoreFixture) {
    expect_refusal(f.store().remove_item(&item_key("A"), &new_provenance("user")), "denied");
    expect_refusal(f.store().find_item_use(&item_key("A")), "denied");
    assert_eq!(last_event_id(f.store()), 0);
}

fn a_repeated_removal_removes_no_successor(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    let why = new_provenance("user");
    f.store().remove_item(&item_key("A"), &why).unwrap();
    f.store().remove_item(&item_key("A"), &why).unwrap();
    let second = add_item(f.store(), "A");
    f.store().remove_item(&item_key("A"), &why).unwrap();
    assert_eq!(load_item(f.store(), "A"), second);
}
