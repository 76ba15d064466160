//! Several files of one tracker in a repository: each keeps its own tasks.

use super::*;
use crate::fixture::{create_database, envelope, trueup};

/// Writes the file of a folder, as its tracker lays it out, with two tasks.
fn write_tracker(home: &Home, format: &str, folder: &str) -> String {
    let titles = ["one", "two"].map(|title| format!("{folder} {title}"));
    let [one, two] = &titles;
    let (name, text) = match format {
        "task-master" => (
            ".taskmaster/tasks/tasks.json",
            format!(
                "{{\"tasks\":[{{\"id\":1,\"title\":\"{one}\",\"status\":\"pending\"}},\
                 {{\"id\":2,\"title\":\"{two}\",\"status\":\"pending\",\"dependencies\":[1]}}]}}"
            ),
        ),
        "beads" => (
            ".beads/issues.jsonl",
            format!(
                "{{\"id\":\"s-1\",\"title\":\"{one}\",\"status\":\"open\"}}\n\
                 {{\"id\":\"s-2\",\"title\":\"{two}\",\"status\":\"open\"}}\n"
            ),
        ),
        _ => {
            let task = |id: u8, title: &str| {
                format!("---\nid: TASK-{id}\ntitle: {title}\nstatus: To Do\n---\n")
            };
            write(home, &format!("{folder}/backlog/tasks/task-2.md"), task(2, two));
            ("backlog/tasks/task-1.md", task(1, one))
        }
    };
    write(home, &format!("{folder}/{name}"), text);
    match format {
        "backlog" => format!("{folder}/backlog"),
        _ => format!("{folder}/{name}"),
    }
}

/// Returns all that is below a folder.
fn content(home: &Home, folder: &str) -> String {
    let mut open = vec![home.project_dir().join(folder)];
    let mut texts = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            texts.push((path.clone(), fs::read_to_string(path).unwrap()));
        }
    }
    texts.sort();
    texts.into_iter().map(|(_, text)| text).collect()
}

#[test]
fn the_files_of_two_folders_overwrite_nothing_of_each_other() {
    for format in ["task-master", "beads", "backlog"] {
        let home = Home::new();
        create_database(&home);
        let [a, b] = ["a", "b"].map(|folder| write_tracker(&home, format, folder));
        let before = ["a", "b"].map(|folder| content(&home, folder));
        data(&home, &["item", "import", &a]);
        let second = data(&home, &["item", "import", &b]);
        assert_eq!((texts(&second["added"]).len(), &second["changed"]), (2, &Value::Array(vec![])));
        for file in [&a, &b] {
            data(&home, &["export", file, "--format", format]);
        }
        assert_eq!(["a", "b"].map(|folder| content(&home, folder)), before, "{format}");
        for file in [&b, &a] {
            assert_eq!(data(&home, &["item", "import", file])["unchanged"], 2, "{format}");
        }
        // What is done in one is done there alone.
        let key = texts(&second["added"])[0];
        data(&home, &["item", "edit", key, "--title", "b first"]);
        for file in [&a, &b] {
            data(&home, &["export", file, "--format", format]);
        }
        assert_eq!(content(&home, "a"), before[0]);
        let after = content(&home, "b");
        assert!(after.contains("b first") && !after.contains("b one"), "{format}: {after}");
        assert!(after.contains("b two") && !after.contains("a one"), "{format}: {after}");
    }
}

#[test]
fn a_new_item_is_written_to_the_file_of_its_parent() {
    let home = Home::new();
    create_database(&home);
    let [a, b] = ["a", "b"].map(|folder| write_tracker(&home, "task-master", folder));
    data(&home, &["item", "import", &a]);
    data(&home, &["item", "import", &b]);
    data(&home, &["item", "add", "CHILD", "--title", "Below", "--parent", "1"]);
    data(&home, &["item", "add", "NEW", "--title", "Nowhere"]);
    for file in [&a, &b] {
        let said = trueup(&home, &["export", file, "--format", "task-master"]);
        assert!(said.stderr.contains("NEW: not written"), "{}", said.stderr);
        assert!(said.stderr.contains("`trueup item edit NEW --parent KEY`"), "{}", said.stderr);
    }
    assert!(content(&home, "a").contains("Below") && !content(&home, "b").contains("Below"));
    assert!(!format!("{}{}", content(&home, "a"), content(&home, "b")).contains("Nowhere"));
    // A copy cannot have two tasks of the same number.
    let copy = ["export", "copy.json", "--format", "task-master", "--json"];
    let answer = envelope(&trueup(&home, &copy), 1);
    assert_eq!(answer["error"]["code"], "several_files");
}

#[test]
fn a_file_that_was_moved_is_known_again() {
    for format in ["task-master", "beads", "backlog"] {
        let home = Home::new();
        create_database(&home);
        let old = write_tracker(&home, format, "old");
        data(&home, &["item", "import", &old]);
        fs::rename(home.project_dir().join("old"), home.project_dir().join("new")).unwrap();
        let new = old.replace("old", "new");
        let moved = data(&home, &["item", "import", &new]);
        assert_eq!((texts(&moved["added"]).len(), &moved["unchanged"]), (0, &Value::from(2)));
        let before = content(&home, "new");
        data(&home, &["export", &new, "--format", format]);
        assert_eq!(content(&home, "new"), before);
        // Another one at the old place is another file.
        write_tracker(&home, format, "old");
        write_tracker(&home, format, "other");
        let other = old.replace("old", "other");
        assert_eq!(texts(&data(&home, &["item", "import", &other])["added"]).len(), 2, "{format}");
    }
}
