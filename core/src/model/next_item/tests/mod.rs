//! The search over a small board, case by case.

use serde_json::json;

use super::*;
use crate::model::fixture::{sample_item, sample_session};
use crate::model::{SessionStatus, fill_places, list_positioned};

mod random_trees;

/// A board of rows, written as `key`, or `parent/key`, with a status and what else matters.
#[derive(Default)]
struct Rows {
    items: Vec<Item>,
    last: Option<ItemKey>,
    asked: usize,
}

fn parse_key(text: &str) -> ItemKey {
    text.parse().unwrap()
}

impl Rows {
    /// Takes rows such as `P/a 1 queued`, `P/b - running me`, `P/c 3 queued <a`, `P/d 4 queued %0`.
    fn from_lines(rows: &[&str]) -> Self {
        let mut board = Self::default();
        for row in rows {
            let mut words = row.split(' ');
            let (parent, name) = match words.next().unwrap().split_once('/') {
                Some((parent, name)) => (Some(parent), name),
                None => (None, row.split(' ').next().unwrap()),
            };
            let position = words.next().and_then(|p| p.parse().ok());
            let status = words.next().unwrap_or("queued").parse().unwrap();
            let mut one = sample_item(status, None);
            one.key = parse_key(name);
            one.parent = parent.map(parse_key);
            one.position = position;
            for word in words {
                match word.split_at(1) {
                    ("<", on) => one.depends_on.push(parse_key(on)),
                    ("!", why) => one.error_message = Some(why.to_owned()),
                    ("%", priority) => one.priority = Some(priority.parse().unwrap()),
                    ("@", kind) => one.kind = kind.to_owned(),
                    _ => one.holder = Some(word.parse().unwrap()),
                }
            }
            board.items.push(one);
        }
        let all = board.items.clone();
        for one in &mut board.items {
            let open = one.depends_on.iter().filter(|on| {
                let on = all.iter().find(|i| i.key == **on).unwrap();
                on.status != ItemStatus::Completed
            });
            one.open_dependencies = open.count() as u64;
        }
        board
    }

    /// Lists what can be begun, by the words of the help alone.
    fn list_ready(&self) -> Vec<Item> {
        use ItemStatus::{Blocked, Queued, Ready, Running};
        let is_free = |item: &Item| {
            item.holder.is_none()
                && item.open_dependencies == 0
                && [Queued, Ready, Running].contains(&item.status)
        };
        let has_open_children = |item: &Item| {
            self.children_of(Some(&item.key)).iter().any(|child| !child.status.is_finished())
        };
        let is_withheld = |item: &Item| {
            let mut at = item.parent.clone();
            (0..MAX_LEVELS).any(|_| {
                let above = at.as_ref().and_then(|key| self.items.iter().find(|i| i.key == *key));
                at = above.and_then(|above| above.parent.clone());
                above.is_some_and(|above| {
                    above.status == Blocked
                        || above.open_dependencies > 0 && !above.status.is_finished()
                        || above.kind == ORCHESTRATOR_KIND
                            && [Queued, Ready].contains(&above.status)
                })
            })
        };
        let mut ready = self.items.clone();
        ready.retain(|item| {
            is_free(item)
                && (item.kind == ORCHESTRATOR_KIND || !has_open_children(item))
                && !is_withheld(item)
        });
        ready.sort_by_key(|item| (item.effective_priority(), item.created_at, item.key.clone()));
        let positioned = list_positioned(&ready);
        fill_places(ready, positioned)
    }

    fn children_of(&self, parent: Option<&ItemKey>) -> Vec<Item> {
        let mut found: Vec<Item> = self.items.clone();
        found.retain(|i| i.parent.as_ref() == parent);
        found.sort_by_key(Item::offer_order);
        found
    }
}

impl ItemSource for Rows {
    type Error = ();

    fn load_item(&mut self, key: &ItemKey) -> Result<Option<Item>, ()> {
        self.asked += 1;
        Ok(self.items.iter().find(|i| i.key == *key).cloned())
    }

    fn load_last_held(&mut self, _: &SessionId) -> Result<Option<ItemKey>, ()> {
        Ok(self.last.clone())
    }

    fn has_children(&mut self, key: &ItemKey) -> Result<bool, ()> {
        Ok(!self.children_of(Some(key)).is_empty())
    }

    fn find_first_ready(&mut self, _: &RepoScope) -> Result<Option<Item>, ()> {
        self.asked += 1;
        Ok(self.list_ready().into_iter().next())
    }

    fn find_first_free(&mut self, siblings: &Siblings<'_>) -> Result<Option<Item>, ()> {
        use ItemStatus::{Queued, Ready, Running};
        self.asked += 1;
        let mut free = self.children_of(siblings.parent);
        free.retain(|i| {
            i.holder.is_none()
                && i.open_dependencies == 0
                && [Queued, Ready, Running].contains(&i.status)
                && siblings.after.is_none_or(|after| {
                    i.sibling_position() > *after
                        && Some(i.effective_priority()) == siblings.priority
                })
        });
        if siblings.only_orchestrators {
            free.retain(|i| {
                i.kind == ORCHESTRATOR_KIND || !self.children_of(Some(&i.key)).is_empty()
            });
        }
        Ok(free.into_iter().next())
    }

    fn list_unfinished(
        &mut self,
        parent: Option<&ItemKey>,
        _: &RepoScope,
        limit: u32,
    ) -> Result<Vec<Item>, ()> {
        let mut found = self.children_of(parent);
        found.retain(|i| !i.status.is_finished());
        found.truncate(limit as usize);
        Ok(found)
    }

    fn has_unheld(&mut self, parent: Option<&ItemKey>, _: &RepoScope) -> Result<bool, ()> {
        let mut found = self.children_of(parent).into_iter();
        Ok(found.any(|i| !i.status.is_finished() && i.holder.is_none()))
    }

    fn list_open_dependencies(
        &mut self,
        key: &ItemKey,
        _: u32,
    ) -> Result<Vec<(ItemKey, ItemStatus)>, ()> {
        let item = self.load_item(key)?.unwrap();
        let on = item.depends_on.iter().filter_map(|on| self.items.iter().find(|i| i.key == *on));
        let open = on.filter(|i| i.status != ItemStatus::Completed);
        Ok(open.map(|i| (i.key.clone(), i.status)).collect())
    }
}

/// Says what comes next, in short.
fn describe_next(board: &mut Rows, parent: Option<&str>, chain: bool) -> String {
    let mut me = sample_session("me", SessionStatus::Active, 0);
    me.metadata.insert("chain_orchestrators".to_owned(), json!(chain));
    let held = board.items.iter().find(|i| i.holder.as_ref() == Some(&me.id));
    me.item = held.map(|i| i.key.clone());
    let parent = parent.map(parse_key);
    let seeker = Requester { session: Some(&me), parent: parent.as_ref(), scope: &RepoScope::All };
    describe_answer(find_next_item(board, &seeker).unwrap())
}

fn describe_answer(next: NextItem) -> String {
    let because = |reason: Option<PickReason>| {
        reason.map_or(String::new(), |reason| format!(" ({})", reason.as_str()))
    };
    match next {
        NextItem::Offer { item, reason } => format!("{}{}", item.key, because(reason)),
        NextItem::Held { item, reason } => format!("held {}{}", item.key, because(reason)),
        NextItem::KeepHeld { held, item } => format!("{} kept, not {}", held.key, item.key),
        NextItem::Nothing { reason: lack, blockers: hindrances, .. } => {
            let causes = hindrances.iter().map(|h| {
                let why = match &h.cause {
                    BlockerCause::HeldBy(holder) => format!("held by {holder}"),
                    BlockerCause::DependsOn(on) => {
                        let on: Vec<_> = on.iter().map(|(k, s)| format!("{k} {s}")).collect();
                        format!("after {}", on.join(" + "))
                    }
                    BlockerCause::Blocked(why) => {
                        format!("blocked {}", why.as_deref().unwrap_or("?"))
                    }
                    BlockerCause::Free => "free".to_owned(),
                };
                format!("{}: {why}", h.item)
            });
            let causes: Vec<String> = causes.collect();
            format!("{} [{}]", lack.as_str(), causes.join(", "))
        }
    }
}

#[test]
fn children_come_by_position_then_key_and_those_without_a_position_last() {
    let mut board = Rows::from_lines(&["P", "P/d -", "P/c 2", "P/a 2", "P/z 1", "P/b -"]);
    let mut order = Vec::new();
    loop {
        let next = describe_next(&mut board, Some("P"), false);
        let Some(one) = board.items.iter_mut().find(|i| i.key.as_str() == next) else {
            break;
        };
        one.status = ItemStatus::Completed;
        order.push(next);
    }
    assert_eq!(order, ["z", "a", "c", "b", "d"]);
}

#[test]
fn where_the_search_begins() {
    for (rows, last, parent, expected) in [
        // The parent asked for, whatever is held or was.
        (&["P", "P/a 1", "Q", "Q/b 1", "Q/c 2 running me"][..], Some("b"), Some("P"), "a"),
        // The item held, while it has children to do.
        (&["P - running me", "P/a 1 completed", "P/b 2"], None, None, "b"),
        // Else the siblings of the item held, behind it, and round again.
        (&["P", "P/a 1", "P/b 2 running me", "P/c 3"], None, None, "c"),
        (&["P", "P/a 1", "P/b 2 running me", "P/c 3 completed"], None, None, "a"),
        // Else the siblings of the item held last, from the first.
        (&["P", "P/a 1 running", "P/b 2 completed", "P/c 3"], Some("b"), None, "a"),
        (&["a - completed", "b", "P", "P/c 1 queued %1"], Some("a"), None, "c"),
        // What is below a finished parent or one that another holds, when nothing is left here.
        (&["P - completed", "P/c 1"], None, None, "c"),
        (&["P - running you", "P/c 1"], None, None, "c"),
        (&["P - completed", "P/c 1", "Q", "Q/a 1 completed", "Q/b 2 running me"], None, None, "c"),
        // Else those that belong to nothing, and what is below them.
        (&["x", "P/c 1", "P 1"], None, None, "c"),
    ] {
        let mut board = Rows::from_lines(rows);
        board.last = last.map(parse_key);
        assert_eq!(describe_next(&mut board, parent, false), expected, "{rows:?}");
    }
}

#[test]
fn a_parent_is_not_offered_before_its_children() {
    for (rows, expected) in [
        (&["P - queued %1", "P/a 1", "x"][..], "a"),
        (&["P", "P/a 1", "a/b 1", "b/c 1"], "c"),
        (&["P", "P/a 1 completed"], "P"),
        // What is kept from starting keeps its parent, and the search goes on beside it.
        (&["P 1", "P/a 1 blocked", "Q 2"], "Q"),
        (&["P - queued %0", "P/a 1 running you", "Q 2 queued %3"], "Q"),
        (&["P - queued %0", "P/a 1 blocked", "Q - queued %4", "Q/b 1"], "b"),
        (&["P 1", "P/a 1 blocked !why"], "waiting [P: after a blocked]"),
        // From a held place behind it, round again.
        (&["b 2 running me", "c 3", "c/d 1 blocked", "a 1", "a/e 1"], "e"),
        (&["b 2 running me", "c 3", "c/d 1 blocked", "a 1", "a/e 1 blocked"], "held b"),
        // An orchestrator is started before its children.
        (&["P 1 queued @orchestrator", "P/a 1"], "P"),
    ] {
        let mut board = Rows::from_lines(rows);
        assert_eq!(describe_next(&mut board, None, false), expected, "{rows:?}");
    }
}

#[test]
fn the_most_urgent_comes_first_and_of_equally_urgent_ones_the_next_in_place() {
    for (rows, parent, expected) in [
        (&["P", "P/a 1", "P/b 2 queued %1"][..], Some("P"), "b"),
        (&["P", "P/a 1 queued %1", "P/b 2 queued %1", "P/c 0 queued %4"], Some("P"), "a"),
        // None is as 2.
        (&["P", "P/a 1 queued %2", "P/b 0", "P/c 3 queued %3"], Some("P"), "b"),
        (&["P", "P/a 1", "P/b 0 queued %2"], Some("P"), "b"),
        // What is not free is passed over, however urgent.
        (&["P", "P/a 1 blocked %0", "P/b 2 queued %0 <a", "P/c 3 queued %3"], Some("P"), "c"),
        // From an item that is held: the more urgent before it, and of its own priority those
        // behind it, then round again.
        (&["P", "P/a 1 queued %0", "P/b 2 running me", "P/c 3"], None, "a"),
        (&["P", "P/a 1 queued %1", "P/b 2 running me", "P/c 3 queued %1"], None, "c"),
        (&["P", "P/a 1", "P/b 2 running me %1", "P/c 3", "P/d 4 queued %3"], None, "c"),
        (&["P", "P/a 1 queued %1", "P/b 2 running me", "P/c 3"], None, "a"),
        (&["P", "P/a 1", "P/b 2 running me", "P/c 3 queued %4"], None, "a"),
        (&["P", "P/z - queued %0", "P/b 2 running me", "P/c 3"], None, "z"),
        (&["a", "b - queued %1", "c - queued %0"], None, "c"),
    ] {
        let mut board = Rows::from_lines(rows);
        assert_eq!(describe_next(&mut board, parent, false), expected, "{rows:?}");
    }
}

#[test]
fn what_is_held_waits_or_is_blocked_is_passed_over_and_named_when_it_is_all() {
    for (rows, expected) in [
        (&["P", "P/a 1 running you", "P/b 2"][..], "b"),
        (&["P", "P/a 1 running", "P/b 2"], "a"),
        (&["P", "P/a 1 blocked", "P/b 2 queued <a", "P/c 3 ready"], "c"),
        (
            &["P", "P/a 1 running you", "P/b 2 running them"],
            "all_held [a: held by you, b: held by them]",
        ),
        (
            &["P", "P/a 1 running you", "P/b 2 queued <a", "P/c 3 blocked !key"],
            "waiting [a: held by you, b: after a running, c: blocked key]",
        ),
        (&["P", "P/a 1 failed", "P/b 2 queued <a"], "waiting [b: after a failed]"),
    ] {
        assert_eq!(describe_next(&mut Rows::from_lines(rows), Some("P"), false), expected);
    }
    assert_eq!(describe_next(&mut Rows::from_lines(&[]), None, false), "nothing_ready []");
}

#[test]
fn no_more_are_named_than_fit() {
    let mut board = Rows::from_lines(&["P"]);
    for n in 0..50 {
        let row = format!("P/c{n:02} {n} blocked");
        board.items.extend(Rows::from_lines(&[&row]).items);
    }
    let me = sample_session("me", SessionStatus::Active, 0);
    let parent = parse_key("P");
    let seeker = Requester { session: Some(&me), parent: Some(&parent), scope: &RepoScope::All };
    let NextItem::Nothing { blockers: hindrances, has_more: more, .. } =
        find_next_item(&mut board, &seeker).unwrap()
    else {
        panic!("something is free")
    };
    assert_eq!((hindrances.len(), more), (MAX_BLOCKERS as usize, true));
}

#[test]
fn the_one_held_stays_when_nothing_else_is_left() {
    for (rows, expected) in [
        (&["P", "P/a 1 completed", "P/b 2 running me"][..], "held b"),
        (&["P", "P/a 1 running you", "P/b 2 blocked me"], "held b"),
        (&["a - running me"], "held a"),
    ] {
        assert_eq!(describe_next(&mut Rows::from_lines(rows), None, false), expected);
    }
}

#[test]
fn after_the_last_child_comes_the_parent() {
    for (rows, last, expected) in [
        (&["P", "P/a 1 completed"][..], "a", "P (last_child_done)"),
        (&["P - running", "P/a 1 cancelled"], "a", "P (last_child_done)"),
        (&["P - running you", "P/a 1 completed"], "a", "all_held [P: held by you]"),
        // What it waits for is elsewhere, and can be begun.
        (&["X", "P - queued <X", "P/a 1 completed"], "a", "X"),
        (&["X - failed", "P - queued <X", "P/a 1 completed"], "a", "waiting [P: after X failed]"),
        (&["P - blocked !why", "P/a 1 completed"], "a", "waiting [P: blocked why]"),
        // All of a finished parent's siblings are finished too: what they belong to.
        (&["G", "G/P 1 completed", "P/a 1 completed"], "a", "G (last_child_done)"),
        (&["P - completed", "P/a 1 completed"], "a", "nothing_ready []"),
    ] {
        let mut board = Rows::from_lines(rows);
        board.last = Some(parse_key(last));
        assert_eq!(describe_next(&mut board, None, true), expected, "{rows:?}");
    }
    let mut board = Rows::from_lines(&["P", "Q", "Q/a 1 completed"]);
    assert_eq!(describe_next(&mut board, Some("P"), false), "P (no_children)");
    let mut board = Rows::from_lines(&["Q - running me", "Q/a 1 completed"]);
    assert_eq!(describe_next(&mut board, Some("Q"), false), "held Q (last_child_done)");
}

#[test]
fn the_next_orchestrator_is_gone_on_with_only_by_a_session_that_chains() {
    let done = "P 1 completed";
    for (rows, last, parent, chained, unchained) in [
        // Another finished the parent.
        (
            &[done, "P/a 1 completed", "Q 2", "Q/b 1"][..],
            Some("a"),
            None,
            "Q (next_orchestrator)",
            "chaining_off [Q: free]",
        ),
        // The session finished it itself.
        (
            &[done, "P/a 1 completed", "Q 2 queued @orchestrator"],
            Some("P"),
            None,
            "Q (next_orchestrator)",
            "chaining_off [Q: free]",
        ),
        // In order, and round again.
        (
            &["O 0", "O/x 1", done, "P/a 1 completed", "Q 2", "Q/b 1"],
            Some("a"),
            None,
            "Q (next_orchestrator)",
            "chaining_off [Q: free]",
        ),
        (
            &["O 0", "O/x 1", done, "P/a 1 completed"],
            None,
            Some("P"),
            "O (next_orchestrator)",
            "chaining_off [O: free]",
        ),
        // A plain item is no orchestrator: it is next without chaining.
        (&[done, "P/a 1 completed", "t 2"], Some("a"), None, "t", "t"),
        // One that is held is not offered, but what is below it.
        (&[done, "P/a 1 completed", "Q 2 running you", "Q/b 1"], Some("a"), None, "b", "b"),
        // From a plain item to an orchestrator nothing is chained.
        (&["t 1 completed", "Q 2", "Q/b 1"], Some("t"), None, "b", "b"),
    ] {
        for (chain, expected) in [(true, chained), (false, unchained)] {
            let mut board = Rows::from_lines(rows);
            board.last = last.map(parse_key);
            assert_eq!(describe_next(&mut board, parent, chain), expected, "{rows:?}");
        }
    }
}

#[test]
fn parents_tied_into_a_ring_end_the_search() {
    let mut board = Rows::from_lines(&["B/A 1 completed", "A/B 1 completed"]);
    assert_eq!(describe_next(&mut board, Some("A"), true), "nothing_ready []");
}

#[test]
fn a_person_is_shown_the_first_item_of_all() {
    let mut board = Rows::from_lines(&["P 1", "P/a 1", "Q 0"]);
    let nobody = Requester { session: None, parent: None, scope: &RepoScope::All };
    assert_eq!(describe_answer(find_next_item(&mut board, &nobody).unwrap()), "Q");
}

#[test]
fn the_number_of_questions_does_not_grow_with_the_board() {
    let asked = |children: usize| {
        let mut board = Rows::from_lines(&["P"]);
        let rows: Vec<String> = (0..children).map(|n| format!("P/c{n} {n} completed")).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        board.items.extend(Rows::from_lines(&rows).items);
        board.items.extend(Rows::from_lines(&["P/last 100000"]).items);
        assert_eq!(describe_next(&mut board, Some("P"), false), "last");
        board.asked
    };
    assert_eq!(asked(3), asked(500));
}
