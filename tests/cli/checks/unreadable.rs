//! A workplan that cannot be parsed completely is not written.

use std::fs;

use super::scene::{Clone, PLAN, of_code, skipped};

/// Variants of a valid file that cannot be parsed completely.
fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let swap = |from: &str, to: &str| PLAN.replacen(from, to, 1).into_bytes();
    let mut vec = vec![
        ("a block without an end", swap("priority: high\n```\n", "priority: high\n")),
        ("the last block without an end", Vec::new()),
        ("another fence at its end", swap("priority: high\n```\n", "priority: high\n~~~\n")),
        ("front matter without an end", swap("status: active\n---\n", "status: active\n")),
        ("one id twice", swap("0026-T02", "0026-T01")),
        ("a key twice", swap("status: todo\n", "status: todo\nstatus: done\n")),
        ("a block without an id", swap("id: CUST-WP-0026-T02\n", "")),
        ("a word nobody knows", swap("status: in_progress", "status: somehow")),
        ("a line that is no key", swap("priority: high\n", "priority high\n")),
        (
            "a byte order mark before a block",
            swap("```task\nid: CUST-WP-0026-T02", "\u{feff}```task\nid: CUST-WP-0026-T02"),
        ),
        (
            "a conflict",
            swap("Never back.", "<<<<<<< HEAD\nNever back.\n=======\nBack.\n>>>>>>> topic"),
        ),
        (
            "a conflict in a block",
            swap(
                "status: in_progress\n",
                "<<<<<<< HEAD\nstatus: in_progress\n=======\nstatus: done\n>>>>>>> topic\n",
            ),
        ),
        (
            "a conflict in the front matter",
            swap(
                "status: active\n",
                "<<<<<<< HEAD\nstatus: active\n=======\nstatus: done\n>>>>>>> x\n",
            ),
        ),
    ];
    let mut bytes = PLAN.as_bytes().to_vec();
    bytes.extend(b"\xff\n");
    vec.push(("not UTF-8", bytes));
    // The last block has no end.
    let end = PLAN.trim_end().trim_end_matches("```");
    vec[1].1 = end.as_bytes().to_vec();
    vec
}

#[test]
fn a_file_that_cannot_be_read_whole_is_not_written_and_the_others_are() {
    for (what, bytes) in broken() {
        let clone = Clone::empty();
        clone.publish("workplans/a.md", &bytes);
        clone.publish("workplans/b.md", PLAN.replace("0026", "0027"));
        let object = clone.object(1, &["--fix"]);
        assert!(!of_code(&object, "C-02").is_empty(), "{what}: {object}");
        assert_eq!(clone.bytes("workplans/a.md"), bytes, "{what}");
        let repo = &object["data"]["repos"][0];
        assert_eq!(repo["written"], serde_json::json!(["workplans/b.md"]), "{what}");
        assert_eq!(clone.git(&["log", "--format=%s", "--", "workplans/a.md"]), "by hand", "{what}");
        // The advice names the line to fix.
        for divergence in object["divergences"].as_array().unwrap() {
            let of_file = divergence["message"].as_str().unwrap().starts_with("workplans/a.md");
            let fix = divergence["fix"].as_str().unwrap_or_default();
            assert!(!of_file || fix != "trueup check --fix", "{what}: {divergence}");
        }
    }
}

#[test]
fn once_it_is_fixed_it_is_written() {
    let clone = Clone::empty();
    let broken = PLAN.replacen("priority: high\n```\n", "priority: high\n", 1);
    clone.publish("workplans/a.md", &broken);
    let repo = clone.object(1, &["--fix"])["data"]["repos"][0].clone();
    assert!(
        skipped(&repo).starts_with("workplans/a.md was not written: cannot be read completely"),
        "{repo}"
    );
    clone.publish("workplans/a.md", PLAN);
    assert_eq!(clone.fix()["pushed"], true);
    assert_eq!(clone.text("workplans/a.md").matches("state_hub_task_id").count(), 3);
}

#[test]
fn code_that_shows_a_conflict_is_none() {
    let clone = Clone::empty();
    let shown = "```text\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> topic\n```\n\n>>>>>>> deep quote\n";
    clone.publish("workplans/a.md", PLAN.replace("Never back.", shown));
    assert_eq!(clone.fix()["pushed"], true);
}

#[test]
fn a_file_that_is_no_file_is_left_alone() {
    let clone = Clone::linked();
    fs::create_dir(clone.root().join("workplans/z.md")).unwrap();
    clone.done("CUST-WP-0026-T01");
    assert_eq!(clone.fix()["pushed"], true);
}
