//! What is ready and what is next agree in any tree of items.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

/// A row of a random tree: the row before it that it is below, if there is one, its position, the number
/// of its status, the row that it waits for, its priority, and what else it has.
type RandomRow = (usize, Option<i64>, usize, usize, u8, u8);

fn random_row() -> impl Strategy<Value = RandomRow> {
    (0..9_usize, option::of(0..3_i64), 0..7_usize, 0..9_usize, 0..5_u8, 0..8_u8)
}

/// Makes a tree whose keys are numbered in the order of their age.
fn grow_tree(rows: &[RandomRow]) -> Rows {
    let statuses = ["queued", "queued", "ready", "running", "blocked", "completed", "cancelled"];
    let lines: Vec<String> = rows
        .iter()
        .enumerate()
        .map(|(number, row)| {
            let (above, position, status, on, priority, extra) = *row;
            let parent = if above < number { format!("i{above}/") } else { String::new() };
            let position = position.map_or("-".to_owned(), |position| position.to_string());
            let mut line = format!("{parent}i{number} {position} {} %{priority}", statuses[status]);
            if on < number && extra == 0 {
                line.push_str(" <i");
                line.push_str(&on.to_string());
            }
            line.push_str(match extra {
                1 => " @orchestrator",
                2 => " you",
                _ => "",
            });
            line
        })
        .collect();
    Rows::from_lines(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn the_first_that_is_ready_is_next_and_nothing_is_next_only_when_nothing_is_ready(
        rows in vec(random_row(), 0..9),
        last in 0..9_usize,
    ) {
        let mut board = grow_tree(&rows);
        let first = board.list_ready().into_iter().next();
        let nobody = Requester { session: None, parent: None, scope: &RepoScope::All };
        let offered = match find_next_item(&mut board, &nobody).unwrap() {
            NextItem::Offer { item, .. } => Some(item.key),
            _ => None,
        };
        prop_assert_eq!(&offered, &first.map(|item| item.key));
        // Wherever a session comes from, it is offered something then as well.
        board.last = board.items.get(last).map(|item| item.key.clone());
        let me = sample_session("me", SessionStatus::Active, 0);
        let session = Requester { session: Some(&me), ..nobody };
        match find_next_item(&mut board, &session).unwrap() {
            NextItem::Offer { .. }
            | NextItem::Nothing { reason: NoOfferReason::ChainingOff, .. } => {}
            other => prop_assert!(offered.is_none(), "{:?}", other),
        }
    }
}
