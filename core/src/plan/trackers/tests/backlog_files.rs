//! What an export changes in a file of Backlog.md, and what it leaves.

use super::days::{own_item, read};
use super::*;

fn started(text: &str, statuses: &str) -> Items {
    let files = vec![
        ("backlog/config.yml".to_owned(), statuses.as_bytes().to_vec()),
        ("backlog/tasks/task-2 - T.md".to_owned(), text.as_bytes().to_vec()),
        ("backlog/tasks/task-1 - U.md".to_owned(), b"---\nid: TASK-1\ntitle: U\n---\n".to_vec()),
    ];
    let mut items = Items::new();
    import(&mut items, read(TrackerFormat::Backlog, &files));
    let new = own_item("q");
    items.insert(new.key.clone(), new);
    items
}

fn written(items: &Items) -> String {
    let exported = exported(items, TrackerFormat::Backlog);
    let task = exported.items.iter().find(|item| item.item.key.as_str() == "TASK-2").unwrap();
    render_backlog_file(task, &exported).text
}

fn task(items: &mut Items) -> &mut Item {
    items.get_mut(&"TASK-2".parse::<ItemKey>().unwrap()).unwrap()
}

#[test]
fn what_an_import_ignored_stays_when_another_dependency_changes() {
    let file = |dependencies: &str| format!("---\nid: TASK-2\ntitle: T\n{dependencies}---\n");
    for (before, more, fewer) in [
        (
            "dependencies: # why\n- 1 # first\n- TASK-99\n",
            "dependencies: # why\n- 1 # first\n- TASK-99\n- q\n",
            "dependencies: # why\n- TASK-99\n",
        ),
        (
            "dependencies: [task-1, TASK-99] # why\n",
            "dependencies: # why\n  - task-1\n  - TASK-99\n  - q\n",
            "dependencies: # why\n  - TASK-99\n",
        ),
    ] {
        let mut items = started(&file(before), "");
        task(&mut items).depends_on.push("q".parse().unwrap());
        assert_eq!(written(&items), file(more));
        task(&mut items).depends_on.clear();
        assert_eq!(written(&items), file(fewer));
    }
}

#[test]
fn what_is_cancelled_is_in_the_last_column_with_a_note() {
    let text = "---\nid: TASK-2\ntitle: T\nstatus: Draft\n---\n\nText.\n";
    for (statuses, column, note) in [
        ("statuses: [Open, Doing, Shipped]\n", "Shipped", "cancelled: not worth it"),
        ("statuses: [Open, Cancelled, Shipped]\n", "Cancelled", ""),
        ("statuses: [Open, Done, Cancelled]\n", "Cancelled", ""),
    ] {
        let mut items = started(text, statuses);
        task(&mut items).status = ItemStatus::Cancelled;
        task(&mut items).error_message = Some("not worth it".to_owned());
        let after = written(&items);
        let start = text.replace("Draft", column);
        assert!(after.starts_with(&start), "{after}");
        let rest = match note {
            "" => String::new(),
            note => format!(
                "\n## Implementation Notes\n\n<!-- SECTION:NOTES:BEGIN -->\n{note}\n\
                 <!-- SECTION:NOTES:END -->\n"
            ),
        };
        assert_eq!(after, format!("{start}{rest}"));
        let path = "backlog/tasks/task-2 - T.md".to_owned();
        let config = ("backlog/config.yml".to_owned(), statuses.as_bytes().to_vec());
        let file = read(TrackerFormat::Backlog, &vec![config, (path, after.into_bytes())]);
        assert_eq!(import(&mut items, file).skipped, []);
        assert_eq!(task(&mut items).status, ItemStatus::Cancelled);
    }
}

#[test]
fn a_file_keeps_its_mark_its_line_ends_and_its_comments() {
    let text = "\u{feff}---\r\nid: TASK-2\r\ntitle: 'T' # t\r\n---\r\n";
    let mut items = started(text, "");
    task(&mut items).title = Some("New".to_owned());
    task(&mut items).description = Some("a\nb".to_owned());
    assert_eq!(
        written(&items),
        "\u{feff}---\r\nid: TASK-2\r\ntitle: New # t\r\n---\r\n\r\n## Description\r\n\r\n\
         <!-- SECTION:DESCRIPTION:BEGIN -->\r\na\r\nb\r\n<!-- SECTION:DESCRIPTION:END -->\r\n"
    );
}
