//! The next item, and which item waits for which.

use super::{migrated_database, plan_of, query_plan_steps};
use crate::store::sql;

/// The searches for a free item: over all repositories or one, as their names say.
fn first_free_searches() -> Vec<(&'static str, &'static str)> {
    let searches = sql::statements().filter(|statement| {
        let name = statement.name().rsplit("::").next().unwrap_or_default();
        name.starts_with("FIRST_")
    });
    searches.map(|statement| (statement.name(), statement.sqlite())).collect()
}

fn is_in_repo(name: &str) -> bool {
    name.ends_with("_IN_REPO")
}

#[test]
fn the_next_item_is_the_first_row_of_its_index() {
    let connection = migrated_database();
    let searches = first_free_searches();
    assert_eq!(searches.len(), 16);
    for (name, sql) in searches {
        let steps = query_plan_steps(&connection, sql);
        // An item of another repository is not walked past.
        let index = if is_in_repo(name) {
            "work_items USING INDEX work_items_next_in_repo (repo=? AND parent=?"
        } else {
            "work_items USING INDEX work_items_next (parent=?"
        };
        assert!(steps[0].contains(index), "{steps:?}\nin {name}");
        let sorted = steps.iter().any(|step| step.contains("TEMP B-TREE"));
        assert!(!sorted, "{steps:?}\nin {name}");
        // Behind a position the index begins there, and does not skip what lies before it.
        let range = if sql.contains("?2") {
            "(parent=? AND <expr>=? AND <expr>=? AND (position,key)>(?,?))"
        } else if sql.contains("key > ?3") {
            "(parent=? AND <expr>=? AND <expr>=? AND position=? AND key>?)"
        } else {
            continue;
        };
        let range = if is_in_repo(name) {
            range.replace("(parent=?", "(repo=? AND parent=?")
        } else {
            range.to_owned()
        };
        assert!(steps[0].contains(&range), "{steps:?}\nin {name}");
    }
}

#[test]
fn what_is_left_is_found_without_what_is_finished() {
    let connection = migrated_database();
    for name in [
        "next::LIST_UNFINISHED",
        "next::LIST_UNFINISHED_IN_REPO",
        "next::HAS_UNHELD",
        "next::HAS_UNHELD_IN_REPO",
    ] {
        let index = if is_in_repo(name) {
            "work_items_status (parent=? AND status=? AND repo=?)"
        } else {
            "work_items_status (parent=? AND status=?)"
        };
        let steps = plan_of(&connection, name).join("; ");
        assert!(steps.contains(index), "{steps}\nin {name}");
    }
}

#[test]
fn items_and_their_files_are_read_side_by_side() {
    let steps = plan_of(&migrated_database(), "workplans::LIST_WORKPLAN_ROWS");
    assert_eq!(steps.len(), 2, "{steps:?}");
    let index = "SCAN w USING INDEX sqlite_autoindex_work_items_1";
    assert!(steps[0].starts_with(index), "{steps:?}");
    let link = "SEARCH l USING PRIMARY KEY (item=?)";
    assert!(steps[1].starts_with(link), "{steps:?}");
}

#[test]
fn no_statement_of_the_next_item_reads_a_whole_table() {
    let connection = migrated_database();
    for name in [
        "next::HAS_CHILDREN",
        "next::LAST_HELD_ITEM",
        "next::LAST_HOLDER",
        "item_moves::LIST_DEPENDENTS",
        "dependencies::LIST_WAITING_ITEMS",
        "dependencies::LIST_OPEN_DEPENDENCIES",
    ] {
        let steps = plan_of(&connection, name);
        assert!(!steps.is_empty());
        for step in steps {
            let table = ["work_items", "item_dependencies", "events", "d", "i", "w"]
                .iter()
                .any(|table| step.starts_with(&format!("SCAN {table}")));
            let whole = table && !step.starts_with("SCAN waiting");
            assert!(!whole, "{step}\nin {name}");
        }
    }
}

#[test]
fn lists_and_what_is_ready_are_walked_along_their_indexes_and_sorted_by_them() {
    let connection = migrated_database();
    for (name, index) in [
        ("items::LIST_ITEMS", "work_items USING INDEX work_items_listed"),
        ("items::LIST_CHILDREN", "work_items USING INDEX work_items_listed (parent=?)"),
        ("items::COUNT_ITEMS", "work_items USING COVERING INDEX work_items_listed"),
        ("items::LIST_ITEM_KINDS", "work_items USING COVERING INDEX work_items_listed"),
        ("items::FIND_REPO_OF_ITEMS", "work_items USING COVERING INDEX work_items_"),
        ("ready::LIST_READY", "work_items USING INDEX work_items_ready"),
        ("ready::LIST_OPEN_EDGES", "work_items USING INDEX work_items_waiting"),
    ] {
        let steps = plan_of(&connection, name);
        let walked = steps.iter().find(|step| step.contains(" work_items "));
        assert!(walked.is_some_and(|step| step.contains(index)), "{steps:?}\nin {name}");
        let is_sorted = steps.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY"));
        assert!(!is_sorted, "{steps:?}\nin {name}");
    }
}
