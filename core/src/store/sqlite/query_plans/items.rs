//! What comes next, and who waits for whom.

use super::{migrated_database, query_plan_steps};
use crate::model::SiblingPosition;
use crate::store::sqlite::dependencies::{OPEN_DEPENDENCIES, WAITING_ITEMS};
use crate::store::sqlite::next::{
    LAST_HELD_ITEM, LAST_HOLDER, RepoLookup, first_free_sql, has_unheld_sql, index_ranges,
    unfinished_sql,
};
use crate::store::sqlite::workplans::workplan_rows_sql;

const LOOKUPS: [RepoLookup<'_>; 3] = [
    RepoLookup::All,
    RepoLookup::Repo(None),
    RepoLookup::Repo(Some("r")),
];

/// Whether the place is one with a position, one without, or none, and whether only
/// orchestrators are looked for.
fn first_free_searches() -> Vec<(RepoLookup<'static>, String)> {
    let placed = SiblingPosition::new(Some(1), "k".parse().unwrap());
    let unplaced = SiblingPosition::new(None, "k".parse().unwrap());
    let mut searches = Vec::new();
    for after in [None, Some(&placed), Some(&unplaced)] {
        for part in index_ranges(after) {
            for orchestrators in [false, true] {
                for lookup in LOOKUPS {
                    searches.push((lookup, first_free_sql(part, orchestrators, lookup)));
                }
            }
        }
    }
    searches
}

#[test]
fn the_next_item_is_the_first_row_of_its_index() {
    let connection = migrated_database();
    for (lookup, sql) in first_free_searches() {
        let steps = query_plan_steps(&connection, &sql);
        // One of another repository is not walked past.
        let index = match lookup {
            RepoLookup::All => "work_items USING INDEX work_items_next (parent=?",
            RepoLookup::Repo(_) => {
                "work_items USING INDEX work_items_next_in_repo (repo=? AND parent=?"
            }
        };
        assert!(steps[0].contains(index), "{steps:?}\nin {sql}");
        let sorted = steps.iter().any(|step| step.contains("TEMP B-TREE"));
        assert!(!sorted, "{steps:?}\nin {sql}");
    }
    // Behind a place the index begins there, and does not skip what lies before it.
    for (part, range) in [
        ("?2", "(parent=? AND <expr>=? AND (position,key)>(?,?))"),
        (
            "key > ?3",
            "(parent=? AND <expr>=? AND position=? AND key>?)",
        ),
    ] {
        for (lookup, behind) in first_free_searches()
            .into_iter()
            .filter(|(_, sql)| sql.contains(part))
        {
            let range = match lookup {
                RepoLookup::All => range.to_owned(),
                RepoLookup::Repo(_) => range.replace("(parent=?", "(repo=? AND parent=?"),
            };
            let steps = query_plan_steps(&connection, &behind);
            assert!(steps[0].contains(&range), "{steps:?}\nin {behind}");
        }
    }
}

#[test]
fn what_is_left_is_found_without_what_is_finished() {
    let connection = migrated_database();
    for lookup in LOOKUPS {
        let index = match lookup {
            RepoLookup::All => "work_items_status (parent=? AND status=?)",
            RepoLookup::Repo(_) => "work_items_status (parent=? AND status=? AND repo=?)",
        };
        for sql in [unfinished_sql(lookup), has_unheld_sql(lookup)] {
            let steps = query_plan_steps(&connection, &sql).join("; ");
            assert!(steps.contains(index), "{steps}\nin {sql}");
        }
    }
}

#[test]
fn items_and_their_files_are_read_side_by_side() {
    let connection = migrated_database();
    let steps = query_plan_steps(&connection, &workplan_rows_sql());
    assert_eq!(steps.len(), 2, "{steps:?}");
    let index = "SCAN w USING INDEX sqlite_autoindex_work_items_1";
    assert!(steps[0].starts_with(index), "{steps:?}");
    let tie = "SEARCH l USING PRIMARY KEY (item=?)";
    assert!(steps[1].starts_with(tie), "{steps:?}");
}

#[test]
fn no_question_of_the_next_item_reads_a_whole_table() {
    let connection = migrated_database();
    for sql in [
        "SELECT EXISTS (SELECT 1 FROM work_items WHERE parent = ?1)".to_owned(),
        "SELECT item FROM item_dependencies WHERE depends_on = ?1 ORDER BY item".to_owned(),
        LAST_HELD_ITEM.to_owned(),
        LAST_HOLDER.to_owned(),
        WAITING_ITEMS.to_owned(),
        OPEN_DEPENDENCIES.to_owned(),
    ] {
        let steps = query_plan_steps(&connection, &sql);
        assert!(!steps.is_empty());
        for step in steps {
            let table = ["work_items", "item_dependencies", "events", "d", "i", "w"]
                .iter()
                .any(|name| step.starts_with(&format!("SCAN {name}")));
            let whole = table && !step.starts_with("SCAN waiting");
            assert!(!whole, "{step}\nin {sql}");
        }
    }
}
